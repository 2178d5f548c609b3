"""The search for distributions goes through bundles in the order of ``sys.path``, and reads no more than it must."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from .archives import flipped, index_of
from .builders import Tree, make_bundle, make_tree, run_python
from .places import DIRECTORY, FLAT, NESTED, PLAIN_ZIP, Laboratory, Places, lay_out

if TYPE_CHECKING:
    from pathlib import Path

PROLOGUE = "import importlib.metadata as m, os, sys\n"
METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: {}\n"


def lib(version: str) -> Tree:
    """Return a tree with one version of one distribution."""
    return {f"lib-{version}.dist-info/METADATA": METADATA.format("lib", version)}


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("metadata"), lib("1.0") | {"one.py": ""})


@pytest.mark.parametrize("kinds", [(DIRECTORY, FLAT), (NESTED, DIRECTORY), (FLAT, NESTED), (PLAIN_ZIP, NESTED)])
def test_the_first_on_the_path_wins(tmp_path: Path, kinds: tuple[str, str]) -> None:
    paths = [
        lay_out(
            kind,
            tmp_path / str(number),
            lib(str(number)) | {f"lib-{number}.dist-info/entry_points.txt": f"[plugins]\nname = value{number}\n"},
        )
        for number, kind in enumerate(kinds)
    ]
    probe = PROLOGUE + (
        "result = [m.version('lib'), [d.version for d in m.distributions(name='lib')],"
        " [point.value for point in m.entry_points(group='plugins')]]"
    )
    laboratory = Laboratory(tmp_path / "laboratory")
    assert laboratory.observe(paths, probe) == ["0", ["0", "1"], ["value0"]]
    assert laboratory.observe(paths[::-1], probe) == ["1", ["1", "0"], ["value1"]]


@pytest.mark.parametrize("kind", [DIRECTORY, FLAT, NESTED, PLAIN_ZIP])
def test_two_versions_in_one_path_entry_are_both_there(tmp_path: Path, kind: str) -> None:
    tree = lib("1") | lib("2")
    probe = PROLOGUE + "result = sorted(d.version for d in m.distributions(name='lib'))"
    assert Places(tmp_path, tree).observe(kind, probe) == ["1", "2"]


BY_PATH = {
    "a keyword": "m.distributions(path=[entry])",
    "a context": "m.Distribution.discover(context=m.DistributionFinder.Context(path=[entry]))",
    "the finder": "m.MetadataPathFinder.find_distributions(m.DistributionFinder.Context(path=[entry]))",
    "a name": "m.distributions(path=[entry], name='lib')",
    "sys.path": "(sys.path.append(entry), m.distributions(name='lib'))[1]",
    "a tuple": "m.distributions(path=(entry,))",
}


@pytest.mark.parametrize("kind", [FLAT, NESTED])
@pytest.mark.parametrize("how", BY_PATH)
def test_a_bundle_that_nothing_was_imported_from(places: Places, kind: str, how: str) -> None:
    script = PROLOGUE + f"entry = sys.argv[1]\nprint(*[d.version for d in {BY_PATH[how]} if d.name == 'lib'])"
    if how == "the finder":  # asked past sys.meta_path, it has to be told
        script = f"import bundleimp\nbundleimp.install()\n{script}"
    assert run_python("-c", script, str(places.path(kind))).stdout == "1.0\n"


def test_a_bundle_that_is_claimed_while_the_module_is_loaded(places: Places) -> None:
    script = """
import sys
class Nosy:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("importlib.metadata."):
            try:
                import one_that_is_nowhere
            except ImportError:
                pass
sys.path.append(sys.argv[1])
sys.meta_path.insert(0, Nosy())
import importlib.metadata
print(importlib.metadata.version("lib"))
"""
    assert run_python("-c", script, str(places.path(NESTED))).stdout == "1.0\n"


def test_a_module_that_was_loaded_before_the_first_bundle(places: Places) -> None:
    script = "import importlib.metadata as m, sys; sys.path.insert(0, sys.argv[1]); import one; print(m.version('lib'))"
    assert run_python("-c", script, str(places.path(NESTED))).stdout == "1.0\n"


def test_uninstall_gives_the_search_back(places: Places) -> None:
    script = """
import importlib.metadata as m, sys, bundleimp
bundleimp.uninstall()
search = m.FastPath.search
bundleimp.install()
assert m.FastPath.search is not search
assert len(list(m.distributions(path=[sys.argv[1]]))) == 1
bundleimp.uninstall()
assert m.FastPath.search is search
print(len(list(m.distributions(path=[sys.argv[1]]))))
"""
    assert run_python("-c", script, str(places.path(NESTED))).stdout == "0\n"


def test_a_replaced_bundle_is_seen_after_invalidate_caches(tmp_path: Path) -> None:
    old, new = (make_bundle(tmp_path / f"{version}.pybundle", lib(version)) for version in ("1.0", "2.0"))
    script = f"""
