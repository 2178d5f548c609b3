"""``importlib.metadata`` sees the distributions of a bundle as those of a directory."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .builders import Tree, make_zip, run_python
from .places import DIRECTORY, FLAT, MOUNTED, NESTED, NO_BYTECODE, PLAIN_ZIP, Places

if TYPE_CHECKING:
    from pathlib import Path

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"
ENTRY_POINTS = "[plugins]\nfirst = one.mod:make\n\n[console_scripts]\none = one.mod:main\n"
TREE: Tree = {
    "one/__init__.py": "",
    "one/mod.py": "def make():\n    return 'made'\n",
    "one/data/text.txt": "äöü\r\n",
    "One.Project-1.0.dist-info/METADATA": METADATA.format("One.Project", "1.0")
    + "Requires-Dist: two (>=2)\nRequires-Dist: three ; extra == 'more'\nProvides-Extra: more\n\nDescription: ä\r\n",
    "One.Project-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
    "One.Project-1.0.dist-info/top_level.txt": "one\n",
    "One.Project-1.0.dist-info/RECORD": "one/__init__.py,,0\none/mod.py,sha256=abc_-,31\none/data/text.txt,,\n"
    "One.Project-1.0.dist-info/METADATA,,\nOne.Project-1.0.dist-info/RECORD,,\n../../bin/one-tool,,\n",
    "two.py": "",
    "two-2.0.egg-info/PKG-INFO": METADATA.format("two", "2.0"),
    "two-2.0.egg-info/SOURCES.txt": "setup.py\ntwo.py\n",
    "two-2.0.egg-info/requires.txt": "click>=8\n\n[more]\nrich\n",
    "three.py": "",
    "three_x-3.egg-info": METADATA.format("three-x", "3"),
    "empty-4.dist-info/WHEEL": "Wheel-Version: 1.0\n",
    "nothing.dist-info.txt": "",
    "old-5.egg/EGG-INFO/PKG-INFO": METADATA.format("old", "5"),
    "vendor/four/__init__.py": "",
    "vendor/four-4.1.dist-info/METADATA": METADATA.format("four", "4.1"),
    "vendor/four-4.1.dist-info/RECORD": "four/__init__.py,,0\nfour-4.1.dist-info/RECORD,,\n",
}
KINDS = (FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP)
in_each = pytest.mark.parametrize("kind", KINDS)
in_each_and_mounted = pytest.mark.parametrize("kind", [*KINDS, *MOUNTED])


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("metadata"), TREE)


def seen(places: Places, kind: str, probe: str) -> Any:
    """Return what *probe* sees in every kind of place alike; its ``place`` is the path entry, ``m`` the module."""
    prologue = "import importlib.metadata as m, os, sys\n(place,) = os.environ['PYTHONPATH'].split(os.pathsep)\n"
    return places.as_in_directory(kind, prologue + probe)


@in_each_and_mounted
@pytest.mark.parametrize("name", ["One.Project", "one-project", "one_project", "ONE--project", "two", "three.x"])
def test_a_version_by_any_spelling_of_the_name(places: Places, kind: str, name: str) -> None:
    assert seen(places, kind, f"result = m.version({name!r})") in {"1.0", "2.0", "3"}


@in_each_and_mounted
@pytest.mark.parametrize("name", ["one", "project", "nothing", "old", "four", "One.Project-1.0", ".."])
def test_what_is_not_there_is_not_found(places: Places, kind: str, name: str) -> None:
    probe = f"try:\n    result = m.version({name!r})\nexcept m.PackageNotFoundError as error:\n    result = error.name"
    assert seen(places, kind, probe) == name


@in_each
def test_every_distribution_once(places: Places, kind: str) -> None:
    # A plain zip keeps the order that it was written in, and a folder has none.
    probe = "result = sorted(os.path.basename(str(d._path)) for d in m.distributions(path=[place]))"
    found = seen(places, kind, probe)
    assert found == ["One.Project-1.0.dist-info", "empty-4.dist-info", "three_x-3.egg-info", "two-2.0.egg-info"]


@in_each_and_mounted
def test_metadata_and_requirements(places: Places, kind: str) -> None:
    probe = """
one, two = m.distribution("one-project"), m.distribution("two")
result = [
    one.name, dict(one.metadata.items()), one.metadata.get_payload(), one.requires, one.metadata.json["requires_dist"],
    two.name, two.requires, m.requires("three-x"), m.metadata("three-x")["Name"], one.read_text("nothing.txt"),
    one.read_text(""), one.read_text("../two.py"), one.read_text("RECORD/x"),
]
"""
    assert seen(places, kind, probe)[3] == ["two (>=2)", "three ; extra == 'more'"]


@in_each_and_mounted
def test_entry_points_are_found_and_loaded(places: Places, kind: str) -> None:
    probe = """
(plugin,) = m.entry_points(group="plugins")
result = [plugin.name, plugin.value, plugin.dist.version, plugin.load()()]
result += [str(point) for point in m.entry_points(group="console_scripts", name="one")]
"""
    assert seen(places, kind, probe)[:4] == ["first", "one.mod:make", "1.0", "made"]


FILES = r"""
import re

