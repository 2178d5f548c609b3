"""``bundleimp cache``."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..inspection import cache
from ..inspection.cachecheck import check
from .color import Styled
from .output import add_json, plural, print_json, print_path, print_table, show, size_text
from .sizes import parse_size

if TYPE_CHECKING:
    from ..inspection.cache import Entry, Removal

DESCRIPTION = """Show, check or clean the cache: bytecode, real files of bundles, and fetched bundles.  Files that a
running process uses are kept, and removed ones are made again when they are needed.  A folder of real files in which a
program has written files of its own is kept; the output names such a file."""
EXAMPLES = (
    "bundleimp cache list",
    "bundleimp cache prune --older-than 7 --max-size 2GB",
)

_DAYS = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    for name, text in {
        "dir": "print the path of the cache, even if it does not exist yet",
        "list": "list the entries with their sizes and the days of their last use",
        "verify": "check real files against their bundles, and fetched bundles against their digests",
        "prune": "remove entries that were not used for a while, or make the cache too large",
        "clear": "remove all entries that no process uses",
    }.items():
        action = actions.add_parser(name, help=text, description=f"{text.capitalize()}.", allow_abbrev=False)
        add_json(action)
        if name == "prune":
            older = "remove entries not used for this many days (default: 30, unless --max-size is given)"
            largest = "remove the least recently used entries until the cache has this size: 500MB, 2GB"
            action.add_argument("--older-than", metavar="DAYS", type=_days, help=older)
            action.add_argument("--max-size", metavar="SIZE", type=parse_size, help=largest)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    folder = cache.cache_folder()
    if arguments.action == "dir":
        if arguments.json:
            print_json({"dir": folder})
        else:
            print_path(folder)
        return 0
    if arguments.action == "list":
        _print_entries(cache.entries(folder), json=arguments.json)
        return 0
    if arguments.action == "verify":
        return _verify(folder, json=arguments.json)
    if arguments.action == "clear":
        removal = cache.clear(folder)
    else:
        days = arguments.older_than
        if days is None and arguments.max_size is None:
            days = _DAYS
        removal = cache.prune(folder, older_than=days, max_size=arguments.max_size)
    _print_removal(removal, json=arguments.json)
    return 0 if all(kept.wanted for kept in removal.kept) else 1


def _verify(folder: str, *, json: bool) -> int:
    faults = list(check(folder))
    known = sum(fault.is_known for fault in faults)
    if json:
        print_json([asdict(fault) for fault in faults])
    else:
        for fault in faults:
            show(f"{fault.path}: ", Styled(fault.text, "bad" if fault.is_known else "doubtful"))
        show(f"{folder}: ", Styled(plural(known, "fault"), "bad") if known else Styled("sound", "good"))
    return int(bool(known))


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 <= days < math.inf:
        message = f"{text!r} is not a number of days"
        raise argparse.ArgumentTypeError(message)
    return days


def _as_dict(entry: Entry) -> dict[str, Any]:
    return asdict(entry) | {"last_use": datetime.fromtimestamp(entry.last_use, UTC).isoformat(timespec="seconds")}


def _print_entries(entries: list[Entry], *, json: bool) -> None:
    if json:
        print_json([_as_dict(entry) for entry in entries])
        return
    rows = [
        (size_text(entry.size), f"{datetime.fromtimestamp(entry.last_use, UTC):%Y-%m-%d}", entry.kind, entry.name)
        for entry in entries
    ]
    print_table([("size", "last use", "kind", "name"), *rows], numbers=1)
    show(f"{_count(len(entries))}, {_total(entries)}")


def _print_removal(removal: Removal, *, json: bool) -> None:
    if json:
        print_json(
            {
                "removed": [_as_dict(entry) for entry in removal.removed],
                "kept": [_as_dict(kept.entry) | {"reason": kept.reason} for kept in removal.kept],
                "left_overs": removal.left_overs,
            }
        )
        return
    for entry in removal.removed:
        show(f"removed  {entry.kind}/{entry.name} ({size_text(entry.size)})")
    for kept in removal.kept:
        show(f"kept     {kept.entry.kind}/{kept.entry.name} ({size_text(kept.entry.size)}): {kept.reason}")
    left = f", and {plural(len(removal.left_overs), 'left-over')} of killed processes" if removal.left_overs else ""
    show(f"removed {_count(len(removal.removed))}, {_total(removal.removed)}{left}")


def _total(entries: list[Entry]) -> str:
    return size_text(sum(entry.size for entry in entries))


def _count(count: int) -> str:
    """Return ``1 entry`` or ``2 entries``."""
    return "1 entry" if count == 1 else f"{count} entries"
