"""Keep a package in a shelve: PyMOTW's importer, with submodules, reload, errors, missing modules and ``get_data``.

A shelve unpickles what it has, so import only from one that you have written.

python shelve_importer.py FILE
"""

import importlib
import inspect
import shelve
import sys

import bundleimp

with shelve.open(sys.argv[1]) as store, bundleimp.mount(store, "shelve"):
    store["package/__init__.py"] = 'print("package: loaded")\n'
    store["package/module.py"] = 'WORD = "first"\n'
    store["package/with_error.py"] = 'raise ValueError("raised to break the import")\n'
    store["package/number.py"] = 3
    store["package/README"] = "data\n"
    importlib.invalidate_caches()  # the store was empty when it was mounted

    import package.module

    print(package.module.__file__, package.module.WORD)
    print(inspect.getsource(package.module).strip())

    store["package/module.py"] = 'WORD = "second"\n'
    print(importlib.reload(package.module).WORD)

    print(package.__loader__.get_data(package.__path__[0] + "/README"))
    try:
        package.__loader__.get_data(package.__path__[0] + "/missing")
    except OSError as error:
        print(type(error).__name__, error.filename)

    for name in ("package.missing", "package.with_error", "package.number"):
        try:
            importlib.import_module(name)
        except (ImportError, ValueError) as error:
            print(type(error).__name__, error)
