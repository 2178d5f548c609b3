"""Import modules from one path entry: ``imports.py KIND ENTRY TREE MODULE...`` prints what it cost and what came.

KIND is "entry"; or "floor": then ENTRY is a dict of bytecode (`benchmarks.trees.code_file`), in memory before the clock
starts; or "read": then ENTRY is a file of bytecode, and what is in memory before is the table of what lies where in it
(`benchmarks.trees.image_file`); or "memory", for a bundle whose bytes are in memory before; or "dict", for the files of
a tree, in a dict before.  All that opening a path entry takes lies between the two looks at the clock.  The peak
of memory is that of the process when the last module was there.
"""

import marshal
import os
import sys
import time
import zlib
from _frozen_importlib import ModuleSpec
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.readers import FileReader
    from types import ModuleType
    from typing import Any


def _peak() -> int:
    """Return how much memory the process had at most, in a unit that is the same wherever it is asked."""
    try:
        with open("/proc/self/status", "rb") as stream:
            for line in stream:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1])
    except OSError:
        pass
    # Not first: on Linux it counts what the process was before it became this program.
    import resource  # noqa: PLC0415 (after the clock has stopped)

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class _Located:
    """What a `FileReader` wants of a loader."""

    def __init__(self, path: str) -> None:
        self.path = path


class Floor:
    """The least that an import can do: look into a dict, unmarshal, execute."""

    def __init__(self, codes: "dict[str, tuple[str, str, bool, Any]]") -> None:
        self._codes = codes

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> "ModuleSpec | None":
        """Return the spec of a module that is in the dict."""
        found = self._codes.get(name)
        if found is None:
            return None
        spec = ModuleSpec(name, self, origin=found[0], is_package=found[2])  # type: ignore[arg-type]
        spec._set_fileattr = True  # type: ignore[attr-defined]
        spec.cached = found[1]  # else the import system works it out, at 10 microseconds a module
        return spec

    def get_resource_reader(self, name: str) -> "FileReader":
        """Return what a directory's loader does: a package looks for its data while it is imported."""
        from importlib.readers import FileReader  # noqa: PLC0415 (as the standard library does)

        return FileReader(_Located(self._codes[name][0]))  # type: ignore[arg-type]

    def create_module(self, _spec: "ModuleSpec") -> None:
        """Leave that to the import system."""

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module."""
        exec(marshal.loads(self._codes[module.__name__][3]), module.__dict__)  # noqa: S102, S302


class Reading(Floor):
    """The least that an import from one file can do: look into a dict, read, check, unmarshal, execute."""

    def __init__(self, codes: "dict[str, tuple[str, str, bool, Any]]", path: str) -> None:
        super().__init__(codes)
        self._descriptor = os.open(path, os.O_RDONLY)

    def exec_module(self, module: "ModuleType") -> None:
        """Execute the module."""
        offset, size, crc = self._codes[module.__name__][3]
        code = os.pread(self._descriptor, size, offset)
        if zlib.crc32(code) != crc:
            raise ImportError(module.__name__)
        exec(marshal.loads(code), module.__dict__)  # noqa: S102, S302


def _files(tree: str) -> "Iterator[tuple[str, bytes]]":
    """Yield the relative path and the content of each file in the folder *tree*, but of no bytecode."""
    for folder, _, names in os.walk(tree):
        if not folder.endswith("__pycache__"):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as stream:
                    yield os.path.relpath(path, tree), stream.read()


def main(kind: str, entry: str, tree: str, *names: str) -> None:
    """Import the modules *names*, and report on all that came with them."""
    floor: Floor | None = None
    if kind == "floor":
        with open(entry, "rb") as stream:
            floor = Floor(marshal.load(stream))  # noqa: S302
    elif kind == "read":
        with open(os.path.splitext(entry)[0] + ".table", "rb") as stream:
            floor = Reading(marshal.load(stream), entry)  # noqa: S302
    source: Any = None
    if kind == "memory":
        with open(entry, "rb") as stream:
            source = stream.read()
    elif kind == "dict":
        source = dict(_files(entry))
    wall, cpu = time.perf_counter(), time.process_time()
    if source is not None:
        import bundleimp  # noqa: PLC0415 (mounting counts)

        bundleimp.mount(source, "packages", first=True)
    elif floor is None:
        sys.path.insert(0, entry)
    else:
        sys.meta_path.insert(0, floor)
    for name in names:
        import_module(name)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = _peak()

    import json  # noqa: PLC0415 (after the clock has stopped)

    # By name: what is mirrored has its file somewhere else.
    tops = {file.partition(".")[0] for file in os.listdir(tree)}
    imported = sorted(name for name in sys.modules if name.partition(".")[0] in tops)
    print(json.dumps({"cpu": cpu, "wall": wall, "peak": peak, "imported": imported}))


main(*sys.argv[1:])
