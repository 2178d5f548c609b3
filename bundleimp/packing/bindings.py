"""The names that the source of a module binds.

Pure functions: source in, names out.  Code can also bind names in ways that its source does not show.
"""

from __future__ import annotations

import ast
import symtable
from importlib.util import decode_source
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Code that uses one of these, by name or as an attribute, may bind any name.
_DYNAMIC = {"__dict__", "exec", "eval", "globals", "locals", "modules", "setattr", "vars"}
_LOGGING = {"getLogger", "get_logger"}


def bound_names(source: bytes, filename: str) -> set[str] | None:
    """Return the names that a module binds; None if it may bind others, too, or cannot be parsed."""
    try:
        text = decode_source(source)
        tree = ast.parse(text, filename)
        table = symtable.symtable(text, filename, "exec")
    except (SyntaxError, ValueError, RecursionError):  # of another Python; `pack` warns of code that does not compile
        return None
    if any(map(_is_dynamic, ast.walk(tree))):
        return None
    # Python 3.15 has no table of its own for a comprehension.
    names = (set(_bound(table)) | _by_expressions(tree)) - _of_comprehensions(tree)
    return None if "__getattr__" in names else names


def _by_expressions(tree: ast.AST) -> set[str]:
    """Return the names that assignment expressions bind, also those in functions."""
    return {node.target.id for node in ast.walk(tree) if isinstance(node, ast.NamedExpr)}


def _of_comprehensions(tree: ast.AST) -> set[str]:
    """Return the names that are variables of comprehensions, and are not assigned to otherwise."""
    targets = [node.target for node in ast.walk(tree) if isinstance(node, ast.comprehension)]
    own = [name for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    stored = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    others = {name.id for name in stored if not any(name is each for each in own)}
    # Functions, classes, imports, patterns.
    named = {getattr(node, key, None) for node in ast.walk(tree) for key in ("name", "asname")}
    return {name.id for name in own} - others - named


def _is_dynamic(node: ast.AST) -> bool:
    """Return whether code with *node* may bind names that the code does not show."""
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == "*" for alias in node.names)
    if isinstance(node, ast.Name):
        return node.id in _DYNAMIC
    if isinstance(node, ast.Attribute):
        return node.attr in _DYNAMIC
    if isinstance(node, ast.Call):  # a function that is given the module's name may look it up
        passed = [*node.args, *(keyword.value for keyword in node.keywords)]
        called = getattr(node.func, "attr", getattr(node.func, "id", None))
        return called not in _LOGGING and any(isinstance(each, ast.Name) and each.id == "__name__" for each in passed)
    return False


def _bound(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield the names that the module of *table* binds, at its top level or by ``global`` in a function."""
    is_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if (is_top or symbol.is_declared_global()) and (symbol.is_assigned() or symbol.is_imported()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _bound(child)
