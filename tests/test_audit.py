"""Audit hooks and hooks of ``open_code`` (PEP 578): they are told what they are told of a directory, and may say no."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from .places import DIRECTORY, FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, SOURCELESS, SOURCELESS_DIRECTORY, Places

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "first.py": "",
    "pkg/__init__.py": "from . import mod\n",
    "pkg/mod.py": "import space.portion\nV = 1\n",
    "pkg/sub/__init__.py": "",
    "pkg/sub/leaf.py": "",
    "pkg/data.txt": "data",
    "space/portion.py": "",
}

in_each_kind = pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED, NO_BYTECODE, SOURCELESS])

# Notes the events that are about what is in the tree; `first` has loaded all that our own modules are.
_NOTES = f"""
import importlib, importlib.resources, pkgutil, os, sys
place = sys.path[1]
places = place + os.sep, os.path.join(os.environ["BUNDLEIMP_CACHE_DIR"], "sites") + os.sep
names = {sorted({name.partition(".")[0].removesuffix("/__init__").replace("/", ".") for name in TREE} | {"space"})!r}
events, refused, kind = [], None, RuntimeError


def about(event, arguments):
    if event == "open" and is_in_tree(arguments[0]):
        return [event, *arguments]
    if event == "import" and arguments[0] in names:
        return [event, arguments[0], arguments[1]]
    if event == "exec" and is_in_tree(arguments[0].co_filename):
        return [event, arguments[0].co_filename]
    if event == "compile" and is_in_tree(arguments[1]):
        return [event, arguments[1]]


def is_in_tree(path):
    return isinstance(path, str) and path.startswith(places) and "/.bundleimp" not in path


def hook(event, arguments):
    if events is None or (note := about(event, arguments)) is None:
        return
    events.append(note)
    if len(events) - 1 == refused:
        raise kind("no")


import first
importlib.resources.files("first" if sys.version_info >= (3, 12) else "pkg.sub").iterdir()
for name in [name for name in sys.modules if name in names]:
    del sys.modules[name]
sys.addaudithook(hook)
"""
_IMPORTS = """
import pkg.sub.leaf
importlib.resources.files("pkg").joinpath("data.txt").read_bytes()
pkgutil.get_data("pkg", "data.txt")
"""


@pytest.fixture(name="places", scope="module")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("audit"), TREE)


def observed(places: Places, kind: str, program: str) -> Any:
    """Return what *program* reports the second time: bytecode that had to be compiled is cached then."""
    places.observe(kind, program)
    return places.observe(kind, program)


def as_in_directory(places: Places, kind: str, program: str) -> Any:
    """Assert that *program* reports the same as of a directory, and return that."""
    expected = observed(places, SOURCELESS_DIRECTORY if kind == SOURCELESS else DIRECTORY, program)
    assert observed(places, kind, program) == expected
    return expected


@in_each_kind
def test_the_events_are_those_of_a_directory(kind: str, places: Places) -> None:
    events = as_in_directory(places, kind, f"{_NOTES}{_IMPORTS}result = events")
    told = [event[0] for event in events]
    assert (told.count("import"), told.count("exec")) == (6, 5)
    assert told.count("open") == 7
    assert told.count("compile") == 0


@pytest.mark.parametrize("kind", [PLAIN_ZIP, NO_BYTECODE])
def test_the_events_of_compiling_are_those_of_a_directory(kind: str, places: Places) -> None:
    program = f"""
    import sys
    sys.dont_write_bytecode = True
    sys.pycache_prefix = "nowhere"
    {_NOTES.replace(chr(10), chr(10) + "    ")}
    {_IMPORTS.replace(chr(10), chr(10) + "    ")}
    result = [event for event in events if "nowhere" not in event[1]]
    """
    events = as_in_directory(places, kind, program)
    assert [event[0] for event in events].count("compile") == 5


@pytest.mark.parametrize("error", ["RuntimeError", "ImportError", "KeyboardInterrupt"])
@in_each_kind
def test_a_hook_that_says_no_to_any_event_stops_that_import_and_no_later_one(
    kind: str, error: str, places: Places
) -> None:
    program = f"""{_NOTES}
