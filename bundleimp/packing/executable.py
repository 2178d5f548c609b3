"""What makes a bundle a program: its ``__main__``, its first line, and the runtime inside it."""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..runson import TOO_OLD, condition, needs
from ..runtime.content.decompression import DEFLATED
from ..runtime.format import MAIN, RUNTIME, SUFFIX
from ..runtime.interpreter import children, embedded
from .collect import MODULE_SUFFIXES
from .compiler import Module
from .entrypoints import INTERPRETER, EntryPoint, resolve
from .errors import PackError
from .fitting import pythons_to_try
from .reading import has_bundle_name
from .zipsink import prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from .. import pythons
    from ..runson import RunsOn
    from .compiler import Compiler
    from .options import PathLike
    from .writer import BundleWriter

SHEBANG = "/usr/bin/env python3"
_MAINS = Path(__file__).with_name("mains")
# The embedded runtime's code says where it comes from.
_FOLDER = RUNTIME.rstrip(".") + "/"
_SOURCE = RUNTIME + "source"
_CHILDREN = children.MEMBER.partition("/")[0]
PROGRAM_MEMBERS = (MAIN, children.MEMBER)


@dataclass(frozen=True)
class Program:
    """A program to be packed.

    Attributes:
        entry_point: where it begins.
        standalone: whether the runtime is embedded.

    """

    entry_point: EntryPoint
    standalone: bool

    def sources(self, runs_on: Sequence[RunsOn], versions: Sequence[pythons.Version]) -> dict[str, bytes]:
        """Return the sources that start it and its children, by member.

        Arguments:
            runs_on: where the program runs.
            versions: the versions of Python that it prefers.

        """
        name = "standalone.py" if self.standalone else "installed.py"
        values = {"module": self.entry_point.module, "attribute": self.entry_point.attribute, "version": __version__}
        elsewhere = _quoted(self._elsewhere(runs_on, versions))
        return {
            MAIN: _filled(name, values, {"fits": condition(runs_on), "elsewhere": elsewhere}).encode(),
            children.MEMBER: _filled("children.py", {}, {}).encode(),
        }

    def _elsewhere(self, runs_on: Sequence[RunsOn], versions: Sequence[pythons.Version]) -> str:
        """Return the text that looks for another Python."""
        question = f"import sys\nif not ({condition(runs_on)}): sys.exit(1)\n"
        if not self.standalone:
            # Without the working directory, in which the program does not look.
            question += "import importlib.util\nsys.path = [entry for entry in sys.path if entry]\n"
            question += "sys.exit(0 if importlib.util.find_spec('bundleimp') else 3)\n"
        values = {
            "needs": needs(runs_on),
            "versions": " ".join(pythons_to_try(runs_on, versions)),
            "question": question,
            "standalone": "standalone" if self.standalone else "",
        }
        return _filled("elsewhere.py", values, {})

    def write(
        self,
        writer: BundleWriter,
        compilers: Sequence[Compiler],
        runtime_compilers: Sequence[Compiler],
        runs_on: Sequence[RunsOn],
        *,
        compress: bool,
    ) -> None:
        """Write its ``__main__``, what starts its children, and the runtime if it is standalone.

        Arguments:
            writer: where to.
            compilers: one for each Python.
            runtime_compilers: those for the runtime.
            runs_on: where the bundle runs.
            compress: whether the runtime's bytecode is compressed.

        """
        versions = [compiler.release for compiler in compilers]
        for name, source in self.sources(runs_on, versions).items():
            images = []
            for compiler in compilers if writer.tags else ():
                (compiled,) = compiler.submit([Module(name, source)]).result()
                images += compiler.columns(compiled)
            # Read by `zipimport`, which knows no zstd before Python 3.15.
            main = prepared(source, min(writer.method, DEFLATED))
            writer.add(name, main, images, executable=False, outside=True)
        if self.standalone:
            for name, content in runtime_members(runtime_compilers).items():
                writer.attach(name, content, compress=compress or name == _SOURCE)


def _filled(name: str, values: Mapping[str, str], code: Mapping[str, str]) -> str:
    """Return a text of `mains` with *values* as strings, and with *code* as it is."""
    text = (_MAINS / name).read_text("utf-8")
    for key, value in ({key: json.dumps(value) for key, value in values.items()} | dict(code)).items():
        text = text.replace(f'"<{key}>"', value)
    return text


def _quoted(text: str) -> str:
    """Return source *text* as a raw string.  Single quotes are escaped, which only its strings may have."""
    return "r'''" + text.replace("'", "\\x27") + "'''"


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
        if top == _CHILDREN:
            message = "would be among what the program's children are started with; --exclude it"
            raise PackError(message, member=member)
    return Program(resolve(entry_point, members, read) if entry_point is not None else INTERPRETER, standalone)


def check_name(output: PathLike, program: Program | None) -> None:
    """Check the name of a bundle that is started as a program.

    Raises:
        PackError: the ``__main__`` of the sources is the program, and *output* does not end in the suffix.

    """
    if program is None and not has_bundle_name(output):
        message = f"the name must end in {SUFFIX}, because the program is the sources' own __main__ module"
        raise PackError(message, file=str(output))


def first_line(shebang: str | None, program: Program | None) -> bytes:
    """Return the line before the archive, b"" where there is none.  A program's line is followed by `TOO_OLD`.

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
    line = f"#!{shebang}\n".encode("utf-8", "surrogateescape") if shebang else b""
    return line + TOO_OLD if line and program is not None else line


def runtime_members(compilers: Sequence[Compiler]) -> dict[str, bytes]:
    """Return the runtime as members: its source, and its bytecode for each Python."""
    sources = dict(_sources(importlib.resources.files(__package__.partition(".")[0]).joinpath("runtime"), ""))
    result = {_SOURCE: embedded.encode(sources)}
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
