// Runs the tests in Pyodide under Node: node run.mjs PYODIDE SITE REPOSITORY [PYTEST ARGUMENT...]
//
// PYODIDE is the folder of the npm package; SITE, which becomes site-packages, has bundleimp, pytest and what that
// needs (pip install --target).  The exit status is pytest's.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodideFolder, site, repository, ...pytestArguments] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(resolve(pyodideFolder, "pyodide.mjs")));

// For tests/interpreters.py: a function that runs a program in an interpreter of its own.
function interpreters(python) {
  return {
    run(program) {
      const caller = python._PyThreadState_Get();
      const text = python.stringToNewUTF8(program);
      const fresh = python._Py_NewInterpreter();
      if (!fresh) throw new Error("no interpreter could be made");
      try {
        return python._PyRun_SimpleString(text);
      } finally {
        python._Py_EndInterpreter(fresh);
        python._PyThreadState_Swap(caller);
        python._free(text);
      }
    },
  };
}

try {
  const pyodide = await loadPyodide();
  pyodide.registerJsModule("interpreters", interpreters(pyodide._module));
  // Not Pyodide's own site-packages: interpreters.py lets `site` see it when the path is what it shall be.
  const sitePackages = pyodide.runPython(`import site; site.getsitepackages(["/environment"])[0]`);
  pyodide.FS.mkdirTree(sitePackages);
  pyodide.mountNodeFS(sitePackages, resolve(site));
  pyodide.FS.mkdir("/repository");
  pyodide.mountNodeFS("/repository", resolve(repository));
  pyodide.registerJsModule("run", { options: pyodide.toPy(pytestArguments), site_packages: sitePackages });
  process.exitCode = pyodide.runPython(`
import compileall, os, site, sys, zipfile
from run import options, site_packages
# Pyodide's standard library is a zip of source.  As files, it is compiled once for all interpreters.
library = next(entry for entry in sys.path if isinstance(entry, str) and entry.endswith(".zip"))
folder = "/lib/python%d.%d" % sys.version_info[:2]
zipfile.ZipFile(library).extractall(folder)
sys.path.insert(0, folder)
compileall.compile_dir(site_packages + "/bundleimp", quiet=1)
site.addsitedir(site_packages)
os.chdir("/repository")
import pytest
int(pytest.main(["-p", "no:cacheprovider", "-p", "no:faulthandler", "--capture=sys", *options]))
`);
} catch (error) {
  // Not the error itself: Node would print the line of code that it came from, which has a megabyte.
  console.error(error.message);
  process.exit(3);
}
