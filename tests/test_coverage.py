"""Coverage of bundled modules, measured and reported, is that of the same modules in a directory."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_bundle, make_tree, make_zip, run_python

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("coverage.tracer") is None, reason="coverage has no plug-ins without its compiled tracer"
)

TREE = {
    "pkg/__init__.py": """
def choose(number):
    if number:
        return "a"
    else:
        return "b"

def excluded():  # pragma: no cover
    return 1

def unused():
    return [item for item in (1, 2)]
""",
    "pkg/__main__.py": "from pkg import choose\nfor number in (1, 2):\n    print(choose(number))\n",
}
CONFIGURATION = "[run]\nbranch = true\nplugins = bundleimp.coverage\n"


def report(folder: Path, place: Path, *program: str) -> dict[str, Any]:
    """Run a program under coverage with its report as data; file names are those below *place*."""
    make_tree(folder, {"rc": CONFIGURATION})
    options = ["--rcfile", "rc"]
    run_python("-m", "coverage", "run", *options, "--source", "pkg", *program, path=[place], cwd=folder)
    run_python("-m", "coverage", "json", *options, "-o", "report.json", cwd=folder)
    files = json.loads((folder / "report.json").read_text())["files"]
    return {name.partition(place.name)[2]: found for name, found in files.items()}


@pytest.mark.parametrize("kind", ["zip", "flat", "nested"])
def test_a_report_of_bundled_modules_is_that_of_the_same_modules_in_a_directory(kind: str, tmp_path: Path) -> None:
    source = make_tree(tmp_path / "tree", TREE)
    path = tmp_path / "out.pybundle"
    bundle = make_zip(path, TREE) if kind == "zip" else make_bundle(path, TREE, layout=kind)
    expected = report(tmp_path / "one", source, "-m", "pkg")
    found = report(tmp_path / "two", bundle, "-m", "bundleimp", "run", str(bundle), "-m", "pkg")
    assert list(expected) == ["/pkg/__init__.py", "/pkg/__main__.py"]
    assert expected["/pkg/__init__.py"]["missing_lines"] == [6, 12]
    assert found == expected
