"""``pkg_resources`` sees the distributions and resources of a bundle, where a setuptools that has it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .builders import run_python
from .places import FLAT, NESTED, PLAIN_ZIP, Places, lay_out

if TYPE_CHECKING:
    from .builders import Tree

pytestmark = pytest.mark.skipif(importlib.util.find_spec("pkg_resources") is None, reason="there is no pkg_resources")
in_each = pytest.mark.parametrize("kind", [FLAT, NESTED, PLAIN_ZIP])
TREE: Tree = {
    "demo_lib/__init__.py": "make = str\n",
    "demo_lib/data/text.txt": "text",
    "spaced/__init__.py": "__import__('pkg_resources').declare_namespace(__name__)\n",
    "spaced/one.py": "",
    "demo_lib-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo-lib\nVersion: 1.2\nRequires-Dist: demo-old\n",
    "demo_lib-1.2.dist-info/entry_points.txt": "[demo.plugins]\nfirst = demo_lib:make\n",
    "demo_old-3.egg-info/PKG-INFO": "Metadata-Version: 1.1\nName: demo-old\nVersion: 3\n",
    "demo_file-4.egg-info": "Metadata-Version: 1.1\nName: demo-file\nVersion: 4\n",
}
# It is deprecated, and says so.
QUIET = ("-W", "ignore")


@pytest.fixture(scope="module", name="places")
def _places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("pkg_resources"), TREE)


@in_each
@pytest.mark.parametrize("claimed", ["import demo_lib, pkg_resources", "import pkg_resources"])
def test_distributions_and_entry_points(places: Places, kind: str, claimed: str) -> None:
    probe = f"""
{claimed}
found = pkg_resources.get_distribution("demo-lib")
result = [str(found), found.location, found.version, found.has_metadata("METADATA"), found.has_metadata("nothing")]
result += [found.get_metadata("METADATA"), list(found.get_metadata_lines("entry_points.txt"))]
result += [sorted(map(str, pkg_resources.require("demo-lib"))), "demo-old" in pkg_resources.working_set.by_key]
one_file = pkg_resources.get_distribution("demo-file")
result += [str(one_file), one_file.location, one_file.get_metadata("PKG-INFO"), one_file.has_metadata("RECORD")]
result += [point.load()(7) for point in pkg_resources.iter_entry_points("demo.plugins")]
"""
    assert places.as_in_directory(kind, probe, options=QUIET)[-1] == "7"


@in_each
def test_resources(places: Places, kind: str) -> None:
    probe = """
import pkg_resources as p
result = [p.resource_string("demo_lib", "data/text.txt").decode(), p.resource_exists("demo_lib", "data/nothing")]
result += [p.resource_listdir("demo_lib", "data"), p.resource_isdir("demo_lib", "data")]
with open(p.resource_filename("demo_lib", "data/text.txt")) as stream:
    result.append(stream.read())
"""
    assert places.as_in_directory(kind, probe, options=QUIET) == ["text", False, ["text.txt"], True, "text"]


@in_each
def test_a_resource_that_is_not_there_has_no_file(places: Places, kind: str) -> None:
    probe = """
import pkg_resources as p
try:
    open(p.resource_filename("demo_lib", "nothing")).close()
except FileNotFoundError:
    result = "not found"
"""
    assert places.as_in_directory(kind, probe, options=QUIET) == "not found"


@in_each
def test_the_first_on_the_path_wins(places: Places, kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("other")
    (folder / "demo_lib-9.dist-info").mkdir()
    (folder / "demo_lib-9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-lib\nVersion: 9\n")
    script = "import demo_lib, pkg_resources; print(pkg_resources.get_distribution('demo-lib').version)"
    assert run_python(*QUIET, "-c", script, path=[folder, places.path(kind)]).stdout == "9\n"
    assert run_python(*QUIET, "-c", script, path=[places.path(kind), folder]).stdout == "1.2\n"


@in_each
def test_a_declared_namespace(places: Places, kind: str) -> None:
    probe = "import spaced.one\nresult = list(spaced.__path__)"
    assert len(places.as_in_directory(kind, probe, options=QUIET)) == 1


def test_a_bundle_that_is_added_later(places: Places) -> None:
    script = """
import pkg_resources, sys
pkg_resources.working_set.add_entry(sys.argv[1])
print(pkg_resources.get_distribution("demo-lib").version)
"""
    assert run_python(*QUIET, "-c", script, str(places.path(NESTED))).stdout == "1.2\n"


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("kind", [FLAT, NESTED])
def test_a_site_on_the_path_gives_the_distributions_of_its_bundle_once(tmp_path: Path, kind: str, both: bool) -> None:
    asking = (
        "import os\nwith open(os.path.join(os.path.dirname(__file__), 'data', 'text.txt')) as file:\n    file.read()\n"
    )
    bundle = lay_out(kind, tmp_path / "place", TREE | {"demo_lib/__init__.py": asking})
    cache = str(tmp_path / "cache")
    first = run_python("-c", "import demo_lib; print(demo_lib.__file__)", path=[bundle], BUNDLEIMP_CACHE_DIR=cache)
    site = Path(first.stdout).parent.parent
    script = """
import pkg_resources, importlib.metadata
print(pkg_resources.get_distribution("demo-lib").version, importlib.metadata.version("demo-lib"))
print(sum(d.key == "demo-lib" for d in pkg_resources.working_set))
print(sum(d.metadata["Name"] == "demo-lib" for d in importlib.metadata.distributions()))
"""
    path = [bundle, site] if both else [site]
    result = run_python(*QUIET, "-c", script, path=path, BUNDLEIMP_CACHE_DIR=cache)
    assert result.stdout == "1.2 1.2\n1\n1\n"
