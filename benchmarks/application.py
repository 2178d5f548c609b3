"""Row `application`: a small command line program on rich, requests and pydantic, shipped in each of the known ways.

Whole processes, over the same program in a virtual environment: the first run with empty caches, and later runs.  Pex
and shiv unpack everything before the first; what each leaves on disk stands in the notes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, ratio
from .measure import RunError, environment, interleave, whole_process

if TYPE_CHECKING:
    from pathlib import Path

    from .figures import Cost
    from .measure import Variant

_REQUIREMENTS = ("rich", "requests", "pydantic")
_PROGRAM = """
import pydantic, requests
from rich.console import Console
from rich.table import Table

class Item(pydantic.BaseModel):
    name: str
    price: float

def main():
    item = Item.model_validate({"name": "thing", "price": "1.5"})
    request = requests.Request("POST", "http://localhost/", json=item.model_dump()).prepare()
    table = Table(title="request")
    table.add_column("header")
    table.add_column("value")
    for header in request.headers.items():
        table.add_row(*header)
    Console(width=80).print(table, item)
"""


def _run(doing: str, *command: str | Path) -> None:
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if result.returncode:
        message = f"{doing}: exit status {result.returncode}\n{result.stdout}{result.stderr}"
        raise RunError(message)


def _variants(folder: Path) -> dict[str, list[str | Path]]:
    """Ship the program in every way; return the command that runs it, by way."""
    tools = folder / "tools" / "bin"
    venv.create(tools.parent, with_pip=True)
    _run("installing the peers", tools / "pip", "install", "--quiet", "pex", "shiv")
    site = folder / "site"
    _run("installing", tools / "pip", "install", "--quiet", "--target", site, *_REQUIREMENTS)
    (site / "sample.py").write_text(_PROGRAM, "utf-8")
    bare = trees.interpreter(folder / "bare", hook=False)
    installed = folder / "installed"
    python = trees.interpreter(installed, hook=False)
    packages = next(installed.glob("lib*/python*/site-packages"))
    shutil.copytree(site, packages, dirs_exist_ok=True)
    _run("compiling", python, "-m", "compileall", "-q", packages)
    bundle, pex, shiv = folder / "app.pybundle", folder / "app.pex", folder / "app.pyz"
    pack = (sys.executable, "-m", "bundleimp", "pack", "--quiet", "--python", bare, "-e", "sample:main")
    _run("packing", *pack, "--standalone", site, bundle)
    sources = folder / "sources"
    sources.mkdir()
    shutil.copy(site / "sample.py", sources)
    _run("pex", tools / "pex", *_REQUIREMENTS, "-D", sources, "-e", "sample:main", "--python", bare, "-o", pex)
    _run("shiv", tools / "shiv", "--site-packages", site, "-e", "sample:main", "-p", "/usr/bin/env python3", "-o", shiv)
    return {
        "venv": [python, "-c", "import sample; sample.main()"],
        "bundle": [bare, bundle],
        "pex": [bare, pex],
        "shiv": [bare, shiv],
    }


class _Way:
    """A way to run the program, with caches of its own."""

    def __init__(self, command: list[str | Path], caches: Path) -> None:
        self._command = list(map(str, command))
        self.caches = caches

    def later(self, number: int) -> Cost:
        self.caches.mkdir(0o700, exist_ok=True)
        home = str(self.caches)
        variables = {"HOME": home, "XDG_CACHE_HOME": home, "PEX_ROOT": f"{home}/pex", "SHIV_ROOT": f"{home}/shiv"}
        return whole_process(self._command, environment(PYTHONHASHSEED=str(number), **variables))

    def first(self, number: int) -> Cost:
        shutil.rmtree(self.caches, ignore_errors=True)
        return self.later(number)

    def left(self) -> str:
        files = [path for path in self.caches.rglob("*") if path.is_file()]
        return f"{len(files):,} files, {sum(os.path.getsize(path) for path in files) / 1e6:.1f} MB"


def _measure(folder: Path, pairs: int) -> Outcome:
    ways = {name: _Way(command, folder / f"caches-{name}") for name, command in _variants(folder).items()}
    firsts: dict[str, Variant] = {name: way.first for name, way in ways.items()}
    laters: dict[str, Variant] = {name: way.later for name, way in ways.items()}
    first = interleave(firsts, max(3, pairs // 4))
    notes = [f"left on disk by {name}: {way.left()}" for name, way in ways.items() if name != "venv"]
    later = interleave(laters, pairs)
    row = "application"
    return Outcome(
        [
            ratio(row, "first run, bundle / venv", first["bundle"], first["venv"], 1.5),
            ratio(row, "first run, bundle / pex", first["bundle"], first["pex"], 1.0),
            ratio(row, "first run, bundle / shiv", first["bundle"], first["shiv"], 1.0),
            ratio(row, "later runs, bundle / venv", later["bundle"], later["venv"], 0.95),
            ratio(row, "peer: first run, pex / venv", first["pex"], first["venv"]),
            ratio(row, "peer: first run, shiv / venv", first["shiv"], first["venv"]),
            ratio(row, "peer: later runs, pex / venv", later["pex"], later["venv"]),
            ratio(row, "peer: later runs, shiv / venv", later["shiv"], later["venv"]),
        ],
        notes,
    )


ROW = Row("application", 20, _measure)
