"""Several interpreters in one process import from bundles, each by itself, while others come and go."""

from __future__ import annotations

import importlib.machinery
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_bundle, make_tree
from .compiling import compiled, extension
from .places import DIRECTORY, FLAT, NESTED, PLAIN_ZIP, Laboratory, in_each_with_source, lay_out
from .platforms import needs_interpreters
from .subinterpreters import ISOLATED, LEGACY, SCRIPT, in_each_interpreter
from .test_extensions import on_linux

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .builders import Tree

pytestmark = needs_interpreters

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
TREE: Tree = {
    "pkg/__init__.py": "V = 'old'\n",
    "pkg/leaf.py": "V = 'old'\n\n\ndef fail():\n    raise ValueError('wrong')  # here\n",
    "pkg/located.py": "import os\nwith open(os.path.join(os.path.dirname(__file__), 'data.txt')) as file:\n"
    "    TEXT = file.read()\n",
    "pkg/data.txt": "old data",
    "passive/__init__.py": "",
    "passive/folder/table.txt": "a table",
    "space/here.py": "V = 'here'\n",
    "zlib.py": "raise ImportError('not the one that is looked for')\n",
    "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
    # Raised when it is collected, or when the interpreter has ended but for the last objects.
    "ends.py": "class Loud:\n    def __init__(self, text):\n        self.text = text\n\n"
    "    def __del__(self):\n        raise ValueError(self.text)  # in vain\n\n\n"
    "def stay():\n    circle = Loud('collected')\n    circle.itself = circle\n"
    "    globals()['last'] = Loud('the last')\n",
}
OTHER: Tree = {"space/there.py": "V = 'there'\n"}
WORK = """
import sys
import pkg.leaf, pkg.located, passive, space.here, space.there
import importlib.metadata, importlib.resources, inspect, os, traceback
try:
    pkg.leaf.fail()
except ValueError:
    has_line = '# here' in traceback.format_exc()
with importlib.resources.as_file(importlib.resources.files("passive") / "folder") as folder:
    names = os.listdir(folder)
with open(os.path.join(os.path.dirname(passive.__file__), "folder", "table.txt")) as file:
    table = file.read()
result = [
    pkg.V, pkg.leaf.__file__.split(os.sep)[-2:], pkg.located.TEXT, space.here.V, space.there.V, has_line, names, table,
    importlib.metadata.version("thing"), importlib.resources.files("pkg").joinpath("data.txt").read_text(),
    inspect.getsource(pkg.leaf.fail), [type(module.__loader__).__name__[-6:] for module in (pkg, pkg.located, space)],
]
"""


def lay_out_both(kind: str, folder: Path) -> list[Path]:
    return [lay_out(kind, folder, TREE), lay_out(kind, folder / "other", OTHER)]


