"""The command line: one module per command, which parse and print, and nothing else."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..runtime.faults.kinds import BundleError
from ..runtime.sources.urls import is_url
from .color import choose
from .output import show, show_error
from .parser import Parser

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

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
# Options of the whole program that have a value.
_VALUED = {"--color", "--print-completion"}


class _Completion(argparse.Action):
    """Prints the completion script for a shell, and exits."""

    def __call__(self, parser: argparse.ArgumentParser, _namespace: Any, shell: Any, _option: Any = None) -> None:
        from .completion import script  # noqa: PLC0415 (only this option needs it)

        print(script(_parser(_COMMANDS), shell))
        parser.exit()


def _parser(commands: Container[str]) -> argparse.ArgumentParser:
    """Return the parser; only *commands* are loaded, because `run` shares its process."""
    parser = Parser(
        prog="bundleimp",
        description="Ship and import Python packages as one file.",
        epilog="Exit status: 0 success, 1 a check found a problem, 2 bad usage or bad input.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bundleimp {__version__}")
    shells = "print a script for completion of commands, options and files in this shell: bash, zsh or fish"
    parser.add_argument(
        "--print-completion", choices=("bash", "zsh", "fish"), metavar="SHELL", action=_Completion, help=shells
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for name, text in _COMMANDS.items():
        command = subparsers.add_parser(name, help=text, allow_abbrev=False)
        if name in commands:
            module = importlib.import_module(f".{name}_command", __name__)
            command.description = module.DESCRIPTION
            module.add_arguments(command)
            examples = "\n  ".join(("examples:", *module.EXAMPLES))
            command.epilog = f"{command.epilog}\n\n{examples}" if command.epilog else examples
            command.set_defaults(run=module.run)
    return parser


def _position(words: Sequence[str]) -> int:
    """Return the index of the command in *words*: it follows the options of the whole program."""
    at = 0
    while words[at : at + 1] and words[at].startswith("-"):
        at += 2 if words[at] in _VALUED else 1
    return at


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split off the words that are not ours: those after the ``--`` of `pack`, and after the bundle of `run`."""
    words = list(arguments)
    command = _position(words)
    if words[command : command + 1] == ["run"]:
        end = command + 1
        while words[end : end + 1] and words[end].startswith("-"):
            end += 2 if words[end] in {"--allowed-signers", "--color"} else 1
        return words[: end + 1], words[end + 1 :]
    if words[command : command + 1] != ["pack"] or "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Arguments:
        arguments: the arguments, without the program's name; default: those of the process.

    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed when the process began
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (until the process ends)
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no error
    choose("auto")
    given, passed_on = _split(sys.argv[1:] if arguments is None else arguments)
    try:
        parser = _parser(given[_position(given) :][:1])
        parsed = parser.parse_args(given, argparse.Namespace(passed_on=passed_on))
        _fetch_bundles(parsed, parsed.command)
        program = parsed.run(parsed)
        sys.stdout.flush()
    except BundleError as error:
        show_error(error)
        return 2
    except BrokenPipeError:
        # Whoever read our output has gone: not an error, and nothing more can be printed, not even at exit.
        _silence()
        return 0
    except OSError as error:
        _silence()
        where = f"{error.filename}: " if error.filename else ""
        show_error(f"{where}{error.strerror or error}")
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
