"""Do what ``python`` does with its command line, in this process and with a bundle on the path.

A program without an entry point is such an interpreter, and so is ``bundleimp run``.  The code runs in the namespace of
the real ``__main__``, as there.  Where the bundle stands on ``sys.path`` is the caller's affair.
"""

import os
import sys

from . import commandline, refusing, spawning, trimming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_KEPT = {"__name__", "__builtins__"}


def interpret(words: "Sequence[str]", program: str, run_module: "Callable[..., None]") -> None:
    """Run what *words* name: a module, code, a script or the standard input.  Without a name, start a session.

    Arguments:
        words: the arguments of an interpreter.  Its options start another process.
        program: the path of the program that child processes of ``multiprocessing`` run first, or "".
        run_module: `program.run_module`.

    Raises:
        SystemExit: the words are no command line, or what they name ends so.

    """
    try:
        command = commandline.parse(words)
    except ValueError as error:
        refusing.refuse(str(error))
    if command.options:
        _restart(len(words), command)
    kind, value = command.kind, command.value
    if program:
        main = {"-m": f"module {value}", "script": f"script {os.path.abspath(value)}"}
        spawning.lead(program, main.get(kind, ""))
    sys.argv[:] = [value if kind == "script" else kind, *command.arguments]
    if kind == "-m":
        _put_first(os.getcwd())
        _namespace()
        run_module(value, alter_argv=True)
    elif kind == "-c":
        _put_first("")
        if sys.version_info >= (3, 14):
            import textwrap  # noqa: PLC0415 (needed for this alone)

            value = textwrap.dedent(value)
        _execute(value, "<string>")
    elif kind == "script":
        _run_script(value)
    else:
        _put_first("")
        _run_input()


def _restart(count: int, command: "commandline.Command") -> None:
    """Start the interpreter with the options of *command*, and this program in it.  Return if there are none.

    Arguments:
        count: how many words, at the end of the command line of this process, give the command.
        command: the command.

    """
    given = sys.orig_argv[1 : len(sys.orig_argv) - count]
    words = [sys.executable, *command.options, *given, *command.words()]
    os.environ["BUNDLEIMP_INTERPRETER"] = "1"
    if os.name != "nt":
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os.execv(sys.executable, words)  # noqa: S606 (it is this interpreter)
    import subprocess  # noqa: PLC0415 (Windows only)

    raise SystemExit(subprocess.run(words, check=False).returncode)  # noqa: S603 (as above)


def _put_first(entry: str) -> None:
    if not sys.flags.safe_path:
        sys.path.insert(0, entry)


def _run_script(path: str) -> None:
    if _is_path_entry(path):  # a folder or an archive with a ``__main__``
        import runpy  # noqa: PLC0415 (loaded when a program runs)

        sys.path.insert(0, path)
        trimming.call(runpy._run_module_as_main, "__main__", False)  # type: ignore[attr-defined] # noqa: SLF001, FBT003
        return
    import io  # noqa: PLC0415 (it is loaded)

    try:
        with io.open_code(os.path.abspath(path)) as stream:
            source = stream.read()
    except OSError as error:
        refusing.refuse(f"cannot be opened: {error.strerror}")
    _put_first(os.path.dirname(os.path.realpath(path)))
    _execute(_bytecode(source) or source, path, __file__=path)


def _bytecode(content: bytes) -> "Any":
    """Return the code object in the *content* of a pyc, or None if it is none of this interpreter."""
    from importlib.util import MAGIC_NUMBER  # noqa: PLC0415 (loaded when a program runs)

    if content[:4] != MAGIC_NUMBER:
        return None
    import marshal  # noqa: PLC0415 (for a script that is bytecode)

    return marshal.loads(memoryview(content)[16:])  # noqa: S302 (it is a program that the user starts)


def _is_path_entry(path: str) -> bool:
    for hook in list(sys.path_hooks):
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


def _run_input() -> None:
    """Run the standard input: as a session if it is a terminal, else as one program."""
    stream = sys.stdin
    if stream is None:
        return
    if not stream.isatty():
        _execute(stream.buffer.read() if hasattr(stream, "buffer") else stream.read(), "<stdin>")
    elif sys.flags.inspect:
        _namespace()  # the interpreter itself starts a session when this returns
    else:
        _converse()


def _converse() -> None:
    namespace = _namespace()
    if not sys.flags.quiet:
        sys.stderr.write(
            f"Python {sys.version} on {sys.platform}\n"
            'Type "help", "copyright", "credits" or "license" for more information.\n'
        )
    getattr(sys, "__interactivehook__", int)()
    try:
        pyrepl: Any = __import__("_pyrepl.main", fromlist=["main"])  # Python 3.13 and later
    except ImportError:
        import code  # noqa: PLC0415 (for a session only)

        startup = os.environ.get("PYTHONSTARTUP", "") if not sys.flags.ignore_environment else ""
        if startup:
            with open(startup, "rb") as stream:
                exec(compile(stream.read(), startup, "exec"), namespace)  # noqa: S102 (as the interpreter does)
        code.interact(banner="", local=namespace, exitmsg="")
    else:
        pyrepl.interactive_console(pythonstartup=not sys.flags.ignore_environment)


def _execute(code: "Any", filename: str, **names: object) -> None:
    """Execute *code*, or the source of it, in the namespace of ``__main__``."""
    namespace = _namespace(**names)
    trimming.call(_compile_and_execute, code, filename, namespace)


def _compile_and_execute(code: "Any", filename: str, namespace: "dict[str, Any]") -> None:
    if isinstance(code, str | bytes):
        code = compile(code, filename, "exec", dont_inherit=True)
    exec(code, namespace)  # noqa: S102 (it is the program)


def _namespace(**names: object) -> "dict[str, Any]":
    """Return the namespace of ``__main__``, as it is before a program begins, with *names*."""
    namespace: dict[str, Any] = sys.modules["__main__"].__dict__
    for name in [name for name in namespace if name not in _KEPT]:
        del namespace[name]
    from importlib.machinery import BuiltinImporter, SourceFileLoader  # noqa: PLC0415 (loaded when a program runs)

    file: Any = names.get("__file__")
    loader: Any = SourceFileLoader("__main__", file) if file is not None else BuiltinImporter
    namespace.update(__doc__=None, __package__=None, __spec__=None, __loader__=loader, **names)
    return namespace
