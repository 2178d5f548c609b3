"""Row `programs`: real programs as a bundle, by pex and by shiv, over the same programs in a virtual environment.

Whole processes, from empty caches and later; the size of the file, what stays on disk, and what a Python of another
version does with a file that was made for this one.  One line in `PROGRAMS` adds a program.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import peers, trees
from .figures import Outcome, Row, Start, ratio
from .instructions import Instructions, counting_tool
from .measure import interleave
from .shipping import BASE, RUNS, Program, files_and_bytes, ship

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .measure import Variant
    from .shipping import Shipped

_TYPER = """
import pydantic, typer
from rich.console import Console
from rich.table import Table

class Item(pydantic.BaseModel):
    name: str
    price: float

app = typer.Typer()

@app.command()
def show(name: str = "thing", price: str = "1.5"):
    item = Item.model_validate({"name": name, "price": price})
    table = Table(title="item")
    table.add_column("name")
    table.add_column("price")
    table.add_row(item.name, f"{item.price:.2f}")
    Console(width=80).print(table)
"""
_FLASK = """
from flask import Flask

app = Flask("sample")

@app.get("/")
def index():
    return "hello"
"""
PROGRAMS = (
    Program("sample", ("--name", "typer"), ("typer", "rich", "pydantic"), _TYPER),
    Program("gunicorn", ("--check-config", "sample:app"), ("gunicorn", "flask"), _FLASK),
    Program("black", ("--version",), ("black",)),
    Program("black", ("--quiet", "--diff", textwrap.__file__), ("black",)),
    Program("http", ("--version",), ("httpie",)),
    Program("cookiecutter", ("--version",), ("cookiecutter",)),
    Program("django-admin", ("check", "--settings", "django.conf.global_settings"), ("django",)),
    Program("flask", ("--version",), ("flask",)),
    Program("pytest", ("--version",), ("pytest",)),
)
_VERSIONS = range(11, 16)
# Pex starts other processes in its place, which valgrind does not follow.
_COUNTED = (BASE, "bundle", "shiv")
_FEWEST = 2
_MB = 1e6


def another_python() -> tuple[str, Path] | None:
    """Return the version and the path of a Python that is newer than this one, or else older; None if there is none.

    Looked for on PATH, and beside this Python, where pyenv puts others.
    """
    versions = [number for number in _VERSIONS if number != sys.version_info[1]]
    for minor in sorted(versions, key=lambda minor: (minor < sys.version_info[1], minor)):
        name = f"python3.{minor}"
        beside = sorted(Path(sys.base_prefix).parent.glob(f"3.{minor}.*/bin/{name}"))
        found = shutil.which(name)
        for path in [*beside, *([Path(found)] if found else [])]:
            if subprocess.run([path, "-c", "pass"], capture_output=True, check=False).returncode == 0:
                return f"3.{minor}", path
    return None


def commands_without_pythons(folder: Path) -> Path:
    """Fill *folder* with links to the commands of the system that are no Pythons, and return it."""
    folder.mkdir()
    for command in sorted(Path("/usr/bin").iterdir()):
        if "python" not in command.name:
            (folder / command.name).symlink_to(command)
    return folder


def elsewhere(shipped: Shipped, python: Path, fitting: Path, commands: Path) -> str:
    """Return what another *python* does with the file, without other Pythons on PATH, and with the *fitting* one."""
    alone = shipped.elsewhere(python, [commands])
    return in_both(alone, alone if alone == RUNS else shipped.elsewhere(python, [fitting.parent, commands]))


def in_both(alone: str, beside: str) -> str:
    """Return in one phrase how a program ended *alone*, and *beside* a Python that it was made for."""
    if alone == beside:
        return alone
    start = "starts the Python that fits" if beside == RUNS else f"with the Python that fits: {beside}"
    return f"{start}; without one: {alone}"


def lines(program: Program, ways: Mapping[str, Shipped], pairs: int) -> Iterator[Start]:
    """Measure a *program* that was shipped in several *ways*; yield a line of the table for each."""
    firsts: dict[str, Variant] = {name: way.first for name, way in ways.items()}
    laters: dict[str, Variant] = {name: way.later for name, way in ways.items()}
    first = interleave(firsts, _first_pairs(pairs))
    later = interleave(laters, pairs)
    for name, way in ways.items():
        at_base = name == BASE
        number, size = files_and_bytes(way.file) if at_base else way.left()
        yield Start(
            program.title,
            name,
            file=None if at_base else round(os.path.getsize(way.file) / _MB, 2),
            first=ratio("", first[name], first[BASE]).cpu,
            later=ratio("", later[name], later[BASE]).cpu,
            milliseconds=1e3 * statistics.median(cost.cpu for cost in later[name]),
            left=(number, round(size / _MB, 2)),
        )


def _first_pairs(pairs: int) -> int:
    return max(_FEWEST, pairs // 4)


def _counted(ways: Mapping[str, Shipped], cache: Path) -> Mapping[str, int]:
    """Return the instructions of a later start, by way; nothing where they cannot be counted."""
    counting = counting_tool(Path(sys.executable))
    if counting is None:
        return {}
    instructions = Instructions(counting[0], cache)
    return {name: instructions.once(*ways[name].command, **ways[name].variables) for name in _COUNTED}


def _measure_one(program: Program, folder: Path, tools: Path, bare: Path, pairs: int) -> Iterator[Start]:
    ways = ship(program, folder, tools, bare)
    counts = _counted(ways, folder / "counted")
    found, commands = another_python(), commands_without_pythons(folder / "commands")
    for line in lines(program, ways, pairs):
        said = ""
        if found is not None and line.way != BASE:
            said = elsewhere(ways[line.way], found[1], bare, commands)
        yield replace(line, instructions=counts.get(line.way), elsewhere=said)


def _measure(folder: Path, pairs: int) -> Outcome:
    notes: list[str] = []
    with peers.noted(notes, "not measured"):
        tools = peers.environment_with_pip(folder / "tools")
        peers.install(tools)
    if notes:
        return Outcome([], notes)
    figures: list[Start] = []
    bare = trees.plain_interpreter(folder / "bare")
    for number, program in enumerate(PROGRAMS):
        own = folder / str(number)
        own.mkdir()
        figures += _measure_one(program, own, tools, bare, pairs)
        shutil.rmtree(own)
    found = another_python()
    return Outcome(
        figures,
        [
            f"pairs: {_first_pairs(pairs)} of first starts, {pairs} of later ones",
            f"another Python: {found[0]}" if found else "no other Python was found",
        ],
    )


ROW = Row("programs", 12, _measure, "programs as a bundle, by pex and by shiv")
