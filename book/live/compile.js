// Compiles Python sources with the very Python that the page runs:
//   node compile.js FOLDER_OF_THE_RUNTIME FOLDER_OF_SOURCES
// The second folder holds files.json, a list of [file, name in tracebacks, what
// to leave out: 0 nothing, 2 docstrings and assertions]; each file is replaced by its
// bytecode.
const fs = require("fs");
const path = require("path");
const [runtime, sources] = process.argv.slice(2).map((folder) => path.resolve(folder) + "/");
const { loadPyodide } = require(runtime + "pyodide.js");

const PROGRAM = `
import importlib.util, json, marshal, os
os.chdir("/sources")
for file, name, spare in json.load(open("files.json")):
    with open(file, "rb") as source:
        code = compile(source.read(), name, "exec", dont_inherit=True, optimize=spare)
    # version 2: without references, which depend on what was compiled before
    body = marshal.dumps(code, 2)
    with open(file, "wb") as target:  # flag 1: never held against a source
        target.write(importlib.util.MAGIC_NUMBER + bytes([1, 0, 0, 0]) + bytes(8) + body)
`;

(async () => {
  const python = await loadPyodide({ indexURL: runtime, lockFileURL: sources + "lock.json" });
  python.FS.mkdir("/sources");
  python.FS.mount(python.FS.filesystems.NODEFS, { root: sources }, "/sources");
  python.runPython(PROGRAM);
})().catch((error) => {
  console.error(String(error.message || error).slice(-2000));
  process.exit(1);
});