@pytest.fixture(scope="module", name="oracle")
def _oracle(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What is seen in the main interpreter of the same trees as directories."""
    folder = tmp_path_factory.mktemp("oracle")
    return Laboratory(folder / "laboratory").observe(lay_out_both(DIRECTORY, folder), WORK)


@in_each_with_source
def test_what_works_in_the_main_interpreter_works_in_another_and_nothing_stays_open(
    kind: str, tmp_path: Path, oracle: Any
) -> None:
    probe = f"""
{SCRIPT}
before, answers = open_descriptors(), []
for kind in ("legacy", "isolated"):
    answers += [ask_another(kind, {WORK!r}) for _ in range(2)]
assert open_descriptors() == before
exec({WORK!r})
answers.append(result)
before = open_descriptors()
answers.append(ask_another("isolated", {WORK!r}))
assert open_descriptors() == before
result = answers
"""
    assert Laboratory(tmp_path / "laboratory").observe(lay_out_both(kind, tmp_path), probe) == [oracle] * 6


@pytest.mark.parametrize("kind", [FLAT, NESTED])
def test_a_path_of_its_own_is_enough(kind: str, tmp_path: Path, oracle: Any) -> None:
    probe = f"""
{SCRIPT}
text = f"import sys; sys.path[1:1] = {{sys.argv[1:]!r}}\\n" + {WORK!r}
result = [ask_another(kind, text) for kind in ("legacy", "isolated")]
assert not any("pybundle" in entry for entry in [*sys.path, *sys.path_importer_cache])
"""
    places = map(str, lay_out_both(kind, tmp_path))
    assert Laboratory(tmp_path / "laboratory").observe([], probe, *places) == [oracle] * 2


def test_many_come_and_go_in_threads_while_all_import(tmp_path: Path, oracle: Any) -> None:
    """With locks of their own, this ends Python 3.12 and 3.13.0, from directories as well."""
    probe = f"""
{SCRIPT}
import threading
answers, work = [], {WORK!r}


def come_and_go():
    for _ in range(2):
        answers.append(ask_another({LEGACY!r}, work))


threads = [threading.Thread(target=come_and_go) for _ in range(4)]
for thread in threads:
    thread.start()
names = {{}}
exec(work, names)
answers.append(names["result"])
for thread in threads:
    thread.join()
result = answers
"""
    assert Laboratory(tmp_path / "laboratory").observe(lay_out_both(FLAT, tmp_path), probe) == [oracle] * 9


def test_threads_in_one_import_at_once(tmp_path: Path) -> None:
    work = f"""
import threading
names = [{{}} for _ in range(8)]
threads = [threading.Thread(target=exec, args=[{WORK!r}, own]) for own in names]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
result = [own["result"][0] for own in names]
"""
    probe = f"{SCRIPT}\nresult = ask_another('legacy', {work!r})"  # others may start no threads before Python 3.12
    assert Laboratory(tmp_path / "laboratory").observe(lay_out_both(FLAT, tmp_path), probe) == ["old"] * 8


@in_each_interpreter
def test_each_goes_on_with_its_version_until_it_looks_again(interpreter: str, tmp_path: Path) -> None:
    new = {name: content.replace("old", "new") for name, content in TREE.items() if isinstance(content, str)}
    probe = f"""
{SCRIPT}
look = "import importlib, sys; importlib.invalidate_caches()\\n" \
    "for name in ('pkg', 'pkg.leaf', 'pkg.located'): sys.modules.pop(name, None)"
see = "import importlib.resources, pkg.leaf, pkg.located; result = [pkg.leaf.V, pkg.located.TEXT]; " \
    "result.append(importlib.resources.files('pkg').joinpath('data.txt').read_text())"
first, second, third = [Interpreter({interpreter!r}) for _ in range(3)]
first.run("import pkg")
second.run("import pkg")
import pkg
os.replace(sys.argv[1], sys.path[1])
second.run(look)
result = [first.ask(see), second.ask(see), third.ask(see)]  # the third has not yet looked
second.end()
names = {{}}
exec(see, names)
result.append(names["result"])
first.run(look)
result.append(first.ask(see))
first.end()
exec(look)
exec(see, names)
result.append(names["result"])
third.end()
"""
    places = [lay_out(FLAT, tmp_path, TREE)]
    replacement = str(lay_out(FLAT, tmp_path / "new", new))
    seen = Laboratory(tmp_path / "laboratory").observe(places, probe, replacement)
    old_one, new_one = ["old", "old data", "old data"], ["new", "new data", "new data"]
    assert seen == [old_one, new_one, new_one, old_one, new_one, new_one]


@in_each_interpreter
def test_what_is_in_the_cache_is_kept_for_those_that_use_it(interpreter: str, tmp_path: Path) -> None:
    """One that has ended does not take it from the others, and keeps it no longer."""
    probe = f"""
{SCRIPT}
from bundleimp.inspection import cache
folder, use = os.environ["BUNDLEIMP_CACHE_DIR"], "import pkg.located; result = pkg.located.TEXT"


def kept():
    return len(cache.clear(folder).kept)


first, second = Interpreter({interpreter!r}), Interpreter({interpreter!r})
result = [first.ask(use), second.ask(use), kept()]
first.end()
result.append(kept())
second.end()
result.append(kept())
import pkg.located
third = Interpreter({interpreter!r})
result += [third.ask(use), kept()]
third.end()
result += [kept(), open(os.path.join(os.path.dirname(pkg.located.__file__), "data.txt")).read()]
"""
    places = [make_bundle(tmp_path / "out.pybundle", TREE)]
    seen = Laboratory(tmp_path / "laboratory").observe(places, probe, options=("-W", "ignore"))
    assert seen == ["old data", "old data", 1, 1, 0, "old data", 1, 1, "old data"]


@in_each_interpreter
@pytest.mark.parametrize("kind", [FLAT, PLAIN_ZIP])
def test_what_cannot_be_raised_when_one_ends_is_shown_as_from_a_directory(
    kind: str, interpreter: str, tmp_path: Path
) -> None:
    script = f"""
{SCRIPT}
interpreter = Interpreter({interpreter!r})
interpreter.run("import atexit, ends, gc; gc.disable(); ends.stay(); atexit.register(ends.Loud('at exit').__del__)")
interpreter.end()
"""
    laboratory = Laboratory(tmp_path / "laboratory")
    ended = [laboratory.run(lay_out_both(each, tmp_path / each), "-c", script) for each in (DIRECTORY, kind)]
    assert ended[0] == ended[1]
    for text in ("# in vain", "at exit", "collected", "the last"):
        assert text in ended[1].stderr


def test_signatures_are_asked_for_in_those_that_begin_later(tmp_path: Path) -> None:
    """Nobody is allowed to sign, so nothing is imported."""
    make_tree(tmp_path, {"allowed": ""})
    probe = f"""
{SCRIPT}
import bundleimp
bundleimp.install(allowed_signers=sys.argv[1])
work = "try:\\n    import pkg\\nexcept ImportError as error:\\n    result = str(error)"
result = ask_another("isolated", "import warnings; warnings.simplefilter('ignore')\\n" + work)
"""
    places = lay_out_both(FLAT, tmp_path)
    seen = Laboratory(tmp_path / "laboratory").observe(places, probe, str(tmp_path / "allowed"))
    assert seen.startswith("No module named 'pkg'")


# Extension modules.


_SHARED = """
#include <Python.h>

static PyObject *value(PyObject *self, PyObject *unused) { return PyLong_FromLong(5); }
static PyMethodDef methods[] = {{"value", value, METH_NOARGS, "A number."}, {NULL}};
static PyModuleDef_Slot slots[] = {
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_shared", NULL, 0, methods, slots};

PyMODINIT_FUNC PyInit__shared(void) { return PyModuleDef_Init(&definition); }
"""


@pytest.fixture(scope="module", name="compiled_tree")
def _compiled_tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    folder = tmp_path_factory.mktemp("compiled")
    return {
        "ext/__init__.py": "",
        f"ext/_shared{SUFFIX}": compiled(folder / "_shared", _SHARED),
        f"ext/_one{SUFFIX}": extension(folder, "_one", "1"),
        f"ext/_two{SUFFIX}": extension(folder, "_two", "2", single_phase=True),
    }


def ask_for(names: Sequence[str]) -> str:
    """Return a program that says what each extension module gives, or why it does not."""
    return f"""
import importlib
result = []
for name in {names!r}:
    try:
        result.append(importlib.import_module(name).value())
    except ImportError as error:
        result.append([str(error), error.name, error.path])
"""


@in_each_interpreter
@pytest.mark.parametrize("kind", [FLAT, PLAIN_ZIP])
def test_extension_modules_load_where_they_allow_it_and_are_refused_in_the_same_words(
    kind: str, interpreter: str, tmp_path: Path, compiled_tree: Tree
) -> None:
    names = ["ext._shared", "ext._one", "ext._two"]
    probe = f"{SCRIPT}\nresult = [ask_another({interpreter!r}, {ask_for(names)!r}) for _ in range(2)]"
    laboratory = Laboratory(tmp_path / "laboratory")
    oracle, seen = (
        laboratory.observe([lay_out(each, tmp_path / each, compiled_tree)], probe) for each in (DIRECTORY, kind)
    )
    assert seen == oracle
    assert [answers[0] for answers in seen] == [5, 5]
    if interpreter == ISOLATED and sys.version_info >= (3, 12):
        assert "does not support loading in subinterpreters" in seen[0][1][0]
    else:
        assert seen[0] == [5, 1, 2]


@on_linux
@in_each_interpreter
def test_loaded_from_memory_each_gets_its_own(
    interpreter: str, tmp_path: Path, compiled_tree: Tree, unwritable: str
) -> None:
    """The linker knows what was loaded in other interpreters, also in those that have ended."""
    probe = f"""
{SCRIPT}
result = [ask_another({interpreter!r}, text) for text in {[ask_for(["ext._two"]), ask_for(["ext._shared"])]!r}]
result.append(ask_another("legacy", {ask_for(["ext._one"])!r}))
import ext._two
result.append(ext._two.value())
"""
    places = [lay_out(FLAT, tmp_path, compiled_tree)]
    seen = Laboratory(tmp_path / "laboratory", BUNDLEIMP_CACHE_DIR=unwritable).observe(
        places, probe, options=("-W", "ignore")
    )
    assert seen[1:] == [[5], [1], 2]
    if interpreter == ISOLATED and sys.version_info >= (3, 12):
        assert seen[0][0][0].endswith("does not support loading in subinterpreters")
    else:
        assert seen[0] == [2]