def shown(file):
    # A file of a distribution with data has the path that it has when its modules are imported.
    path = re.sub(r".*/(sites/[0-9a-f]{32}\.pybundle|files/[0-9a-f]{32})", place, str(file.locate()))
    assert path.startswith(place + os.sep) and os.path.isfile(str(file.locate())), path
    return path.removeprefix(place)

result = []
for name in ("one-project", "two", "three-x", "empty"):
    files = m.distribution(name).files
    result.append(files and [
        [str(file), file.size, file.hash and [file.hash.mode, file.hash.value], shown(file)]
        for file in files
        if "bin" not in str(file) and "setup" not in str(file)
    ])
one = {file.name: file for file in m.files("one-project")}
result += [one["text.txt"].read_text(), one["text.txt"].read_binary().decode()]
result += [one["mod.py"].read_text(encoding="utf-8")]
located = one["mod.py"].locate()
result += [located.exists(), located.is_file(), located.is_dir(), located.name, located.stem, located.suffix]
result += [located.parent.is_dir(), located.parent.is_file()]
result += [sorted({path.name for path in located.parent.iterdir()} - {"__pycache__"})]
with located.open("rb") as binary, located.open(encoding="ascii") as text:
    result += [located.read_text("utf-8"), located.read_text("locale"), binary.read().decode(), text.read()]
result += [str(located.resolve().relative_to(m.distribution("two").locate_file("").resolve()))]
result += [(located / "x").exists(), (located.parent / "no.py").exists(), (located.parent / "mod.py").exists()]
"""


@in_each
def test_files_are_located_and_read(places: Places, kind: str) -> None:
    found = seen(places, kind, FILES)
    assert found[0][1] == ["one/mod.py", 31, ["sha256", "abc_-"], os.path.join("", os.sep, "one", "mod.py")]
    assert found[4:6] == ["äöü\n", "äöü\r\n"]


@in_each_and_mounted
@pytest.mark.parametrize("name", ["", "one", "no.py", "one/mod.py/x"])
def test_reading_what_is_no_file_is_an_os_error(places: Places, kind: str, name: str) -> None:
    probe = f"""
result = []
path = m.distribution("two").locate_file({name!r})
for read in (path.read_bytes, path.read_text, path.open, lambda: list(path.iterdir()) and path.open()):
    try:
        read()
    except OSError as error:
        result.append(type(error).__name__)
"""
    expected = seen(places, DIRECTORY, probe)
    assert len(expected) == 4
    # A zip has no files that could be taken for directories.
    assert [name.replace("NotADirectory", "FileNotFound") for name in places.observe(kind, PROLOGUE + probe)] == [
        name.replace("NotADirectory", "FileNotFound") for name in expected
    ]


PROLOGUE = "import importlib.metadata as m, os, sys\n"


@in_each_and_mounted
def test_packages_and_the_distributions_that_they_come_from(places: Places, kind: str) -> None:
    assert seen(places, kind, "result = m.packages_distributions()['one']") == ["One.Project"]


@in_each
@pytest.mark.parametrize("entry", ["vendor", "old-5.egg"])
def test_a_path_entry_inside(places: Places, kind: str, entry: str) -> None:
    probe = f"""
entry = os.path.join(place, {entry!r})
sys.path.append(entry)
result = [[d.name, d.version, [str(file) for file in d.files or ()]] for d in m.distributions(path=[entry])]
result += [m.version(d.name) for d in m.distributions(path=[entry])]
"""
    assert seen(places, kind, probe)[1] in {"4.1", "5"}


@in_each_and_mounted
@pytest.mark.parametrize("entry", ["nothing", "one", "two.py", "one/mod.py/x"])
def test_a_path_entry_without_distributions(places: Places, kind: str, entry: str) -> None:
    probe = f"result = len(list(m.distributions(path=[os.path.join(place, *{entry!r}.split('/'))])))"
    assert seen(places, kind, probe) == 0


def test_a_wheel_under_another_name(tmp_path: Path) -> None:
    names = [name for name in TREE if name.startswith(("one/", "One"))]
    wheel = make_zip(tmp_path / "one_project-1.0-py3-none-any.whl", {name: TREE[name] for name in names})
    bundle = wheel.rename(tmp_path / "one.pybundle")
    script = "import importlib.metadata as m; (point,) = m.entry_points(group='plugins'); "
    script += "print(m.version('one.project'), point.load()())"
    assert run_python("-c", script, path=[bundle]).stdout == "1.0 made\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a name that Windows does not allow")
def test_names_of_files_that_are_no_names_of_distributions(tmp_path: Path) -> None:
    tree: Tree = {
        ".dist-info/METADATA": "",
        "-1.dist-info/METADATA": "",
        "a b-1.dist-info/METADATA": METADATA.format("x", 1),
    }
    probe = (
        PROLOGUE + "result = sorted(d.read_text('METADATA') for d in m.distributions(path=[os.environ['PYTHONPATH']]))"
    )
    places = Places(tmp_path, tree)
    for kind in KINDS:
        assert len(places.as_in_directory(kind, probe)) == 3
