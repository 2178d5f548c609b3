"""The modules in a directory of a bundle, for `pkgutil` and for ``discover`` of Python 3.15; modules run as scripts."""

from .. import bundles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _frozen_importlib import ModuleSpec
    from collections.abc import Iterator
    from typing import Any

    from ..archive import Archive
    from ..bundles import OpenBundle
    from ..finder import BundleFinder
    from ..format import Directory
    from ..plain.zipdirectory import ListedDirectory


def modules(
    archive: "Archive", directory: "Directory | ListedDirectory", suffixes: "list[str]", prefix: str
) -> "Iterator[tuple[str, bool]]":
    """Yield the name of each module, with *prefix*, and whether it is a package.

    Arguments:
        archive: the archive.
        directory: the directory.
        suffixes: the suffixes of module files.
        prefix: the text to put before each name.

    """
    longest_first = sorted(suffixes, key=len, reverse=True)
    seen = set()
    for entry in sorted(directory.names, key=lambda entry: entry.removesuffix("/")):
        if entry.endswith("/"):
            name = entry[:-1]
            package = archive.directory(directory.prefix + name)
            is_package = package is not None and any("__init__" + suffix in package.names for suffix in suffixes)
        else:
            name = next((entry.removesuffix(suffix) for suffix in longest_first if entry.endswith(suffix)), "")
            is_package = False
        usable = name and name != "__init__" and "." not in name and name not in seen
        if usable and (is_package or not entry.endswith("/")):
            seen.add(name)
            yield prefix + name, is_package


def discover(finder: "BundleFinder", parent: "ModuleSpec | None") -> "Iterator[ModuleSpec]":
    """Yield the spec of each module of a path entry.

    Arguments:
        finder: the finder of the path entry.
        parent: the spec of the package whose path entry this is, or None at the top level.

    Raises:
        ValueError: *parent* is not a package.

    """
    if parent is not None and parent.submodule_search_locations is None:
        message = f"{parent.name} is not a package"
        raise ValueError(message)
    prefix = f"{parent.name}." if parent is not None else ""
    for name, _ in finder.iter_modules(prefix):
        spec = finder.find_spec(name)
        if spec is not None:
            yield spec


def script(finder: "Any", bundle: "OpenBundle", name: str) -> "ModuleSpec | None":
    """Return the spec of ``__main__`` for ``python BUNDLE/NAME``, or None if the bundle has no source file *name*.

    Servers and reloaders start themselves again with the path in ``sys.argv[0]``, which is one of a module in a bundle
    after ``python -m``.

    Arguments:
        finder: the class of path entry finders.
        bundle: the bundle.
        name: the name of a member.

    """
    folder, _, file = name.rpartition("/")
    if not file.endswith(".py"):
        return None
    location = bundles.Location(bundle=bundle.path, inner=folder, status=None)
    spec: Any = finder("", (bundle, location)).find_spec(file.removesuffix(".py"))
    if getattr(spec, "loader", None) is None or spec.loader.filename != file:
        return None
    spec.name = spec.loader.name = "__main__"
    return spec  # type: ignore[no-any-return]
