"""The child processes of a program: they import from its bundle, as they would import what is installed.

A program puts the folder ``__children__`` of its own file on ``PYTHONPATH``.  `zipimport` can import from that without
any hook.  The folder has only a ``sitecustomize``, made from `packing/mains/children.py`: every Python looks for a
module of that name at its start.  If the child is the same Python as the program, that module puts the bundle on
``sys.path`` in place of the folder, and calls `program.join`.  All other Pythons see nothing of the bundle.

A module that the user has named ``sitecustomize`` is imported next.
"""

import os
import sys

from .. import bundles, content, faults, this
from .. import format as bundle_format

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# What a program's children are started with.
MEMBER = f"{content.limits.CHILDREN}sitecustomize.py"
# Its value is "0" if the environment is to stay as it is.  Otherwise it names the Python of each program whose children
# may see the variable: path of the program, Python, path of the next program, its Python.
VARIABLE = "BUNDLEIMP_CHILDREN"


def move_behind_pythonpath() -> None:
    """Move the first entry of ``sys.path``, the bundle, behind those of ``PYTHONPATH``, as installed packages stand.

    So an interpreter that an engine has started imports the modules of the engine, such as ``pyspark``.
    """
    if not sys.flags.ignore_environment:
        words = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        given = {os.path.abspath(word) for word in words if word}
        places = [place for place, entry in enumerate(sys.path) if os.path.abspath(entry) in given]
        sys.path.insert(max(places, default=0), sys.path.pop(0))


def lead(path: str, *, first: bool = True) -> None:
    """Make child processes that run in this Python find the bundle at *path*.

    The bundle is *first* on their ``PYTHONPATH``, or else last.

    A bundle that is no program has no ``sitecustomize``.  It can be found only where bundleimp is installed.  Where
    bundles must be signed, children find only what the hook of an installed bundleimp checks in them.  Elsewhere
    `zipimport` would import ``sitecustomize``, and it checks nothing.
    """
    is_checked = path.endswith(bundle_format.SUFFIXES) and this.__name__ == "bundleimp.runtime"
    if bundles.OpenBundle.signers is not None and not is_checked:
        return
    programs = os.environ.get(VARIABLE, "").split(os.pathsep)
    if programs == ["0"]:
        return
    path = os.path.abspath(path)
    python = this_python()
    if os.pathsep in path + python:
        faults.warning.warn(f"{path}: child processes cannot import from it, because its path has a {os.pathsep!r}")
        return
    entry = os.path.join(path, os.path.dirname(MEMBER)) if _is_program(path) else path
    _put("PYTHONPATH", [entry], first=first)
    _put(VARIABLE, [path, python], first=True)


def _is_program(path: str) -> bool:
    archive = bundles.open_bundle(path).archive
    folder, _, name = MEMBER.rpartition("/")
    directory = archive.directory(folder) if archive is not None else None
    return directory is not None and name in directory.names


def this_python() -> str:
    """Return a text that is the same in another process if that runs in the same Python."""
    return f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')} {sys.prefix}"


def _put(variable: str, values: "Iterable[str]", *, first: bool) -> None:
    """Put *values* before or behind the values of the environment variable, which are separated as paths are."""
    own = os.pathsep.join(values)
    before = os.environ.get(variable, "")
    rest = f"{os.pathsep}{before}{os.pathsep}".replace(f"{os.pathsep}{own}{os.pathsep}", os.pathsep)[1:-1]
    os.environ[variable] = os.pathsep.join(filter(None, [own, rest] if first else [rest, own]))
