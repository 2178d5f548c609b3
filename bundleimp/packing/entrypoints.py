"""Where a program begins: what ``--entry-point`` may be, and what it means for the files that are packed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..distinfo import SCRIPT_GROUPS, entry_points
from ..runtime.faults.likeness import near
from .bindings import bound_names
from .collect import MODULE_SUFFIXES
from .errors import PackError, PackWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_NAME = r"[^\W\d]\w*"
_DOTTED = rf"{_NAME}(?:\.{_NAME})*"
_REFERENCE = re.compile(rf"(?P<module>{_DOTTED})\s*(?::\s*(?P<attribute>{_DOTTED}))?")
_EXTRAS = re.compile(r"\s*\[.*\]\s*$")
_SCRIPTS = ".dist-info/entry_points.txt"


ALL_SCRIPTS = "*"
_PREFIX = "entry point: "


@dataclass(frozen=True)
class EntryPoint:
    """Where a program begins.

    Attributes:
        module: the module's full name; "*" for all console scripts, "" for an interpreter.
        attribute: what is called in it; "" where the module is run as ``python -m`` runs it.

    """

    module: str
    attribute: str = ""

    def __str__(self) -> str:
        return f"{self.module}:{self.attribute}" if self.attribute else self.module


INTERPRETER = EntryPoint("")


def resolve(text: str, members: Iterable[str], read: Callable[[str], bytes]) -> EntryPoint:
    """Return the entry point that *text* names.

    Arguments:
        text: ``pkg.mod:func``, ``pkg.mod``, the name of a console script, or ``*`` for all of these.
        members: the names of all members.
        read: returns the content of a member.

    Raises:
        PackError: it is none of these, or its module is not among the members.

    """
    names = list(members)
    scripts = _scripts({name: read(name) for name in names if name.endswith(_SCRIPTS)})
    if text == ALL_SCRIPTS:
        if not scripts:
            message = "'*' is all console scripts of the packed distributions, and they have none"
            raise _error(message)
        return EntryPoint(ALL_SCRIPTS)
    value = _EXTRAS.sub("", scripts.get(text, text)).strip()
    modules = _modules(names)
    packages = {name.removesuffix(".__init__") for name in modules if name.endswith(".__init__")}
    match = _REFERENCE.fullmatch(value)
    if match is None:
        message = f"{text!r} is no console script that is packed, and not PKG.MOD or PKG.MOD:FUNC{near(text, scripts)}"
        raise _error(message)
    module, attribute = match["module"], match["attribute"] or ""
    if attribute and module not in modules | packages:
        message = f"{value}: no module {module} is packed{near(module, modules | packages)}"
        raise _error(message)
    if attribute:
        _check_bound(module, attribute, names, read)
        return EntryPoint(module, attribute)
    if f"{module}.__main__" in modules:
        return EntryPoint(f"{module}.__main__")
    if module in packages:
        message = f"{module} is a package without a __main__ module; give {module}:FUNC, or a module in it"
        raise _error(message)
    if module in modules:
        return EntryPoint(module)
    message = (
        f"{text!r} is neither a module nor a console script in the bundle{near(text, {*scripts, *modules, *packages})}"
    )
    raise _error(message)


def broken_scripts(members: Iterable[str], read: Callable[[str], bytes]) -> Iterator[PackWarning]:
    """Yield a warning for each console script that cannot be started.  The arguments are those of `resolve`."""
    names = list(members)
    for script in _scripts({name: read(name) for name in names if name.endswith(_SCRIPTS)}):
        try:
            resolve(script, names, read)
        except PackError as error:
            yield PackWarning(f"script {script}", f"cannot be started: {error.message.removeprefix(_PREFIX)}")


def _check_bound(module: str, attribute: str, members: list[str], read: Callable[[str], bytes]) -> None:
    """Check that the source of *module* may bind the first part of *attribute*.

    Raises:
        PackError: it certainly does not.

    """
    name = attribute.partition(".")[0]
    path = module.replace(".", "/")
    if any(member.startswith((f"{path}/{name}.", f"{path}/{name}/")) for member in members):
        return  # a submodule, which becomes an attribute when it is imported
    codes = [member for member in members if member.startswith((f"{path}.", f"{path}/__init__."))]
    codes = [member for member in codes if member.endswith(MODULE_SUFFIXES)]
    bound = bound_names(read(codes[0]), codes[0]) if len(codes) == 1 and codes[0].endswith(".py") else None
    if bound is not None and name not in bound:
        message = f"{module}:{attribute}: {codes[0]} defines no name {name}{near(name, bound)}"
        raise _error(message)


def _error(message: str) -> PackError:
    return PackError(f"{_PREFIX}{message}")


def _scripts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the references of all console scripts, by name."""
    found: dict[str, str] = {}
    for name, content in sorted(files.items()):
        try:
            announced = entry_points(content.decode())
        except ValueError:
            message = "is not a list of entry points; leave it out with --exclude"
            raise PackError(message, member=name) from None
        for group in SCRIPT_GROUPS:
            found |= {entry_point.name: entry_point.value for entry_point in announced if entry_point.group == group}
    return found


def _modules(members: Iterable[str]) -> set[str]:
    """Return the full names of all modules; a package is named by its ``__init__``."""
    found = set()
    for name in members:
        folder, _, file = name.rpartition("/")
        if file.endswith(MODULE_SUFFIXES):
            found.add(".".join([*folder.split("/"), file.partition(".")[0]] if folder else [file.partition(".")[0]]))
    return found
