"""Scripts that complete the command line in shells, by the library `shtab` (extra ``cli``).

A script starts no Python when the user presses Tab.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..runtime.faults.kinds import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

# The metavars whose values are completed with names of files, and those with names of folders.
_FILES = {"A", "B", "BUNDLE", "ENTRY", "EXE", "FILE", "OUT", "SOURCE"}
_FOLDERS = {"DIR"}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for *shell*: "bash", "zsh" or "fish".

    Raises:
        BundleError: `shtab` is not installed.

    """
    try:
        import shtab  # noqa: PLC0415 (it may be missing)
    except ImportError:
        message = "completion needs the library shtab; install it with: pip install shtab"
        raise BundleError(message) from None
    for action in _actions(parser):
        if action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return shtab.complete(parser, shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments of *parser*, of its commands, and of their actions."""
    for action in parser._actions:  # noqa: SLF001 (argparse has no public way)
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 (it has no public name)
            for command in action.choices.values():
                yield from _actions(command)
