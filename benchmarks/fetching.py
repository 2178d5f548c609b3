"""Row `fetch`: a file of 50 MB over loopback against curl, and a pinned URL on the path against the path of the file.

The server is `python -m http.server`.  A fetch is the call of `bundleimp.fetch` in a process that has fetched before:
it computes the digest besides.  curl is a whole process.  Both write a file that was not there.  Wall time counts.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from . import trees
from .figures import Outcome, Row, difference, ratio
from .measure import Probe, Process, interleave, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .figures import Cost

_SIZE = 50_000_000


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Serve *folder* on loopback; yield the URL."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 (it is a pipe)
            words = process.stdout.readline().split()
            yield f"http://127.0.0.1:{words[words.index('port') + 1]}"
        finally:
            process.terminate()


class _Emptied:
    """A way to get the file, into a folder that is emptied before."""

    def __init__(self, way: Probe | Process, folder: Path) -> None:
        self._way = way
        self._folder = folder

    def __call__(self, number: int) -> Cost:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(0o700)
        return self._way(number)


def _run(folder: Path, pairs: int) -> Outcome:
    if shutil.which("curl") is None:
        return Outcome([], ["not measured: curl is not installed"])
    python = trees.interpreter(folder / "environment", hook=True)
    served = folder / "served"
    served.mkdir()
    tree = folder / "tree"
    tree.mkdir()
    (tree / "app.py").write_text("X = 1\n", "utf-8")
    small = trees.bundle(tree, served / "small.pybundle")
    (tree / "big.bin").write_bytes(os.urandom(_SIZE))
    big = trees.bundle(tree, served / "big.pybundle")
    pins = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in (small, big)}
    with _server(served) as url:
        urls = {path: f"{url}/{path.name}#sha256={pin}" for path, pin in pins.items()}
        cache, output, kept = folder / "cache", folder / "output", folder / "kept"
        fetch = Probe(python, cache, "fetching.py", urls[small], urls[big])
        curl = Process(
            shutil.which("curl") or "", "--silent", "--output", output / "big.pybundle", urls[big].partition("#")[0]
        )
        costs = interleave({"fetch": _Emptied(fetch, cache), "curl": _Emptied(curl, output)}, pairs)
        first = (python, "-m", "bundleimp", "fetch", "--quiet", urls[small])
        prepare("fetching", "env", f"BUNDLEIMP_CACHE_DIR={kept}", *first)
    entries = {
        name: Probe(python, kept, "opening.py", entry, "app")
        for name, entry in (("url", urls[small]), ("path", str(small)))
    }
    costs |= interleave(entries, 5 * pairs)
    return Outcome(
        [
            replace(ratio("fetch of 50 MB / curl", costs["fetch"], costs["curl"], 1.3), by_wall=True),
            difference("first import: pinned URL in the cache - path", costs["url"], costs["path"], 1.0),
        ]
    )


ROW = Row("fetch", 20, _run, "a bundle of 50 MB over loopback")
