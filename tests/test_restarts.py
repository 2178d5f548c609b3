"""Programs of all scripts that start themselves again, as reloaders do: ``[sys.executable, *sys.argv]``."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import Tree, make_bundle, make_tree
from .command_line import bundleimp_command
from .programs import run_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform in {"win32", "emscripten"}, reason="needs links and processes")

TREE: Tree = {
    "tool/__init__.py": """
import os, subprocess, sys

def main():
    print(os.path.basename(sys.argv[0]), sys.argv[1:], os.path.realpath(sys.path[0]) == sys.path[0], flush=True)
    if len(sys.argv[1]) < 3:
        sys.argv[1] += "x"
        return subprocess.call([sys.executable, *sys.argv])

def other():
    print("other")
""",
    "tool-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n",
    "tool-1.0.dist-info/entry_points.txt": "[console_scripts]\nserve = tool:main\nx = tool:other\nxx = tool:other\n",
}
SERVED = "serve ['x'] True\nserve ['xx'] True\nserve ['xxx'] True\n"


@pytest.mark.parametrize("name", ["tools", "tools.pybundle"])
@pytest.mark.parametrize("standalone", [False, True])
def test_a_script_that_starts_itself_again_is_the_same_script(tmp_path: Path, name: str, standalone: bool) -> None:
    path = make_bundle(tmp_path / name, TREE, entry_point="*", standalone=standalone)
    cache = tmp_path / "cache"
    for _ in range(2):
        result = run_file(sys.executable, path, "serve", "x", BUNDLEIMP_CACHE_DIR=str(cache))
        assert (result.stdout, result.stderr) == (SERVED, "")
    (folder,) = (cache / "scripts").iterdir()
    assert [os.readlink(link) for link in folder.iterdir()] == [str(path)]
    listed = bundleimp_command("cache", "list", BUNDLEIMP_CACHE_DIR=str(cache)).stdout
    assert f"scripts  {folder.name}" in listed
    bundleimp_command("cache", "clear", BUNDLEIMP_CACHE_DIR=str(cache))
    assert list((cache / "scripts").iterdir()) == []


def test_a_link_of_another_kind_is_replaced(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "tools", TREE, entry_point="*")
    cache = tmp_path / "cache"
    run_file(sys.executable, path, "serve", "xxx", BUNDLEIMP_CACHE_DIR=str(cache))
    (link,) = (cache / "scripts").glob("*/serve")
    link.unlink()
    link.symlink_to(tmp_path / "elsewhere")
    assert run_file(sys.executable, path, "serve", "x", BUNDLEIMP_CACHE_DIR=str(cache)).stdout == SERVED


def test_without_a_cache_the_script_runs(tmp_path: Path) -> None:
    path = make_bundle(tmp_path / "tools", TREE, entry_point="*", standalone=True)
    (tmp_path / "file").write_text("")
    result = run_file(sys.executable, path, "serve", "xxx", BUNDLEIMP_CACHE_DIR=str(tmp_path / "file"))
    assert result.stdout == "serve ['xxx'] True\n"


SITE = """
import os, pathlib, flask

app = flask.Flask(__name__)
turns = pathlib.Path("turns")
turns.write_text(turns.read_text() + os.environ.get("WERKZEUG_RUN_MAIN", "-") + "\\n")
if len(turns.read_text().split()) > 1:  # in the process that the reloader has started
    os._exit(3 if len(turns.read_text().split()) == 2 else 0)
"""


def test_the_reloader_of_flask_starts_the_script_again(tmp_path: Path) -> None:
    """It does so at the start, and each time when its child ends with status 3, because a file was changed."""
    pytest.importorskip("flask", reason="Flask is not installed")
    for name in ("flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "blinker"):
        for file in importlib.metadata.files(name) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                (tmp_path / "site" / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), tmp_path / "site" / file)
    bundleimp.pack([tmp_path / "site"], tmp_path / "tools", entry_point="*", standalone=True)
    make_tree(tmp_path / "work", {"turns": "", "shop.py": SITE})
    words = ["--app", "shop", "run", "--debug", "--port", "0"]
    run_file(sys.executable, tmp_path / "tools", "flask", *words, cwd=tmp_path / "work")
    assert (tmp_path / "work" / "turns").read_text() == "-\ntrue\ntrue\n"
