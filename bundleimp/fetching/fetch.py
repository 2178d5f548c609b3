"""`fetch`: give the local path of a bundle that is at a URL."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..runtime.archive import find_end
from ..runtime.content.opening import open_file
from ..runtime.faults.kinds import BundleError, BundleFormatError, BundleSignatureError, SignatureNotCheckedError
from ..runtime.faults.warning import warn
from ..runtime.sources.requiring import ALLOWED_SIGNERS
from ..runtime.sources.signatures import SUFFIX, Signers
from . import addresses, locks, store
from .download import Options, download
from .errors import BundleFetchError, OutOfTimeError, StoreError
from .limits import MAX_SIZE, TIMEOUT, Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .addresses import Address

OFFLINE = "BUNDLEIMP_OFFLINE"
_LARGEST_SIGNATURE = 1 << 16


@dataclass(frozen=True)
class Wanted:
    """What is to be fetched, and how it is checked.  The fields are the arguments of `fetch`."""

    urls: Sequence[str]
    sha256: str | None = None
    allowed_signers: str | os.PathLike[str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    offline: bool | None = None
    timeout: float = TIMEOUT
    max_size: int = MAX_SIZE
    progress: Callable[[int, int | None], object] | None = None


@dataclass(frozen=True)
class Fetched:
    """A checked file in the cache.

    Attributes:
        path: its path.
        sha256: its digest.
        url: the URL that it was fetched from, or the first one that would have given it, without credentials.
        signer: who signed it, where that was checked.
        is_trusted_on_first_use: whether only the server vouches for it: it is neither pinned, nor signed, nor local.

    """

    path: str
    sha256: str
    url: str
    signer: str | None
    is_trusted_on_first_use: bool

    @property
    def pinned_url(self) -> str:
        """The URL with the pin of this file, for the next time."""
        return f"{self.url}{addresses.PIN}{self.sha256}"


def fetch(
    url: str,
    *more_urls: str,
    sha256: str | None = None,
    allowed_signers: str | os.PathLike[str] | None = None,
    headers: Mapping[str, str] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    offline: bool | None = None,
    timeout: float = TIMEOUT,
    max_size: int = MAX_SIZE,
    progress: Callable[[int, int | None], object] | None = None,
) -> str:
    """Fetch a bundle, or any zip, into the cache, check it, and return its local path.

    Nothing is imported from it.  The file is pinned by ``#sha256=HEX`` at the end of a URL or by *sha256*, or signed by
    one of *allowed_signers*.  One that is neither is fetched, too: a `BundleWarning` says that it is trusted on first
    use, and gives the pin for the next time.

    The path is ``fetched/SHA256/NAME.pybundle`` in the cache folder.  A pinned file that is there needs no network.
    Its digest is computed again; if it is damaged, it is fetched anew.

    Arguments:
        url: the URL: http, https, file, or another scheme that an installed fsspec reads.
        more_urls: further URLs of the same file, tried in turn.
        sha256: the SHA-256 digest of the file, in hexadecimal digits.
        allowed_signers: path of a file that says who may have signed the file; see ssh-keygen(1).  The signature is
            fetched from the URL with ``.sig``.  Default: the file that BUNDLEIMP_ALLOWED_SIGNERS names, if it is set.
        headers: further headers for http and https, such as ``Authorization``.  They are sent to the host of the URL
            only, and not to one that it redirects to.
        storage_options: options for fsspec, such as credentials.
        offline: use no network.  Default: whether BUNDLEIMP_OFFLINE is set to something else than 0.
        timeout: how many seconds all of it may take.
        max_size: how many bytes the file may have.
        progress: called with the number of bytes read so far, and the announced size or None.

    Raises:
        BundleFetchError: the file cannot be fetched, or is not the pinned one, or is no zip archive.
        BundleSignatureError: the file is not signed by one of *allowed_signers*.

    """
    fetched = obtain(
        Wanted(
            (url, *more_urls),
            sha256,
            allowed_signers,
            headers or {},
            storage_options or {},
            offline,
            timeout,
            max_size,
            progress,
        )
    )
    if fetched.is_trusted_on_first_use:
        warn(f"{fetched.url}: neither pinned nor signed: trusted on first use; next time, fetch {fetched.pinned_url}")
    return fetched.path


def obtain(wanted: Wanted) -> Fetched:
    """Do as `fetch`, and return what is known of the file.  Errors are those of `fetch`; there is no warning."""
    found = [addresses.parse(url) for url in wanted.urls]
    pin = _pin(found, wanted.sha256)
    _check_options(found, wanted)
    signers = allowed_signers(wanted.allowed_signers)
    offline = wanted.offline if wanted.offline is not None else os.environ.get(OFFLINE, "") not in {"", "0"}
    options = Options(
        Deadline(wanted.timeout), wanted.max_size, wanted.progress, wanted.headers, wanted.storage_options
    )
    return _Fetch(found, pin, signers, options, offline=offline).run()


def allowed_signers(path: str | os.PathLike[str] | None) -> Signers | None:
    """Return the signers that the file at *path* allows, or else the file that the environment names; None without."""
    chosen = os.fspath(path) if path is not None else os.environ.get(ALLOWED_SIGNERS)
    return Signers(os.path.abspath(chosen)) if chosen else None


def _pin(found: Sequence[Address], sha256: str | None) -> str | None:
    pins = {address.pin for address in found if address.pin is not None}
    if sha256 is not None:
        pins.add(addresses.digest(sha256))
    if len(pins) > 1:
        message = f"more than one digest is given for one file: {', '.join(sorted(pins))}"
        raise BundleFetchError(message)
    return next(iter(pins), None)


def _check_options(found: Sequence[Address], wanted: Wanted) -> None:
    message = None
    web = [address for address in found if address.scheme in addresses.WEB]
    if wanted.headers and len({address.origin for address in web}) != 1:
        message = "headers are for one host; for URLs of several, give credentials in ~/.netrc"
    if wanted.storage_options and all(address.scheme in {*addresses.WEB, "file"} for address in found):
        message = "storage_options are for schemes that fsspec reads; http and https take headers"
    if message is not None:
        raise BundleFetchError(message)
    if wanted.headers:
        from . import websource  # noqa: PLC0415 (imports a lot)

        websource.check_headers(wanted.headers)


class _Fetch:
    """One call of `obtain`."""

    def __init__(
        self, found: Sequence[Address], pin: str | None, signers: Signers | None, options: Options, *, offline: bool
    ) -> None:
        self._found = found
        self._pin = pin
        self._signers = signers
        self._options = options
        self._offline = offline

    def run(self) -> Fetched:
        cached = self._cached()
        if cached is not None:
            return cached
        usable = [address for address in self._found if address.scheme == "file" or not self._offline]
        if not usable:
            raise self._is_offline()
        try:
            with self._lock():
                return self._cached() or self._from_any(usable)
        except OutOfTimeError as error:
            error.file = error.file or self._found[0].shown
            raise

    def _cached(self) -> Fetched | None:
        """Return what the cache has.  A signature that is missing there or does not fit may be fetched later."""
        if self._pin is not None:
            path = store.find(self._pin, whole=True)
            if path is None or (self._signers is not None and not os.path.isfile(path + SUFFIX) and not self._offline):
                return None
            try:
                return self._known(path, self._found[0], path + SUFFIX)
            except SignatureNotCheckedError:
                raise
            except BundleSignatureError:
                if self._offline:
                    raise
        elif self._signers is not None and self._offline:
            for address in self._found:
                for path in store.fetched_from(address.shown):
                    if store.find(store.digest_in(path), whole=True) == path:
                        return self._known(path, address, path + SUFFIX)
        return None

    def _is_offline(self) -> BundleFetchError:
        known = "is not in the cache" if self._pin is not None or self._signers is not None else "is not pinned"
        message = f"{known}, and the network is switched off (offline, {OFFLINE})"
        return BundleFetchError(message, file=self._found[0].shown)

    def _lock(self) -> Any:
        if self._pin is None and self._signers is None:
            return nullcontext()  # what another process fetches need not be the same
        key = self._pin or hashlib.sha256(self._found[0].shown.encode()).hexdigest()
        return locks.held(os.path.join(store.folder(), f".{key}.lock"), self._options.deadline)

    def _from_any(self, usable: Sequence[Address]) -> Fetched:
        faults: list[BundleError] = []
        for address in usable:
            try:
                return self._from(address)
            except (OutOfTimeError, StoreError, SignatureNotCheckedError):
                raise
            except BundleError as error:
                faults.append(error)
        if len(faults) == 1:
            raise faults[0]
        message = f"none of the {len(faults)} URLs gives the file: {'; '.join(map(str, faults))}"
        raise BundleFetchError(message)

    def _from(self, address: Address) -> Fetched:
        signature = self._signature(address) if self._signers is not None else b""
        known = (
            [store.find(self._pin, whole=True)]
            if self._pin is not None
            else store.signed_with(signature)
            if self._signers is not None
            else []
        )
        aside = store.aside()
        try:
            if self._signers is not None:
                _write(aside + SUFFIX, signature)
            for path in known:
                if path is not None and store.find(store.digest_in(path), whole=True) == path:
                    return self._kept(path, address, aside + SUFFIX, signature)
            sha256 = self._download(address, aside)
            if self._pin is not None and sha256 != self._pin:
                message = f"is not the pinned file: expected SHA-256 {self._pin}, found {sha256}"
                raise BundleFetchError(message, file=address.shown)
            _check_archive(aside, address)
            self._check_signature(aside, address, aside + SUFFIX)
            path = store.find(sha256, whole=True) or store.place(aside, sha256, address.name)
            return self._kept(path, address, aside + SUFFIX, signature)
        finally:
            for path in (aside, aside + SUFFIX):
                with suppress(OSError):
                    os.unlink(path)

    def _download(self, address: Address, aside: str) -> str:
        try:
            output = open(aside, "xb", buffering=0)  # noqa: SIM115 (its errors are others than those of reading)
        except OSError as error:
            raise store.unwritable(aside, error) from None
        with output:
            return download(address, output, aside, self._options)

    def _signature(self, address: Address) -> bytes:
        output = io.BytesIO()
        options = replace(self._options, max_size=_LARGEST_SIGNATURE, progress=None)
        try:
            download(address.with_suffix(SUFFIX), output, "", options)
        except OutOfTimeError:
            raise
        except BundleFetchError as error:
            message = f"its signature cannot be fetched: {error}"
            raise BundleFetchError(message, file=address.shown) from None
        return output.getvalue()

    def _kept(self, path: str, address: Address, signature: str, data: bytes) -> Fetched:
        """Return what is known of the file at *path* in the cache, and note what is new about it."""
        known = self._known(path, address, signature)
        if data:
            store.put_signature(path, data)
        if address.is_plain:  # without its query, a URL may stand for another file that the same signer has signed
            store.note_source(path, address.shown)
        return known

    def _known(self, path: str, address: Address, signature: str) -> Fetched:
        """Check the signature of the file at *path* in the cache, if it has to be signed; return what is known."""
        signer = self._check_signature(path, address, signature)
        first_use = self._pin is None and signer is None and address.scheme != "file"
        return Fetched(path, store.digest_in(path), address.shown, signer, first_use)

    def _check_signature(self, path: str, address: Address, signature: str) -> str | None:
        if self._signers is None:
            return None
        try:
            return self._signers.check(open_file(path), signature)
        except SignatureNotCheckedError:
            raise
        except BundleSignatureError as error:
            raise BundleSignatureError(error.message, file=address.shown) from None


def _write(path: str, data: bytes) -> None:
    try:
        with open(path, "xb") as stream:
            stream.write(data)
    except OSError as error:
        raise store.unwritable(path, error) from None


def _check_archive(path: str, address: Address) -> None:
    """Raise BundleFetchError if the file at *path*, fetched from *address*, is no zip archive."""
    file = open_file(path)
    try:
        find_end(file, 0, file.size)
    except BundleFormatError:
        message = "is not a bundle: the fetched file is not a zip archive; check the URL"
        raise BundleFetchError(message, file=address.shown) from None
