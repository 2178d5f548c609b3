"""Lazy imports (PEP 810) of a program that was packed with ``--lazy``.

The index has one more column for such a program: the bytecode with lazy imports, whose code tag ends in `LAZY`.  Only
the program uses it.  Where the bundle is on the path of another program, its imports are eager.
"""

import sys

from .. import archive as archives
from .. import bundles, environ
from .. import format as bundle_format

LAZY = ".lazy"


def use(path: str) -> None:
    """Use the bytecode with lazy imports of the bundle at *path* in this process, if there is some."""
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
