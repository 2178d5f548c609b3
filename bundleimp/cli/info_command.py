"""``bundleimp info``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inspection.bundle import open_bundle
from ..inspection.info import describe, placed_units
from ..packing.report import imports_text
from ..runson import words
from .output import add_json, plural, print_json, print_table, show, size_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from ..inspection.info import Info, PlacedUnit
    from ..inspection.sizes import Sizes

DESCRIPTION = """Print what made a bundle, the size of each distribution in the file, its Pythons, its entry points, and
the files that are placed in the cache when they are imported, with the reason; with --json, all of its manifest."""
EXAMPLES = (
    "bundleimp info out.pybundle",
    "bundleimp info --json out.pybundle",
)

_COLUMNS = ("source", "bytecode", "other", "total", "members", "distribution", "version")


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
    show(f"bytecode: {', '.join(info.code_tags) or 'none embedded'}{_compression(info)}")
    _show_pythons(info)
    imports = (info.manifest or {}).get("imports")
    if imports:
        show(imports_text(imports))
    if info.signature is not None:
        show(f"signature: {info.signature}; `bundleimp verify --allowed-signers FILE` tells whose")
    manifest = info.manifest or {}
    entry_point = manifest.get("entry_point") or ("a Python interpreter" if manifest.get("interpreter") else None)
    if entry_point:
        pythons = [name for name in info.runtimes if name != "source"]
        alone = f", standalone (bytecode of the runtime: {', '.join(pythons) or 'none'})" if info.runtimes else ""
        show(f"program: {'all console scripts' if entry_point == '*' else entry_point}{alone}")
    print_table([_COLUMNS, *_rows(info)], numbers=5)
    _show_placed(info)
    for point in info.entry_points:
        show(f"{point.group}: {point.name} = {point.value}")
    return 0


def _show_placed(info: Info) -> None:
    """Print what is placed in the cache, and for which targets if they differ."""
    for unit, targets in placed_units(info):
        place = f" ({', '.join(targets)})" if targets else ""
        show(f"placed in the cache when imported{place}: {_placed_text(unit)}")


def _placed_text(unit: PlacedUnit) -> str:
    what = f"{plural(unit.files, 'file')}, {size_text(unit.size)}"
    if not unit.files:
        what = f"data part: {plural(unit.data_files, 'file')}, {size_text(unit.data_size)}"
    brings = f"; brings {', '.join(unit.brings)}" if unit.brings else ""
    return f"{unit.name} ({what}): {unit.reason}{brings}"


def _show_pythons(info: Info) -> None:
    """Print where the bundle runs."""
    if info.runs_on:
        show(f"runs on: {words([each.for_runtime() for each in info.runs_on])}")
    elif info.manifest is not None:
        show("runs on: nothing; its parts need different Pythons")
    if info.targets:
        show(f"targets: {', '.join(info.targets)}; each has its own files, and those that are the same for all")


def _compression(info: Info) -> str:
    method = (info.manifest or {}).get("compress_bytecode")
    return f", compressed by {method}" if method else ""


def _rows(info: Info) -> Iterator[Sequence[str]]:
    """Yield a row for each part of the file; the totals add up to the size of the file."""
    for part in info.parts:
        yield (*_cells(part), str(part.members), part.name, part.version)
    if info.runtime is not None:
        yield (*_cells(info.runtime), "", "(the embedded runtime)", "")
    yield ("", "", "", size_text(info.rest), "", "(the file itself: index, manifest, ...)", "")


def _cells(sizes: Sizes) -> list[str]:
    columns = (sizes.source, sizes.bytecode, sizes.other)
    return [*(size_text(size) if size else "" for size in columns), size_text(sizes.total)]
