"""``bundleimp fetch``."""

from __future__ import annotations

import argparse
import functools
import math
import shlex
import sys

from ..fetching.fetch import Wanted, obtain
from ..fetching.limits import MAX_SIZE, TIMEOUT
from .output import print_path, show
from .sizes import parse_size
from .terminal import display

DESCRIPTION = """Fetch a bundle into the cache, check it, and print its local path.  Nothing in it is run.
The bundle is pinned (#sha256=HEX at the end of a URL, or --sha256), or signed (--allowed-signers).  One that
is neither is trusted on first use: its pin is printed on standard error, for the next time.  A pinned
bundle that is in the cache needs no network."""
EXAMPLES = (
    "bundleimp fetch https://example.com/app.pybundle",
    "bundleimp fetch https://example.com/app.pybundle --allowed-signers signers",
)


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
    with display(quiet=arguments.quiet) as shown:
        fetched = obtain(
            Wanted(
                arguments.urls,
                sha256=arguments.sha256,
                allowed_signers=arguments.allowed_signers,
                headers=_headers(arguments.headers),
                offline=arguments.offline,
                timeout=arguments.timeout,
                max_size=arguments.max_size,
                progress=functools.partial(shown.update, "fetching") if shown is not None else None,
            )
        )
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
