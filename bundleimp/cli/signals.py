"""Signals that end a process: a command that writes files ends in order, so that it leaves no draft behind."""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """Raise KeyboardInterrupt or SystemExit at the first signal that would end the process; ignore later ones.

    On leaving, the handlers are those from before.
    """

    def end(number: int, _frame: object) -> NoReturn:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    before = {}
    try:
        # Python lets only the main thread set a handler.
        with contextlib.suppress(ValueError):
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)  # Windows has no SIGHUP
                # A signal that is ignored already (by `nohup`, or in the background) stays ignored.
                if number is not None and (handler := signal.getsignal(number)) not in {signal.SIG_IGN, None}:
                    signal.signal(number, end)
                    before[number] = handler
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
