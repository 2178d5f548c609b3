"""The sizes of a bundle as a tree: distributions, folders, members.  If there are too many, small ones are merged."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...runtime.content.targets import split_name
from ...runtime.site.planning import UNRECORDED
from .names import shown

if TYPE_CHECKING:
    from ..info import Survey
    from ..sizes import Share

KINDS = ("source", "bytecode", "native", "data")
_NATIVE = {"so", "pyd", "dll", "dylib"}
MOST = 6000
"""The largest number of nodes of a tree."""
WIDEST = 200
"""The largest number of nodes in one folder.  The smaller ones are merged."""
DEEPEST = 50
"""The largest number of levels of a tree."""
WHOLE, MERGED, CLOSED = range(3)


@dataclass
class Node:
    """A rectangle of the treemap.

    Attributes:
        name: what it stands for.
        parent: the number of the node that it is in; -1 for the first one.
        sizes: the bytes in the file, one number for each of `KINDS`.
        members: how many members it stands for.
        state: `WHOLE`; or `MERGED` if it stands for the smaller nodes of a folder; or `CLOSED` if it is a folder whose
            content is not shown.

    """

    name: str
    parent: int
    sizes: list[int]
    members: int
    state: int = WHOLE


@dataclass
class _Item:
    """A member, or a folder with all that is in it."""

    sizes: list[int] = field(default_factory=lambda: [0] * len(KINDS))
    members: int = 0
    content: dict[str, _Item] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.sizes)

    def add(self, sizes: list[int], members: int) -> None:
        self.sizes = [one + other for one, other in zip(self.sizes, sizes, strict=True)]
        self.members += members


def size_tree(survey: Survey) -> list[Node]:
    """Return the nodes of the tree, each after the one that it is in; the first one is the whole file."""
    root = _collected(survey)
    nodes = [Node("", -1, root.sizes, root.members)]
    # The folders whose content has no nodes yet; the largest comes next.
    waiting = [(-root.total, 0, 0, root)]
    while waiting:
        _, number, depth, item = heapq.heappop(waiting)
        if len(nodes) + min(len(item.content), WIDEST + 1) > MOST or depth == DEEPEST:
            nodes[number].state = CLOSED
            continue
        ordered = sorted(item.content.items(), key=lambda pair: (-pair[1].total, pair[0]))
        for name, child in ordered[:WIDEST]:
            path, inner = _through(name, child) if depth else (name, child)
            nodes.append(Node(shown(path), number, inner.sizes, inner.members))
            if inner.content:
                heapq.heappush(waiting, (-inner.total, len(nodes) - 1, depth + 1, inner))
        if ordered[WIDEST:]:
            nodes.append(_merged([child for _, child in ordered[WIDEST:]], number))
    return nodes


def _merged(items: list[_Item], parent: int) -> Node:
    rest = _Item()
    for item in items:
        rest.add(item.sizes, item.members)
    return Node(f"{len(items)} smaller ones", parent, rest.sizes, rest.members, MERGED)


def _through(name: str, item: _Item) -> tuple[str, _Item]:
    """Return the path of the first folder that has more than one other folder in it, and this folder."""
    path = [name]
    while len(item.content) == 1:
        ((name, item),) = item.content.items()
        path.append(name)
    return "/".join(path), item


def _collected(survey: Survey) -> _Item:
    root = _Item()
    info = survey.info
    for share in survey.shares:
        part = survey.parts.get(share.folder)
        title = f"{part.name} {part.version}".strip() if part is not None else UNRECORDED
        _put(root, [title, *_path(share.name, info.targets)], _sizes(share), 1)
    if info.runtime is not None:
        _put(root, ["(the embedded runtime)"], [info.runtime.source, info.runtime.bytecode, 0, 0], 0)
    # It is negative if the zip, made by another tool, has members that overlap.
    _put(root, ["(the file itself: index, manifest, ...)"], [0, 0, 0, max(info.rest, 0)], 0)
    return root


def _path(stored: str, targets: list[str]) -> list[str]:
    number, name = split_name(stored)
    path = name.split("/")
    if number > 1 and number <= len(targets):
        path[-1] += f" ({targets[number - 1]})"
    return path


def _sizes(share: Share) -> list[int]:
    kind = share.kind
    if kind == "other":
        kind = "native" if is_native(share.name) else "data"
    sizes = [share.size if kind == each else 0 for each in KINDS]
    sizes[KINDS.index("bytecode")] += share.bytecode
    return sizes


def is_native(name: str) -> bool:
    """Return whether *name* is that of an extension module or a shared library ("libz.so.1")."""
    base = name.rpartition("/")[2]
    return base.rpartition(".")[2] in _NATIVE or ".so." in base


def _put(root: _Item, path: list[str], sizes: list[int], members: int) -> None:
    root.add(sizes, members)
    item = root
    for name in path:
        item = item.content.setdefault(name, _Item())
        item.add(sizes, members)
