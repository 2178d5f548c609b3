"""The command line: one module per command, which parse and print, and nothing else."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import signal
import sys
from typing import TYPE_CHECKING

from .. import __version__
from ..runtime.faults.kinds import BundleError
from ..runtime.sources.urls import is_url
from .output import show
from .parser import Parser

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "pack": "build a bundle from directories, modules, wheels, projects, requirements or an environment",
    "list": "list the members",
    "info": "describe a bundle: sizes, Pythons, entry points, real files",
    "report": "write one HTML page about a bundle: sizes, imports, real files, problems",
    "verify": "check that a bundle is not damaged, and who signed it",
    "sign": "sign a bundle with an SSH key",
    "fetch": "fetch a bundle from a URL into the cache, check it, and print its path",
    "extract": "unpack a bundle into a directory",
    "site": "unpack all of a bundle for tools that need files, and print the folder",
    "run": "run a bundle, or a module in it",
    "diff": "compare two bundles",
    "explain": "show which path entry a module comes from",
    "cache": "show, check or clean the cache",
    "doctor": "check that this Python can import bundles",
}


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; only the command that *arguments* name is loaded, because `run` shares its process."""
    parser = Parser(
        prog="bundleimp",
        description="Ship and import Python packages as one file.",
        epilog="Exit status: 0 success, 1 a check found a problem, 2 bad usage or bad input.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bundleimp {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    chosen = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name, text in _COMMANDS.items():
        command = commands.add_parser(name, help=text, allow_abbrev=False)
        if name == chosen:
            module = importlib.import_module(f".{name}_command", __name__)
            command.description = module.DESCRIPTION
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split off the words that are not ours: those after the ``--`` of `pack`, and after the bundle of `run`."""
    words = list(arguments)
    if words[:1] == ["run"]:
        end = 1
        while words[end : end + 1] and words[end].startswith("-"):
            end += 2 if words[end] == "--allowed-signers" else 1
        return words[: end + 1], words[end + 1 :]
    if words[:1] != ["pack"] or "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Arguments:
        arguments: the arguments, without the program's name; default: those of the process.

    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no error
    given, passed_on = _split(sys.argv[1:] if arguments is None else arguments)
    parsed = _parser(given).parse_args(given, argparse.Namespace(passed_on=passed_on))
    try:
        _fetch_bundles(parsed, given[0])
        program = parsed.run(parsed)
        sys.stdout.flush()
    except BundleError as error:
        show(f"bundleimp: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has gone: not an error, and nothing more can be printed, not even at exit.
        _silence()
        return 0
    except OSError as error:
        _silence()
        where = f"{error.filename}: " if error.filename else ""
        show(f"bundleimp: error: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        show("bundleimp: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    # What the user's program raises is its own affair: it is called outside of all handlers.
    return int(program() if callable(program) else program)


def _fetch_bundles(parsed: argparse.Namespace, command: str) -> None:
    """Put local paths in the place of URLs of bundles, which are pinned or signed.

    Raises:
        BundleError: one is neither, or cannot be fetched.

    """
    for name in ("bundle", "before", "after"):
        value = getattr(parsed, name, None)
        if isinstance(value, str) and is_url(value) and command != "sign":
            entry = importlib.import_module("bundleimp.fetching.entry")
            setattr(parsed, name, entry.resolve(value, allowed_signers=getattr(parsed, "allowed_signers", None)))


def _silence() -> None:
    """Let what is still in standard output's buffer go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
