"""What goes wrong while fetching."""

from __future__ import annotations

from ..runtime.faults.kinds import BundleError


class BundleFetchError(BundleError):
    """A bundle cannot be fetched, or the fetched file is refused.

    ``file`` is the URL, without user, password and query.
    """


class OutOfTimeError(BundleFetchError):
    """The time limit of the whole fetch is over, so no other URL is tried."""


class StoreError(BundleFetchError):
    """The cache cannot be written, so no other URL is tried."""


class SourceError(Exception):
    """One try to read a URL failed.

    Attributes:
        reason: what is wrong, and what to do; without the URL.
        again: whether another try may succeed.
        wait: how many seconds the server asks to wait before that; None: it does not say.

    """

    def __init__(self, reason: str, *, again: bool = False, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.wait = wait
