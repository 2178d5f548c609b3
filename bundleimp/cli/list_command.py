"""``bundleimp list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..inspection.bundle import open_bundle
from ..inspection.views import TargetFiles
from ..runtime.content.targets import split_name
from .color import Styled
from .output import add_json, print_json, print_table, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from ..runtime.content.member import Member

DESCRIPTION = """List the members of a bundle, a zip or a wheel.  If a bundle has different files for several targets,
the names of the targets follow the name of each file that not all of them have."""
EXAMPLES = (
    "bundleimp list --tree out.pybundle",
    "bundleimp list --long out.pybundle",
)

_METHODS = {0: "stored", 8: "deflate", 93: "zstd"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("-l", "--long", action="store_true", help="print size, compressed size, method and CRC-32, too")
    shape.add_argument("--tree", action="store_true", help="print a tree")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    bundle = open_bundle(arguments.bundle)
    members = sorted(bundle.members, key=lambda member: split_name(member.name)[::-1])
    targets = TargetFiles(bundle)
    if arguments.json:
        print_json([_as_dict(member, targets) for member in members])
    elif arguments.long:
        rows = [(str(m.size), str(m.packed_size), _method(m), f"{m.crc:08x}", _shown(m, targets)) for m in members]
        print_table([("size", "packed", "method", "crc-32", "name"), *rows], numbers=2)
    elif arguments.tree:
        for line in _tree([_shown(member, targets).split("/") for member in members], ""):
            show(*line)
    else:
        for member in members:
            show(_shown(member, targets))
    return 0


def _shown(member: Member, targets: TargetFiles) -> str:
    """Return the name of the *member*, with the targets that have it if not all do."""
    having = targets.having(member.name)
    name = split_name(member.name)[1]
    return f"{name} ({', '.join(having)})" if len(having) < len(targets.names) else name


def _method(member: Member) -> str:
    return _METHODS.get(member.method, str(member.method))


def _as_dict(member: Member, targets: TargetFiles) -> dict[str, Any]:
    facts = {"targets": targets.having(member.name)} if targets.names else {}
    return {
        "name": split_name(member.name)[1],
        **facts,
        "size": member.size,
        "packed_size": member.packed_size,
        "method": _method(member),
        "crc32": f"{member.crc:08x}",
    }


def _tree(paths: Sequence[Sequence[str]], indent: str) -> Iterator[tuple[str, str | Styled]]:
    """Yield two pieces for each line: the branches, and the name."""
    below: dict[str, list[Sequence[str]]] = {}
    for first, *rest in paths:
        below.setdefault(first, []).extend([rest] if rest else [])
    for at, (name, children) in enumerate(below.items(), 1):
        last = at == len(below)
        yield f"{indent}{'└── ' if last else '├── '}", Styled(f"{name}/", "folder") if children else name
        yield from _tree(children, indent + ("    " if last else "│   "))