kind = {error}
result = []
while True:
    refused, events = len(result), []
    for name in [name for name in sys.modules if name in names]:
        del sys.modules[name]
    try:
        exec({_IMPORTS!r})
        result.append("was not asked")
        break
    except BaseException as problem:
        told = events[-1:]
        events = None
        exec({_IMPORTS!r})
        result.append([type(problem).__name__, str(problem), told])
events = None
"""
    found = as_in_directory(places, kind, program)
    assert len(found) > 15


@in_each_kind
def test_bytecode_that_a_hook_lets_nobody_open_is_compiled_from_its_source(kind: str, places: Places) -> None:
    program = f"""{_NOTES}
def deny(event, arguments):
    if event == "open" and str(arguments[0]).endswith(".pyc"):
        raise PermissionError(13, "not this one")

sys.addaudithook(deny)
sys.dont_write_bytecode = True
try:
    {_IMPORTS.replace(chr(10), chr(10) + "    ")}
except OSError as error:
    events.append(str(error))
result = events
"""
    events = as_in_directory(places, kind, program)
    if kind == SOURCELESS:
        assert events[-1] == "[Errno 13] not this one"
    else:
        assert [event[0] for event in events].count("compile") == 5


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize("kind", [FLAT, NO_BYTECODE])
def test_what_is_compiled_then_is_warned_of_by_the_name_of_its_module(kind: str, tmp_path: Path) -> None:
    """From 3.15 on; by its path alone, the filter would take it for a module of the top level."""
    program = """
    import sys, warnings
    def deny(event, arguments):
        if event == "open" and str(arguments[0]).endswith(".pyc"):
            raise PermissionError(13, "not this one")
    sys.addaudithook(deny)
    warnings.filterwarnings("error", module=r"odd\\Z", category=SyntaxWarning)
    try:
        import pkg.odd
        result = "imported"
    except SyntaxError as error:
        result = str(error)
    """
    places = Places(tmp_path, {"pkg/__init__.py": "", "pkg/odd.py": "X = 0 is 0\n"})
    assert places.as_in_directory(kind, program, options=("-W", "ignore")) == "imported"


@pytest.mark.parametrize("before", ["", "import bundleimp; bundleimp.install()"])
@in_each_kind
def test_a_hook_may_import_whatever_is_opened(kind: str, before: str, places: Places) -> None:
    """The runtime's own files too, and the bundle."""
    program = f"""
    import sys
    {before}
    asked = []

    def hook(event, arguments):
        if event == "open":
            asked.append(str(arguments[0]).startswith(sys.argv[1]))
            import colorsys
            try:
                import absent  # which is looked for each time
            except ImportError:
                pass

    sys.addaudithook(hook)
    sys.path.insert(0, sys.argv[1])
    import pkg.sub.leaf
    result = [pkg.mod.V, sys.modules["colorsys"].__name__, any(asked)]
    """
    assert places.laboratory.observe([], program, str(places.path(kind))) == [1, "colorsys", True]


@in_each_kind
def test_source_lines_are_read_where_hooks_allow_it(kind: str, places: Places) -> None:
    program = f"""{_NOTES}
import linecache
path = os.path.join(place, "pkg", "mod.py")
lines = [linecache.getline(path, 2)]
linecache.clearcache()
told = len(events)


def deny(event, arguments):
    # From 3.15 on, `linecache` asks the finder when it has got nothing: so there is more than one look to refuse.
    if event == "open" and arguments[0] == path:
        raise PermissionError(13, "not this one")


sys.addaudithook(deny)
lines.append(linecache.getline(path, 2))
result = [told, lines]
"""
    told, lines = places.observe(kind, program)
    assert told > 0
    assert lines == (["", ""] if kind == SOURCELESS else ["V = 1\n", ""])


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT])
def test_a_bundle_that_a_hook_lets_nobody_open_is_one_warning(kind: str, places: Places) -> None:
    program = """
    import importlib, sys, warnings, bundleimp.runtime.hook
    bundle = sys.argv[1]
    denied = {bundle: PermissionError}
    def hook(event, arguments):
        if event == "open" and arguments[0] in denied:
            raise denied[arguments[0]](13, "not this one")
    sys.addaudithook(hook)
    sys.path.insert(1, bundle)
    result = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in "pkg", "pkg", "colorsys":
            try:
                importlib.import_module(name)
            except ImportError as error:
                result.append(type(error).__name__)
    result += [str(warning.message) for warning in caught if "bundleimp" in warning.category.__module__]
    denied.clear()
    importlib.invalidate_caches()
    import pkg.sub.leaf
    result.append(pkg.mod.V)
    """
    bundle = str(places.path(kind))
    expected = ["ModuleNotFoundError"] * 2 + [f"{bundle}: cannot be opened: not this one", 1]
    assert places.laboratory.observe([], program, bundle) == expected


