"""Which imports of a module can be lazy (PEP 810).  Values in, values out; imports nothing of ours.

The Python whose bytecode is wanted runs this module, since only Python 3.15 and newer know lazy imports.  An import
stays eager if the program could tell the difference, as far as the module shows it.
"""

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    Statement = ast.Import | ast.ImportFrom

# Who calls one of them without arguments looks at the namespace of the module, where lazy imports are objects.
_NAMESPACE = {"dir", "eval", "exec", "globals", "locals", "vars"}
# Attributes of ``sys``: who reads or changes them expects an import to take place where its statement stands.
_SYSTEM = {"meta_path", "modules", "path", "path_hooks", "path_importer_cache"}


def marked(source: bytes, name: str, rules: "Mapping[str, Any]") -> "tuple[ast.Module | None, dict[str, list[str]]]":
    """Return the syntax tree of *source* with lazy imports, or None if there are none.

    Also return the modules that are imported, by the reason why the import is eager; by "" those that are lazy.

    Arguments:
        source: the source of the module.
        name: the name of its member.
        rules: ``all``, whether imports within a distribution are lazy, too; ``together``, the top-level names of each
            distribution that has several; ``eager``, the names of the modules and packages whose imports are eager.

    Raises:
        SyntaxError: it is no valid source.

    """
    tree = ast.parse(source, name)
    package = name.partition("/")[0].partition(".")[0]
    whole = _reason_of_module(tree)
    used = _used(tree)
    own = set() if rules["all"] else {"", package}.union(*[names for names in rules["together"] if package in names])
    found: dict[str, list[str]] = {}
    for statement, is_guarded in _imports(tree.body):
        reason = "in try, with or a loop" if is_guarded else whole or _reason(statement, own, used, rules["eager"])
        found.setdefault(reason, []).extend(_modules(statement))
        if not reason:
            statement.is_lazy = 1  # type: ignore[union-attr]
    return (tree if "" in found else None), found


def together(members: "Iterable[str]", records: "Iterable[Iterable[str]]") -> list[list[str]]:
    """Return the top-level names of each distribution that has several.

    What is in no distribution is the user's own code, and counts as one.

    Arguments:
        members: the names of all modules.
        records: the names of the files of each distribution.

    """
    groups = []
    own = set(members)
    for record in records:
        names = own.intersection(record)
        groups.append(names)
        own -= names
    tops = [sorted({name.partition("/")[0].partition(".")[0] for name in names}) for names in (*groups, own)]
    return [names for names in tops if len(names) > 1]


def _imports(body: "Sequence[ast.stmt]") -> "Iterator[tuple[Statement, bool]]":
    """Yield the imports that take place when the module runs, and whether each is where it must stay eager."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, False
        elif isinstance(node, ast.If):
            yield from _imports([*node.body, *node.orelse])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from ((child, True) for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom))


def _modules(statement: "Statement") -> list[str]:
    if isinstance(statement, ast.ImportFrom):
        return ["." * statement.level + (statement.module or "")]
    return [alias.name for alias in statement.names]


def _reason(statement: "Statement", own: set[str], used: set[str], eager: "Sequence[str]") -> str:
    """Return why a *statement* is eager in a distribution with these *own* top-level names, or ""."""
    modules = _modules(statement)
    if modules == ["__future__"] or statement.names[0].name == "*":
        return "cannot be lazy"
    if any(module.partition(".")[0] in own for module in modules):
        return "within a distribution"
    if any(f"{module}.".startswith(f"{name}.") for module in modules for name in eager):
        return "by --eager"
    for alias in statement.names:
        # ``import a as a`` says that the name is for other modules.
        if (alias.asname or alias.name.partition(".")[0]) not in used and alias.asname != alias.name:
            return "of names that the module does not use"
    return ""


def _used(tree: ast.Module) -> set[str]:
    """Return the names that a module uses, or lists in ``__all__``."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            names |= {str(child.value) for child in ast.walk(node) if isinstance(child, ast.Constant)}
    return names


def _reason_of_module(tree: ast.Module) -> str:
    """Return why all imports of a module are eager, or ""."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _NAMESPACE:
            if not node.args:
                return "in modules that look at their namespace"
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in _SYSTEM
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
        ):
            return "in modules that look at the import system"
    return ""
