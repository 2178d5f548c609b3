"""``bundleimp info``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from ..inspection.info import describe
from .output import add_json, plural, print_json, print_table, show, size_text

if TYPE_CHECKING:
    import argparse

DESCRIPTION = """Print what made a bundle, the sizes of its distributions, its Pythons, its entry points, and the files
that are placed in the cache when they are imported, with the reason; with --json, all of its manifest."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    info = describe(open_bundle(arguments.bundle))
    if arguments.json:
        print_json(asdict(info))
        return 0
    show(f"{info.path}: {size_text(info.size)}, {plural(info.members, 'member')}, {info.layout}")
    if info.manifest is None:
        show("made by another tool: no manifest, no index")
    else:
        show(f"made by {info.manifest.get('tool', 'an unknown tool')}, format version {info.manifest.get('format')}")
    show(f"bytecode: {', '.join(info.code_tags) or 'none embedded'}")
    if info.targets:
        show(f"targets: {', '.join(info.targets)}; each has its own files, and those that are the same for all")
    if info.signature is not None:
        show(f"signature: {info.signature}; `bundleimp verify --allowed-signers FILE` tells whose")
    entry_point = (info.manifest or {}).get("entry_point")
    if entry_point:
        pythons = [name for name in info.runtimes if name != "source"]
        alone = f", standalone (bytecode of the runtime: {', '.join(pythons) or 'none'})" if info.runtimes else ""
        show(f"program: {entry_point}{alone}")
    rows = [(size_text(part.size), str(part.members), part.name, part.version) for part in info.parts]
    print_table([("size", "members", "distribution", "version"), *rows], numbers=2)
    for unit in info.placed:
        what = f"{plural(unit.files, 'file')}, {size_text(unit.size)}"
        if not unit.files:
            what = f"data part: {plural(unit.data_files, 'file')}, {size_text(unit.data_size)}"
        brings = f"; brings {', '.join(unit.brings)}" if unit.brings else ""
        show(f"placed in the cache when imported: {unit.name} ({what}): {unit.reason}{brings}")
    for point in info.entry_points:
        show(f"{point.group}: {point.name} = {point.value}")
    return 0
