"""A program that owns its process is imported with the cyclic collector relaxed, and finds it as usual when it runs."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .builders import Tree, make_bundle, run_python

if TYPE_CHECKING:
    from collections.abc import Sequence

# What the collector looks like; "frozen" leaves out the few objects that an interpreter may freeze by itself.
STATE = "import gc\ndef state(): return gc.get_threshold(), gc.isenabled(), gc.get_freeze_count() > 1000\n"
LATER = "from pkg.state import state\nfrom pkg import seen\nprint(seen, state())\n"
TEXTS = {
    "pkg/__init__.py": "from pkg.state import state\nseen = state()\n",
    "pkg/state.py": STATE,
    "pkg/cli.py": "from pkg.state import state\nfrom pkg import seen\ndef main(): print(seen, state())\n",
    "pkg/__main__.py": LATER,
    "pkg/mod.py": LATER,
    "alone.py": STATE + "print(None, state())\n",
    "eager/__init__.py": "",
    "eager/state.py": STATE,
    "eager/cli.py": "import gc\nCODE\nfrom eager.state import state\ndef main(): print(state())\n",
    "broken/__init__.py": "import atexit, gc\natexit.register(lambda: print(gc.get_threshold()))\nraise ERROR('no')\n",
    "broken/__main__.py": "",
    "broken/cli.py": "main = None\n",
}
USUAL = gc.get_threshold()
RELAXED = (500_000, *USUAL[1:])
WHILE_IMPORTED = (RELAXED, True, False)
WHEN_RUN = (USUAL, True, True)
UNTOUCHED = (USUAL, True, False)


def program(folder: Path, entry_point: str | None = None, code: str = "", error: str = "ValueError") -> Path:
    tree: Tree = {name: text.replace("CODE", code).replace("ERROR", error) for name, text in TEXTS.items()}
    return make_bundle(folder / "app.pybundle", tree, entry_point=entry_point)


def output(*arguments: str | Path, status: int = 0, path: Sequence[Path] = (), **variables: Any) -> str:
    result = run_python(*map(str, arguments), check=False, path=path, **variables)
    assert result.returncode == status, f"exit status {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.mark.parametrize("way", [[], ["-m", "bundleimp", "run"]])
@pytest.mark.parametrize("entry_point", ["pkg.cli:main", "pkg", "pkg.mod"])
def test_what_is_imported_before_the_entry_point_is_imported_with_the_collector_relaxed(
    tmp_path: Path, way: list[str], entry_point: str
) -> None:
    bundle = program(tmp_path, entry_point)
    assert output(*way, bundle) == f"{WHILE_IMPORTED} {WHEN_RUN}\n"


@pytest.mark.parametrize("module", ["pkg", "pkg.mod"])
def test_run_imports_the_packages_of_a_module_with_the_collector_relaxed(tmp_path: Path, module: str) -> None:
    bundle = program(tmp_path)
    assert output("-m", "bundleimp", "run", bundle, "-m", module) == f"{WHILE_IMPORTED} {WHEN_RUN}\n"


def test_what_a_module_in_no_package_does_is_done_with_the_collector_as_usual(tmp_path: Path) -> None:
    assert output("-m", "bundleimp", "run", program(tmp_path), "-m", "alone") == f"None {WHEN_RUN}\n"


@pytest.mark.parametrize(
    ("way", "options"),
    [([], {"entry_point": "pkg.cli:main"}), ([], {"entry_point": "pkg"}), (["-m", "bundleimp", "run"], {})],
)
def test_a_variable_leaves_the_collector_alone(tmp_path: Path, way: list[str], options: dict[str, str]) -> None:
    bundle = program(tmp_path, **options)
    module = [] if options else ["-m", "pkg"]
    assert output(*way, bundle, *module, BUNDLEIMP_RELAX_GC="0") == f"{UNTOUCHED} {UNTOUCHED}\n"


def test_an_import_from_the_path_leaves_the_collector_alone(tmp_path: Path) -> None:
    bundle = program(tmp_path)
    assert output("-m", "pkg", path=[bundle]) == f"{UNTOUCHED} {UNTOUCHED}\n"


def as_the_collector_has_it(*thresholds: int) -> tuple[int, int, int]:
    """Return what *thresholds* are when they are set: 3.14 knows no third."""
    before = gc.get_threshold()
    try:
        gc.set_threshold(*thresholds)
        return gc.get_threshold()
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("gc.set_threshold(123, 4, 5)", (as_the_collector_has_it(123, 4, 5), True, True)),
        ("gc.set_threshold(0)", (as_the_collector_has_it(0, 10, 10), True, True)),
        ("gc.disable()", (USUAL, False, True)),
    ],
)
def test_what_the_program_sets_while_it_is_imported_stays(tmp_path: Path, code: str, state: object) -> None:
    assert output(program(tmp_path, "eager.cli:main", code=code)) == f"{state}\n"


@pytest.mark.parametrize("error", ["ValueError", "ImportError", "SystemExit"])
@pytest.mark.parametrize("entry_point", ["broken.cli:main", "broken"])
def test_the_collector_is_as_usual_again_when_the_import_fails(tmp_path: Path, error: str, entry_point: str) -> None:
    assert output(program(tmp_path, entry_point, error=error), status=1) == f"{USUAL}\n"


@pytest.mark.parametrize("error", ["ValueError", "ImportError", "SystemExit"])
def test_a_failing_package_is_imported_once_and_reported_as_python_does(tmp_path: Path, error: str) -> None:
    bundle = program(tmp_path, error=error)
    ours = run_python("-m", "bundleimp", "run", str(bundle), "-m", "broken", check=False)
    plain = run_python("-m", "broken", path=[bundle], check=False)
    assert (ours.returncode, ours.stdout) == (plain.returncode, plain.stdout)
    assert ours.stderr.splitlines()[-1] == plain.stderr.splitlines()[-1]


def test_garbage_that_the_program_makes_is_collected(tmp_path: Path) -> None:
    code = (
        "import weakref\nclass Node: pass\ndef main():\n node = Node(); node.itself = node; found = weakref.ref(node)\n"
        " del node\n made = [[] for _ in range(5000)]\n print(found())\n"
    )
    bundle = make_bundle(tmp_path / "app.pybundle", {"app.py": code}, entry_point="app:main")
    assert output(bundle) == "None\n"


# What a program does when it ends, by its last act: "done" is printed, or written into a file.
LAST_ACTS = {
    "a file of a module": "stream = open('out.txt', 'w')\ndef main(): stream.write('done')",
    "a file of a class": "class Kind:\n    stream = open('out.txt', 'w')\n    itself = lambda: Kind\n"
    "def main(): Kind.stream.write('done')",
    "a file in a list": "files = []\ndef main():\n    files.append(open('out.txt', 'w'))\n    files[0].write('done')",
    "an object": "class Kind:\n    def __del__(self): print('done', flush=True)\nit = Kind()\ndef main(): pass",
    "a generator": "def steps():\n    try:\n        yield\n    finally:\n        print('done', flush=True)\n"
    "it = steps()\ndef main(): next(it)",
    "a temporary file": "import tempfile\nit = tempfile.NamedTemporaryFile()\ndef main(): print(it.name, flush=True)",
    "logging": "import logging\nlogging.basicConfig(filename='out.txt', format='%(message)s')\n"
    "def main(): logging.warning('done')",
}


@pytest.mark.parametrize("act", LAST_ACTS)
@pytest.mark.parametrize("way", [["app.pybundle"], ["-m", "bundleimp", "run", "app.pybundle"]], ids=["alone", "run"])
def test_what_the_end_of_a_program_does_to_its_objects_is_done(tmp_path: Path, act: str, way: list[str]) -> None:
    tree = {"prog/__init__.py": "", "prog/cli.py": LAST_ACTS[act] + "\n"}
    make_bundle(tmp_path / "app.pybundle", tree, entry_point="prog.cli:main")
    printed = run_python("-X", "utf8", *way, cwd=tmp_path).stdout.strip()
    if act == "a temporary file":
        assert not Path(printed).exists()
    else:
        written = tmp_path / "out.txt"
        assert (written.read_text().strip() if written.exists() else printed) == "done"


ENDED = """
import gc, io, sys, tempfile
from MODULE import ending
def end():
    gc.freeze()
    ending.end()
    return gc.get_freeze_count() > 1000
def steps():
    yield
def main():
    found = [end()]
    text = io.StringIO("x")
    with open(__file__.partition('.pybundle')[0] + '.pybundle', 'rb') as reading:
        begun = steps()
        found.append(end())
        next(begun)
        found.append(end())
        del begun
    written = tempfile.TemporaryFile()
    found.append(end())
    written.close()
    found.append(end())
    # An object of a type of an extension module, of the kind that writes a file when it is freed.
    sys.modules['other'] = type(sys)('other')
    sys.modules['other'].__file__ = 'other' + __import__('importlib.machinery').machinery.EXTENSION_SUFFIXES[0]
    foreign = type('Foreign', (), {'__module__': 'other'})()
    gc.unfreeze()
    ending.end()
    found.append(gc.get_freeze_count() > 1000)
    print(found)
"""


def test_a_program_without_such_objects_ends_without_freeing_what_was_imported(tmp_path: Path) -> None:
    tree = {"prog/__init__.py": "", "prog/cli.py": ENDED.replace("MODULE", "bundleimp.runtime.interpreter")}
    bundle = make_bundle(tmp_path / "app.pybundle", tree, entry_point="prog.cli:main")
    assert output("-m", "bundleimp", "run", bundle) == "[True, True, False, False, True, False]\n"