# What an embedding program does before it starts Python, done late; the hook sees what is opened to be executed.
_OPEN_CODE = """
import ctypes, importlib, io, os, sys
import warnings  # which is loaded late on some Pythons, and is not to be looked for in the bundle
bundle = sys.argv[1]
seen = []


class Decrypted(io.BytesIO):
    def fileno(self):
        return 0  # of what was decrypted


@ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_void_p)
def open_code(path, _data):
    seen.append(path)
    if not os.path.exists(path):
        return io.BytesIO()  # no callback of ctypes raises
    stream = open(path, "rb")
    if path != bundle or how == "file":
        return stream
    with stream:
        memory = io.BytesIO(stream.read())
        if how == "decrypted":
            return Decrypted(memory.getvalue())
        return memory if how == "memory" else io.BufferedReader(memory)

import bundleimp.runtime.hook
assert ctypes.pythonapi.PyFile_SetOpenCodeHook(open_code, None) == 0
sys.path.insert(1, bundle)
"""
needs_ctypes = pytest.mark.skipif(sys.platform == "emscripten", reason="its ctypes makes no callbacks")


@needs_ctypes
@pytest.mark.parametrize("how", ["file", "memory", "buffered memory", "decrypted"])
@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED, NO_BYTECODE])
def test_what_is_imported_is_what_the_hook_of_open_code_gives(kind: str, how: str, places: Places) -> None:
    program = f"""
how = {how!r}
{_OPEN_CODE}
import pkg.sub.leaf
if how != "file":
    assert not any(os.path.sameopenfile(int(fd), own) for own in [os.open(bundle, os.O_RDONLY)]
                   for fd in os.listdir("/dev/fd") if int(fd) not in (0, 1, 2, own) and os.path.exists("/dev/fd/" + fd))
importlib.invalidate_caches()
result = [pkg.mod.V, pkg.__loader__.get_data("pkg/data.txt").decode(), seen.count(bundle)]
"""
    assert places.laboratory.observe([], program, str(places.path(kind)), options=()) == [1, "data", 1]


@needs_ctypes
def test_what_a_hook_gives_in_the_place_of_a_file_is_not_taken_for_signed(tmp_path: Path, places: Places) -> None:
    (tmp_path / "allowed_signers").write_text("")
    program = f"""
how = "memory"
{_OPEN_CODE}
import bundleimp
bundleimp.install(allowed_signers={str(tmp_path / "allowed_signers")!r})
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        import pkg
    except ImportError as error:
        result = [type(error).__name__, str(caught[0].message)]
"""
    bundle = str(places.path(FLAT))
    message = "cannot be signed, or shown to be: what this interpreter's open_code gives of it is not the file"
    found = places.laboratory.observe([], program, bundle, options=())
    assert found == ["ModuleNotFoundError", f"{bundle}: {message}"]


@needs_ctypes
def test_cached_bytecode_is_opened_as_code(places: Places) -> None:
    places.observe(NO_BYTECODE, "import pkg\nresult = 1")
    program = f"""
how = "file"
{_OPEN_CODE}
import pkg
result = sorted(os.path.basename(path).partition(".")[0] for path in seen if os.environ["BUNDLEIMP_CACHE_DIR"] in path)
"""
    found = places.laboratory.observe([], program, str(places.path(NO_BYTECODE)), options=())
    assert found == ["__init__", "mod", "portion"]
