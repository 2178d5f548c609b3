"""``bundleimp fetch``."""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from typing import TYPE_CHECKING

from ..fetching.fetch import Wanted, obtain
from ..fetching.limits import MAX_SIZE, TIMEOUT
from .output import print_path, show, size_text
from .sizes import parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

DESCRIPTION = """Fetch a bundle into the cache, check it, and print its local path.  Nothing in it is run.
The bundle is pinned (#sha256=HEX at the end of a URL, or --sha256), or signed (--allowed-signers).  One that
is neither is trusted on first use: its pin is printed on standard error, for the next time.  A pinned
bundle that is in the cache needs no network."""

_PAUSE = 0.1  # seconds between two lines of progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    url = "http, https, file, or what an installed fsspec reads; further URLs of the same file are tried in turn"
    parser.add_argument("urls", metavar="URL", nargs="+", help=url)
    parser.add_argument("--sha256", metavar="HEX", help="the digest that the file must have")
    signers = "the file of keys that may sign it; see ssh-keygen(1). The signature is fetched from URL.sig"
    parser.add_argument("--allowed-signers", metavar="FILE", help=signers)
    parser.add_argument("--offline", action="store_true", default=None, help="use no network; also BUNDLEIMP_OFFLINE=1")
    limit = f"time limit for the whole fetch (default: {TIMEOUT:.0f})"
    parser.add_argument("--timeout", metavar="SECONDS", type=_seconds, default=TIMEOUT, help=limit)
    largest = f"size limit of the file: 500MB, 2GB (default: {MAX_SIZE >> 30} GiB)"
    parser.add_argument("--max-size", metavar="SIZE", type=parse_size, default=MAX_SIZE, help=largest)
    header = "a header for the host of URL (repeatable). Other users can see it; put passwords into ~/.netrc"
    parser.add_argument("--header", metavar="'NAME: VALUE'", dest="headers", action="append", default=[], help=header)
    parser.add_argument("-q", "--quiet", action="store_true", help="print the path and errors only")


def run(arguments: argparse.Namespace) -> int:
    """Run the command; return the exit status."""
    progress = None if arguments.quiet or not sys.stderr.isatty() else _progress()
    try:
        fetched = obtain(
            Wanted(
                arguments.urls,
                sha256=arguments.sha256,
                allowed_signers=arguments.allowed_signers,
                headers=_headers(arguments.headers),
                offline=arguments.offline,
                timeout=arguments.timeout,
                max_size=arguments.max_size,
                progress=progress,
            )
        )
    finally:
        if progress is not None:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if fetched.signer is not None and not arguments.quiet:
        show(f"{fetched.url}: signed by {fetched.signer}", file=sys.stderr)
    if fetched.is_trusted_on_first_use and not arguments.quiet:
        show(f"{fetched.url}: neither pinned nor signed: trusted on first use; next time, type", file=sys.stderr)
        show(f"bundleimp fetch {shlex.quote(fetched.pinned_url)}", file=sys.stderr)
    print_path(fetched.path)
    return 0


def _headers(lines: list[str]) -> dict[str, str]:
    parts = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in parts}


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        message = f"{text!r} is not a number of seconds"
        raise argparse.ArgumentTypeError(message)
    return seconds


def _progress() -> Callable[[int, int | None], None]:
    """Return a function that shows on the terminal how much was read."""
    last = 0.0

    def shown(done: int, size: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PAUSE:
            last = now
            of = f" of {size_text(size)}" if size is not None else ""
            print(f"\r\x1b[K{size_text(done)}{of}", end="", file=sys.stderr, flush=True)

    return shown
