"""One run of a snippet in one place, in a world of its own: home, working folder, temporary files and cache empty."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from .catalogue import Snippet
    from .laboratory import Laboratory

_SECONDS = 600
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """How a snippet ended.

    Attributes:
        status: its exit status, or None where it took too long.
        stdout: what it printed, with tokens for paths and addresses.
        stderr: the same for standard error.
        written_files: how many files were in the cache afterwards.
        written_bytes: their size.

    """

    status: int | None
    stdout: str
    stderr: str
    written_files: int
    written_bytes: int


class _Tokens:
    """What stands for paths in what is printed: the same for the directory, the bundle, and its files in the cache."""

    def __init__(self, laboratory: Laboratory, place: Path, scratch: Path) -> None:
        self._directory = laboratory.directory
        self._cache = re.compile(re.escape(str(scratch / "cache")) + r"(/[^\s\"'<>|,;:()\[\]{}]*)?")
        self._paths = {
            # Some print paths relative to where they run.
            os.path.relpath(place, scratch / "empty"): "<place>",
            str(place): "<place>",
            str(scratch): "<scratch>",
            str(laboratory.python.parent.parent): "<environment>",
        }

    def _in_cache(self, match: re.Match[str]) -> str:
        """Return the token for a file in the cache: where it would be installed, whatever the cache's folders are."""
        parts = (match[1] or "").strip("/").split("/")
        for first in range(len(parts)):
            member = "/".join(parts[first:])
            if member and (self._directory / member).exists():
                return f"<place>/{member}"
        return match[0]

    def put(self, text: str) -> str:
        text = self._cache.sub(self._in_cache, text)
        for path, token in self._paths.items():
            text = text.replace(path, token)
        return _ADDRESS.sub("at <address>", text)


def _variables(place: Path, scratch: Path, python: Path) -> dict[str, str]:
    return {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "BUNDLEIMP_CACHE_DIR": str(scratch / "cache"),
        "PYTHONPATH": str(place),
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        # Results of sums depend on how many threads share them.
        "OMP_NUM_THREADS": "1",
    }


def try_out(snippet: Snippet, laboratory: Laboratory, place: Path) -> Outcome:
    """Run *snippet* with *place* as PYTHONPATH, and return how that ended."""
    # The name is of one length for all places, for the same reason as in `Laboratory`.
    kind = "d" if place == laboratory.directory else "b"
    scratch = laboratory.folder / "scratch" / kind / snippet.name
    shutil.rmtree(scratch, ignore_errors=True)
    for name in ("home", "tmp", "cache", "empty"):
        (scratch / name).mkdir(parents=True)
    (scratch / "cache").chmod(0o700)
    # -P: the snippets bear the names of what they import.
    command = [str(laboratory.python), "-P", str(snippet.path)]
    # Files and not pipes: nothing waits for the snippet's children.
    with (scratch / "stdout").open("wb") as stdout, (scratch / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            command,
            env=_variables(place, scratch, laboratory.python),
            cwd=scratch / "empty",
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        status: int | None
        try:
            status = process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = None
    tokens = _Tokens(laboratory, place, scratch)
    printed = [tokens.put((scratch / name).read_text("utf-8", "replace")) for name in ("stdout", "stderr")]
    written = [path.stat().st_size for path in (scratch / "cache").rglob("*") if path.is_file()]
    shutil.rmtree(scratch)
    return Outcome(status, printed[0], printed[1], len(written), sum(written))
