"""Put off the loading of a module on a web server until its first attribute is read: ``importlib.util.LazyLoader``.

python lazy_loader.py http://127.0.0.1:8000/
"""

import importlib.util
import sys
from types import ModuleType

import fsspec

import bundleimp


def import_lazily(name: str) -> ModuleType:
    """Return the module *name*, which is loaded when an attribute of it is read."""
    spec = importlib.util.find_spec(name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


with bundleimp.mount(fsspec.get_mapper(sys.argv[1]), "server", trust="unverified"):
    spam = import_lazily("spam")
    print("nothing was loaded")
    spam.hello("at last")
