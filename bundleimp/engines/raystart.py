"""Puts bundles on the path of a worker of Ray.  `bundleimp.ray.runtime_env` fills in the names.

The copy is the package ``sitecustomize`` in a folder that Ray puts on PYTHONPATH, and the bundles are beside it.  Child
processes of any Python version may import it, so it uses old syntax only.
"""

import os
import sys

_FOLDER = os.path.dirname(__file__)
_ROOT = os.path.dirname(_FOLDER)
_NAMES = "<names>"

_entries = []
for _name in _NAMES:
    if os.path.exists(os.path.join(_FOLDER, _name.split("/")[0])):
        _entries.append(os.path.join(_FOLDER, *_name.split("/")))
    else:
        sys.stderr.write("bundleimp: " + _name + ' did not reach this worker: do any "excludes" match it?\n')
_place = sys.path.index(_ROOT) if _ROOT in sys.path else 0
sys.path[:] = sys.path[:_place] + _entries + [_entry for _entry in sys.path[_place:] if _entry != _ROOT]
# The next module of this name is that of a bundle with its own runtime, or the user's.  It replaces this one.
_this = sys.modules.pop(__name__)
try:
    __import__(__name__)
except ModuleNotFoundError as _error:
    if _error.name != __name__:
        raise
    sys.modules.setdefault(__name__, _this)
