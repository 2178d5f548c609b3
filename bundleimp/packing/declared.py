"""Projects and scripts declare what they need: reads these files, and turns them into ordinary options of `pack`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import pythons
from ..distinfo import normalized
from ..runtime.format import SUFFIX
from .errors import PackError, unreadable
from .installer import find_uv, version_of
from .lock import Lock, check_pylock, find_lock
from .project import Project, read_project
from .reading import read
from .script import Script, module_name, read_script
from .settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .options import PackOptions, PathLike

_PYPROJECT = "pyproject.toml"
_ADVICE = "name the code in [tool.bundleimp], sources = [...], or as SOURCE"


@dataclass(frozen=True)
class Declared:
    """Options in which nothing is left for a project or a script to say.

    Attributes:
        options: the options.
        lock: the lock file to install from, or None.
        advice: what to do if the project cannot be built; "" if there is nothing to say.
        requires_python: which Pythons the scripts need, by file name.

    """

    options: PackOptions
    lock: Lock | None = None
    advice: str = ""
    requires_python: Mapping[str, str] = field(default_factory=dict)


def resolve(options: PackOptions) -> Declared:
    """Return *options* with what the project and the script among the sources declare.

    Raises:
        PackError: a file cannot be read or is not valid, or lacks what the options ask for.

    """
    scripts = {os.path.basename(path): script for path in options.sources if (script := script_at(path)) is not None}
    options, lock = _with_script(options)
    declared = _with_project(options) if options.project is not None else Declared(options, lock)
    needs = {name: script.requires_python for name, script in scripts.items() if script.requires_python}
    return replace(declared, requires_python=needs)


def script_at(path: PathLike) -> Script | None:
    """Return the metadata (PEP 723) of the file at *path*, or None if it is no script with metadata.

    Raises:
        PackError: the file cannot be read, or the metadata is not valid.

    """
    if not os.fspath(path).endswith(".py") or not os.path.isfile(path):
        return None
    return read_script(read(path), os.fspath(path))


def member_of(script: Path) -> str:
    """Return the member that a script with metadata becomes: its name, with underscores for what a module lacks."""
    return f"{module_name(script.stem)}.py"


def _with_script(options: PackOptions) -> tuple[PackOptions, Lock | None]:
    """Return *options* with what the scripts among the sources need, and the program that the only one of them is."""
    found = {Path(path): script for path in options.sources if (script := script_at(path)) is not None}
    if not found:
        return options, None
    for path, script in found.items():
        for python in options.pythons:
            _check_python(path, script, python)
    first, *others = found
    entry_point = options.entry_point
    if entry_point is None and others:
        message = f"is a script with metadata, as {first} is; name the program with --entry-point"
        raise PackError(message, file=str(others[0]))
    if entry_point is None:
        entry_point = module_name(first.stem)
    locked = Path(f"{first}.lock")
    lock = None
    if not others and locked.is_file() and options.project is None:
        lock = Lock(locked, first.parent, "", script=first.name)
    needed = [] if lock else [name for script in found.values() for name in script.dependencies]
    requirements = list(dict.fromkeys([*needed, *options.requirements]))
    return replace(options, requirements=requirements, entry_point=entry_point), lock


def _python(options: PackOptions) -> str:
    """Return the interpreter that the installer installs for."""
    return (*options.pythons, sys.executable)[0]


def _check_python(path: Path, script: Script, python: str) -> None:
    if not script.requires_python:
        return
    version = sys.version_info[:3] if python == sys.executable else version_of(python)
    try:
        here = pythons.parse("==" + ".".join(map(str, version)))
        fits = pythons.both(pythons.parse(script.requires_python), here)
    except ValueError as error:
        message = f"requires-python in its metadata is no version specifier: {str(error)!r}"
        raise PackError(message, file=str(path)) from None
    if not fits:
        own = ".".join(map(str, version))
        message = f"needs Python {script.requires_python}, and {python} is {own}; give another with --python"
        raise PackError(message, file=str(path))


def load_project(place: PathLike) -> tuple[Path, Project]:
    """Return the folder of the project at *place*, a folder or its ``pyproject.toml``, and the project.

    Raises:
        PackError: there is no ``pyproject.toml``, or it cannot be read or is not valid.

    """
    folder = Path(place)
    if folder.name == _PYPROJECT and folder.is_file():
        folder = folder.parent
    file = folder / _PYPROJECT
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        message = f"is no project: it has no {_PYPROJECT}"
        raise PackError(message, file=str(place)) from None
    except OSError as error:
        raise unreadable(error, file) from None
    return folder, read_project(content, str(file))


def project_settings(place: PathLike) -> dict[str, Any]:
    """Return the options in the table ``tool.bundleimp`` of the project at *place*, with the default output.

    Raises:
        PackError: as of `load_project`, or the table is not valid.

    """
    folder, project = load_project(place)
    default = {"output": str(folder / "dist" / f"{normalized(project.name)}{SUFFIX}")} if project.name else {}
    return default | read_settings(project.settings, str(folder), project.file)


def script_settings(path: PathLike) -> dict[str, Any]:
    """Return the options in the table ``tool.bundleimp`` of a script.  Its sources are added to the script.

    Raises:
        PackError: as of `script_at`, or the table is not valid.

    """
    script = script_at(path)
    if script is None:
        return {}
    settings = read_settings(script.settings, os.path.dirname(path), os.fspath(path))
    return settings | {"sources": [path, *settings.get("sources", ())]}


def _with_project(options: PackOptions) -> Declared:
    assert options.project is not None  # noqa: S101 (the caller has looked)
    folder, project = load_project(options.project)
    for extra in options.extras:
        project.check_extra(extra)
    needed = [requirement for group in options.groups for requirement in project.group(group)]
    if not options.sources and not project.is_package:
        message = f"there is nothing to build here: {_ADVICE}"
        raise PackError(message, file=project.file)
    advice = "" if options.sources or project.has_build_system else f"there is no [build-system]: {_ADVICE}"
    uv = options.installer != "pip" and find_uv(_python(options)) is not None
    path = find_lock(folder, uv=uv)
    if path is not None:
        lock = Lock(path, folder, normalized(project.name), extras=options.extras, groups=options.groups)
        if lock.is_pylock:
            check_pylock(path, options.extras, options.groups)
            if lock.options and not uv:
                message = "only uv can choose extras and dependency groups of this file: install uv"
                raise PackError(message, file=str(path))
        return Declared(replace(options, sources=list(options.sources) or [folder]), lock, advice)
    if options.sources:
        needed = [*project.requirements(options.extras), *needed]
    else:
        chosen = f"[{','.join(options.extras)}]" if options.extras else ""
        needed = [os.path.abspath(folder) + chosen, *needed]
    return Declared(replace(options, requirements=list(dict.fromkeys([*needed, *options.requirements]))), advice=advice)
