"""Lazy imports (PEP 810) of a program that was packed with ``--lazy``.

The index of such a bundle has one more column: the bytecode with lazy imports, whose code tag ends in `LAZY_TAG`.  Only
the program itself uses it.  In other programs that have the bundle on their path, its imports are eager.
"""

from .. import archive as archives
from .. import bundles, content, environ

LAZY_TAG = ".lazy"
"""The end of the code tag of bytecode with lazy imports."""


def use(path: str) -> None:
    """Use the bytecode with lazy imports in this process, if the bundle at *path* has it."""
    if environ("BUNDLEIMP_LAZY") == "0":
        return
    archive = bundles.open_bundle(path).archive
    if archive is None or archive.column < 0:
        return
    head = content.head.head_of(archive)
    own = archives.code_tag()
    if head is not None and head.tags.get(own + LAZY_TAG) == head.tags[own]:
        archive.column = list(head.tags).index(own + LAZY_TAG)
