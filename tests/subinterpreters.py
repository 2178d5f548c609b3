"""Programs in interpreters beside the main one, in its process (PEP 554, PEP 684).

`SCRIPT` is the beginning of a program that starts them: each version of the standard library has other means for it.
"""

from __future__ import annotations

import pytest

LEGACY, ISOLATED = "legacy", "isolated"
"""Kinds of them: `ISOLATED` ones have a lock of their own, from Python 3.12 on, and refuse some extension modules."""

in_each_interpreter = pytest.mark.parametrize("interpreter", [LEGACY, ISOLATED])

SCRIPT = """
import faulthandler, json, os, sys
faulthandler.dump_traceback_later(120, exit=True)
try:
    import _interpreters
except ImportError:  # before Python 3.13
    import _xxsubinterpreters as _interpreters


class Interpreter:
    def __init__(self, kind):
        if sys.version_info < (3, 13):
            self.id = _interpreters.create(isolated=kind == "isolated")
        else:
            self.id = _interpreters.create(kind)

    def run(self, text):
        "Run *text*, which must not raise."
        fault = _interpreters.run_string(self.id, text)  # older ones raise it
        if fault is not None:
            raise RuntimeError(fault.errdisplay)

    def ask(self, text):
        "Run *text*, and return what it leaves in ``result``."
        reading, writing = os.pipe()
        try:
            self.run(f"{text}\\nimport json, os\\nos.write({writing}, json.dumps(result).encode())\\n")
            return json.loads(os.read(reading, 60000))
        finally:
            os.close(reading)
            os.close(writing)

    def end(self):
        _interpreters.destroy(self.id)


def ask_another(kind, text):
    "Return what *text* leaves in ``result`` in a new interpreter, which then ends."
    interpreter = Interpreter(kind)
    try:
        return interpreter.ask(text)
    finally:
        interpreter.end()


def open_descriptors():
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found
"""
