"""Limits of time and size, and when a try is repeated."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .errors import OutOfTimeError

TIMEOUT = 1800.0
"""Seconds that a whole fetch may take, with all tries and URLs."""
MAX_SIZE = 2 << 30
"""Bytes that a fetched file may have."""
TRIES = 4
"""How often one URL is tried."""
BACK_OFF = 0.5
"""Seconds before the second try; twice as many before each further one."""

_STALL = 30.0  # seconds that a connection may be silent
_LONGEST_WAIT = 60.0  # seconds that a server may ask to wait


class Deadline:
    """The end of the time that a fetch may take."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return how many seconds are left.

        Raises:
            OutOfTimeError: none is left.

        """
        left = self._end - time.monotonic()
        if left <= 0:
            message = f"takes longer than {self._seconds:g} s; give a larger timeout"
            raise OutOfTimeError(message)
        return left

    def stall(self) -> float:
        """Return how many seconds a connection may be silent from now on."""
        return min(self.left(), _STALL)

    def sleep(self, seconds: float) -> None:
        """Wait so many *seconds*, or until no time is left."""
        time.sleep(min(seconds, self.left()))


def wait_before(attempt: int, asked: float | None) -> float | None:
    """Return how many seconds to wait before another try, or None if there is to be none.

    Arguments:
        attempt: how many tries there were.
        asked: how many seconds the server asks to wait, or None.

    """
    if attempt >= TRIES or (asked is not None and asked > _LONGEST_WAIT):
        return None
    return asked if asked is not None else float(BACK_OFF * 2 ** (attempt - 1))


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header (RFC 9110, section 10.2.3) gives, or None."""
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
