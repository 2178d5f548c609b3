"""Resources, distributions and lists of modules: ``importlib.resources``, ``importlib.metadata``, ``pkg_resources``.

This package is loaded when a program first requests one of them.  It imports `site` and all that `site` imports.
"""

from .. import parts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import metadata, modules, paths, pkgresources, resources, walking
else:
    __getattr__ = parts_of(
        __name__,
        {
            "metadata": ("io", "pathlib"),
            "paths": ("io", "pathlib"),
            "pkgresources": ("io", "pathlib"),
            "resources": ("contextlib", "importlib.resources", "importlib.resources.abc", "io", "pathlib", "tempfile"),
            "walking": ("pathlib",),
        },
    )
