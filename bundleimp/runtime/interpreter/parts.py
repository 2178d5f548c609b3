"""Support for tools that list the modules in our folders: `pkgutil`, and so `pydoc`."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def attribute_of_finder(
    folder: str, name: str, rooms: "frozenset[str]"
) -> "Callable[[str], Iterator[tuple[str, bool]]]":
    """Return the attribute *name* of the path entry finder of *folder*.  Only ``iter_modules`` exists.

    Arguments:
        folder: the runtime's folder, or the folder of one of its subpackages.
        name: the name of the attribute.
        rooms: the names of all subpackages.

    Raises:
        AttributeError: there is no such attribute.

    """
    if name != "iter_modules":
        raise AttributeError(name)

    def iter_modules(prefix: str = "") -> "Iterator[tuple[str, bool]]":
        for entry in sorted(os.listdir(folder)):
            if entry in rooms or (entry.endswith(".py") and entry != "__init__.py"):
                yield prefix + entry.removesuffix(".py"), entry in rooms

    return iter_modules
