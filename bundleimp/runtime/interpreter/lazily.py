"""Lazy imports (PEP 810) of a program that was packed with ``--lazy``.

The index of such a bundle has one more column: the bytecode with lazy imports, whose code tag ends in `LAZY`.  Only
the program itself uses it.  In other programs that have the bundle on their path, its imports are eager.
"""

import sys

from .. import archive as archives
from .. import bundles, environ
from .. import format as bundle_format

LAZY = ".lazy"
"""The end of the code tag of bytecode with lazy imports."""


def use(path: str) -> None:
    """Use the bytecode with lazy imports in this process, if the bundle at *path* has it."""
    if not hasattr(sys, "set_lazy_imports") or environ("BUNDLEIMP_LAZY") == "0":
        return
    archive = bundles.open_bundle(path).archive
    if archive is None or archive.column < 0:
        return
    locator = bundle_format.decode_locator(archive.find_end(0, archive.file.size).comment)
    if locator is not None:
        start = locator.index_offset + locator.index_size - locator.head_size
        tags = bundle_format.decode_head(archive.near(start, locator.head_size)).tags
        own = archives.code_tag()
        if tags.get(own + LAZY) == tags[own]:
            archive.column = list(tags).index(own + LAZY)
