"""What is not code: the content of members, ``importlib.resources``, ``importlib.metadata``, ``pkg_resources``.

Loaded when a program first reads a member or asks for a resource or a distribution.  Imports `site` and all that is
below it.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import metadata, modules, pkgresources, reading, resources
else:
    __getattr__ = parts_of(
        __name__,
        {
            "metadata": ("pathlib", "io"),
            "pkgresources": (
                "contextlib",
                "importlib.resources",
                "importlib.resources.abc",
                "io",
                "pathlib",
                "tempfile",
            ),
            "reading": ("io",),
            "resources": ("contextlib", "importlib.resources", "importlib.resources.abc", "io", "pathlib", "tempfile"),
        },
    )
