"""``bundleimp run``."""

from __future__ import annotations

import functools
import os
import runpy
import sys
from typing import TYPE_CHECKING

from ..inspection.reader import BundleReader
from ..runtime import bundles, hook
from ..runtime.content.limits import CHILDREN
from ..runtime.faults.kinds import BundleError, BundleFitError
from ..runtime.interpreter.children import lead
from ..runtime.interpreter.console import interpret
from ..runtime.interpreter.program import claim, run_module, target_fault
from ..runtime.site.unpacked import replace_entries
from .output import show_warning

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

DESCRIPTION = """Run a bundle's program as `python BUNDLE` does.  Or run a module, code or a script with the bundle on
the path, as `python` does with -m MODULE, -c CODE, a SCRIPT that ends in .py, or - for the standard input.  A bundle
without a program is an interpreter: without further words, a session starts.  Exit status and arguments are those of
what is run."""
EXAMPLES = (
    "bundleimp run app.pybundle",
    "bundleimp run out.pybundle -m mypkg",
)

_SCRIPT_SUFFIXES = (".py", ".pyw")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.usage = (
        "bundleimp run [--allowed-signers FILE] [--unpack] BUNDLE\n"
        "                     [-m MODULE | -c CODE | SCRIPT | -] [ARG ...]"
    )
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
    parser.epilog = "All other words are the program's, and so are those after --, such as the name of a script."


def run(arguments: argparse.Namespace) -> Callable[[], int]:
    """Prepare the program; return the function that runs it."""
    hook.install(arguments.allowed_signers)
    path = claim(os.path.abspath(arguments.bundle))
    members = {member.name for member in BundleReader(path).members}
    words = arguments.passed_on
    has_program = bool(members & {"__main__.py", "__main__.pyc"})
    is_interpreter = not has_program or _names_code(words)
    if words in (["-m"], ["-c"]):
        what = "the name of a module" if words == ["-m"] else "code"
        message = f"{words[0]} needs {what}"
        raise BundleError(message, file=arguments.bundle)
    fault = target_fault(path)
    if fault is not None:
        raise fault
    if is_interpreter and words and words[0][:1] != "-" and not os.path.exists(words[0]):
        message = f"there is no such file; a module in the bundle is run with -m {words[0]}"
        raise BundleError(message, file=words[0])
    # Python put a folder of this command first on the path.  The bundle replaces it, as it does for `python BUNDLE`.
    sys.path[: 0 if sys.flags.safe_path else 1] = [path]
    if arguments.unpack:
        os.environ["BUNDLEIMP_UNPACK"] = "1"
        hook.UNPACKS = True
    if hook.UNPACKS:
        replace_entries(sys.path)
    lead(path)
    _tell_misfit(bundles.open_bundle(path), arguments.bundle, is_interpreter=is_interpreter)
    if is_interpreter:
        return functools.partial(_interpret, words, path if has_program and path in bundles.programs else "")
    sys.argv[:] = [arguments.bundle, *(words[1:] if words[:1] == ["--"] else words)]
    return _run_program


def _tell_misfit(bundle: bundles.OpenBundle, name: str, *, is_interpreter: bool) -> None:
    """Warn of a bundle that is not for this Python, in place of the path hook.  A program looks for another Python."""
    archive = bundle.archive
    if archive is not None and isinstance(archive.fault, BundleFitError):
        bundle.reported = True
        if is_interpreter or CHILDREN not in archive.directories[""].names:
            show_warning(f"{name}: {archive.fault.message}")


def _names_code(words: Sequence[str]) -> bool:
    """Return whether *words* name what an interpreter is to run, and are not the arguments of a program."""
    first = "".join(words[:1])
    return first in {"-m", "-c", "-"} or (first.endswith(_SCRIPT_SUFFIXES) and os.path.isfile(first))


def _interpret(words: Sequence[str], program: str) -> int:
    interpret(words, program, run_module)
    return 0


def _run_program() -> int:
    # The function that runs `python BUNDLE`: __main__ is the real one, as there.
    runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined] # noqa: SLF001
    return 0
