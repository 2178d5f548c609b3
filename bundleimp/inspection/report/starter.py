"""The first file of the process of a profiled start.  It runs the program, and writes down which imports were lazy.

It runs by itself.  It imports only modules that every start of Python imports, so that the profile shows the program.
Arguments: a file for the note, the folder of bundleimp, the line to print when the program begins, the bundle, and the
words of the user: ``-m MODULE``, ``-c CODE``, or those for the bundle's program.
"""

import atexit
import os
import runpy
import sys


def _note(path: str, imports: "dict[tuple[str, str, str], None]") -> None:
    """Write the lazy *imports* (importer, module, name) to the file *path*, and whether each happened."""
    # A name leaves sys.lazy_modules when it is first used.
    unused = set(sys.lazy_modules)  # type: ignore[attr-defined]
    facts = []
    for importer, module, name in imports:
        wanted = f"{module}.{name}" if name else module
        facts.append((importer, module, name, module in sys.modules and wanted not in unused))
    with open(path, "w", encoding="ascii") as file:
        file.write(ascii(facts))


def _prepare(note: str, folder: str, bundle: str) -> None:
    sys.path[: 0 if sys.flags.safe_path else 1] = [bundle]
    if "bundleimp" not in sys.modules:  # there is no hook at start-up
        sys.path.append(folder)
        __import__("bundleimp").install()
        sys.path.remove(folder)
    imports: dict[tuple[str, str, str], None] = {}
    if hasattr(sys, "set_lazy_imports_filter"):  # Python 3.15, PEP 810

        def see(importer: str, module: str, names: "tuple[str, ...] | None" = None) -> bool:
            for name in names or ("",):
                imports[importer, module, name] = None
            return True

        sys.set_lazy_imports_filter(see)
        atexit.register(_note, note, imports)


def _start(begin: str, words: "list[str]") -> None:
    module = sys.modules["__main__"] = type(sys)("__main__")
    vars(module)["__builtins__"] = __builtins__
    os.write(2, f"\n{begin}\n".encode())
    run_module = runpy._run_module_as_main  # type: ignore[attr-defined] # noqa: SLF001 (that of `python -m`)
    if words[:1] == ["-c"]:
        sys.argv[:] = ["-c", *words[2:]]
        exec(compile(words[1], "<string>", "exec"), vars(module))  # noqa: S102 (the user's)
    elif words[:1] == ["-m"]:
        sys.argv[:] = words[1:]
        run_module(words[1])
    else:
        sys.argv[1:] = words
        run_module("__main__", alter_argv=False)


_NOTE, _FOLDER, _BEGIN, _BUNDLE = sys.argv[1:5]
sys.argv[:] = sys.argv[4:]
_prepare(_NOTE, _FOLDER, _BUNDLE)
_start(_BEGIN, sys.argv[1:])
