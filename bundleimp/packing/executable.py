"""What makes a bundle a program: its ``__main__``, its first line, and the runtime inside it."""

from __future__ import annotations

import importlib.resources
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..runtime.format import MAIN, RUNTIME
from ..runtime.interpreter import children, embedded
from .collect import MODULE_SUFFIXES
from .compiler import Module
from .entrypoints import EntryPoint, resolve
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.resources.abc import Traversable

    from .compiler import Compiler
    from .writer import BundleWriter

SHEBANG = "/usr/bin/env python3"
_MAINS = Path(__file__).with_name("mains")
# The embedded runtime's code says where it comes from.
_FOLDER = RUNTIME.rstrip(".") + "/"
_CHILDREN = children.MEMBER.partition("/")[0]


@dataclass(frozen=True)
class Program:
    """A program to be packed.

    Attributes:
        entry_point: where it begins.
        standalone: whether the runtime is embedded.

    """

    entry_point: EntryPoint
    standalone: bool

    def sources(self) -> dict[str, bytes]:
        """Return the source of its ``__main__``, and of what starts its children, by member."""
        return {
            MAIN: self._source("standalone.py" if self.standalone else "installed.py"),
            children.MEMBER: self._source("children.py"),
        }

    def _source(self, file: str) -> bytes:
        text = (_MAINS / file).read_text("utf-8")
        values = {"module": self.entry_point.module, "attribute": self.entry_point.attribute, "version": __version__}
        for name, value in values.items():
            text = text.replace(f'"<{name}>"', f'"{value}"')
        return text.encode()

    def write(self, writer: BundleWriter, compilers: Sequence[Compiler]) -> None:
        """Write its ``__main__``, what starts its children, and the runtime where it is to be embedded."""
        for name, source in self.sources().items():
            compiled = [compiler.submit([Module(name, source)]).result() for compiler in compilers[: len(writer.tags)]]
            images = [module.image for (module,) in compiled]
            writer.add(name, io.BytesIO(source), images, executable=False, outside=True)
        if self.standalone:
            for name, content in runtime_members(compilers).items():
                writer.attach(name, content)


def plan_program(
    entry_point: str | None,
    members: Sequence[str],
    read: Callable[[str], bytes],
    *,
    standalone: bool,
) -> Program | None:
    """Return the program that is asked for, or None.

    Arguments:
        entry_point: what `entrypoints.resolve` takes, or None.
        members: the names of all members.
        read: returns the content of a member.
        standalone: whether the runtime is to be embedded.

    Raises:
        PackError: there is no such entry point, or it and the members do not go together.

    """
    if entry_point is None:
        if standalone:
            message = "standalone is for programs: it needs an entry point (--entry-point)"
            raise PackError(message)
        return None
    for member in members:
        top = member.partition("/")[0].casefold()
        if top == "__main__" or (top.startswith("__main__.") and top.endswith(MODULE_SUFFIXES)):
            message = "would be where the entry point's own __main__.py goes; give no --entry-point, or --exclude it"
            raise PackError(message, member=member)
        if top == _CHILDREN:
            message = "would be among what the program's children are started with; --exclude it"
            raise PackError(message, member=member)
    return Program(resolve(entry_point, members, read), standalone)


def first_line(shebang: str | None, program: Program | None) -> bytes:
    """Return the line before the archive, b"" where there is none.

    Arguments:
        shebang: the interpreter, with arguments; "" for no line; None for the default, which programs have.
        program: the program, or None.

    Raises:
        PackError: it is more than one line.

    """
    if shebang is None:
        shebang = SHEBANG if program is not None else ""
    if "\n" in shebang or "\r" in shebang or "\0" in shebang:
        message = f"a shebang is one line, and not {shebang!r}"
        raise PackError(message)
    return f"#!{shebang}\n".encode("utf-8", "surrogateescape") if shebang else b""


def runtime_members(compilers: Sequence[Compiler]) -> dict[str, bytes]:
    """Return the runtime as members: its source, and its bytecode for each Python."""
    sources = dict(_sources(importlib.resources.files(__package__.partition(".")[0]).joinpath("runtime"), ""))
    result = {RUNTIME + "source": embedded.encode(sources)}
    for compiler in compilers:
        modules = [Module(f"{_FOLDER}{name}", source) for name, source in sources.items()]
        compiled = compiler.submit(modules).result()
        images = {name: module.image for name, module in zip(sources, compiled, strict=True)}
        # The cache tag alone: `-O` changes nothing in the runtime that matters.
        tag = compiler.tag.name.partition(".")[0]
        result[RUNTIME + tag] = embedded.encode({name: image for name, image in images.items() if image is not None})
    return result


def _sources(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    """Yield the path below the runtime's folder, and the content, of each source in *folder*."""
    for file in folder.iterdir():
        if file.is_dir():
            yield from _sources(file, f"{prefix}{file.name}/")
        elif file.name.endswith(".py") and file.name != "annotations.py":  # which is for type checkers
            yield prefix + file.name, file.read_bytes()
