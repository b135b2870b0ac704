// The page "Your fleet in this page". Until its button is pressed, the sample's answer
// stands there as the build wrote it. Everything that can be used is made here, so that
// nothing dead is left where scripts are off.
(() => {
  "use strict";
  const root = document.getElementById("fleet-page");
  const head = root.querySelector(".fleet-head");
  const body = root.querySelector(".fleet-answer");
  const base = root.dataset.parts;
  const LARGEST = 32 * 2 ** 20; // bytes of all files together
  const given = {}; // settings by name, as text
  const { make, lacking, call, latest } = vmbmodelLive;
  const panel = make("div", { class: "fleet-panel" });
  const status = make("p", { class: "fleet-status", role: "status" });
  const trouble = make("pre", { class: "fleet-trouble", role: "alert", hidden: "" });
  root.prepend(status, trouble);
  root.insertBefore(panel, body);
  const complain = (text) => {
    trouble.textContent = text;
    trouble.hidden = !text;
    if (text) trouble.scrollIntoView({ block: "nearest" });
  };

  root.querySelector(".without-script").remove();

  if (lacking.length) {
    status.textContent = `To ask about a fleet of your own, this page needs a browser of 2023 or later: this one has no ${lacking.join(", ")}. The answer below is that of the sample.`;
    return;
  }

  // --- the question stands in the address, so that it can be sent to somebody ---
  const fromAddress = () => {
    const words = location.hash.slice(1);
    for (const name of Object.keys(given)) delete given[name];
    if (words.includes("=")) for (const [name, value] of new URLSearchParams(words)) given[name] = value;
  };
  const toAddress = () => {
    const words = new URLSearchParams(given).toString();
    const here = location.href.split("#")[0];
    history.replaceState(null, "", words || location.hash.includes("=") ? `${here}#${words}` : location.href);
  };
  fromAddress();
  // a link within the page has no settings, and leaves them as they are
  addEventListener("hashchange", () => { if (location.hash.includes("=")) { fromAddress(); if (ready) ask(); } });

  // --- Python ---
  const progress = make("progress", { max: "1", value: "0", "aria-label": "Loading" });
  const tell = (text, part) => { status.textContent = text; progress.value += part; };
  let begun, ready;
  function begin() {
    begun ||= start().catch((error) => {
      complain(error.message);
      status.textContent = "The answer below is that of the sample, from when the book was built.";
      progress.remove();
      throw error;
    });
    return begun;
  }
  async function start() {
    button.disabled = true;
    panel.append(progress);
    await vmbmodelLive.begin(base, tell);
    build();
    ready = true;
    await ask();
    progress.remove();
    button.remove();
  }

  // --- questions ---
  const REST = 700; // milliseconds without a question, after which the longer one is asked
  let resting;
  const ask = latest(async (newer) => {
    clearTimeout(resting);
    resting = undefined;
    toAddress();
    root.setAttribute("aria-busy", "true");
    list();
    try {
      const answer = await call("ask", { settings: { ...given } });
      complain("");
      head.innerHTML = answer.head;
      body.innerHTML = answer.body;
      answer.controls.forEach(refresh);
      list();
      status.textContent = `Computed in this page in ${answer.seconds.toFixed(2)} s.`;
      if (!newer()) {
        const rules = make("div");
        rules.innerHTML = (await call("check")).html;
        if (!newer()) {
          body.append(rules);
          resting = setTimeout(() => doubt(answer.seconds, false), REST);
        }
      }
    } catch (error) {
      complain(error.message);
      status.textContent = "Not computed; the answer below is the last one.";
    }
    if (!newer()) root.setAttribute("aria-busy", "false");
  });
  // how far the answer may be off; dropped if there is a newer question meanwhile
  async function doubt(before, wanted) {
    const mine = resting;
    try {
      const answer = await call("doubt", { wanted });
      if (mine !== resting) return;
      head.innerHTML = answer.head;
      body.querySelector(".fleet-clocks").innerHTML = answer.clocks;
      if (answer.told) {
        status.textContent = `Computed in this page in ${before.toFixed(2)} s, and in ${answer.seconds.toFixed(2)} s how far it may be off.`;
        return;
      }
      const more = make("button", { type: "button", class: "fleet-doubt", onclick: () => {
        more.disabled = true;
        status.textContent = "Computing how far it may be off; this may take a minute ...";
        doubt(before, true);
      } }, "How far may these figures be off?");
      head.append(more);
    } catch (error) { complain(error.message); }
  }

  // --- the reader's files ---
  let taken = []; // files, the last that were given
  async function take(files) {
    const size = files.reduce((sum, file) => sum + file.size, 0);
    if (!files.length) return;
    if (size > LARGEST) {
      const mib = (bytes) => Math.round(bytes / 2 ** 20);
      complain(`${files.map((file) => file.name).join(", ")}: ${mib(size)} MiB; this page takes up to ${mib(LARGEST)}. Ask the command line: vmbmodel estimate`);
      return;
    }
    taken = files;
    if (files.some((file) => /json/i.test(file.name))) ofAzure.open = true;
    complain("");
    clearTimeout(resting);
    resting = undefined;
    status.textContent = "Reading ...";
    try {
      const read = await Promise.all(files.map(async (file) => [file.name.replace(/[/\\]|^\.+$/g, "_"), await file.arrayBuffer()]));
      const choices = { protected_only: only.checked };
      if (used.value) choices.used_frac = Number(used.value);
      note(await call("read", choices, read));
    } catch (error) {
      complain(error.message);
      status.textContent = "Not read; the answer below is that of the fleet before.";
      return;
    }
    await ask();
    status.scrollIntoView({ block: "nearest" });
  }
  const note = (about) => {
    complain("");
    remarks.replaceChildren(...about.said.map((line) => make("li", {}, line)));
  };
  const remarks = make("ul", { class: "fleet-remarks" });
  const again = () => take(taken);
  const only = make("input", { type: "checkbox", id: "fleet-only", onchange: again });
  const used = make("input", { type: "number", id: "fleet-used", min: "0", max: "1", step: "0.05", onchange: again });
  const ofAzure = make("details", {}, make("summary", {}, "For lists of Azure"),
    make("label", { for: "fleet-used" }, "Share of its size used by a disk of which nothing is known"), used,
    make("label", { for: "fleet-only" }, only, "Leave out VMs that no item protects"));

  // --- controls ---
  const widgets = {};
  const set = (name, value) => { given[name] = value; ask(); };
  const unset = (name) => { delete given[name]; ask(); };
  const others = make("ul", { class: "fleet-others" }); // settings of the address that have no control
  const list = () => others.replaceChildren(...Object.keys(given).filter((name) => !(name in widgets)).map((name) => make("li", {},
    make("code", {}, `${name}=${given[name]}`), " ",
    make("button", { type: "button", class: "fleet-small", "aria-label": `${name}: as it was`, onclick: () => unset(name) }, "as it was"))));

  function refresh(about) {
    const widget = widgets[about.name] ||= control(about);
    const mine = about.name in given;
    for (const input of widget.inputs) if (input !== document.activeElement || !mine) input.value = about.value;
    widget.reset.hidden = !mine;
    widget.origin.textContent = mine ? "set by you, for all disks" : about.origin;
  }
  function control(about) {
    const id = `fleet-${about.name}`;
    const inputs = [];
    if (about.choices) {
      inputs.push(make("select", { id, onchange: (event) => set(about.name, event.target.value) }, ...about.choices.map((choice) => make("option", { value: choice }, choice))));
    } else {
      const { low, high, step } = about;
      const slider = make("input", { type: "range", id, min: low, max: high, step, oninput: (event) => { inputs[1].value = event.target.value; set(about.name, event.target.value); } });
      const box = make("input", { type: "number", "aria-label": `${about.label}, ${about.rule}`, min: low, step: "any", onchange: (event) => { slider.value = event.target.value; set(about.name, event.target.value); } });
      inputs.push(slider, box);
    }
    const reset = make("button", { type: "button", class: "fleet-small", hidden: "", onclick: () => { inputs[0].focus(); unset(about.name); } }, "as it was");
    reset.setAttribute("aria-label", `${about.label}: as it was`);
    const origin = make("small", { class: "fleet-origin" });
    const help = make("small", { id: `${id}-help` }, about.text);
    inputs[0].setAttribute("aria-describedby", help.id);
    const label = make("label", { for: id }, about.label, about.unit ? ` (${about.unit})` : "");
    settings.append(make("div", { class: "fleet-control" }, label, origin, make("span", { class: "fleet-inputs" }, ...inputs, reset), help));
    return { inputs, reset, origin };
  }
  const settings = make("fieldset", { class: "fleet-settings" }, make("legend", {}, "What decides"));

  function build() {
    const chooser = make("input", { type: "file", id: "fleet-files", multiple: "", accept: ".csv,.tsv,.json,.txt", onchange: (event) => take([...event.target.files]) });
    const rows = make("textarea", { id: "fleet-rows", rows: "4", placeholder: "vm,disk,role,size_gib,used_gib\nweb-01,web-01-os,os,127,38\nweb-01,web-01-data,data,512,290" });
    const file = async (kind) => {
      try {
        const made = await call("file", { kind });
        const link = make("a", { href: URL.createObjectURL(new Blob([made.text])), download: made.name });
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      } catch (error) { complain(error.message); }
    };
    const keep = [["csv", "VMs as CSV"], ["json", "answer as JSON"], ["text", "answer as text"], ["toml", "scenario as TOML"], ["inventory", "inventory as CSV"]];
    panel.replaceChildren(
      make("fieldset", { class: "fleet-files" }, make("legend", {}, "Your fleet"),
        make("label", { for: "fleet-files" }, "Choose files, or drop them on this page: an inventory as CSV, or what ", make("code", {}, "az disk list"), " and ", make("code", {}, "az vm list"), " print"),
        chooser,
        ofAzure,
        make("label", { for: "fleet-rows" }, "Or paste rows, with the header"), rows,
        make("button", { type: "button", onclick: () => take([new File([rows.value], "pasted.csv")]) }, "Use these rows"),
        make("button", { type: "button", onclick: async () => { chooser.value = ""; taken = []; note(await call("sample")); ask(); } }, "Use the sample"),
        remarks),
      settings,
      others,
      make("p", { class: "fleet-keep" }, "Keep: ", ...keep.map(([kind, label]) => make("button", { type: "button", onclick: () => file(kind) }, label))));
  }
  // files may be dropped before Python is there, which then is loaded for them
  for (const type of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(type, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return; // a text, for the rows
      event.preventDefault();
      root.classList.toggle("fleet-over", type === "dragover");
      const files = [...event.dataTransfer.files];
      if (type === "drop") begin().then(() => take(files), () => {});
    });
  }

  const button = make("button", { type: "button", class: "fleet-begin", onclick: () => begin().catch(() => {}) }, `Ask about your own fleet (loads ${root.dataset.size} of Python from this book)`);
  panel.append(button);
  root.model = { begin, call }; // for who drives the page by a program
  if (Object.keys(given).length) status.textContent = `This address asks: ${new URLSearchParams(given).toString().replaceAll("&", ", ")}.`;
})();
