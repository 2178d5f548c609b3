"""Read from file: URLs, and from other schemes with fsspec where that is installed."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .addresses import Address

_CHUNK = 1 << 20


class OtherSource:
    """An open file.

    Attributes:
        size: how many bytes it has, or None if that is not known.

    """

    def __init__(self, stream: Any, size: int | None) -> None:
        self._stream = stream
        self.size = size

    def read(self) -> bytes:
        """Return the next bytes; none at the end.

        Raises:
            SourceError: the file cannot be read.

        """
        try:
            return bytes(self._stream.read(_CHUNK))
        except Exception as error:  # noqa: BLE001 (file systems of fsspec raise whatever their libraries do)
            raise _failure(error) from None

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def open_local(address: Address) -> OtherSource:
    """Open the file that a file: URL names.

    Raises:
        SourceError: it cannot be opened, or is on another host.

    """
    parts = urlsplit(address.url)
    if parts.hostname not in {None, "", "localhost"}:
        message = "names a file of another host; write file:///PATH"
        raise SourceError(message)
    path = url2pathname(parts.path)
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe would be waited for
        message = "is not a regular file"
        raise SourceError(message)
    try:
        return OtherSource(open(path, "rb"), None)
    except (OSError, ValueError) as error:
        raise _failure(error) from None


def open_other(address: Address, options: Mapping[str, Any]) -> OtherSource:
    """Open the file at *address* with fsspec.

    Arguments:
        address: its address.
        options: the options of the file system, such as credentials.

    Raises:
        SourceError: fsspec is not installed, does not know the scheme, or cannot open the file.

    """
    try:
        fsspec: Any = importlib.import_module("fsspec")
    except ImportError:
        message = f"the scheme {address.scheme} needs fsspec: install it, with the package for this scheme"
        raise SourceError(message) from None
    try:
        files, path = fsspec.url_to_fs(address.url, **options)
    except (ImportError, ValueError) as error:
        message = f"fsspec cannot read the scheme {address.scheme} ({type(error).__name__}): install its package"
        raise SourceError(message) from None
    except Exception as error:  # noqa: BLE001 (whatever the library of the scheme raises)
        raise _failure(error) from None
    try:
        return OtherSource(files.open(path, "rb"), files.size(path))
    except Exception as error:  # noqa: BLE001 (whatever the library of the scheme raises)
        raise _failure(error) from None


def _failure(error: Exception) -> SourceError:
    """Return what *error* means.  Only texts of the system are used: those of libraries may have credentials."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return SourceError(f"cannot be read: {reason}")
