"""One run of a snippet in one place, in a world of its own: home, working folder, temporary files and cache empty.

Unpacked, the cache is the one that has all of the bundle.
"""

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
# Folders of the cache with folders that are laid out like the directory.
_ROOTS = {"sites", "unpacked"}
_DEPTH = 2
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]+", re.IGNORECASE)


@dataclass(frozen=True)
class Outcome:
    """How a snippet ended.

    Attributes:
        status: its exit status, or None where it took too long.
        stdout: what it printed, with tokens for paths and addresses.
        stderr: the same for standard error.
        written_files: how many files were in the cache of its own afterwards.
        written_bytes: their size.

    """

    status: int | None
    stdout: str
    stderr: str
    written_files: int
    written_bytes: int


class _Tokens:
    """What stands for paths in what is printed: the same for the directory, the bundle, and its files in the cache."""

    def __init__(self, laboratory: Laboratory, place: Path, cache: Path, scratch: Path) -> None:
        self._directory = laboratory.directory
        # Some print paths relative to where they run.
        relative = os.path.relpath(cache, scratch / "empty")
        self._cache = re.compile(f"(?:{re.escape(str(cache))}|{re.escape(relative)})" + r"(/[^\s\"'<>|,;:()\[\]{}]*)?")
        self._paths = {
            os.path.relpath(place, scratch / "empty"): "<place>",
            str(place): "<place>",
            str(scratch): "<scratch>",
            str(laboratory.python.parent.parent): "<environment>",
        }

    def _in_cache(self, match: re.Match[str]) -> str:
        """Return the token for a file in the cache: where it would be installed, whatever the cache's folders are."""
        parts = (match[1] or "").strip("/").split("/")
        if len(parts) == _DEPTH and parts[0] in _ROOTS:
            return "<place>"
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


def _variables(place: Path, cache: Path, scratch: Path, python: Path) -> dict[str, str]:
    return {
        "PATH": f"{python.parent}:/usr/bin:/bin",
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "BUNDLEIMP_CACHE_DIR": str(cache),
        "PYTHONPATH": str(place),
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        # Results of sums depend on how many threads share them.
        "OMP_NUM_THREADS": "1",
    }


def try_out(snippet: Snippet, laboratory: Laboratory, mode: str) -> Outcome:
    """Run *snippet* from the "directory", from the "bundle", or from the bundle "unpacked"; return how that ended."""
    # The name is of one length for all modes, for the same reason as in `Laboratory`.
    scratch = laboratory.folder / "scratch" / mode[0] / snippet.name
    shutil.rmtree(scratch, ignore_errors=True)
    for name in ("home", "tmp", "cache", "empty"):
        (scratch / name).mkdir(parents=True)
    (scratch / "cache").chmod(0o700)
    place = laboratory.directory if mode == "directory" else laboratory.bundle
    cache = laboratory.cache if mode == "unpacked" else scratch / "cache"
    variables = _variables(place, cache, scratch, laboratory.python)
    if mode == "unpacked":
        variables["BUNDLEIMP_UNPACK"] = "1"
    # -P: the snippets bear the names of what they import.
    command = [str(laboratory.python), "-P", str(snippet.path)]
    # Files and not pipes: nothing waits for the snippet's children.
    with (scratch / "stdout").open("wb") as stdout, (scratch / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            command,
            env=variables,
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
    tokens = _Tokens(laboratory, place, cache, scratch)
    printed = [tokens.put((scratch / name).read_text("utf-8", "replace")) for name in ("stdout", "stderr")]
    written = [path.stat().st_size for path in (scratch / "cache").rglob("*") if path.is_file()]
    shutil.rmtree(scratch)
    return Outcome(status, printed[0], printed[1], len(written), sum(written))
