"""``importlib.resources`` and ``pkgutil.get_data`` give what they give for a directory."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from .builders import run_python
from .places import (
    DIRECTORY,
    FLAT,
    NESTED,
    PLAIN_ZIP,
    Places,
    in_each,
    in_each_and_mounted,
    in_each_with_source_and_mounted,
)

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "res/__init__.py": "",
    "res/mod.py": (
        "from importlib.resources import files\n\n\ndef own():\n    return files().joinpath('text.txt').read_text()\n"
    ),
    "res/text.txt": "one\r\ntwo — drei\n",
    "res/latin.txt": "Grüße\n".encode("latin-1"),
    "res/binary.bin": bytes(range(256)) * 300,
    "res/empty": "",
    "res/no_suffix": "x",
    "res/ünï code.txt": "named",
    "res/folder/one.txt": "1",
    "res/folder/two.txt": "2",
    "res/folder/inner/three.txt": "3",
    "res/sub/__init__.py": "",
    "res/sub/data.txt": "sub",
    "plain.py": "",
    "beside.txt": "beside",
    "nsres/data.txt": "portion",
    "nsres/folder/data.txt": "deep",
}

CALLS = """
import importlib.resources as resources
import warnings

warnings.simplefilter("ignore", DeprecationWarning)
PROBLEMS = (OSError, ValueError, TypeError, LookupError, AttributeError)


def outcome(call, *arguments, **options):
    try:
        found = call(*arguments, **options)
        if hasattr(found, "__enter__"):
            with found as opened:
                if hasattr(opened, "read"):
                    found = opened.read()
                else:
                    inside = [child.name for child in opened.iterdir()] if opened.is_dir() else [opened.read_bytes()]
                    found = [opened.name, sorted(inside)]
        elif not isinstance(found, (str, bytes, bool)):
            found = sorted(map(str, found))
        return repr(found)
    except PROBLEMS as error:
        return type(error).__name__


result = {}
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    # The directory gets no __pycache__, which would be among its resources.
    return Places(tmp_path_factory.mktemp("resources"), TREE, PYTHONDONTWRITEBYTECODE="1")


@in_each_and_mounted
@pytest.mark.parametrize(
    "function", ["open_binary", "open_text", "read_binary", "read_text", "path", "is_resource", "contents"]
)
def test_each_function_answers_for_each_anchor_and_name(places: Places, kind: str, function: str) -> None:
    """Those that a Python version lacks are lacking in both."""
    probe = f"""{CALLS}
function = getattr(resources, {function!r}, None)
import plain, res, res.mod, nsres
modules = [res, res.mod, plain, nsres]
for anchor in ("res", "res.sub", "res.mod", "plain", "nsres", "res.folder", "missing.not", 1, *modules):
    names = [("text.txt",), ("folder",), ("folder/one.txt",), ("folder", "one.txt"), ("missing",), ("data.txt",)]
    names += [("beside.txt",), ("latin.txt",), ("sub",), ("ünï code.txt",), ("binary.bin",)]
    names += [()] * ({function!r} == "contents")
    for arguments in names:
        try:
            answer = outcome(function, anchor, *arguments)
        except ImportError as error:
            answer = type(error).__name__
        result[repr((getattr(anchor, "__name__", anchor), arguments))] = answer
"""
    known = places.as_in_directory(kind, probe)
    assert "res" in str(known)


