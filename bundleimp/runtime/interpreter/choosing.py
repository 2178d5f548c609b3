"""Choose where a program starts: at its entry point, or where the environment says.

A *reference* is ``module:attribute`` for a function to call, or ``module`` for a module to run as ``python -m`` does.
"""

import os

BUSYBOX = "*"
"""The reference of a program that is all scripts of the packed distributions."""
INTERPRETER = ""
"""The reference of a program that is an interpreter."""
_VARIABLES = ("INTERPRETER", "MODULE", "SCRIPT")
# What the children of ``multiprocessing`` run (`spawning`).  This process is none of them.
MAIN = "_BUNDLEIMP_MAIN"


def choose(path: str, default: str) -> str:
    """Return the reference of what the program at *path* starts, or `INTERPRETER`.

    The variables that choose are removed from the environment, so that child processes do not inherit them.

    Arguments:
        path: the program.
        default: the reference of its entry point, or `BUSYBOX`, or `INTERPRETER`.

    Raises:
        SystemExit: what the user asks for does not exist.

    """
    os.environ.pop(MAIN, None)
    interpreter, module, script = (os.environ.pop(f"BUNDLEIMP_{name}", "") for name in _VARIABLES)
    if interpreter not in {"", "0"}:
        return INTERPRETER
    if not (module or script) and default != BUSYBOX:
        return default
    from . import refusing, scripts  # noqa: PLC0415 (loaded when first needed)

    if module and script:
        refusing.refuse("BUNDLEIMP_MODULE and BUNDLEIMP_SCRIPT are both set: set one of them")
    if module and not all(map(str.isidentifier, module.replace(":", ".", 1).split("."))):
        refusing.refuse(f"BUNDLEIMP_MODULE is MODULE or MODULE:FUNCTION, and not {module!r}")
    return module or (scripts.named(path, script) if script else scripts.called(path))
