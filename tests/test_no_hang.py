"""Threads that load parts of the runtime, import, read resources, look again and fork at once: each of them ends."""

from __future__ import annotations

import json
import sys
import textwrap
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
if sys.argv[1] == "warm":
    import importlib.metadata, importlib.resources, tempfile
sys.path[1:1] = places  # only now: a plain zip is asked for each module


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


def meets_broken_bundle():
    "Ask for a module that is nowhere, with a broken bundle on the path, of which there is a warning."
    sys.path.append(os.environ["BROKEN"])
    try:
        importlib.import_module("nowhere")
    except ImportError:
        pass


class Case:
    "A thread that gets the module *name*, whose source is *file*, by the function *work*."

    def __init__(self, name, file, work, ours="<frozen importlib._bootstrap"):
        self.name, self.file, self.work, self.ours = name, file, work, ours
        assert name not in sys.modules

    def is_step(self, frame):
        "Return whether a frame is of the module, or of what loads it."
        file = frame.f_code.co_filename
        if file == self.file:
            return True
        ours = file.startswith(self.ours)
        if not ours and not file.startswith("<frozen importlib._bootstrap>"):
            return False
        local = frame.f_locals
        for key in ("fullname", "name", "part"):
            value = local.get(key)
            if isinstance(value, str) and (value == self.name or ours and value == self.name.rpartition(".")[2]):
                return True
        return getattr(local.get("spec"), "name", None) == self.name

    def actions(self):
        "Return what the others do, by name."
        names = ["embedded.mod", "sourced.mod", "plain.mod", "directory.mod"]
        if self.name not in ("bundleimp.public", "bundleimp.waiting"):  # which are nobody's to import by name
            names.append(self.name)
        found = {f"import {name}": lambda name=name: self.seen(importlib.import_module(name)) for name in names}
        if not measure:
            found["install"] = lambda: bundleimp.install()
        return found | {"read": reads, "ask": asks, "look again": importlib.invalidate_caches, "fork": forks}

    def seen(self, module):
        "Return a module, and note what it has: nobody may see it half-way."
        if module.__name__ == self.name:
            self.names.append(set(vars(module)))
        return module

    def held(self):
        "Return who is stopped in the body of a module before the worker starts, and where."
        global in_body
        in_body, self.executed, self.names = Stop(), [], []
        sys.addaudithook(self.hook)
        return {"held": (lambda: importlib.import_module("held"), in_body)}

    def hook(self, event, arguments):
        if event == "exec" and getattr(arguments[0], "co_filename", "") == self.file:
            self.executed.append(self.name)

    def check(self, results):
        module = sys.modules[self.name]
        found = {name: results[name] for name in ("worker", "get", f"import {self.name}") if name in results}
        faults = [f"another {self.name} for {name}" for name, other in found.items() if other is not module]
        made = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == self.name}
        faults += [f"seen without {sorted(made - names)}" for names in self.names if made - names]
        return faults + ([f"executed {len(self.executed)} times"] if len(self.executed) != 1 else [])
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
room, names, stride = json.loads(os.environ["CASE"])
OURS = os.path.dirname(bundleimp.__file__) + os.sep
if room != "start":
    bundleimp.runtime


class PartCase(Case):
    def __init__(self, name, by_name):
        folder = OURS + name.replace(".", os.sep)
        file = os.path.join(folder, "__init__.py") if os.path.isdir(folder) else folder + ".py"
        super().__init__(f"bundleimp.{name}", file, self.by_name if by_name else self.get, OURS)

    def by_name(self):
        return importlib.import_module(self.name)

    def get(self):
        found = bundleimp
        for name in self.name.split(".")[1:]:
            found = bundleimp._load(name) if name in ("public", "waiting") else getattr(found, name)
        return found

    def actions(self):
        return super().actions() | {"get": lambda: self.seen(self.get())}


result = {}
for number, name in enumerate(names):
    for by_name in (False, True)[: 1 if name in ("public", "waiting") else 2]:
        step = min(stride, 5) if name == "runtime" else stride
        first = 1 + 7 * number % min(step, 30 if by_name else 12)
        word = "import" if by_name else "get"
        result[f"{word} {name}"] = found = each_step(PartCase(name, by_name), first=first, stride=step)
        if "did not end" in str(found):
            print(found)
            sys.exit()
