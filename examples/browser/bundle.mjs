// What page and measurement have in common: a bundle in Pyodide, to make and to import from.

/** Make the packages in a bundle importable: both arguments are the bytes of a file. */
export async function useBundle(pyodide, bundleimpWheel, bundle, name = "app.pybundle") {
  await pyodide.unpackArchive(bundleimpWheel, "wheel");
  pyodide.FS.writeFile(`/${name}`, bundle);
  pyodide.runPython(`
import sys, bundleimp
bundleimp.install()
sys.path.append("/${name}")
`);
}

/** Pack wheels into a bundle, with bytecode for this Pyodide's Python; arguments and result are the bytes of files. */
export async function packBundle(pyodide, bundleimpWheel, wheels) {
  await pyodide.unpackArchive(bundleimpWheel, "wheel");
  for (const wheel of wheels) await pyodide.unpackArchive(wheel, "wheel", { extractDir: "/packages" });
  pyodide.runPython(`
import bundleimp
bundleimp.pack(["/packages"], "/packed.pybundle")
`);
  return pyodide.FS.readFile("/packed.pybundle");
}
