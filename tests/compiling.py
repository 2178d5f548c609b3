"""C code that tests compile: shared libraries and extension modules."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

_SOURCE = """
#include <Python.h>
{declaration}

static PyObject *value(PyObject *self, PyObject *unused) {{ return PyLong_FromLong({value}); }}
static PyMethodDef methods[] = {{{{"value", value, METH_NOARGS, "A number."}}, {{NULL}}}};
static struct PyModuleDef definition = {{PyModuleDef_HEAD_INIT, "{name}", NULL, {size}, methods}};

PyMODINIT_FUNC PyInit_{name}(void) {{ return {init}; }}
"""


def compiler() -> str:
    """Return a C compiler, or skip."""
    name = str(sysconfig.get_config_var("CC") or "cc").split()[0]
    found = shutil.which(name) or shutil.which("cc") or shutil.which("gcc")
    if found is None or not Path(sysconfig.get_path("include"), "Python.h").is_file() or sys.platform == "win32":
        pytest.skip("there is no C compiler, or Python's headers are missing")
    return found


def compiled(folder: Path, source: str, *options: str) -> bytes:
    """Return the shared library that *source* compiles to."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "source.c"
    text.write_text(source)
    shared = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    include = f"-I{sysconfig.get_path('include')}"
    output = folder / "output.so"
    command = [compiler(), *shared, "-fPIC", "-O0", include, str(text), "-o", str(output), *options]
    subprocess.run(command, check=True, capture_output=True)
    return output.read_bytes()


def extension(
    folder: Path, name: str, value: str = "1", *options: str, declaration: str = "", single_phase: bool = False
) -> bytes:
    """Return a compiled extension module whose function ``value`` gives *value*."""
    init = "PyModule_Create(&definition)" if single_phase else "PyModuleDef_Init(&definition)"
    size = -1 if single_phase else 0
    source = _SOURCE.format(name=name, value=value, declaration=declaration, init=init, size=size)
    return compiled(folder / name, source, *options)
