"""What an interpreter does with its command line, for those of `interpreters`, which nobody gives one.

Runs in a namespace of its own in a fresh interpreter, whose ``__main__`` is left to the program.  After
``Modules/main.c`` of CPython: the same path entries, the same ``__main__``, the same end.
"""

from __future__ import annotations

import errno
import os
import site
import sys
from _frozen_importlib_external import PathFinder


def _run(program: list[str]) -> None:
    namespace = vars(sys.modules["__main__"])
    sys.argv = program.copy()
    if program[0] == "-c":
        del sys.argv[1]
        sys.path.insert(0, "")
        exec(compile(program[1], "<string>", "exec"), namespace)  # noqa: S102 (it is the program)
        return
    import runpy  # noqa: PLC0415 (the interpreter loads it for these two alone)

    target = program[0]
    if target == "-m":
        del sys.argv[1]
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(program[1])  # type: ignore[attr-defined] # noqa: SLF001 (as the interpreter does)
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


def _refuse(*_: object) -> None:
    raise OSError(errno.ENOTSUP, "emscripten does not support processes.")


def _start(path: list[str], prefix: str, warnoptions: list[str], pycache_prefix: str | None) -> None:
    """Bring the interpreter to where it would call the program."""
    sys.pycache_prefix = pycache_prefix
    # These would end the tests.
    for name in ("_exit", "abort", "fork", "kill"):
        setattr(os, name, _refuse)
    # `site` has run, but with another path and no site-packages.  In a process, the codecs are looked for on the whole
    # path before it runs.
    sys.path[:] = path
    sys.path_importer_cache.clear()
    PathFinder.find_spec("encodings")
    site.PREFIXES[:] = [prefix]
    site.main()
    sys.warnoptions[:] = warnoptions
    if warnoptions:
        import warnings  # noqa: F401, PLC0415 (it reads the options)


def main(program: list[str], path: list[str], prefix: str, warnoptions: list[str], pycache_prefix: str | None) -> int:
    """Run a program to its end, and return the exit status.

    Arguments:
        program: ``-c`` and a text, ``-m`` and a module, or a file, and the program's own arguments.
        path: the path entries that the interpreter starts with.
        prefix: where its site-packages are.
        warnoptions: its ``-W`` options.
        pycache_prefix: `sys.pycache_prefix`.

    """
    status: object = 0
    try:
        _start(path, prefix, warnoptions, pycache_prefix)
        _run(program)
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
