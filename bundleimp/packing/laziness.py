"""Decides which imports of a module can be lazy (PEP 810).  Does no I/O, and imports nothing of ours.

The interpreter whose bytecode is wanted runs this module, because older ones cannot compile lazy imports.  An import
stays eager if the source of the module shows that the program could notice the difference.
"""

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    Statement = ast.Import | ast.ImportFrom

LAZY = "lazy"
"""The key of lazy imports, beside the reasons for eager ones."""
# Without arguments, these functions show the namespace of the module, in which a lazy import is an object of its own.
_NAMESPACE_FUNCTIONS = {"dir", "globals", "locals", "vars"}
# Attributes of ``sys``.  Code that uses them expects that an import is done where its statement stands.
_IMPORT_SYSTEM = {"meta_path", "modules", "path", "path_hooks", "path_importer_cache"}


def marked(source: bytes, name: str, rules: "Mapping[str, Any]") -> "tuple[ast.Module | None, dict[str, list[str]]]":
    """Return the syntax tree of *source* with lazy imports, or None if no import can be lazy.

    Also return the names of the imported modules: by `LAZY` the lazy ones, the others by the reason why they are eager.

    Arguments:
        source: the source of the module.
        name: the name of its member.
        rules: ``all``: whether imports within a distribution are lazy, too.  ``together``: the top-level names of each
            distribution that has several.  ``eager``: the modules and packages whose imports stay eager.

    Raises:
        SyntaxError: *source* is not valid.

    """
    tree = ast.parse(source, name)
    package = name.partition("/")[0].partition(".")[0]
    of_module = _reason_of_module(tree)
    used = _used(tree)
    own = set() if rules["all"] else {"", package}.union(*[names for names in rules["together"] if package in names])
    found: dict[str, list[str]] = {}
    for statement, is_guarded in _imports(tree.body):
        reason = "in try, with or a loop" if is_guarded else of_module or _reason(statement, own, used)
        if not reason and _names(statement, name).intersection(rules["eager"]):
            reason = "by --eager"
        found.setdefault(reason or LAZY, []).extend(_modules(statement))
        if not reason:
            statement.is_lazy = 1  # type: ignore[union-attr]
    return (tree if LAZY in found else None), found


def together(members: "Iterable[str]", records: "Iterable[Iterable[str]]") -> list[list[str]]:
    """Return the top-level names of each distribution that has several.

    Modules of no distribution are the user's own code, which counts as one distribution.

    Arguments:
        members: the names of all modules.
        records: the names of the files of each distribution.

    """
    groups = []
    known = set(members)
    own = set(known)
    for record in records:  # of several targets, too: what one has taken is in the others
        names = known.intersection(record)
        groups.append(names)
        own -= names
    tops = [sorted({name.partition("/")[0].partition(".")[0] for name in names}) for names in (*groups, own)]
    return [names for names in tops if len(names) > 1]


def _imports(body: "Sequence[ast.stmt]") -> "Iterator[tuple[Statement, bool]]":
    """Yield the imports that run with the module, and whether each is in a statement that keeps it eager."""
    rest = [*reversed(body)]
    while rest:
        node = rest.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, False
        elif isinstance(node, ast.If):  # not by recursion: each "elif" is in the one before it
            rest += reversed([*node.body, *node.orelse])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from ((child, True) for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom))


def _modules(statement: "Statement") -> list[str]:
    if isinstance(statement, ast.ImportFrom):
        return ["." * statement.level + (statement.module or "")]
    return [alias.name for alias in statement.names]


def _names(statement: "Statement", member: str) -> set[str]:
    """Return the absolute names of all modules that a *statement* in *member* may import, and of what is above them."""
    level = statement.level if isinstance(statement, ast.ImportFrom) else 0
    package = member.split("/")[:-level] if level else []  # one dot: the package of the module
    paths = [[*package, *filter(None, module.lstrip(".").split("."))] for module in _modules(statement)]
    if isinstance(statement, ast.ImportFrom):
        paths = [[*paths[0], alias.name] for alias in statement.names]
    return {".".join(path[:end]) for path in paths for end in range(1, len(path) + 1)}


def _reason(statement: "Statement", own: set[str], used: set[str]) -> str:
    """Return why a *statement* is eager in a distribution with these *own* top-level names, or ""."""
    modules = _modules(statement)
    if modules == ["__future__"] or statement.names[0].name == "*":
        return "cannot be lazy"
    if any(module.partition(".")[0] in own for module in modules):
        return "within a distribution"
    for alias in statement.names:
        # ``import a as a`` exports the name to other modules.
        if (alias.asname or alias.name.partition(".")[0]) not in used and alias.asname != alias.name:
            return "of names that the module does not use"
    return ""


def _used(tree: ast.Module) -> set[str]:
    """Return the names that a module uses, or lists in ``__all__``.

    To delete a name or to give it another value is no use: what was imported may be there for its effects.
    """
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            names |= {str(child.value) for child in ast.walk(node) if isinstance(child, ast.Constant)}
    return names


def _reason_of_module(tree: ast.Module) -> str:
    """Return why all imports of a module are eager, or "" if not all are."""
    own = {"sys"}  # the names of ``sys`` in the module
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            own.update(alias.asname for alias in node.names if alias.name == "sys" and alias.asname)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMESPACE_FUNCTIONS:
            if not node.args:
                return "in modules that look at their namespace"
        elif _looks_at_system(node, own):
            return "in modules that look at the import system"
    return ""


def _looks_at_system(node: ast.AST, own: set[str]) -> bool:
    """Return whether a *node* takes one of the attributes `_IMPORT_SYSTEM` of ``sys``, which has these *own* names."""
    if isinstance(node, ast.ImportFrom):
        return (node.module, node.level) == ("sys", 0) and any(alias.name in _IMPORT_SYSTEM for alias in node.names)
    is_of_system = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in own
    return is_of_system and node.attr in _IMPORT_SYSTEM  # type: ignore[attr-defined]
