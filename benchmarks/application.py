"""Row `application`: a small command line program on rich, requests and pydantic, shipped in each of the known ways.

Whole processes, over the same program in a virtual environment: the first run with empty caches, and later runs.  Pex
and shiv unpack everything before the first; what each leaves on disk stands below.  Where they cannot be installed they
are left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from typing import TYPE_CHECKING

from . import trees
from .figures import Count, Outcome, Row, ratio
from .measure import RunError, environment, interleave, whole_process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .figures import Cost, Figure
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


def _install(folder: Path) -> Path:
    """Install the program and what it needs; return the folder of the tools that did."""
    tools = folder / "tools" / "bin"
    venv.create(tools.parent, with_pip=True)
    _run("installing", tools / "pip", "install", "--quiet", "--target", folder / "site", *_REQUIREMENTS)
    (folder / "site" / "sample.py").write_text(_PROGRAM, "utf-8")
    return tools


def _ours(folder: Path, site: Path) -> dict[str, list[str | Path]]:
    """Ship the program in a virtual environment and as a bundle; return the command that runs it, by way."""
    bare = trees.interpreter(folder / "bare", hook=False)
    installed = folder / "installed"
    python = trees.interpreter(installed, hook=False)
    packages = next(installed.glob("lib*/python*/site-packages"))
    shutil.copytree(site, packages, dirs_exist_ok=True)
    _run("compiling", python, "-m", "compileall", "-q", packages)
    bundle = folder / "app.pybundle"
    pack = (sys.executable, "-m", "bundleimp", "pack", "--quiet", "--python", bare, "-e", "sample:main")
    _run("packing", *pack, "--standalone", site, bundle)
    return {"venv": [python, "-c", "import sample; sample.main()"], "bundle": [bare, bundle]}


def _peers(folder: Path, tools: Path) -> dict[str, list[str | Path]]:
    """Ship the program with the peers; return the command that runs it, by way."""
    _run("installing the peers", tools / "pip", "install", "--quiet", "pex", "shiv")
    site, bare, sources = folder / "site", folder / "bare" / "bin" / "python", folder / "sources"
    pex, shiv = folder / "app.pex", folder / "app.pyz"
    sources.mkdir()
    shutil.copy(site / "sample.py", sources)
    _run("pex", tools / "pex", *_REQUIREMENTS, "-D", sources, "-e", "sample:main", "--python", bare, "-o", pex)
    _run("shiv", tools / "shiv", "--site-packages", site, "-e", "sample:main", "-p", "/usr/bin/env python3", "-o", shiv)
    return {"pex": [bare, pex], "shiv": [bare, shiv]}


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

    def left(self) -> list[float]:
        files = [path for path in self.caches.rglob("*") if path.is_file()]
        return [len(files), round(sum(os.path.getsize(path) for path in files) / 1e6, 1)]


def _figures(ways: Mapping[str, _Way], pairs: int) -> list[Figure | Count]:
    firsts: dict[str, Variant] = {name: way.first for name, way in ways.items()}
    laters: dict[str, Variant] = {name: way.later for name, way in ways.items()}
    first = interleave(firsts, max(3, pairs // 4))
    left = [Count(f"left on disk by {name}: files / MB", way.left()) for name, way in ways.items() if name != "venv"]
    later = interleave(laters, pairs)
    peers = [name for name in ways if name not in {"bundle", "venv"}]
    runs = {"first run": first, "later runs": later}
    limits = {"first run": 1.5, "later runs": 0.95}
    ours = [ratio(f"{run}, bundle / venv", costs["bundle"], costs["venv"], limits[run]) for run, costs in runs.items()]
    against = [ratio(f"first run, bundle / {peer}", first["bundle"], first[peer], 1.0) for peer in peers]
    others = [
        ratio(f"peer: {run}, {peer} / venv", costs[peer], costs["venv"])
        for run, costs in runs.items()
        for peer in peers
    ]
    return [*ours, *against, *others, *left]


def _last_line(error: Exception) -> str:
    """Return what pip says in the end, which names no folder of this machine."""
    return str(error).rstrip().rpartition("\n")[2]


def _measure(folder: Path, pairs: int) -> Outcome:
    notes = []
    try:
        tools = _install(folder)
    except (RunError, subprocess.CalledProcessError) as error:
        return Outcome([], [f"not measured: {_last_line(error)}"])
    commands = _ours(folder, folder / "site")
    try:
        commands |= _peers(folder, tools)
    except RunError as error:
        notes.append(f"without pex and shiv: {_last_line(error)}")
    ways = {name: _Way(command, folder / f"caches-{name}") for name, command in commands.items()}
    return Outcome(_figures(ways, pairs), notes)


ROW = Row("application", 20, _measure, "a program on rich, requests and pydantic")
