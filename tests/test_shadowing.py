"""A bundle may have modules with the names of the standard library's: ours never take them for those.

Whatever an operation does not import where the package is in a directory, a bundle has a module of that name, which
must not be imported there either: it is somebody else's.
"""

from __future__ import annotations

import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_tree
from .places import DIRECTORY, FLAT, NO_BYTECODE, PLAIN_ZIP, Laboratory, lay_out

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "pkg/__init__.py": "V = 1\n",
    "pkg/mod.py": "def fail():\n    raise ValueError('of pkg')\n",
    "pkg/here.py": "import os\nwith open(os.path.dirname(__file__) + '/data.txt') as data:\n    TEXT = data.read()\n",
    "pkg/data.txt": "data",
    "pkg/folder/inner.txt": "inner",
    "space/portion/__init__.py": "",
    "space/shared.txt": "shared",
    "thing-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\nRequires-Dist: other\n",
    "thing-1.dist-info/RECORD": "".join(
        f"pkg/{name},,\n" for name in ("__init__.py", "data.txt", "folder/inner.txt", "here.py", "mod.py")
    ),
    "thing-1.dist-info/entry_points.txt": "[console_scripts]\nthing = pkg.mod:fail\n",
}
OTHER: Tree = {"space/second/__init__.py": "", "space/other.txt": "other"}

OPERATIONS = {
    "imports": "import pkg.mod, pkg.here, space.portion\nresult = pkg.here.TEXT",
    "a reload": """
import importlib, pkg
importlib.invalidate_caches()
result = importlib.reload(pkg).V
""",
    "the location of a package with data": "import pkg\nwith open(pkg.__file__) as stream:\n    result = stream.read()",
    "pkgutil": """
import pkgutil
result = [[module.name for module in pkgutil.walk_packages([place])], pkgutil.get_data("pkg", "data.txt").decode()]
result[0] = [name for name in result[0] if name not in SHADOWS]
""",
    "resources": """
import importlib.resources as resources
folder = resources.files("pkg")
with resources.as_file(folder / "data.txt") as file, resources.as_file(folder / "folder") as whole:
    result = [folder.joinpath("data.txt").read_text(), file.read_text(), (whole / "inner.txt").read_text()]
    result += sorted(child.name for child in folder.iterdir() if child.name != "__pycache__")
""",
    "resources of a namespace package": """
import importlib.resources as resources
sys.path.append(other)
import space.second
folder = resources.files("space")
result = sorted(child.name for child in folder.iterdir())
result += [(folder / "shared.txt").read_text(), (folder / "other.txt").read_text()]
""",
    "metadata": """
import importlib.metadata as metadata
(script,) = [point for point in metadata.entry_points(group="console_scripts") if point.name == "thing"]
result = [metadata.version("thing"), metadata.requires("thing"), script.value, len(metadata.files("thing"))]
result.append(metadata.files("thing")[1].read_text())
""",
    "source lines": """
import inspect, linecache, pkg.mod
result = [inspect.getsource(pkg.mod.fail), linecache.getline(pkg.mod.__file__, 2)]
""",
    "a traceback": """
import traceback, pkg.mod
try:
    pkg.mod.fail()
except ValueError as error:
    result = [frame.line for frame in traceback.extract_tb(error.__traceback__)]
""",
    "what cannot be raised": """
import io, pkg.mod
class Late:
    def __del__(self):
        pkg.mod.fail()
sys.stderr, kept = io.StringIO(), sys.stderr
Late()
sys.stderr, kept = kept, sys.stderr
result = "ValueError: of pkg" in kept.getvalue()
""",
    "a broken bundle beside it": """
import warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sys.path.insert(0, broken)
    import pkg
result = pkg.V
""",
    "a hook taken out and put in again": """
import pkg, bundleimp
bundleimp.uninstall()
bundleimp.install()
import pkg.mod
result = pkg.mod.__name__
""",
}

# The place is put on the path by the program: what Python itself imports before is not ours.
_PROGRAM = """
import json, sys
place, other, broken, SHADOWS = *sys.argv[1:4], sys.argv[4].split(",")
sys.path.insert(0, place)
asked = set(sys.modules)


class Listener:
    @staticmethod
    def find_spec(name, path=None, target=None):
        asked.add(name)


sys.meta_path.insert(0, Listener)
{}
print(json.dumps([result, sorted({{name.partition(".")[0] for name in asked}})]))
"""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_directory_needs_not_a_bundle_needs_not(operation: str, tmp_path: Path) -> None:
    laboratory = Laboratory(tmp_path / "laboratory")
    (tmp_path / "broken.pybundle").write_bytes(b"no zip")
    other = make_tree(tmp_path / "other", OTHER)
    script = laboratory.probe_file(_PROGRAM.format(textwrap.dedent(OPERATIONS[operation])))

    def outcome(place: Path, shadows: str) -> Any:
        arguments = [str(script), str(place), str(other), str(tmp_path / "broken.pybundle"), shadows]
        ended = laboratory.run([], "-W", "error", *arguments)
        assert (ended.status, ended.stderr) == (0, ""), ended.stderr
        return json.loads(ended.stdout)

    expected, used = outcome(lay_out(DIRECTORY, tmp_path / "directory", TREE), "")
    shadowed = sorted(sys.stdlib_module_names - {*sys.builtin_module_names, *used})
    assert len(shadowed) > 100
    shadows: Tree = {f"{name}.py": f"raise RuntimeError({name!r} + ' of a bundle was imported')\n" for name in shadowed}
    for kind in (FLAT, NO_BYTECODE, PLAIN_ZIP):
        place = lay_out(kind, tmp_path / kind.replace(" ", "-"), TREE | shadows)
        assert outcome(place, ",".join(shadowed))[0] == expected
