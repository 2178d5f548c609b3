// node pack.mjs BUNDLEIMP_WHEEL OUT WHEEL...: a bundle of pure wheels for the Python of the npm package `pyodide`.
import { readFile, writeFile } from "node:fs/promises";
import { loadPyodide } from "pyodide";
import { packBundle } from "./bundle.mjs";

const [bundleimpWheel, out, ...wheels] = process.argv.slice(2);
// Pyodide knows the browser's arrays only, not Node's `Buffer`.
const contents = await Promise.all([bundleimpWheel, ...wheels].map(async (path) => new Uint8Array(await readFile(path))));
await writeFile(out, await packBundle(await loadPyodide(), contents[0], contents.slice(1)));
