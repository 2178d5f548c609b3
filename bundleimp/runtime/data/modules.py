"""The modules in a directory of a bundle, for `pkgutil` and for ``discover`` of Python 3.15."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive import Archive
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
