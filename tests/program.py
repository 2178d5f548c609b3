"""What an interpreter does with its command line, for those of `interpreters`, which nobody gives one.

Runs in a namespace of its own in a fresh interpreter, whose ``__main__`` is left to the program.  After
``Modules/main.c`` of CPython: the same path entries, the same ``__main__``, the same end.
"""

from __future__ import annotations

import os
import site
import sys
from _frozen_importlib_external import PathFinder


def _run(kind: str, target: str, arguments: list[str]) -> None:
    """Run a program: the text of one (``-c``), a module (``-m``), or a file (an empty *kind*)."""
    namespace = vars(sys.modules["__main__"])
    sys.argv = [kind or target, *arguments]
    if kind == "-c":
        sys.path.insert(0, "")
        exec(compile(target, "<string>", "exec"), namespace)  # noqa: S102 (it is the program)
        return
    import runpy  # noqa: PLC0415 (the interpreter loads it for these two alone)

    if kind == "-m":
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(target)  # type: ignore[attr-defined] # noqa: SLF001 (as the interpreter does)
    elif _is_path_entry(target):
        sys.path.insert(0, target)
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined] # noqa: SLF001
    else:
        sys.path.insert(0, os.path.dirname(os.path.realpath(target)))
        namespace["__file__"] = target
        with open(target, "rb") as stream:
            code = compile(stream.read(), target, "exec")
        exec(code, namespace)  # noqa: S102


def _is_path_entry(path: str) -> bool:
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


def _start(path: list[str], warnoptions: list[str], pycache_prefix: str | None) -> None:
    """Bring the interpreter to where it would call the program."""
    sys.pycache_prefix = pycache_prefix
    # `site` has run, but with another path.  In a process, the codecs are looked for on the whole path before it runs.
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if not getattr(hook, "claims_bundles", False)]
    sys.path[:] = path
    sys.path_importer_cache.clear()
    PathFinder.find_spec("encodings")
    site.main()
    sys.warnoptions[:] = warnoptions
    if warnoptions:
        import warnings  # noqa: F401, PLC0415 (it reads the options)


def main(
    kind: str, target: str, arguments: list[str], path: list[str], warnoptions: list[str], pycache_prefix: str | None
) -> int:
    """Run the program to its end, and return the exit status."""
    status: object = 0
    try:
        _start(path, warnoptions, pycache_prefix)
        _run(kind, target, arguments)
    except SystemExit as end:
        status = end.code
    except BaseException as error:  # noqa: BLE001 (so that it is reported as the interpreter does)
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_globals is globals():
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        status = 1
    if not (status is None or isinstance(status, int)):
        sys.stderr.write(f"{status}\n")
        status = 1
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return (status or 0) & 0xFF
