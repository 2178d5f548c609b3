"""Row `application`: a small command line program on rich, requests and pydantic, shipped in each of the known ways.

Whole processes, over the same program in a virtual environment: the first run with empty caches, and later runs.  Pex
and shiv unpack everything before the first; what each leaves on disk stands below.  Where they cannot be installed they
are left out.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import peers, trees
from .figures import Count, Outcome, Row, ratio
from .measure import interleave, prepare
from .shipping import Shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .figures import Figure
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


def install(folder: Path) -> Path:
    """Install the program and what it needs; return the folder of the tools that did.

    Raises:
        RunError: there is no pip, or it fails.

    """
    tools = peers.environment_with_pip(folder / "tools")
    prepare("installing", tools / "pip", "install", "--quiet", "--target", folder / "site", *_REQUIREMENTS)
    (folder / "site" / "sample.py").write_text(_PROGRAM, "utf-8")
    return tools


def _ours(folder: Path, site: Path) -> dict[str, list[str | Path]]:
    """Ship the program in a virtual environment and as a bundle; return the command that runs it, by way."""
    bare = trees.plain_interpreter(folder / "bare")
    installed = folder / "installed"
    python = trees.interpreter(installed, hook=False)
    packages = next(installed.glob("lib*/python*/site-packages"))
    shutil.copytree(site, packages, dirs_exist_ok=True)
    prepare("compiling", python, "-m", "compileall", "-q", packages)
    bundle = folder / "app.pybundle"
    pack = (sys.executable, "-m", "bundleimp", "pack", "--quiet", "--python", bare, "-e", "sample:main")
    prepare("packing", *pack, "--standalone", site, bundle)
    return {"venv": [python, "-c", "import sample; sample.main()"], "bundle": [bare, bundle]}


def pack_by_peers(folder: Path, tools: Path) -> dict[str, list[str | Path]]:
    """Ship the program with the peers; return the command that runs it, by way.

    Raises:
        RunError: the peers cannot be had.

    """
    peers.install(tools)
    site, bare, sources = folder / "site", folder / "bare" / "bin" / "python", folder / "sources"
    pex, pex_venv, shiv = folder / "app.pex", folder / "venv.pex", folder / "app.pyz"
    sources.mkdir()
    shutil.copy(site / "sample.py", sources)
    program = (tools / "pex", *_REQUIREMENTS, "-D", sources, "-e", "sample:main", "--python", bare)
    prepare("pex", *program, "-o", pex)
    prepare("pex", *program, "--venv", "-o", pex_venv)
    # Its --compile-pyc moves to the first run what Python does there in any case.
    prepare(
        "shiv", tools / "shiv", "--site-packages", site, "-e", "sample:main", "-p", "/usr/bin/env python3", "-o", shiv
    )
    return {"pex": [bare, pex], "pex --venv": [bare, pex_venv], "shiv": [bare, shiv]}


def _figures(ways: Mapping[str, Shipped], pairs: int) -> list[Figure | Count]:
    firsts: dict[str, Variant] = {name: way.first for name, way in ways.items()}
    laters: dict[str, Variant] = {name: way.later for name, way in ways.items()}
    first = interleave(firsts, max(3, pairs // 4))
    counted = {name: way.left() for name, way in ways.items() if name != "venv"}
    left = [
        Count(f"left on disk by {name}: files / MB", [number, round(size / 1e6, 1)])
        for name, (number, size) in counted.items()
    ]
    later = interleave(laters, pairs)
    others = [name for name in ways if name not in {"bundle", "venv"}]
    runs = {"first run": first, "later runs": later}
    limits = {"first run": 1.5, "later runs": 0.8}
    ours = [ratio(f"{run}, bundle / venv", costs["bundle"], costs["venv"], limits[run]) for run, costs in runs.items()]
    against = [ratio(f"first run, bundle / {peer}", first["bundle"], first[peer], 1.0) for peer in others]
    beside = [
        ratio(f"peer: {run}, {peer} / venv", costs[peer], costs["venv"])
        for run, costs in runs.items()
        for peer in others
    ]
    return [*ours, *against, *beside, *left]


def _measure(folder: Path, pairs: int) -> Outcome:
    notes: list[str] = []
    with peers.noted(notes, "not measured"):
        tools = install(folder)
    if notes:
        return Outcome([], notes)
    commands = _ours(folder, folder / "site")
    with peers.noted(notes, "without pex and shiv"):
        commands |= pack_by_peers(folder, tools)
    # Pex does not stand a space there.
    ways = {
        name: Shipped(command, Path(command[-1]), folder / f"caches-{name.replace(' ', '')}")
        for name, command in commands.items()
    }
    return Outcome(_figures(ways, pairs), notes)


ROW = Row("application", 20, _measure, "a program on rich, requests and pydantic")
