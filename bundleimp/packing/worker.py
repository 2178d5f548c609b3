"""Compiles modules in the interpreter whose bytecode is wanted.  Runs as a script of its own, imports nothing of ours.

It says who it is in one line of JSON; then for each request, a line ``OPTIMIZE NAME_SIZE SOURCE_SIZE`` and the two
texts, it answers with a line ``ok SIZE`` or ``error SIZE`` and a pyc image or a message.
"""

import marshal
import sys
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType

_UNCHECKED_HASH = (1).to_bytes(4, "little")


def _hold_strings(value: object, held: list) -> None:  # type: ignore[type-arg]
    if isinstance(value, str):
        held.append(value)
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            _hold_strings(item, held)
    elif isinstance(value, CodeType):
        for item in (
            *(value.co_consts, value.co_names, value.co_varnames, value.co_freevars, value.co_cellvars),
            *(value.co_name, value.co_filename, value.co_qualname),
        ):
            _hold_strings(item, held)


def image(source: bytes, name: str, optimize: int) -> bytes:
    """Return the pyc image of *source*: unchecked hash-based (PEP 552), the same bytes in every process.

    ``marshal`` marks what is referenced more than once, and an interned string is also referenced by whoever else in
    the process has the same one.  While all strings are held here, all are marked, whatever came before.
    """
    code = compile(source, name, "exec", dont_inherit=True, optimize=optimize)
    held: list = []  # type: ignore[type-arg]
    _hold_strings(code, held)
    return MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(source) + marshal.dumps(code)


def _describe(error: BaseException) -> str:
    line = getattr(error, "lineno", None)
    text = getattr(error, "msg", None) or str(error) or type(error).__name__
    return f"line {line}: {text}" if line else text


def main() -> None:
    """Serve requests from standard input until it ends."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    version = ".".join(map(str, sys.version_info[:3]))
    tag = sys.implementation.cache_tag or ""
    stdout.write(f'{{"tag": "{tag}", "magic": "{MAGIC_NUMBER.hex()}", "version": "{version}"}}\n'.encode())
    stdout.flush()
    while request := stdin.readline():
        optimize, name_size, source_size = map(int, request.split())
        name = stdin.read(name_size).decode()
        source = stdin.read(source_size)
        try:
            answer, status = image(source, name, optimize), "ok"
        except Exception as error:  # noqa: BLE001 (whatever a compiler may say about somebody's file)
            answer, status = _describe(error).encode("utf-8", "backslashreplace"), "error"
        stdout.write(f"{status} {len(answer)}\n".encode() + answer)
        stdout.flush()


if __name__ == "__main__":
    main()
