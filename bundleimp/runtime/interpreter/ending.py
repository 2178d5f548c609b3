"""Let the interpreter end a program in full where something must happen to its objects, and fast elsewhere.

The collector ignores what the program has imported (`gc.freeze`).  At its end the interpreter clears modules, and the
collector frees what is left of them.  Where it ignores that, nothing is freed, which takes a sixth of the time of a
small program.  But then nothing closes a file that a module still refers to.
"""

import gc
import io
import sys
from _frozen_importlib_external import EXTENSION_SUFFIXES
from itertools import compress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_IN_MEMORY = (io.BytesIO, io.StringIO)
_GENERATOR: "Any" = type(_ for _ in ())
_OWN = __name__.removesuffix("interpreter.ending")


def end() -> None:
    """Make the collector free what was imported, unless that has no effect.  It is called at the program's end."""
    recent = gc.get_objects()
    gc.unfreeze()
    try:
        needed = _has_foreign(recent) or _has_finalizers(gc.get_objects())
    except Exception:  # noqa: BLE001 (of a metaclass, or of anything else in the program)
        needed = True
    if not needed:
        gc.freeze()


def _has_finalizers(objects: "list[object]") -> bool:
    """Return whether one of the *objects* has a ``__del__`` (PEP 442) that may have an effect, and is not ours."""
    kinds = list(map(type, objects))
    ended = {kind for kind in set(kinds) if hasattr(kind, "__del__") and not str(kind.__module__).startswith(_OWN)}
    found = compress(objects, map(ended.__contains__, kinds))  # a tenth of the time of a loop
    standard = _standard_files()
    return any(id(each) not in standard and _is_open(each) for each in found)


def _standard_files() -> "set[int]":
    """Return the ids of the standard streams and what they write to: the interpreter flushes them itself."""
    found = set()
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        layer: Any = stream
        while layer is not None:
            found.add(id(layer))
            layer = getattr(layer, "buffer", None) or getattr(layer, "raw", None)
    return found


def _is_open(each: "Any") -> bool:
    """Return whether the end of an object with a ``__del__`` may have an effect, as of a file that is written to."""
    if type(each) is _GENERATOR:
        return bool(each.gi_suspended)  # it may have a ``finally``
    try:
        if type(each) in _IN_MEMORY:
            return False
        if type(each).__module__ != "_io":  # it may do anything
            return True
        return not each.closed and bool(each.writable())
    except Exception:  # noqa: BLE001 (it is no file, or an odd one)
        return True


def _has_foreign(objects: "list[object]") -> bool:
    """Return whether one of the *objects* is of a type of an extension module that is not of the standard library.

    What such a type does at the end of its objects is not known: some write a file then.
    """
    names = {base.__module__ for kind in set(map(type, objects)) for base in kind.__mro__}
    for name in names:
        path = str(getattr(sys.modules.get(str(name)), "__file__", None))
        if path.endswith(tuple(EXTENSION_SUFFIXES)) and str(name).partition(".")[0] not in sys.stdlib_module_names:
            return True
    return False
