"""Whether the tests run briefly: on the further Pythons of a machine where one has run all of them.

`.ci/run` has it so from the second Python on, and in Pyodide it is always so.  Each test runs, but
- properties are tried with a fifth of the examples: what they are about is bytes, which no Python reads in its own way;
- of what runs over both layouts, it runs over flat bundles: nested ones differ in the offsets that their index has;
- of what one Python packs for each of several others, it runs for this one.
What is only about the bytes of files, or about what an operating system does to a process, is left to the first Python.
"""

from __future__ import annotations

import os
import sys

ONCE = (
    *("cache_accidents", "cli_cache", "damage", "format", "fuzz", "hostile_archives", "inspection_limits"),
    *("pack_killed", "pack_sources", "protections", "rewriting", "units", "verify", "verify_index", "zip_confusion"),
    "zipdirectory",
)
"""The files of tests that are left to it."""
BRIEF = os.environ.get("BUNDLEIMP_TESTS") == "brief" or sys.platform == "emscripten"