"""


def faults_of(seen: dict[str, Any]) -> dict[str, list[str]]:
    """Return what failed by the names in *seen*; at each of them some thread must have waited for the stopped one."""
    assert all(found["waited"] for found in seen.values() if not found["failed"]), seen
    return {name: found["failed"] for name, found in seen.items() if found["failed"]}


@pytest.mark.parametrize("room", PARTS)
def test_a_thread_stopped_at_any_step_of_loading_a_part_stops_no_other_for_good(room: str, tmp_path: Path) -> None:
    case = json.dumps([room, PARTS[room], STRIDE or 24])
    kind = "cold" if room == "data" else "warm"
    seen = run_script(_OTHERS + _PARTS, kind, *surroundings(tmp_path), cwd=tmp_path, CASE=case)
    assert faults_of(seen) == {}


@pytest.mark.parametrize("name", ["ordinary", "ordinary.part"])
def test_that_is_so_of_a_module_in_a_directory(name: str, tmp_path: Path) -> None:
    """The measure: all places are directories, and nothing of ours is at work."""
    program = """
    name = sys.argv[2]
    file = os.path.join(places[0], "ordinary", "part.py" if name.endswith("part") else "__init__.py")
    case = Case(name, file, lambda: importlib.import_module(name))
    result = {name: each_step(case, first=1, stride=STRIDE)}
    """
    program = textwrap.dedent(program).replace("STRIDE", str(STRIDE or 24)).replace("sys.argv[2]", repr(name))
    places = surroundings(tmp_path, measure=True)
    seen = run_script(_OTHERS + program, "measure", *places, cwd=tmp_path, BUNDLEIMP_DISABLE="1")
    assert faults_of(seen) == {}


# Everything that an import, a part or a warning asks of the import system while the import lock is held.
_UNDER_THE_LOCK = """
import _frozen_importlib

original, asked = _frozen_importlib._find_and_load, {True: [], False: []}


def find_and_load(name, *arguments, **options):
    asked[_imp.lock_held()].append(name)
    return original(name, *arguments, **options)


_frozen_importlib._find_and_load = find_and_load


def get(name):
    found = bundleimp
    for part in name.split("."):
        found = getattr(found, part)


def seen(action):
    action()
    return [asked[True], bool(asked[False])]


def nothing():
    pass


case = Case("ordinary", "", nothing)
case.names = []
acts = {name: action for name, action in case.actions().items() if name != "fork"}
for name in json.loads(os.environ["CASE"]):
    acts[f"get {name}"] = lambda name=name: get(name)
    acts[f"import {name}"] = lambda name=name: importlib.import_module(f"bundleimp.{name}")
acts["a broken bundle"] = meets_broken_bundle
result = {name: in_child(lambda: seen(action)) for name, action in acts.items()}
"""


def test_nothing_is_imported_under_the_import_lock(tmp_path: Path) -> None:
    """One who waits for a module's lock there may wait for ever: its owner may be about to ask a finder."""
    (tmp_path / "broken.pybundle").write_bytes(b"no zip")
    parts = [name for names in PARTS.values() for name in names if name.startswith("runtime")]
    variables = {"BROKEN": str(tmp_path / "broken.pybundle"), "CASE": json.dumps(parts)}
    program, options = _OTHERS + _UNDER_THE_LOCK, ("-W", "always")
    found = run_script(program, "cold", *surroundings(tmp_path), cwd=tmp_path, options=options, **variables)
    assert {name: asked for name, (asked, _) in found.items() if asked} == {}
    assert found["import plain.mod"] == [[], True]  # what is imported without the lock is seen


_STANDARD = """
from _frozen_importlib import _ModuleLockManager


def held(name):
    "Hold the lock of a module as its import does; then ask the finders, as its body may."
    with _ModuleLockManager(name):
        stop.here()
        importlib.import_module("directory.late")


def meet(action):
    "Return what goes wrong where a thread does that while another one is importing the module."
    runner = Runner()
    runner.start("held", lambda: held(module))
    assert stop.is_reached()
    runner.start("action", action)
    runner.wait(MOMENT)
    stop.let_go()
    runner.wait()
    return runner.faults


acts = {"read": reads, "ask": asks, "a broken bundle": meets_broken_bundle}
for name in ["plain.mod", "sourced.mod"] + ["bundleimp.runtime.data.resources"] * (not measure):
    acts[name] = lambda name=name: importlib.import_module(name)
result = {}
for name, action in acts.items():
    for module in json.loads(os.environ["CASE"]):
        stop = Stop()
        faults = in_child(lambda: meet(action)) if module not in sys.modules else []
        if faults:
            result[f"{name}, {module}"] = faults
        if "did not end" in str(faults):
            print(result)
            sys.exit()
"""
# What somebody may be importing, and we may want.
_MODULES = ["contextlib", "gc", "importlib.abc", "importlib.metadata", "importlib.resources", "importlib.resources.abc"]
_MODULES += ["linecache", "pathlib", "tempfile", "tokenize", "zipfile", "zlib"]


@pytest.mark.parametrize("place", ["cold", "measure"])
def test_a_standard_module_on_its_way_in_stops_nobody_for_good(place: str, tmp_path: Path) -> None:
    (tmp_path / "broken.pybundle").write_bytes(b"no zip")
    variables = {"BROKEN": str(tmp_path / "broken.pybundle"), "CASE": json.dumps(_MODULES)}
    if place == "measure":
        variables["BUNDLEIMP_DISABLE"] = "1"
    places = surroundings(tmp_path, measure=place == "measure")
    program, options = _OTHERS + _STANDARD, ("-W", "always")
    assert run_script(program, place, *places, cwd=tmp_path, options=options, **variables) == {}


