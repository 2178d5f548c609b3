"""Bytecode that bundles among the sources bring: it need not be compiled again for the Pythons that it is for."""

from __future__ import annotations

import _imp
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .compiler import Compiled
from .reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from ..encoding import CodeTag
    from .collect import SourceFile
    from .compiler import Compiler, Module

MEMBERS = "members"
CODE = "code"
# The bytes of a pyc image with the hash of its source, and those before them that say so (PEP 552).
_FLAGS = slice(4, 8)
_HASH = slice(8, 16)
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def code_folder(tag: str, magic: bytes) -> str:
    """Return the name of the folder, beside the members, of the bytecode for one kind of interpreter."""
    return os.path.join(CODE, f"{tag}-{magic.hex()}")


def _source_hash(tag: CodeTag, source: bytes) -> bytes:
    """Return the hash in the bytecode of *source* (PEP 552), whose key is the magic number of the interpreter."""
    return _imp.source_hash(int.from_bytes(tag.magic, "little"), source)


@dataclass
class KeptCode:
    """The bytecode of unpacked bundles.

    Attributes:
        folders: the folders that bundles were unpacked into.  Each has the members in `MEMBERS`, and the bytecode in
            `code_folder`, under the names of the members.

    """

    folders: list[str] = field(default_factory=list)

    def image(self, file: SourceFile, source: bytes, tag: CodeTag) -> bytes | None:
        """Return the pyc image of a *file* with this *source* for one kind of interpreter, or None."""
        for folder in self.folders:
            members = os.path.join(folder, MEMBERS) + os.sep
            if file.path.startswith(members):
                path = os.path.join(folder, code_folder(tag.name, tag.magic), file.path[len(members) :])
                image = read(path) if os.path.isfile(path) else b""
                # Of another source, it would run what nobody sees.
                if image[_FLAGS] == _UNCHECKED_HASH and image[_HASH] == _source_hash(tag, source):
                    return image
        return None

    def compile(self, compiler: Compiler, files: Sequence[SourceFile], modules: Sequence[Module]) -> Compiling:
        """Return what becomes of *modules*, which are the content of *files*: kept, or compiled."""
        pairs = zip(files, modules, strict=True)
        # Kept bytecode has no lazy imports.
        images = [None if compiler.is_lazy else self.image(file, module.source, compiler.tag) for file, module in pairs]
        missing = [module for module, image in zip(modules, images, strict=True) if image is None]
        kept = compiler.packed([Compiled(image, kept=image is not None) for image in images])
        return Compiling(kept, compiler.submit(missing) if missing else None)


@dataclass
class Compiling:
    """Modules in the hands of a compiler, except for those whose bytecode is kept.

    Attributes:
        kept: what a bundle has of each module; without an image if the module is compiled.
        rest: the future of the others.

    """

    kept: Sequence[Compiled]
    rest: Future[list[Compiled]] | None

    def result(self) -> list[Compiled]:
        """Wait; return what became of the modules."""
        rest = iter(self.rest.result() if self.rest is not None else ())
        return [module if module.kept else next(rest) for module in self.kept]