import importlib, importlib.metadata as m, os, sys
sys.path.append({str(old)!r})
before = m.distribution("lib")
os.replace({str(new)!r}, {str(old)!r})
print(m.version("lib"))
importlib.invalidate_caches()
print(m.version("lib"), before.version, before.locate_file("lib-1.0.dist-info").exists())  # of its version
os.remove({str(old)!r})
print(m.version("lib"))
importlib.invalidate_caches()
try:
    m.version("lib")
except m.PackageNotFoundError:
    print("gone")
"""
    assert run_python("-c", script).stdout == "1.0\n2.0 1.0 True\n2.0\ngone\n"


def test_a_damaged_file_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", lib("1"))
    (name,) = lib("1")
    data = bundle.read_bytes()
    bundle.write_bytes(flipped(data, 8 * index_of(data)[name].member.offset + 40))
    ended = run_python("-c", "import importlib.metadata as m; m.version('lib')", path=[bundle], check=False)
    error = ended.stderr.splitlines()[-1]
    assert error.startswith(f"bundleimp.runtime.faults.kinds.BundleFormatError: {bundle}: {name}: ")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\5\6" + b"\xff" * 18])
def test_a_broken_bundle_keeps_nobody_from_the_others(tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.pybundle"
    broken.write_bytes(content)
    sound = make_bundle(tmp_path / "sound.pybundle", lib("1"))
    script = "import importlib.metadata as m; print(m.version('lib'), 'lib' in [d.name for d in m.distributions()])"
    ended = run_python("-c", script, path=[broken, sound])
    assert ended.stdout == "1 True\n"
    assert ended.stderr.count("BundleWarning") == 1


def many(number: int) -> Tree:
    tree: Tree = {"imported.py": ""}
    for at in range(number):
        tree |= {
            f"lib_{at}/__init__.py": "",
            f"lib_{at}-{at}.dist-info/METADATA": METADATA.format(f"lib-{at}", at),
            f"lib_{at}-{at}.dist-info/entry_points.txt": f"[plugins]\nlib-{at} = lib_{at}\n",
        }
    return tree


COUNTED = """
import builtins, importlib.metadata as m, importlib._bootstrap_external, io, json, os, sys
sys.path[:] = [entry for entry in sys.path if "site-packages" not in entry]
import imported
from bundleimp.runtime import bundlefile
from bundleimp.runtime.data import metadata
counts = {}
def counted(holder, name):
    original = getattr(holder, name)
    def call(*arguments, **keywords):
        if ".pybundle" in str(arguments[:1]) or holder is bundlefile.BundleFile:
            counts[name] = counts.get(name, 0) + 1
        return original(*arguments, **keywords)
    setattr(holder, name, call)
for name in ("stat", "lstat", "listdir", "scandir", "open", "fstat", "getcwd"):
    for holder in os, importlib._bootstrap_external._os:
        counted(holder, name)
counted(io, "open")
counted(builtins, "open")
counted(bundlefile.BundleFile, "read")
result = []
for ask in (lambda: m.version("lib-7"), lambda: m.version("lib-7"), lambda: len(m.entry_points(group="plugins"))):
    counts.clear()
    result.append([ask(), dict(counts)])
"""


# From 3.15 on, the standard library reads metadata once more, to prefer a distribution whose metadata is valid.
READS = 2 if sys.version_info >= (3, 15) else 1


@pytest.mark.parametrize("number", [10, 200])
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_what_a_question_reads_does_not_grow_with_the_bundle(tmp_path: Path, number: int, layout: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", many(number), layout=layout)
    first, second, points = Laboratory(tmp_path / "laboratory").observe([bundle], COUNTED)
    # The block of the distribution's folder, where it was not among the bytes that were read before, and the file.
    assert first[0] == "7"
    assert first[1].keys() == {"read"}
    assert first[1]["read"] <= 1 + READS
    assert second == ["7", {"read": READS}]
    assert points[0] == number
    assert points[1].keys() == {"read"}
    # One for each file; blocks are read many at a time.
    assert points[1]["read"] <= number + 10


def test_the_runtime_loads_its_part_when_first_asked(places: Places) -> None:
    script = """
import importlib.metadata as m, sys
import one
def loaded():
    return "bundleimp.runtime.data.metadata" in sys.modules
print(loaded(), list(m.distributions(path=[])), loaded(), m.version("lib"), loaded())
"""
    assert run_python("-c", script, path=[places.path(FLAT)]).stdout == "False [] False 1.0 True\n"


@pytest.fixture(scope="module", name="backport")
def _backport(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the standard library's module under the name of its backport, where that has its own."""
    source = """
import importlib.metadata, sys
from importlib.metadata import __file__ as source
exec(compile(open(source).read().replace("from . import", "from importlib.metadata import")
     .replace("from ._", "from importlib.metadata._"), source, "exec"))
for finder in sys.meta_path:
    if getattr(finder, "__module__", None) == "_frozen_importlib_external" and hasattr(finder, "find_distributions"):
        del finder.find_distributions
sys.meta_path.append(MetadataPathFinder())
"""
    return make_tree(tmp_path_factory.mktemp("backport"), {"importlib_metadata.py": source})


@pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])
@pytest.mark.parametrize("claimed", [True, False])
def test_the_backport_too(places: Places, backport: Path, kind: str, claimed: bool) -> None:
    script = f"""
import json, sys
sys.path += sys.argv[1:]
if {claimed}:
    import one
import importlib_metadata as m
print(json.dumps([m.version("lib"), [d.version for d in m.distributions(name="lib")]]))
"""
    ended = run_python("-c", script, str(backport), str(places.path(kind)))
    assert json.loads(ended.stdout) == ["1.0", ["1.0"]]


@pytest.mark.parametrize("missing", ["legacy_normalized", "FastPath"])
def test_a_version_with_other_private_classes_finds_them_too(places: Places, backport: Path, missing: str) -> None:
    source = backport / "importlib_metadata.py"
    text = source.read_text().replace(', source, "exec"))', f".replace({missing!r}, 'other_name'), source, 'exec'))")
    own = make_tree(places.laboratory.folder / missing, {source.name: text})
    script = """
import json, sys
sys.path += sys.argv[1:]
import importlib_metadata as m
names = sorted(d.metadata["Name"] for d in m.distributions(path=sys.argv[2:]))
print(json.dumps([m.version("lib"), [d.version for d in m.distributions(name="lib")], names]))
"""
    ended = run_python("-c", script, str(own), str(places.path(NESTED)))
    found = json.loads(ended.stdout)
    assert found[:2] == ["1.0", ["1.0"]]
    assert found[2] == sorted(set(found[2]) | {"lib"})


def test_metadata_that_is_on_its_way_in_when_the_first_bundle_is_asked_knows_of_bundles(tmp_path: Path) -> None:
    tree = {"mod.py": "", "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, layout="nested")
    script = (
        f"import importlib, sys; sys.path.insert(0, {str(bundle)!r})\n"
        "import importlib.metadata  # looks for `csv` on the path, among others\n"
        "print(importlib.metadata.version('thing'))"
    )
    assert run_python("-c", script).stdout == "1\n"


@pytest.mark.parametrize("kind", [DIRECTORY, FLAT, NESTED])
def test_every_file_of_a_distribution_opens_as_text(tmp_path: Path, kind: str) -> None:
    files = ["pure.py", "pkg/__init__.py", "pkg/data.txt", "lib-1.0.dist-info/METADATA", "lib-1.0.dist-info/RECORD"]
    tree = lib("1.0") | {"pure.py": "X = 1\n", "pkg/__init__.py": "", "pkg/data.txt": "data"}
    tree["lib-1.0.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files)
    probe = PROLOGUE + (
        "distribution = m.distribution('lib')\n"
        "def read(path):\n"
        "    with open(path) as stream:\n"
        "        return stream.read()\n"
        "same = [read(str(f.locate())) == f.read_text() for f in distribution.files]\n"
        "result = [len(same), all(same), read(distribution.locate_file('pure.py')),"
        " os.path.isfile(str(distribution.locate_file('gone.py')))]"
    )
    assert Places(tmp_path, tree).observe(kind, probe) == [5, True, "X = 1\n", False]


@pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])
def test_odd_metadata_is_as_in_a_directory(tmp_path: Path, kind: str) -> None:
    tree: Tree = {
        "no_name-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nVersion: 1.0\n",
        "two-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: two\nName: three\nVersion: 1.0\nVersion: 2.0\n",
        "empty-1.0.dist-info/METADATA": "",
        "no_file-1.0.dist-info/RECORD": "no_file.py,,\n",
        "bytes-1.dist-info/METADATA": b"Name: \xff\xfe\nVersion: 1\n",
        ".dist-info/METADATA": METADATA.format("x", "3"),
        "odd.dist-info": METADATA.format("odd", "4"),
        "deep-1.dist-info/METADATA/deep": "",
    }
    probe = PROLOGUE + (
        "def outcome(function, *arguments):\n"
        "    try:\n"
        "        return repr(function(*arguments))\n"
        "    except Exception as error:\n"
        "        return type(error).__name__\n"
        "names = ['no-name', 'two', 'three', 'empty', 'no-file', 'bytes', 'x', 'odd', 'deep', '.dist-info', '']\n"
        "result = [[name, outcome(m.version, name), outcome(lambda: m.distribution(name).name),"
        " outcome(lambda: m.distribution(name).metadata['Name']), outcome(lambda: len(m.files(name)))]"
        " for name in names]"
    )
    assert Places(tmp_path, tree).as_in_directory(kind, probe)[1][1] == "'1.0'"