_PACKAGE: dict[str, str | bytes] = {
    "pkg/__init__.py": "from . import side\n",
    "pkg/side.py": "V = 1\n",
    "pkg/sub/__init__.py": "from .. import side\nfrom . import other\nfrom .other import V\n",
    "pkg/sub/other.py": "from ..side import V\n",
    "pkg/sub/mod.py": "from . import V, other\nfrom .. import side\n",
}
_AT_ONCE = """
sys.setswitchinterval(1e-6)
sys.path.insert(1, sys.argv[1])


def at_once(names):
    "Import each of the modules in some threads, all at the same moment; return what went wrong."
    runner, barrier = Runner(), threading.Barrier(4 * len(names))

    def imports(name):
        barrier.wait()
        importlib.import_module(name)

    for number in range(4):
        for name in names:
            runner.start(f"{name} {number}", lambda name=name: imports(name))
    runner.wait()
    for name in ("pkg", "pkg.side", "pkg.sub", "pkg.sub.other", "pkg.sub.mod"):
        importlib.import_module(name)  # whatever a circle has stopped
    return runner.faults


result = []
for attempt in range(25):
    result += in_child(lambda: at_once(["pkg.sub", "pkg.sub.mod"]))
    if "did not end" in str(result):
        break
"""
in_places = pytest.mark.parametrize("kind", [DIRECTORY, FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP])


@in_places
def test_a_package_and_its_submodule_are_imported_at_once(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, _PACKAGE)
    assert run_script(_AT_ONCE, place, cwd=tmp_path) == []


@in_places
def test_a_package_that_imports_its_submodule_and_that_are_imported_at_once(kind: str, tmp_path: Path) -> None:
    """Before Python 3.15 such threads meet in a circle, and the interpreter stops one, in a directory as well."""
    package = "from . import other\nfrom .other import V\nfrom . import mod\n"
    place = lay_out(kind, tmp_path, _PACKAGE | {"pkg/sub/__init__.py": package})
    faults = run_script(_AT_ONCE, place, cwd=tmp_path)
    assert [fault for fault in faults if sys.version_info >= (3, 15) or "_DeadlockError" not in fault] == []


_SHAKE = """
sys.path.insert(1, sys.argv[1])


def crowd(shaken):
    "Import eight packages in sixteen threads while one more does something else, again and again."
    runner, others, barrier, done = Runner(), Runner(), threading.Barrier(16 + len(shaken)), threading.Event()

    def imports(number):
        barrier.wait()
        time.sleep(number * 0.0003)  # one of them comes while another one is half way
        for n in range(8):
            importlib.import_module(f"pk{n}.a{n}")

    def shakes(action):
        barrier.wait()
        while not done.is_set():
            action()

    for action in shaken:
        others.start(str(action), lambda action=action: shakes(action))
    for number in range(16):
        runner.start(f"thread {number}", lambda number=number: imports(number))
    runner.wait()
    done.set()
    others.wait()
    return runner.faults + others.faults


def install():
    import bundleimp
    bundleimp.install()


again, result = importlib.invalidate_caches, []
for attempt in range(6):
    for shaken in ([again], [again, install]):
        result += in_child(lambda: crowd(shaken))
        if "did not end" in str(result):
            print(result)
            sys.exit()
"""


@pytest.mark.parametrize("kind", [FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP])
def test_threads_import_while_another_looks_again_and_another_installs(kind: str, tmp_path: Path) -> None:
    tree: dict[str, str | bytes] = {f"pk{n}/__init__.py": f"from . import a{n}\n" for n in range(8)}
    tree |= {f"pk{n}/a{n}.py": f"x = {n}\n" for n in range(8)}
    assert run_script(_SHAKE, lay_out(kind, tmp_path, tree), cwd=tmp_path) == []


_TAKEN_OUT = """
sys.path.insert(0, sys.argv[1])
import bundleimp, one
sys.path.insert(0, sys.argv[2])
for name in [name for name in sys.modules if name.partition(".")[0] == "bundleimp"]:
    del sys.modules[name]
begun = threading.Event()


class Slow:
    "A finder that stands first, and gives the other thread time while the module lock of bundleimp is held."

    def find_spec(self, name, path=None, target=None):
        if name == "bundleimp":
            begun.set()
            time.sleep(0.1)


def imports():
    begun.wait(LIMIT / 2)
    import two


def both():
    runner = Runner()
    sys.meta_path[:0] = [Slow() for _ in range(8)]
    runner.start("bundleimp", lambda: importlib.import_module("bundleimp"))
    runner.start("two", imports)
    runner.wait()
    return runner.faults


result = in_child(both)
"""


@pytest.mark.parametrize("kind", [NO_BYTECODE, PLAIN_ZIP])
def test_a_program_that_has_taken_ours_out_of_the_loaded_modules_does_not_hang(kind: str, tmp_path: Path) -> None:
    """The second bundle needs a part that the first one did not need."""
    first = lay_out(FLAT, tmp_path / "first", {"one.py": ""})
    assert run_script(_TAKEN_OUT, first, lay_out(kind, tmp_path / "second", {"two.py": ""}), cwd=tmp_path) == []
