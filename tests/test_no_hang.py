"""Threads that load parts of the runtime, import, read resources, look again and fork at once: each of them ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .interruptions import needs_fork
from .parts import FAST, ROOMS
from .places import DIRECTORY, FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, lay_out
from .platforms import needs_threads
from .stopping import STRIDE, run_script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [needs_threads, needs_fork]

START = "start"
# The parts by the rooms that they are in, below the package.
PARTS = {
    START: ["public", "waiting", "runtime", *(f"runtime.{name}" for name in FAST if name != "annotations")],
    **{room: [f"runtime.{room}", *(f"runtime.{room}.{name}" for name in names)] for room, names in ROOMS.items()},
}

# What the threads do while another one is stopped.  The places are directories where that is the measure.
_OTHERS = """
import bundleimp
measure, places = sys.argv[1] == "measure", sys.argv[2:]


def forks():
    "Import in a forked child."
    child = os.fork()
    if not child:
        signal.alarm(LIMIT // 2)
        try:
            import forked
            os._exit(7)
        except BaseException as error:
            print(f"in a forked child: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 7, status


def reads():
    import embedded.read, importlib.resources
    assert importlib.resources.files("embedded.read").joinpath("data.txt").read_text() == "content"


def asks():
    import importlib.metadata
    assert importlib.metadata.version("embedded") == "1.0"
    assert importlib.metadata.version("plain") == "1.0"


class Case:
    "A thread that gets the module *name* by the function *work*."

    def __init__(self, name, work, is_step):
        self.name, self.work, self.is_step = name, work, is_step

    def actions(self):
        "Return what the others do, by name."
        names = ["embedded.mod", "sourced.mod", "plain.mod", "directory.mod"]
        if self.name not in ("bundleimp.public", "bundleimp.waiting"):  # which are nobody's to import by name
            names.append(self.name)
        found = {f"import {name}": lambda name=name: importlib.import_module(name) for name in names}
        if not measure:
            found |= {"get": self.get, "install": lambda: bundleimp.install()}
        return found | {"read": reads, "ask": asks, "look again": importlib.invalidate_caches, "fork": forks}

    def held(self):
        "Return who is stopped in the body of a module before the worker starts, and where."
        global in_body
        in_body = Stop()
        return {"held": (lambda: importlib.import_module("held"), in_body)}

    def get(self):
        found = bundleimp
        for name in self.name.split(".")[1:]:
            found = getattr(found, name)
        return found

    def check(self, results):
        module = sys.modules[self.name]
        found = {name: results.get(name) for name in ("worker", "get", f"import {self.name}") if name in results}
        return [f"another {self.name} for {name}" for name, other in found.items() if other is not module]
"""
_TREE: dict[str, str | bytes] = {"{}/__init__.py": "", "{}/mod.py": "from . import other\n", "{}/other.py": ""}
_TREE["{}-1.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n"
# In the body of a module from a directory, a thread stops; then it imports from elsewhere.
_HELD = "import __main__\n__main__.in_body.here()\nimport embedded.late, plain.late\n"


def surroundings(folder: Path, *, measure: bool = False) -> list[Path]:
    """Lay out path entries of each kind, each with one package that has its name; or directories with the same."""
    places = []
    for name, kind in (("directory", DIRECTORY), ("embedded", NESTED), ("sourced", NO_BYTECODE), ("plain", PLAIN_ZIP)):
        tree = {key.format(name): str(text).format(name) for key, text in _TREE.items()}
        tree[f"{name}/late.py"] = ""
        if name == "embedded":
            tree |= {"forked.py": "", "embedded/read/__init__.py": "", "embedded/read/data.txt": "content"}
        if name == "directory":
            tree |= {"held.py": _HELD, "ordinary/__init__.py": "from . import one\n", "ordinary/one.py": ""}
            tree["ordinary/part.py"] = "import sys\nfrom . import one, two\n\n\nclass Some:\n    thing = 1\n"
            tree["ordinary/two.py"] = "from . import one\n"
        places.append(lay_out(DIRECTORY if measure else kind, folder / name, tree))
    return places


_PARTS = """
import bundleimp
OURS = os.path.dirname(bundleimp.__file__) + os.sep
room, names, stride = json.loads(os.environ["CASE"])
executed = []
if room != "start":
    bundleimp.runtime
if room != "data":
    import importlib.metadata, importlib.resources, tempfile
sys.path[1:1] = places  # only now: a plain zip is asked for each module


class PartCase(Case):
    def __init__(self, name, by_name):
        super().__init__(f"bundleimp.{name}", self.by_name if by_name else self.get, self.is_step)
        self.tail = name.rpartition(".")[2]
        folder = OURS + name.replace(".", os.sep)
        self.file = os.path.join(folder, "__init__.py") if os.path.isdir(folder) else folder + ".py"
        assert self.name not in sys.modules

    def by_name(self):
        return importlib.import_module(self.name)

    def get(self):
        return bundleimp._load(self.tail) if self.tail in ("public", "waiting") else super().get()

    def is_step(self, frame):
        "Return whether a frame is of the part, or of what loads it."
        file = frame.f_code.co_filename
        if file == self.file:
            return True
        own = file.startswith(OURS)
        if not own and file != "<frozen importlib._bootstrap>":
            return False
        local = frame.f_locals
        for key in ("fullname", "name", "part"):
            value = local.get(key)
            if isinstance(value, str) and (value == self.name or own and value == self.tail):
                return True
        return getattr(local.get("spec"), "name", None) == self.name

    def held(self):
        executed.clear()
        sys.addaudithook(self.hook)
        return super().held()

    def hook(self, event, arguments):
        if event == "exec" and getattr(arguments[0], "co_filename", "") == self.file:
            executed.append(self.name)

    def check(self, results):
        return super().check(results) + ([f"executed {len(executed)} times"] if len(executed) != 1 else [])


result = {}
for number, name in enumerate(names):
    for by_name in (False, True)[: 1 if name in ("public", "waiting") else 2]:
        step = stride * (3 if by_name and stride > 1 else 1)  # most are steps of the import system
        first = 1 + 7 * number % min(step, 30 if by_name else 12)
        result[f"{'import' if by_name else 'get'} {name}"] = each_step(PartCase(name, by_name), first=first, stride=step)
        if "did not end" in str(result):
            print(result)
            sys.exit()
"""


@pytest.mark.parametrize("room", PARTS)
def test_a_thread_stopped_at_any_step_of_loading_a_part_stops_no_other_for_good(room: str, tmp_path: Path) -> None:
    import json

    case = json.dumps([room, PARTS[room], STRIDE or 20])
    seen: dict[str, Any] = run_script(_OTHERS + _PARTS, "", *surroundings(tmp_path), cwd=tmp_path, CASE=case)
    print(json.dumps(seen, indent=1))
    assert {name: found["failed"] for name, found in seen.items() if found["failed"]} == {}
    assert all(found["waited"] for found in seen.values())