@in_each_and_mounted
def test_text_functions_take_encoding_and_errors(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
for function in (resources.read_text, resources.open_text) if hasattr(resources, "read_text") else ():
    for options in (
        {{}}, {{"encoding": "latin-1"}}, {{"encoding": "ascii"}}, {{"encoding": "utf-8", "errors": "replace"}},
        {{"encoding": "nonsense"}}, {{"errors": "strict"}},
    ):
        for name in ("latin.txt", "text.txt"):
            result[f"{{function.__name__}} {{name}} {{options}}"] = outcome(function, "res", name, **options)
"""
    places.as_in_directory(kind, probe)


WALK = f"""{CALLS}
def walk(path):
    kind = [path.name, path.is_dir(), path.is_file()]
    if path.is_dir():
        return kind + [[walk(child) for child in sorted(path.iterdir(), key=lambda child: child.name)]]
    return kind + [path.read_bytes().hex(), outcome(path.read_text), outcome(path.read_text, encoding="latin-1")]

"""


@in_each_with_source_and_mounted
@pytest.mark.parametrize("anchor", ["res", "res.sub", "res.mod", "plain", "nsres", "res.folder", "nsres.folder"])
def test_files_gives_a_tree_to_walk(places: Places, kind: str, anchor: str) -> None:
    """A module that is no package stands for the folder that holds it, from 3.12 on."""
    probe = f"""{WALK}
try:
    top = resources.files({anchor!r})
    result = walk(top)[1:]
except TypeError as error:
    result = type(error).__name__
"""
    known = places.as_in_directory(kind, probe)
    assert known[:2] == [True, False] or (known == "TypeError" and anchor in {"res.mod", "plain"})


@in_each_and_mounted
def test_traversables_join_open_and_fail_like_paths(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
import importlib.resources.abc
top = resources.files("res")
for name, path in {{
    "file": top / "text.txt", "in folder": top.joinpath("folder", "one.txt"), "slash": top / "folder/inner/three.txt",
    "folder": top / "folder", "missing": top / "missing", "below missing": top / "missing" / "x",
    "itself": top.joinpath(), "init": top / "__init__.py",
}}.items():
    result[name] = [
        path.name, path.is_dir(), path.is_file(), isinstance(path, importlib.resources.abc.Traversable),
        outcome(path.read_bytes), outcome(path.open, "rb"), outcome(path.open), outcome(path.read_text),
        outcome(path.open, "r", encoding="latin-1"), outcome(path.open, "r", newline=""),
        outcome(lambda: [child.name for child in path.iterdir()]),
    ]
result["equal"] = [top / "folder" == top.joinpath("folder"), top / "folder" == top, len({{top / "x", top / "x"}})]
"""
    known = places.as_in_directory(kind, probe)
    assert known["missing"][1:5] == [False, False, True, "FileNotFoundError"]


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
def test_nothing_can_be_written(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
path = resources.files("res") / "text.txt"
result = [outcome(path.open, mode) for mode in ("w", "wb", "a", "r+", "nonsense")]
"""
    assert places.observe(kind, probe) == ["UnsupportedOperation"] * 4 + ["ValueError"]


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
def test_open_takes_what_the_built_in_open_takes(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
path = resources.files("res") / "text.txt"
def reading(*arguments, **options):
    with path.open(*arguments, **options) as stream:
        return [stream.readable(), stream.writable(), os.path.basename(stream.name), stream.mode, stream.read(2)]
calls = [(), ("r",), ("tr",), ("r", -1, "utf-8"), ("r", 1), ("r", -1, "ascii", "ignore"), ("r", -1, None, None, "")]
calls += [("rb",), ("br",), ("rb", 100), ("",), ("rU",), ("rbt",), ("rr",), ("q",), ("rb", -1, "utf-8"), ("r", 0)]
result = [repr(outcome(reading, *arguments)) for arguments in calls]
result.append(repr(outcome(reading, "r", errors="replace", buffering=3)))
"""
    known = places.observe(kind, "import os\n" + probe)
    assert known == places.observe(DIRECTORY, "import os\n" + probe)


@in_each_and_mounted
def test_files_finds_the_calling_module(places: Places, kind: str) -> None:
    probe = f"{CALLS}\nimport res.mod\nresult = outcome(res.mod.own)"
    places.as_in_directory(kind, probe)


@in_each_and_mounted
def test_resource_readers_answer_as_those_of_a_directory(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
import res, res.mod, plain
for module in (res, res.mod, plain):
    reader = module.__loader__.get_resource_reader(module.__name__)
    result[module.__name__] = [
        sorted(reader.contents()), [reader.is_resource(name) for name in ("text.txt", "folder", "no")],
        outcome(reader.open_resource, "text.txt"), outcome(reader.open_resource, "no"), reader.files().is_dir(),
    ]
"""
    places.as_in_directory(kind, probe)


@in_each_and_mounted
def test_a_reader_has_no_path_to_give_for_what_is_no_file(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
import res
reader = res.__loader__.get_resource_reader("res")
result = [outcome(reader.resource_path, "text.txt"), outcome(reader.resource_path, "missing")]
"""
    assert places.observe(kind, probe) == ["FileNotFoundError"] * 2


@in_each_and_mounted
def test_pkgutil_gets_resources(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
import pkgutil
for name in ("text.txt", "folder/inner/three.txt", "missing", "folder"):
    result[name] = outcome(pkgutil.get_data, "res", name)
result["of a namespace"] = repr(pkgutil.get_data("nsres", "data.txt"))
"""
    assert places.as_in_directory(kind, probe)["folder/inner/three.txt"] == "b'3'"


AS_FILE = f"""{CALLS}
import os, sys

def listing(path):
    if path.is_dir():
        return [path.name, {{child.name: listing(child) for child in path.iterdir()}}]
    return [path.name, path.read_bytes().hex()]

result, paths = [], []
for name in ("text.txt", "folder/one.txt", "folder", "folder/inner", "ünï code.txt", "empty", "binary.bin"):
    with resources.as_file(resources.files("res").joinpath(*name.split("/"))) as path:
        result.append([listing(path), os.path.isabs(path)])
    paths.append([str(path), path.exists()])
with resources.as_file(resources.files("res")) as path:
    result.append([path.name, sorted(child.name for child in path.iterdir())])
"""


@in_each_and_mounted
def test_as_file_gives_files_and_folders_under_their_own_names(places: Places, kind: str) -> None:
    known = places.as_in_directory(kind, AS_FILE)
    assert known[0][0] == ["text.txt", "6f6e650d0a74776f20e280942064726569" + "0a"]
    assert known[2][0] == ["folder", {"one.txt": ["one.txt", "31"], "two.txt": ["two.txt", "32"], "inner": known[3][0]}]


def paths_of(places: Places, kind: str, cache: Path) -> Any:
    return places.observe(kind, f"{AS_FILE}\nresult = paths", BUNDLEIMP_CACHE_DIR=str(cache))


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
def test_as_file_gives_every_process_the_same_lasting_path_in_the_cache(
    places: Places, kind: str, tmp_path: Path
) -> None:
    first = paths_of(places, kind, tmp_path / "cache")
    assert all(path.startswith(str(tmp_path / "cache")) and exists for path, exists in first)
    assert paths_of(places, kind, tmp_path / "cache") == first


def test_as_file_repairs_a_file_that_was_damaged_in_the_cache(places: Places, tmp_path: Path) -> None:
    cached, _ = paths_of(places, FLAT, tmp_path / "cache")[0]
    with open(cached, "r+b") as stream:
        stream.write(b"XX")
    probe = f"""{CALLS}
with resources.as_file(resources.files("res") / "text.txt") as path:
    result = path.read_bytes()[:3].decode()
"""
    assert places.observe(FLAT, probe, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache")) == "one"


# A unit with data is told of where its files cannot be written: its modules may look for them.
UNWARNED = ("-W", "ignore")


@in_each
def test_as_file_works_where_the_cache_cannot_be_written(places: Places, kind: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    places.as_in_directory(kind, AS_FILE, options=UNWARNED, BUNDLEIMP_CACHE_DIR=str(tmp_path / "file" / "cache"))


def test_as_file_leaves_nothing_behind_where_the_cache_cannot_be_written(places: Places, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "temporary").mkdir()
    variables = {"BUNDLEIMP_CACHE_DIR": str(tmp_path / "file" / "cache"), "TMPDIR": str(tmp_path / "temporary")}
    found = places.observe(FLAT, f"{AS_FILE}\nresult = paths", options=UNWARNED, **variables)
    assert not any(exists for _, exists in found)
    assert list((tmp_path / "temporary").iterdir()) == []


@in_each_and_mounted
def test_as_file_of_what_is_missing_is_file_not_found(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
def use(path):
    with resources.as_file(path) as found:
        return found.read_bytes()

result = [outcome(use, resources.files("res") / name) for name in ("missing", "missing/too")]
"""
    assert places.observe(kind, probe) == ["FileNotFoundError"] * 2


@pytest.mark.parametrize("kind", [PLAIN_ZIP, FLAT, NESTED])
def test_open_takes_the_encoding_where_zipfile_path_takes_it(places: Places, kind: str) -> None:
    probe = f"""{CALLS}
path = resources.files("res") / "text.txt"
result = [path.open("r", "latin-1").encoding, path.open("r", "ascii", "replace").errors]
result += [path.open("r", "ascii", errors="ignore").errors, outcome(path.open, "rb", "ascii")]
"""
    assert places.observe(kind, probe) == ["latin-1", "replace", "ignore", "ValueError"]


@pytest.mark.parametrize("call", ["read_text()", "open()", "open('r', 1)"])
def test_who_names_no_encoding_is_warned_at_the_own_line(places: Places, call: str) -> None:
    probe = f"""
import warnings
from importlib import resources
path = resources.files("res") / "text.txt"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    path.{call}
result = [[warning.category.__name__, warning.filename == __file__] for warning in caught][:1]
"""
    assert places.observe(FLAT, probe, options=("-X", "warn_default_encoding")) == [["EncodingWarning", True]]


def test_a_link_beside_a_package_in_a_plain_zip_is_left_out(tmp_path: Path) -> None:
    bundle = tmp_path / "out.pybundle"
    link = zipfile.ZipInfo("pkg/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("pkg/__init__.py", "import os\nNAMES = os.listdir(os.path.dirname(__file__))\n")
        archive.writestr("pkg/data.txt", "")
        archive.writestr(link, "data.txt")
    result = run_python("-W", "error", "-c", "import pkg; print(sorted(pkg.NAMES))", path=[bundle])
    assert result.stdout == "['__init__.py', 'data.txt']\n"
