"""Shorter runs of the tests.  `.ci/run` runs all of them in full on the oldest Python only.

BUNDLEIMP_TESTS=sparse, for the newest Python: all tests are run.  Those that try many examples or damaged bytes try a
fifth of them (`sparse`): they are about bytes, which all Pythons read alike.

BUNDLEIMP_TESTS=brief, for the Pythons between (in Pyodide it is always so): sparse, and
- some files are left out (`ONCE`);
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
    *("benchmarks", "cache_accidents", "cacheentries", "cli", "cli_cache", "cli_diff", "cli_extract"),
    *("cli_inspection", "cli_pack", "cli_sign", "cli_unpack", "compatibility", "damage", "distinfo"),
    *("distribution", "docs", "format", "fuzz"),
    *("hostile_archives", "inspection_limits", "interruptions", "pack", "pack_failures", "pack_inputs"),
    *("pack_bundles", "pack_installers", "pack_project", "pack_scripts", "pack_settings"),
    *(
        "cli_errors",
        "directory_entries",
        "entry_points",
        "info_sizes",
        "pack_left_out",
        "pack_path_files",
        "real_targets",
        "report",
        "report_browser",
        "servers",
    ),
    *("pack_killed", "pack_large", "pack_options", "pack_output", "pack_profile", "pack_reproducible"),
    *("pack_sources", "permissions", "protections", "readme", "real_packages", "rewriting", "signatures"),
    *("site_tables", "sites", "units", "verify", "verify_index", "zip_confusion", "zipdirectory"),
)
"""The files of tests for the oldest and the newest only.

They are about bytes of files, packing, subcommands, the operating system, or many real packages at once.
"""
SHARE = 3 if sys.platform == "emscripten" else 6  # in Pyodide, few files are run
BRIEF = os.environ.get("BUNDLEIMP_TESTS") == "brief" or sys.platform == "emscripten"
SPARSE = BRIEF or os.environ.get("BUNDLEIMP_TESTS") == "sparse"


def sparse(step: int = 1) -> int:
    """Return how far apart the places to be tried are, if a full run tries every *step*-th."""
    return 5 * step if SPARSE else step


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
