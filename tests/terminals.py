"""Real terminals (pty) for tests: a command or a shell runs in one, and an emulator (pyte) shows what a user sees."""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import re
import selectors
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pyte

from .builders import TIMEOUT, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

# Makes the terminal the controlling one of the session, so that Ctrl-C is a signal.
# A shell that starts the tests in the background makes them, and all that they start, ignore interrupts.
_LAUNCHER = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.SIG_DFL)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
# Seconds until a text must be on the screen.
_LIMIT = 120
# With the extra `cli`, and without.
WITH = ["-m", "bundleimp"]
WITHOUT = [
    "-c",
    "import sys; sys.modules.update(rich=None, shtab=None); from bundleimp.cli import main; sys.exit(main())",
]
# A place in the output after which a line is removed.
_WIPE = re.compile(rb"(?=\r(?:\x1b\[1A)?\x1b\[2?K)")


class Terminal:
    """A command that runs in a terminal.

    Attributes:
        written: all that was written to the terminal.
        screens: what the screen showed whenever something on it was about to be wiped away, and at last.
        status: the exit status, once the command has ended.

    """

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int, columns: int) -> None:
        self._process, self._descriptor = process, descriptor
        self._screen = pyte.Screen(columns, 24)
        # Any bytes are shown, as terminals do.
        self._stream, self._decoder = pyte.Stream(self._screen), codecs.getincrementaldecoder("utf-8")("replace")
        self.written = b""
        self.screens: list[str] = []
        self.status: int | None = None

    @property
    def screen(self) -> str:
        """What the screen shows, without empty lines."""
        return "\n".join(line.rstrip() for line in self._screen.display if line.strip())

    @property
    def has_cursor(self) -> bool:
        """Whether the cursor is shown."""
        return not self._screen.cursor.hidden

    def color_of(self, text: str) -> str:
        """Return the colour of *text*, which the screen must show."""
        for number, line in enumerate(self._screen.display):
            if text in line:
                return self._screen.buffer[number][line.index(text)].fg
        raise AssertionError(self.screen)

    def type(self, keys: str) -> None:
        """Press *keys*."""
        os.write(self._descriptor, keys.encode())

    def resize(self, columns: int) -> None:
        """Change the width."""
        _set_size(self._descriptor, columns)
        self._screen.resize(columns=columns)

    def wait_for(self, seen: Callable[[str], bool]) -> None:
        """Read what is written until the screen is as wanted."""
        end = time.monotonic() + _LIMIT
        while not seen(self.screen):
            assert time.monotonic() < end, self.screen
            assert self._read(), self.screen

    def finish(self) -> None:
        """Read what is written until the command ends."""
        while self._read():
            pass
        self.status = self._process.wait(TIMEOUT)
        self.screens.append(self.screen)

    def _read(self) -> bool:
        with selectors.DefaultSelector() as selector:  # `select` takes no descriptor above 1,023
            selector.register(self._descriptor, selectors.EVENT_READ)
            if not selector.select(1):
                return True
        try:
            data = os.read(self._descriptor, 4096)
        except OSError:  # how Linux says that nobody has the terminal open any more
            return False
        self.written += data
        for piece in _WIPE.split(data):
            if _WIPE.match(piece):
                self.screens.append(self.screen)
            self._stream.feed(self._decoder.decode(piece))
        return bool(data)


def _set_size(descriptor: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


@contextlib.contextmanager
def terminal(
    command: Sequence[str | Path], *, cwd: Path, columns: int = 80, shows_output: bool = True, **variables: str
) -> Iterator[Terminal]:
    """Run *command* in a terminal until the context ends.

    Arguments:
        command: the command; "python" is the running interpreter.
        cwd: its current folder.
        columns: the width of the terminal.
        shows_output: whether standard output is the terminal; standard error always is.
        variables: environment variables.

    """
    ours, theirs = os.openpty()
    _set_size(theirs, columns)
    words = [sys.executable if word == "python" else str(word) for word in command]
    environment = clean_environment(**{"TERM": "xterm", **variables})
    for name in {"COLUMNS", "NO_COLOR", "FORCE_COLOR"} - set(variables):
        environment.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, *words],
        stdin=theirs,
        stdout=theirs if shows_output else subprocess.DEVNULL,
        stderr=theirs,
        cwd=cwd,
        env=environment,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(process, ours, columns)
        finally:
            process.kill()
            os.close(ours)


def on_terminal(
    command: Sequence[str | Path], *, cwd: Path, columns: int = 80, shows_output: bool = True, **variables: str
) -> Terminal:
    """Run *command* in a terminal to its end; the arguments are those of `terminal`."""
    with terminal(command, cwd=cwd, columns=columns, shows_output=shows_output, **variables) as running:
        running.finish()
    return running
