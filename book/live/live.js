// What every page that computes needs: Python, loaded once from scripts beside the page
// and started in a worker. `vmbmodelLive` is all that others see of it. The build puts a
// line before this file, with the SHA-256 of what each of those scripts hands over.
(() => {
  "use strict";
  const AGAIN = "load the page again; if that does not help, copy the book's folder anew, or build it again";

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };
  const lacking = ["Worker", "DecompressionStream", "WebAssembly", "Blob"].filter((name) => !(name in window));

  // --- the parts: scripts that hand over a text ---
  const texts = {};
  window.vmbmodelPart = (name, text) => { texts[name] = text; };
  const damaged = (name) => new Error(`${name}.js is damaged, or not of this build: ${AGAIN}.`);
  const load = (base, name) => new Promise((resolve, reject) => {
    const script = make("script", { src: `${base}${name}.js` });
    script.onerror = () => reject(new Error(`${name}.js is missing beside this page: ${AGAIN}.`));
    script.onload = () => (name in texts ? resolve(unpack(name)) : reject(damaged(name)));
    document.head.append(script);
  });
  // a page of plain http from another host has no crypto.subtle, and only gzip's own sum
  async function altered(name, packed) {
    if (!window.crypto?.subtle) return false;
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", packed));
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") !== vmbmodelDigests[name];
  }
  async function unpack(name) {
    try {
      const text = texts[name];
      delete texts[name];
      const packed = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      if (await altered(name, packed)) throw damaged(name);
      const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      const data = new Uint8Array(await new Response(stream).arrayBuffer());
      const end = data.indexOf(10);
      const files = {};
      let at = end + 1;
      for (const [path, size] of JSON.parse(new TextDecoder().decode(data.subarray(0, end)))) {
        files[path] = data.subarray(at, at += size);
      }
      if (at !== data.length) throw damaged(name);
      return [files, data.buffer];
    } catch (error) {
      throw damaged(name);
    }
  }

  // --- Python, started once, whoever asks for it ---
  const STEPS = 5;
  const tellers = [];
  const step = (text) => { for (const tell of tellers) tell(text, 1 / STEPS); };
  let begun, worker;
  let calls = 0;
  const waiting = {};
  const call = (name, given = {}, files) => new Promise((resolve, reject) => {
    waiting[++calls] = (answer) => (answer.error ? reject(new Error(answer.error)) : resolve(answer));
    worker.postMessage({ id: calls, call: name, arguments: given, files }, (files || []).map((file) => file[1]));
  });
  const begin = (base, tell) => {
    tellers.push(tell);
    begun ||= start(base);
    return begun;
  };
  async function start(base) {
    step("Reading Python ...");
    const others = { packages: load(base, "packages"), model: load(base, "model") };
    for (const other of Object.values(others)) other.catch(() => {}); // told when it is waited for
    const [files, buffer] = await load(base, "python");
    step("Starting Python ...");
    const read = (name) => new TextDecoder().decode(files[name]);
    const code = new Blob(["pyodide.js", "pyodide.asm.js", "worker.js"].map((name) => `${read(name)}\n`), { type: "text/javascript" });
    worker = new Worker(URL.createObjectURL(code));
    const ready = new Promise((resolve, reject) => {
      const fail = (text) => {
        const error = new Error(`Python stopped: ${text}; ${AGAIN}.`);
        for (const [id, tell] of Object.entries(waiting)) { delete waiting[id]; tell({ error: error.message }); }
        reject(error);
      };
      worker.onerror = (event) => fail(event.message || "no reason given");
      worker.onmessage = ({ data }) => {
        if (data.failed) fail(data.failed);
        if (data.step === "packages") step("Putting numpy, pandas and the model in place ...");
        if (data.step === "model") { step("Loading the model ..."); resolve(); }
        if (data.id in waiting) { const tell = waiting[data.id]; delete waiting[data.id]; tell(data.answer); }
      };
    });
    ready.catch(() => {});
    worker.postMessage({ part: "python", files }, [buffer]);
    for (const [name, other] of Object.entries(others)) {
      const [found, whole] = await other;
      worker.postMessage({ part: name, files: found }, [whole]);
    }
    await ready;
    step("Computing the first answer ...");
  }

  // --- the newest question that waits is asked, those between are dropped ---
  const latest = (ask) => {
    let asking = false, wanted = false;
    return async () => {
      wanted = true;
      if (asking) return;
      asking = true;
      while (wanted) {
        wanted = false;
        await ask(() => wanted);
      }
      asking = false;
    };
  };

  window.vmbmodelLive = { make, lacking, begin, call, latest };
})();
