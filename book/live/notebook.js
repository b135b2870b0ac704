// A notebook that is run in its page: a button, and after it its parameters, its tables
// and the values that chapters quote of it. Figures are left out, and it says so.
(() => {
  "use strict";
  const { make, lacking, begin, call } = vmbmodelLive;
  for (const root of document.querySelectorAll(".notebook-here")) {
    const { notebook, parts, size } = root.dataset;
    const status = make("p", { role: "status" });
    const trouble = make("pre", { class: "fleet-trouble", role: "alert", hidden: "" });
    const inputs = make("div", { class: "notebook-inputs" });
    const shown = make("div", { class: "notebook-shown" });
    const given = {};
    const ask = async () => {
      again.disabled = true;
      trouble.hidden = true;
      status.textContent = "Running the notebook ...";
      const begun = performance.now();
      try {
        const found = await call("notebook", { name: notebook, given: { ...given } });
        if (!inputs.children.length) found.parameters.forEach(input);
        show(found);
        status.textContent = `Run in this page in ${((performance.now() - begun) / 1000).toFixed(1)} s: tables and values. Figures are not drawn here; those below are the stored ones.`;
      } catch (error) {
        trouble.textContent = error.message;
        trouble.hidden = false;
        status.textContent = shown.children.length ? "Not run; what stands here is of the last run." : "Not run.";
      }
      again.disabled = false;
    };
    const input = ({ name, value, text }) => {
      const id = `notebook-${name}`;
      inputs.append(make("div", {}, make("label", { for: id }, make("code", {}, name), ` ${text}`),
        make("input", { id, value, onchange: (event) => { given[name] = event.target.value; } })));
    };
    const show = (found) => {
      const rows = Object.entries(found.quoted).map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, make("code", {}, name)), make("td", {}, String(value))));
      const tables = found.shown.map((table, number) => {
        const place = make("div", { class: "notebook-table", tabindex: "0", role: "region", "aria-label": `Result ${number + 1}` });
        place.innerHTML = table;
        for (const cell of place.querySelectorAll("th:empty")) cell.replaceWith(make("td"));
        return place;
      });
      shown.replaceChildren(...tables, make("details", {}, make("summary", {}, `${rows.length} values that chapters quote`), make("table", { class: "table" }, make("tbody", {}, ...rows))));
    };
    const again = make("button", { type: "button", onclick: ask }, "Run with these parameters");
    const button = make("button", { type: "button", onclick: async () => {
      button.disabled = true;
      try {
        await begin(parts, (text) => { status.textContent = text; });
        button.replaceWith(inputs, again);
        await ask();
      } catch (error) { status.textContent = error.message; }
    } }, `Run this notebook here, without its figures (loads ${size} of Python from this book)`);
    const old = "To run this notebook here, a browser of 2023 or later is needed.";
    root.replaceChildren(...(lacking.length ? [old] : [button, status, trouble, shown]));
  }
})();
