"""What the modules of bundleimp import, read from their source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

from .parts import PACKAGE, ROOMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def files(folder: Path = PACKAGE) -> list[Path]:
    """Return the source files below *folder*."""
    return sorted(folder.rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the full name of the module of ours at *path*."""
    return ".".join(("bundleimp", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


@cache
def names() -> frozenset[str]:
    """Return the full names of all modules of ours."""
    return frozenset(map(module_name, files()))


ROOM_NAMES = frozenset(f"bundleimp.runtime.{room}" for room in ROOMS)


def _children(node: ast.AST, *, typing: bool, functions: bool) -> Iterator[ast.AST]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not functions:
        yield from (*node.decorator_list, node.args)  # what is evaluated when the module is loaded
        return
    if isinstance(node, ast.Lambda) and not functions:
        return
    for child in ast.iter_child_nodes(node):
        is_guard = isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
        if typing or not is_guard:
            yield child
        elif isinstance(child, ast.If):
            yield from child.orelse


@dataclass(frozen=True)
class Module:
    """One source file.

    Attributes:
        path: where it is.

    """

    path: Path

    @property
    def name(self) -> str:
        """The module's full name."""
        return module_name(self.path)

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self.path.read_text("utf-8"))

    def nodes(self, *, typing: bool = False, functions: bool = True) -> Iterator[ast.AST]:
        """Yield the nodes of its tree.

        Arguments:
            typing: also those under ``if TYPE_CHECKING``.
            functions: also those in functions; without them, what is executed when the module is loaded.

        """
        todo: list[ast.AST] = [self._tree]
        while todo:
            node = todo.pop()
            yield node
            todo += _children(node, typing=typing, functions=functions)

    def _bound(self, *, typing: bool, functions: bool) -> Iterator[tuple[str, str]]:
        """Yield the full name of each module that is imported, and the name that it is bound to there."""
        package = self.name.split(".")
        if self.path.name != "__init__.py":
            package = package[:-1]
        for node in self.nodes(typing=typing, functions=functions):
            if isinstance(node, ast.Import):
                yield from ((alias.name, alias.asname or alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                stem = ".".join([*base, *([node.module] if node.module else [])])
                for alias in node.names:
                    full = f"{stem}.{alias.name}"
                    yield (full, alias.asname or alias.name) if full in names() else (stem, "")

    def imports(self, *, typing: bool = False, functions: bool = True) -> set[str]:
        """Return the full names of the modules that it imports, rooms among them; arguments as of `nodes`."""
        return {full for full, _ in self._bound(typing=typing, functions=functions)}

    def uses(self, *, typing: bool = False, functions: bool = True) -> set[str]:
        """Return the full names of our modules that it needs: of a room, the parts that it uses."""
        bound = list(self._bound(typing=typing, functions=functions))
        rooms = {name: full for full, name in self._bound(typing=typing, functions=True) if full in ROOM_NAMES}
        found = {full for full, _ in bound if full in names() and full not in ROOM_NAMES}
        for node in self.nodes(typing=typing, functions=functions):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in rooms:
                found |= {f"{rooms[node.value.id]}.{node.attr}"} & names()
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
                room = rooms.get(ast.unparse(node.args[0]))
                if room is not None:  # by names that stand elsewhere in the file
                    found |= {f"{room}.{text}" for text in self._texts()} & names()
        return found - {self.name}

    def _texts(self) -> set[str]:
        return {node.value for node in self.nodes() if isinstance(node, ast.Constant) and isinstance(node.value, str)}

    def standard(self) -> set[str]:
        """Return the full names of the modules of others that it imports when it is loaded."""
        found = set()
        for node in self.nodes(functions=False):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(str(node.module))
        return found

    def relative(self) -> Iterator[ast.ImportFrom]:
        """Yield its relative imports, at its top and in functions."""
        for node in self.nodes():
            if isinstance(node, ast.ImportFrom) and node.level:
                yield node


MODULES = {module_name(path): Module(path) for path in files()}
