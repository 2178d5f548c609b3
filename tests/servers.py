"""Real servers as child processes of a test: they are started, asked, and ended.  Nothing depends on time."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from .builders import TIMEOUT, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


class Server:
    """A running server that writes its address to its standard error or output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.output: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.output.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def __str__(self) -> str:
        return "".join(self.output)

    def line(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Wait until the server has written *count* lines that *pattern* matches; return the last one's match."""
        deadline = time.monotonic() + TIMEOUT
        with self._changed:
            while True:
                found = [match for match in (re.search(pattern, line) for line in self.output) if match is not None]
                if len(found) >= count:
                    return found[count - 1]
                assert not self._ended, f"it ended without {pattern!r}:\n{self}"
                assert self._changed.wait(deadline - time.monotonic()), f"it never wrote {pattern!r}:\n{self}"

    def get(self, path: str = "/") -> str:
        """Return the content of *path*.  Wait until the server takes requests."""
        port = int(self.line(_ADDRESS.pattern)[1])
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                content = answer.read().decode()
            except (ConnectionError, http.client.HTTPException):  # no worker yet, or one that is ending
                assert self.process.poll() is None, str(self)
                time.sleep(0.02)
                continue
            finally:
                connection.close()
            assert answer.status == http.client.OK, f"{content}\n{self}"
            if content:  # not from a process that was ended meanwhile
                return content

    def wait_for(self, expected: Callable[[str], bool]) -> str:
        """Return the first content of "/" for which *expected* is true."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            content = self.get()
            if expected(content):
                return content
            assert time.monotonic() < deadline, f"still {content!r}\n{self}"
            time.sleep(0.02)

    def send(self, number: int) -> None:
        """Send a signal to the server."""
        self.process.send_signal(number)


@contextmanager
def running(*command: Path | str, cwd: Path, **variables: str) -> Iterator[Server]:
    """Run *command*, which starts a server, in a session of its own.  In the end, all of its processes are ended."""
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=cwd,
        env=clean_environment(PYTHONUNBUFFERED="1", XDG_RUNTIME_DIR=str(cwd), **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Server(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT)
        if process.stdout is not None:
            process.stdout.close()
