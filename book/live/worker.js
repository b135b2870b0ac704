// Python in a worker, so that the page stays awake. The page makes it of pyodide.js,
// pyodide.asm.js and this file, and sends everything else: nothing is fetched.
let files = {}; // of the part "python", by name
const SITE = "/lib/python3.12/site-packages/";
// scipy's special functions name a library that they never call; this one is empty
const NO_OPENBLAS = [0, 97, 115, 109, 1, 0, 0, 0, 0, 15, 8, 100, 121, 108, 105, 110, 107, 46, 48, 1, 4, 0, 0, 0, 0];
const START = `
import importlib, pandas
importlib.invalidate_caches()
pandas.options.mode.copy_on_write = True  # as pandas 3 has it
from live import fleet_page
session = fleet_page.Session()
lambda call, arguments: fleet_page.serve(session, call, arguments)
`;

self.fetch = async (address) => {
  const name = String(address.url || address).split("/").pop();
  if (!(name in files)) throw new TypeError(`${name} is not in this page`);
  const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  return new Response(files[name], { headers: { "Content-Type": type } });
};

const sent = {}; // parts that have come or are waited for: [promise, resolve]
const part = (name) => {
  if (!sent[name]) {
    sent[name] = [];
    sent[name][0] = new Promise((resolve) => { sent[name][1] = resolve; });
  }
  return sent[name];
};

async function start() {
  files = await part("python")[0];
  const python = await loadPyodide({ indexURL: "https://python.invalid/" });
  files = {};
  postMessage({ step: "packages" });
  for (const name of ["packages", "model"]) {
    for (const [path, data] of Object.entries(await part(name)[0])) {
      const place = SITE + path;
      python.FS.mkdirTree(place.slice(0, place.lastIndexOf("/")));
      python.FS.writeFile(place, data, { canOwn: true });
    }
  }
  python.FS.mkdirTree("/usr/lib");
  python.FS.writeFile("/usr/lib/libopenblas.so", Uint8Array.from(NO_OPENBLAS));
  await python._api.loadDynlib("/usr/lib/libopenblas.so", true, ["/usr/lib"]);
  postMessage({ step: "model" });
  return [python, python.runPython(START)];
}
const started = start();
started.catch((error) => postMessage({ failed: last(error) }));

const last = (error) => { // of a traceback its last error
  const lines = String(error.message || error).trim().split("\n");
  return lines.findLast((line) => /^[\w.]*(Error|Exception)\b/.test(line)) || lines.at(-1);
};
let folders = 0;

onmessage = async ({ data }) => {
  if (data.part) { part(data.part)[1](data.files); return; }
  const [python, serve] = await started;
  const given = { ...data.arguments };
  try {
    if (data.files) {
      given.folder = `/fleet/${++folders}`;
      python.FS.mkdirTree(given.folder);
      for (const [name, bytes] of data.files) {
        python.FS.writeFile(`${given.folder}/${name}`, new Uint8Array(bytes));
      }
    }
    postMessage({ id: data.id, answer: JSON.parse(serve(data.call, JSON.stringify(given))) });
  } catch (error) {
    // what is no error of Python's has ended it
    if (error.name !== "PythonError") postMessage({ failed: last(error) });
    else postMessage({ id: data.id, answer: { error: `This is a fault of the page: ${last(error)}` } });
  } finally {
    for (const [name] of data.files || []) python.FS.unlink(`${given.folder}/${name}`);
  }
};
