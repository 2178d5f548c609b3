"""What some platforms lack, as marks: tests that need it are skipped there, with the reason."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

import pytest

_BROWSER = sys.platform == "emscripten"

needs_processes = pytest.mark.skipif(_BROWSER, reason="needs processes, which Emscripten has not")
needs_threads = pytest.mark.skipif(_BROWSER, reason="needs threads, which Emscripten has not")
needs_interpreters = pytest.mark.skipif(
    _BROWSER or not any(map(importlib.util.find_spec, ("_interpreters", "_xxsubinterpreters"))),
    reason="needs interpreters beside the main one",
)
needs_own_descriptors = pytest.mark.skipif(_BROWSER, reason="needs descriptors of its own, not those of the tests")
needs_limits = pytest.mark.skipif(_BROWSER, reason="needs limits of resources, which Emscripten has not")
needs_terminals = pytest.mark.skipif(_BROWSER, reason="needs terminals, which Emscripten has not")
needs_deep_stack = pytest.mark.skipif(_BROWSER, reason="recursion this deep, which raises elsewhere, ends Pyodide")
needs_raw_names = pytest.mark.skipif(
    sys.platform in {"win32", "darwin", "emscripten"}, reason="file names are always text there"
)
needs_ssh_keygen = pytest.mark.skipif(
    os.name != "posix" or shutil.which("ssh-keygen") is None,
    reason="needs ssh-keygen, which makes and checks signatures",
)
