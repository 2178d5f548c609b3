"""Whether the tests run briefly: on the further Pythons of a machine where one has run all of them.

`.ci/run` has it so from the second Python on, and in Pyodide it is always so.  Each test runs, but
- properties are tried with a fifth of the examples: what they are about is bytes, which no Python reads in its own way;
- of what runs over several kinds of path entry, it runs over flat bundles, and over those without source (3.12, 3.15)
  or without bytecode (3.13, 3.14): the others differ in where their bytes come from, which no Python sees;
- of what one Python packs for each of several others, it runs for this one.
What is only about the bytes of files, about command lines, or about what an operating system does to a process, is left
to the first Python.
"""

from __future__ import annotations

import os
import sys

ONCE = (
    *("cache_accidents", "cli_cache", "cli_diff", "cli_extract", "cli_inspection", "cli_sign", "cli_unpack"),
    *("damage", "format", "fuzz", "hostile_archives", "inspection_limits", "interruptions", "pack_inputs"),
    *("pack_killed", "pack_output", "pack_profile", "pack_sources", "protections", "rewriting", "signatures"),
    *("units", "verify", "verify_index", "zip_confusion", "zipdirectory"),
)
"""The files of tests that are left to it."""
BRIEF = os.environ.get("BUNDLEIMP_TESTS") == "brief" or sys.platform == "emscripten"
KINDS = {
    "nested": "flat",
    "nested bundle": "flat bundle",
    "plain zip": "flat bundle",
    "bundle without bytecode" if sys.version_info[:2] in {(3, 12), (3, 15)} else "bundle without source": "flat bundle",
}
"""What is left out of a test, and which of the same test is not."""
