"""The parts of the runtime, read from its folder: the modules of the import's own way, and the parts of each room."""

from __future__ import annotations

from pathlib import Path

import bundleimp

PACKAGE = Path(bundleimp.__file__).parent
RUNTIME = PACKAGE / "runtime"


def stems(folder: Path) -> list[str]:
    """Return the names of the modules in *folder*."""
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


# What only type checkers load.
FOR_TYPES = {"annotations"}
# What every import of indexed, embedded code needs.
FAST = [name for name in stems(RUNTIME) if name not in FOR_TYPES]
# The parts of each room, by its name.
ROOMS = {path.parent.name: stems(path.parent) for path in sorted(RUNTIME.glob("*/__init__.py"))}
# All of them, by the name below that of the runtime.
PARTS = [*FAST, *(f"{room}.{part}" for room, parts in ROOMS.items() for part in parts)]

# Import systems in which nothing of ours could be found.
EMPTIED = "sys.meta_path[:] = sys.path[:] = sys.path_hooks[:] = []; sys.path_importer_cache.clear()"
FOREIGN = """
from importlib.machinery import ModuleSpec

class Foreign:
    def find_spec(self, name, path=None, target=None):
        asked.append(name)
        return ModuleSpec(name, self)

    def create_module(self, spec):
        raise ImportError("not by this one")

    exec_module = create_module

sys.meta_path.insert(0, Foreign())
"""
WORLDS = {"emptied": EMPTIED, "foreign": FOREIGN}
