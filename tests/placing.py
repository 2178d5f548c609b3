"""A tree whose units are placed in a site, and what the tests of sites ask of a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .archives import placed_files
from .builders import Tree, run_python

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

TREE: Tree = {
    "pkg/__init__.py": (
        "import os\n\nPLACE = os.path.join(os.path.dirname(__file__), 'table.txt')\n"
        "with open(PLACE) as file:\n    TABLE = file.read()\n"
    ),
    "pkg/mod.py": "X = 1\n",
    "pkg/table.txt": "old\n",
    "pkg/tool.sh": "#!/bin/sh\n",
    "pkg/zz.bin": bytes(range(256)),
    "passive/__init__.py": "",
    "passive/table.txt": "passive\n",
    "pure/__init__.py": "",
    "pure/mod.py": "X = 'pure'\n",
}
PKG = [name for name in TREE if name.startswith("pkg/")]
ASK = "import pkg\nprint(pkg.TABLE, end='')\n"
LAYOUTS = ["flat", "nested"]

in_each_layout = pytest.mark.parametrize("layout", LAYOUTS)


def recorded(tree: Tree, **others: Tree) -> Tree:
    """Return *tree* with a RECORD for each top-level package, and with the distributions *others*."""
    found: dict[str, Tree] = {}
    for name, content in tree.items():
        found.setdefault(name.partition("/")[0].partition(".")[0], {})[name] = content
    records = {
        f"{name}-1.dist-info/RECORD": "".join(f"{member},,\n" for member in own)
        for name, own in (found | others).items()
    }
    return {name: content for own in (found | others).values() for name, content in own.items()} | records


def sites(cache: Path) -> list[Path]:
    """Return the sites, and what killed processes left beside them."""
    folder = cache / "sites"
    return sorted(folder.iterdir()) if folder.exists() else []


def placed(cache: Path) -> dict[str, bytes]:
    """Return the content of each placed file of the only site."""
    (site,) = sites(cache)
    return placed_files(site)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def ask(bundle: Path | list[Path], cache: Path, script: str = ASK) -> subprocess.CompletedProcess[str]:
    path = bundle if isinstance(bundle, list) else [bundle]
    return run_python("-W", "error", "-c", script, path=path, check=False, BUNDLEIMP_CACHE_DIR=str(cache))


def answer(bundle: Path | list[Path], cache: Path, script: str = ASK) -> str:
    """Run *script*, which must work, and return what it prints."""
    result = ask(bundle, cache, script)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout
