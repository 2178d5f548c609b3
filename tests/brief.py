"""Brief runs of the tests, for the Pythons between the oldest and the newest, and for Pyodide.

`.ci/run` sets BUNDLEIMP_TESTS=brief for them; in Pyodide it is always so.  Some files are left out (`ONCE`).  Of the
others each test is run, but
- properties are tried with a fifth of the examples: they are about bytes, which all Pythons read alike;
- each Python runs a sixth of the sets of parameters that a test has, at least one, and the next Python another sixth
  (in Pyodide a third).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

ONCE = (
    *("cache_accidents", "cli_cache", "cli_diff", "cli_extract", "cli_inspection", "cli_sign", "cli_unpack"),
    *("damage", "format", "fuzz", "hostile_archives", "inspection_limits", "interruptions", "pack_inputs"),
    *("pack_killed", "pack_profile", "pack_reproducible", "pack_sources", "protections", "rewriting", "signatures"),
    *("units", "verify", "verify_index", "zip_confusion", "zipdirectory"),
)
"""The files of tests for the oldest and the newest only: about bytes of files, subcommands, or the operating system."""
SHARE = 3 if sys.platform == "emscripten" else 6  # in Pyodide, few files are run
BRIEF = os.environ.get("BUNDLEIMP_TESTS") == "brief" or sys.platform == "emscripten"


def shared_out(items: Sequence[pytest.Item], version: int = sys.version_info[1]) -> list[pytest.Item]:
    """Return those of *items* that are run on Python 3.*version*: one part in `SHARE` of each test."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = []
    for test in tests.values():
        # Not every sixth, which might be those that have one parameter in common.
        own = [item for place, item in enumerate(test) if (place + place // SHARE - version) % SHARE == 0]
        kept += own or [test[version % len(test)]]
    return kept
