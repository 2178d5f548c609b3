"""What tools that look into our folders are told: `pkgutil`, and so `pydoc`."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def attribute_of_finder(
    folder: str, name: str, rooms: "frozenset[str]"
) -> "Callable[[str], Iterator[tuple[str, bool]]]":
    """Return the attribute *name* of the path entry finder of *folder*, which has none but ``iter_modules``.

    Arguments:
        folder: the runtime's, or that of a room.
        name: of the attribute.
        rooms: the names of all rooms.

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
