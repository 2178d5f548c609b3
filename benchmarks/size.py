"""Row `size`: the size of the program of row `application` as one file, and what a smaller file costs at its start.

Shiv's file has compressed sources and no bytecode, which Python makes at the first run.  Ours has sources, and bytecode
that is not compressed; options leave some of it out, or compress it.  Later runs, whole processes, are compared with
those of the default.  Without shiv, the sizes are those over the size of a zip of the program (`zipapp`).
"""

from __future__ import annotations

import os
import sys
import zipapp
from pathlib import Path
from typing import TYPE_CHECKING

from . import peers, trees
from .application import install, pack_by_peers
from .figures import Count, Outcome, Row, proportion, ratio
from .measure import interleave, prepare
from .shipping import Shipped

if TYPE_CHECKING:
    from .figures import Figure, Quantity
    from .measure import Variant

_PROFILE = ("--profile", "-c 'import sample; sample.main()'", "--profile-only")
_DEFLATE = ("--compress-bytecode", "deflate")
# What makes a smaller file, and the most that its size may be over shiv's.
_SMALLEST = "--no-bytecode"
_OPTIONS: dict[str, tuple[str, ...]] = {
    "bundle": (),
    "--compress-bytecode deflate": _DEFLATE,
    "--profile-only": _PROFILE,
    "--profile-only --compress-bytecode deflate": (*_PROFILE, *_DEFLATE),
    "--no-source --compress-bytecode deflate": ("--no-source", *_DEFLATE),
    _SMALLEST: (_SMALLEST,),
}
_LIMIT = 1.2


def _ours(folder: Path, site: Path) -> dict[str, list[str | Path]]:
    """Pack the program with each set of options; return the command that runs it, by the options."""
    bare = trees.plain_interpreter(folder / "bare")
    pack = (sys.executable, "-m", "bundleimp", "pack", "--quiet", "--python", bare, "-e", "sample:main", "--standalone")
    commands: dict[str, list[str | Path]] = {}
    for number, (name, options) in enumerate(_OPTIONS.items()):
        bundle = folder / f"app{number}.pybundle"
        prepare("packing", *pack, *options, site, bundle)
        commands[name] = [bare, bundle]
    return commands


def _size(command: list[str | Path]) -> int:
    return os.path.getsize(command[-1])


def _sizes(commands: dict[str, list[str | Path]], base: str) -> list[Figure | Quantity | Count]:
    whole = [_size(commands[base])]
    figures: list[Figure | Quantity | Count] = [
        proportion(
            f"size of the file, {name} / {base}",
            [_size(command)],
            whole,
            _LIMIT if name == _SMALLEST and base == "shiv" else None,
        )
        for name, command in commands.items()
        if name != base
    ]
    return [*figures, Count(f"size of the file by {base}, MB", [round(whole[0] / 1e6, 2)])]


def _measure(folder: Path, pairs: int) -> Outcome:
    notes: list[str] = []
    with peers.noted(notes, "not measured"):
        tools = install(folder)
    if notes:
        return Outcome([], notes)
    site, zipped = folder / "site", folder / "app.zip"
    # Without the bytecode that pip has made, as shiv.
    zipapp.create_archive(
        site, zipped, filter=lambda path: "__pycache__" not in path.parts, main="sample:main", compressed=True
    )
    commands = _ours(folder, site)
    ways = {
        name: Shipped(command, Path(command[-1]), folder / f"caches-{number}")
        for number, (name, command) in enumerate(commands.items())
    }
    files = commands | {"zipapp": [zipped]}
    with peers.noted(notes, "without pex and shiv"):
        files |= {name: command for name, command in pack_by_peers(folder, tools).items() if name != "pex --venv"}
    variants: dict[str, Variant] = {name: way.later for name, way in ways.items()}
    costs = interleave(variants, pairs)
    later = [
        ratio(f"later runs, {name} / bundle", costs[name], costs["bundle"]) for name in _OPTIONS if name != "bundle"
    ]
    return Outcome([*_sizes(files, "shiv" if "shiv" in files else "zipapp"), *later], notes)


ROW = Row("size", 20, _measure, "a program on rich, requests and pydantic as one file")
