// node measure.mjs BUNDLEIMP_WHEEL MICROPIP_WHEEL [REPETITIONS] -- PROGRAM WHEEL... [-- PROGRAM WHEEL...]
//
// How long it takes until PROGRAM (Python, such as "import rich.console") has run, from reading the files on: from one
// bundle, from wheels through pyodide.unpackArchive, and from wheels through micropip.install.  Every measurement has a
// process and a Pyodide of its own, whose start does not count; nor does making the bundle, or loading micropip.
// bundleimp, which comes as a wheel, counts.  The ways take turns.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadPyodide } from "pyodide";
import { packBundle, useBundle } from "./bundle.mjs";

// Pyodide knows the browser's arrays only, not Node's `Buffer`.
const read = (path) => new Uint8Array(readFileSync(path));
const script = fileURLToPath(import.meta.url);

const WAYS = {
  async bundle(pyodide, { bundleimpWheel, bundle }) {
    await useBundle(pyodide, read(bundleimpWheel), read(bundle));
  },
  async unpackArchive(pyodide, { wheels }) {
    for (const wheel of wheels) await pyodide.unpackArchive(read(wheel), "wheel");
  },
  async micropip(pyodide, { wheels }) {
    for (const wheel of wheels) pyodide.FS.writeFile(`/tmp/${basename(wheel)}`, read(wheel));
    pyodide.globals.set("urls", pyodide.toPy(wheels.map((wheel) => `emfs:/tmp/${basename(wheel)}`)));
    await pyodide.runPythonAsync("import micropip\nawait micropip.install(urls, deps=False)");
  },
};

async function measureOne(way, task) {
  const pyodide = await loadPyodide();
  if (way === "micropip") {
    await pyodide.unpackArchive(read(task.micropipWheel), "wheel");
    pyodide.runPython("import micropip");
  }
  const start = performance.now();
  await WAYS[way](pyodide, task);
  const ready = performance.now();
  pyodide.runPython(task.program);
  return { ready: ready - start, total: performance.now() - start };
}

function quantile(values, part) {
  const sorted = [...values].sort((one, other) => one - other);
  const position = part * (sorted.length - 1);
  const below = Math.floor(position);
  return sorted[below] + (position - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

function spread(values, digits) {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quantile(values, part).toFixed(digits));
  return `${middle} (${low} to ${high})`;
}

function sizes(paths) {
  const contents = paths.map((path) => readFileSync(path));
  const total = (parts) => (parts.reduce((sum, part) => sum + part.length, 0) / 1e6).toFixed(1);
  return `${total(contents)} MB, gzipped ${total(contents.map((content) => gzipSync(content)))}`;
}

function measure(task, repetitions) {
  const found = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
  for (let turn = 0; turn < repetitions; turn++)
    for (const way of Object.keys(WAYS))
      found[way].push(JSON.parse(execFileSync(process.execPath, [script, "--one", way, JSON.stringify(task)])));
  console.log(`${task.program}: medians (and quartiles) of ${repetitions}, in ms`);
  console.log(`  the bundle: ${sizes([task.bundle])}; the wheels: ${sizes(task.wheels)}`);
  for (const [way, times] of Object.entries(found)) {
    const ratios = times.map((time, turn) => found.bundle[turn].total / time.total);
    const [ready, total] = ["ready", "total"].map((key) => spread(times.map((time) => time[key]), 0));
    console.log(`  ${way}: importable after ${ready}, done after ${total}; bundle / this ${spread(ratios, 2)}`);
  }
}

async function main(sections) {
  const [[bundleimpWheel, micropipWheel, repetitions = "7"], ...tasks] = sections;
  const folder = mkdtempSync(join(tmpdir(), "measure-"));
  try {
    for (const [program, ...wheels] of tasks) {
      const bundle = join(folder, "app.pybundle");
      const contents = wheels.map((wheel) => read(wheel));
      writeFileSync(bundle, await packBundle(await loadPyodide(), read(bundleimpWheel), contents));
      measure({ bundleimpWheel, micropipWheel, bundle, program, wheels }, Number(repetitions));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const given = process.argv.slice(2);
if (given[0] === "--one") {
  console.log(JSON.stringify(await measureOne(given[1], JSON.parse(given[2]))));
} else {
  const sections = [[]];
  for (const argument of given) argument === "--" ? sections.push([]) : sections.at(-1).push(argument);
  await main(sections);
}
