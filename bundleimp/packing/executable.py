"""What makes a bundle a program: its ``__main__``, its first line, and the runtime inside it."""

from __future__ import annotations

import importlib.resources
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..runtime.format import MAIN, RUNTIME, SUFFIX
from ..runtime.interpreter import embedded
from .collect import MODULE_SUFFIXES
from .compiler import Module
from .entrypoints import INTERPRETER, EntryPoint, resolve
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.resources.abc import Traversable

    from .compiler import Compiler
    from .options import PathLike
    from .writer import BundleWriter

SHEBANG = "/usr/bin/env python3"
_MAINS = Path(__file__).with_name("mains")
# The embedded runtime's code says where it comes from.
_FOLDER = RUNTIME.rstrip(".") + "/"


@dataclass(frozen=True)
class Program:
    """A program to be packed.

    Attributes:
        entry_point: where it begins.
        standalone: whether the runtime is embedded.

    """

    entry_point: EntryPoint
    standalone: bool

    def source(self) -> bytes:
        """Return the source of its ``__main__``."""
        text = (_MAINS / ("standalone.py" if self.standalone else "installed.py")).read_text("utf-8")
        values = {"module": self.entry_point.module, "attribute": self.entry_point.attribute, "version": __version__}
        for name, value in values.items():
            text = text.replace(f'"<{name}>"', f'"{value}"')
        return text.encode()

    def write(self, writer: BundleWriter, compilers: Sequence[Compiler]) -> None:
        """Write its ``__main__``, and the runtime where it is to be embedded."""
        source = self.source()
        compiled = [compiler.submit([Module(MAIN, source)]).result() for compiler in compilers[: len(writer.tags)]]
        images = [module.image for (module,) in compiled]
        writer.add(MAIN, io.BytesIO(source), images, executable=False, outside=True)
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
    """Return the program that is asked for.  Return None if the sources have a ``__main__`` of their own instead.

    Arguments:
        entry_point: what `entrypoints.resolve` takes; None: the program is an interpreter.
        members: the names of all members.
        read: returns the content of a member.
        standalone: whether the runtime is to be embedded.

    Raises:
        PackError: there is no such entry point, or it and the members do not go together.

    """
    for member in members:
        top = member.partition("/")[0].casefold()
        if top == "__main__" or (top.startswith("__main__.") and top.endswith(MODULE_SUFFIXES)):
            if entry_point is None and not standalone:
                return None
            message = "would be where the entry point's own __main__.py goes; give no --entry-point, or --exclude it"
            if entry_point is None:
                message = "would be where the __main__.py of --standalone goes; give no --standalone, or --exclude it"
            raise PackError(message, member=member)
    return Program(resolve(entry_point, members, read) if entry_point is not None else INTERPRETER, standalone)


def check_name(output: PathLike, program: Program | None) -> None:
    """Check the name of a bundle that is started as a program.

    Raises:
        PackError: the ``__main__`` of the sources is the program, and *output* does not end in the suffix.

    """
    if program is None and Path(output).suffix != SUFFIX:
        message = f"the name must end in {SUFFIX}, because the program is the sources' own __main__ module"
        raise PackError(message, file=str(output))


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
