"""Whether a module asks where it lies: found in its code object, never by its name.

A module that builds paths from its own ``__file__`` needs a file system to follow them, if there is something to find.
"""

from __future__ import annotations

import collections
import dis
import marshal
import warnings
from dataclasses import dataclass
from importlib.util import MAGIC_NUMBER
from types import CodeType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HEADER = 16
_OWN_LOADS = frozenset({"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"})
_NAMESPACES = frozenset({"globals", "locals", "vars"})
# What stands before the jump over what runs as a program only.
_IS_MAIN = ["__name__", "__main__", "=="]
# Its own location by way of a frame or a code object.
_FRAMES = frozenset({"currentframe", "_getframe", "stack"})
_FRAME_FILES = frozenset({"getfile", "getsourcefile", "getabsfile", "getframeinfo", "co_filename", "filename"})
_FOLDERS = frozenset({"dirname", "parent", "parents", "with_name"})
_LISTINGS = frozenset({"listdir", "scandir", "walk", "fwalk", "glob", "iglob", "rglob", "iterdir"})
# A file of code is run or loaded by its path: its own, or one that is put together.
_RUNS = frozenset({"executable", "run_path", "spec_from_file_location", "SourceFileLoader"})


@dataclass(frozen=True)
class Question:
    """What a module asks about its location.

    Attributes:
        own: whether it asks for its file.
        path: whether it uses its ``__path__``, which others then may follow.
        program: whether it asks for its file only where it is run as a program.
        code: whether it then may look for code there: it lists directories, names Python files, or runs files.

    """

    own: bool = False
    path: bool = False
    program: bool = False
    code: bool = False


NONE = Question()
_ANY = Question(own=True)


def _code_objects(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_objects(constant)


def _loads(name: str, code: CodeType) -> bool:
    """Return whether *code* loads the global *name*, but for what runs only where ``__name__ == "__main__"``."""
    skip = 0
    before: collections.deque[Any] = collections.deque(maxlen=3)
    for instruction in dis.get_instructions(code) if name in code.co_names else ():
        if instruction.offset < skip or instruction.opname == "EXTENDED_ARG":
            continue
        if instruction.argval == name and instruction.opname in _OWN_LOADS:
            return True
        if "IF_FALSE" in instruction.opname and list(before) == _IS_MAIN:
            skip = int(instruction.argval)
        before.append(instruction.argval)
    return name in code.co_consts and not _NAMESPACES.isdisjoint(code.co_names)


def _loads_anywhere(code: CodeType) -> bool:
    instructions = dis.get_instructions(code) if "__file__" in code.co_names else ()
    return any(each.argval == "__file__" and each.opname in _OWN_LOADS for each in instructions)


def question_of(code: CodeType) -> Question:
    """Return what the module with this *code* asks about its location."""
    parts = list(_code_objects(code))
    names = {name for part in parts for name in part.co_names}
    by_frame = names & _FRAMES and names & _FRAME_FILES and names & _FOLDERS
    path = any(_loads("__path__", part) for part in parts)
    if not by_frame and not any(_loads("__file__", part) for part in parts):
        return Question(path=path, program=any(map(_loads_anywhere, parts)))
    files = any(_is_python_file(constant) for part in parts for constant in part.co_consts)
    return Question(own=True, path=path, code=files or bool(names & (_LISTINGS | _RUNS)))


def _is_python_file(constant: object) -> bool:
    if isinstance(constant, (tuple, frozenset)):
        return any(map(_is_python_file, constant))
    name = constant if isinstance(constant, str) else ""
    return name.endswith(".py") and len(name) > len(".py") and "\n" not in name and " " not in name


def may_ask(data: bytes) -> bool:
    """Return whether the source or the pyc image of a module has the words that it needs to ask anything."""
    by_frame = all(any(name.encode() in data for name in names) for names in (_FRAMES, _FRAME_FILES, _FOLDERS))
    return by_frame or b"__file__" in data or b"__path__" in data


def question_of_source(source: bytes, name: str, images: Iterable[bytes | None] = ()) -> Question:
    """Return what a module asks, by its *source*; what this Python cannot compile may ask for anything.

    Arguments:
        source: its bytes.
        name: the member's name.
        images: what was compiled of it, without optimisation; this Python's own saves compiling it again.

    """
    if not may_ask(source):
        return NONE
    for image in images:
        if image is not None and image[:4] == MAGIC_NUMBER:
            return question_of(marshal.loads(image[_HEADER:]))  # noqa: S302 (it was made just now)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return question_of(compile(source, name, "exec", dont_inherit=True, optimize=0))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _ANY if b"__file__" in source else NONE


def question_of_image(image: bytes) -> Question:
    """Return what a module asks, by its pyc *image*; another Python's may ask for anything."""
    if not may_ask(image):
        return NONE
    if image[:4] != MAGIC_NUMBER:
        return _ANY
    try:
        code = marshal.loads(image[_HEADER:])  # noqa: S302 (the user packs it to run it)
    except (EOFError, ValueError, TypeError):
        return _ANY
    return question_of(code) if isinstance(code, CodeType) else NONE
