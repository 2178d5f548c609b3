"""What a module asks about its location, by its source or its bytecode (`runtime.site.questions`)."""

from __future__ import annotations

import marshal
import warnings
from importlib.util import MAGIC_NUMBER
from types import CodeType
from typing import TYPE_CHECKING

from ..runtime.site.questions import Question, may_ask, question_of

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEADER = 16
_ANY = Question(own=True)


def question_of_source(source: bytes, name: str, images: Iterable[bytes | None] = ()) -> Question:
    """Return what a module asks, by its *source*; what this Python cannot compile may ask for anything.

    Arguments:
        source: its bytes.
        name: the member's name.
        images: what was compiled of it, without optimisation; this Python's own saves compiling it again.

    """
    if not may_ask(source):
        return Question()
    for image in images:
        if image is not None and image[:4] == MAGIC_NUMBER:
            return question_of(marshal.loads(image[_HEADER:]))  # noqa: S302 (it was made just now)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return question_of(compile(source, name, "exec", dont_inherit=True, optimize=0))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _ANY


def question_of_image(image: bytes) -> Question:
    """Return what a module asks, by its pyc *image*; another Python's may ask for anything."""
    if not may_ask(image):
        return Question()
    if image[:4] != MAGIC_NUMBER:
        return _ANY
    try:
        code = marshal.loads(image[_HEADER:])  # noqa: S302 (the user packs it to run it)
    except (EOFError, ValueError, TypeError):
        return _ANY
    return question_of(code) if isinstance(code, CodeType) else Question()
