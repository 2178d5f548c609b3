"""Read one URL into a file: with limits, and with further tries where one may succeed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from . import addresses, othersource, store
from .errors import BundleFetchError, OutOfTimeError, SourceError
from .limits import wait_before

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .addresses import Address
    from .limits import Deadline


class Source(Protocol):
    """An open file, wherever it is.  `size` is how many bytes it is said to have, or None."""

    size: int | None

    def read(self) -> bytes:
        """Return the next bytes; none at the end."""

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True)
class Options:
    """How URLs are read.

    Attributes:
        deadline: until when all must be read.
        max_size: how many bytes the file may have.
        progress: called with the bytes read so far and the announced size, or None.
        headers: further headers for http and https.
        storage_options: options for fsspec.

    """

    deadline: Deadline
    max_size: int
    progress: Callable[[int, int | None], object] | None
    headers: Mapping[str, str]
    storage_options: Mapping[str, Any]


def download(address: Address, output: BinaryIO, path: str, options: Options) -> str:
    """Read the file at *address* into *output*; return its SHA-256 digest.

    Arguments:
        address: the address.
        output: an unbuffered file.
        path: the path of that file, for messages.
        options: limits, headers and the like.

    Raises:
        BundleFetchError: the file cannot be read, is too large, or takes too long.
        StoreError: *output* cannot be written.

    """
    attempt = 0
    try:
        while True:
            attempt += 1
            try:
                return _try(address, output, path, options)
            except SourceError as error:
                wait = wait_before(attempt, error.wait) if error.again else None
                if wait is None:
                    tries = f" ({attempt} tries)" if attempt > 1 else ""
                    message = f"{error.reason}{tries}"
                    raise BundleFetchError(message, file=address.shown) from None
                options.deadline.sleep(wait)
    except OutOfTimeError as error:
        error.file = address.shown
        raise


def _try(address: Address, output: BinaryIO, path: str, options: Options) -> str:
    source = _open(address, options)
    try:
        if source.size is not None and source.size > options.max_size:
            raise _too_large(options)
        # What an earlier try has read is of no use: the file may be another one now.
        output.seek(0)
        output.truncate()
        digest = hashlib.sha256()
        total = 0
        while data := source.read():
            total += len(data)
            if total > options.max_size:
                raise _too_large(options)
            options.deadline.left()
            digest.update(data)
            try:
                _write(output, data)
            except OSError as error:
                raise store.unwritable(path, error) from None
            if options.progress is not None:
                options.progress(total, source.size)
    finally:
        source.close()
    if source.size is not None and total != source.size:
        message = f"ended after {total} of {source.size} bytes"
        raise SourceError(message, again=True)
    return digest.hexdigest()


def _write(output: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[output.write(view) :]


def _open(address: Address, options: Options) -> Source:
    if address.scheme == "file":
        return othersource.open_local(address)
    if address.scheme not in addresses.WEB:
        return othersource.open_other(address, options.storage_options)
    from . import websource  # noqa: PLC0415 (imports a lot)

    return websource.open_source(address, options.headers, options.deadline)


def _too_large(options: Options) -> SourceError:
    return SourceError(
        f"is larger than the limit of {options.max_size} bytes; give a larger one (max_size, --max-size)"
    )
