"""``bundleimp run``."""

from __future__ import annotations

import functools
import os
import runpy
import sys
from typing import TYPE_CHECKING

from ..inspection.reader import BundleReader
from ..runtime import hook
from ..runtime.faults.kinds import BundleError
from ..runtime.interpreter.program import check_signed, run_module, target_fault
from ..runtime.site.unpacked import replace_entries

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

DESCRIPTION = """Run a bundle's __main__ module as `python BUNDLE` would, or a module in it as `python -m MODULE` would.
Exit status and arguments are the program's."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.usage = "bundleimp run [--allowed-signers FILE] [--unpack] BUNDLE [-m MODULE] [ARG ...]"
    parser.add_argument(
        "--allowed-signers",
        metavar="FILE",
        help="run and import only what one of these has signed, in child processes, too",
    )
    parser.add_argument(
        "--unpack",
        action="store_true",
        help="import from real files in the cache, in child processes, too (BUNDLEIMP_UNPACK=1)",
    )
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.epilog = "-m MODULE: the module to run, default __main__; all other words are the program's."


def run(arguments: argparse.Namespace) -> Callable[[], int]:
    """Prepare the program; return the function that runs it."""
    path = os.path.abspath(arguments.bundle)
    if arguments.allowed_signers is not None:
        hook.install(arguments.allowed_signers)
    check_signed(path)
    members = {member.name for member in BundleReader(path).members}
    rest = arguments.passed_on
    module = None
    if rest[:1] == ["-m"]:
        if len(rest) < 2:  # noqa: PLR2004 (the option and its value)
            message = "-m needs the name of a module"
            raise BundleError(message, file=arguments.bundle)
        module, rest = rest[1], rest[2:]
    elif not members & {"__main__.py", "__main__.pyc"}:
        message = "has no __main__ module; choose what to run with -m MODULE"
        raise BundleError(message, file=arguments.bundle)
    hook.install()
    misfit = target_fault(path)
    if misfit is not None:
        raise misfit
    # Python put a folder of this command first on the path.  The bundle replaces it, as it does for `python BUNDLE`.
    sys.path[: 0 if sys.flags.safe_path else 1] = [path]
    if arguments.unpack:
        os.environ["BUNDLEIMP_UNPACK"] = "1"
        hook.UNPACKS = True
    if hook.UNPACKS:
        replace_entries(sys.path)
    sys.argv[:] = [arguments.bundle, *rest]
    return functools.partial(_run, module)


def _run(module: str | None) -> int:
    # The function that runs `python BUNDLE` and `python -m MODULE`: __main__ is the real one, as there.
    if module is not None:
        run_module(module, alter_argv=True)
    else:
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined] # noqa: SLF001
    return 0
