"""Compiles modules in the interpreter whose bytecode is wanted.  Imports nothing of ours but `laziness`.

It is one process of `compiler`, and runs as a script; where there are no processes, `compiler` calls it.  The script
says who it is in one line of JSON.  A request is a line ``OPTIMIZE COUNT``, and for each module a line ``NAME_SIZE
SOURCE_SIZE`` and the two texts; the answers are, for each, a line ``ok SIZE`` or ``error SIZE`` and a pyc image or a
message.  A request is read to its end before the first answer, so that neither side waits for the other to read.

The script may have an argument, the rules of `laziness.marked` in JSON.  Imports are then lazy where they can be, and
each pyc image is followed by a line ``SIZE`` and by the imports that `laziness.marked` returns, in JSON.
"""

import gc
import marshal
import os
import sys
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LAZY_FROM = (3, 15)
"""The first version of Python that has lazy imports (PEP 810)."""
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def _hold_strings(value: object, held: list) -> None:  # type: ignore[type-arg]
    if isinstance(value, str):
        # Of a string with at most one character of Latin-1, the process has one object; others may have interned it.
        held.append(sys.intern(value) if len(value) < 2 and value < "\u0100" else value)  # noqa: PLR2004
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            _hold_strings(item, held)
    elif isinstance(value, slice):  # a constant from 3.14 on
        _hold_strings((value.start, value.stop, value.step), held)
    elif isinstance(value, CodeType):
        for item in (
            *(value.co_consts, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars),
            *(value.co_name, value.co_filename, value.co_qualname),
        ):
            _hold_strings(item, held)


def _with_one_name(code: CodeType) -> CodeType:
    """Return *code* with one object for the qualified name of a class in it: that of its code and the constant there.

    The compiler makes one, too, but interns the former: where the process has that string already, there are two.
    """
    own = code.co_qualname
    names = "." in own and own in code.co_consts
    constants = tuple(
        _with_one_name(item) if isinstance(item, CodeType) else own if names and item == own else item
        for item in code.co_consts
    )
    # Whether or not there are two: what is replaced has fewer objects in common, and the bytes must not tell.
    changed = names or any(new is not old for new, old in zip(constants, code.co_consts, strict=True))
    return code.replace(co_consts=constants) if changed else code


def image(source: bytes, name: str, optimize: int, tree: object = None) -> bytes:
    """Return the pyc image of *source*: unchecked hash-based (PEP 552), the same bytes in every process.

    *tree* is the syntax tree to compile, with lazy imports.  None: compile the source.

    ``marshal`` marks what is referenced more than once, and an interned string is also referenced by whoever else in
    the process has the same one.  While all strings are held here, all are marked, whatever came before.  It also marks
    interned strings, and the name may be one where it comes from a path: what was just decoded is none.
    """
    compiled: Any = source if tree is None else tree
    code = _with_one_name(compile(compiled, name.encode().decode(), "exec", dont_inherit=True, optimize=optimize))
    held: list = []  # type: ignore[type-arg]
    _hold_strings(code, held)
    return MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)


def describe(error: BaseException) -> str:
    """Return in words what the compiler said of a module."""
    line = getattr(error, "lineno", None)
    text = getattr(error, "msg", None) or str(error) or type(error).__name__
    return f"line {line}: {text}" if line else text


def greeting() -> str:
    """Return one line of JSON that says which interpreter this is."""
    version = ".".join(map(str, sys.version_info[:3]))
    tag = sys.implementation.cache_tag or ""
    return f'{{"tag": "{tag}", "magic": "{MAGIC_NUMBER.hex()}", "version": "{version}"}}\n'


def _marked_by(text: str) -> "Callable[[bytes, str], tuple[Any, bytes]]":
    """Return `laziness.marked` with the rules in *text*, for a source and a name.  It returns the imports in JSON."""
    import json  # noqa: PLC0415 (only for lazy imports)
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415 (only for lazy imports)

    spec: Any = spec_from_file_location("laziness", os.path.join(os.path.dirname(__file__), "laziness.py"))
    laziness: Any = module_from_spec(spec)
    spec.loader.exec_module(laziness)
    rules = json.loads(text)

    def marked(source: bytes, name: str) -> "tuple[Any, bytes]":
        tree, imports = laziness.marked(source, name, rules)
        return tree, json.dumps(imports).encode()

    return marked


def main() -> None:
    """Serve requests from standard input until it ends."""
    gc.disable()  # compiling leaves no cycles behind
    marked = _marked_by(sys.argv[1]) if sys.argv[1:] and sys.version_info >= LAZY_FROM else None
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    stdout.write(greeting().encode())
    stdout.flush()
    while request := stdin.readline():
        optimize, count = map(int, request.split())
        modules = []
        for _ in range(count):
            name_size, source_size = map(int, stdin.readline().split())
            modules.append((stdin.read(name_size).decode(), stdin.read(source_size)))
        for name, source in modules:
            tree = imports = None
            try:
                if marked is not None:
                    tree, imports = marked(source, name)
                answer, status = image(source, name, optimize, tree), "ok"
            except Exception as error:  # noqa: BLE001 (whatever a compiler may say about somebody's file)
                answer, status = describe(error).encode("utf-8", "backslashreplace"), "error"
            stdout.write(f"{status} {len(answer)}\n".encode() + answer)
            if imports is not None and status == "ok":
                stdout.write(f"{len(imports)}\n".encode() + imports)
            stdout.flush()


if __name__ == "__main__":
    main()
