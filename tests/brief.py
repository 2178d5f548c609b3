"""Shorter runs of the tests.  `.ci/run` runs all of them in full on the oldest Python only.

BUNDLEIMP_TESTS=sparse, for the newest Python:
- tests that try many examples or damaged bytes try a fifth of them (`sparse`), and some files are left out (`BYTES`):
  all Pythons read bytes alike;
- half of the sets of parameters that a test has are run.

BUNDLEIMP_TESTS=brief, for the Pythons between (in Pyodide it is always so):
- as above, but more files are left out (`ONCE`);
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

BYTES = (
    *("cache_accidents", "damage", "format", "fuzz", "hostile_archives", "inspection_limits", "pack_path_files"),
    *("pack_reproducible", "real_targets", "targets", "units", "verify", "verify_program", "zipdirectory"),
)
"""The files of tests for the oldest only: about bytes of files, or about several Pythons at once."""
ONCE = (
    *BYTES,
    *("benchmarks", "cacheentries", "clean_builds", "cli", "cli_cache", "cli_diff", "cli_extract", "cli_fetch"),
    *("cli_inspection", "cli_pack", "cli_sign", "cli_unpack", "compatibility", "distinfo"),
    *("distribution", "docs"),
    *("interruptions", "lazy_programs", "pack", "pack_failures", "pack_inputs"),
    *("pack_bundles", "pack_installers", "pack_project", "pack_scripts", "pack_settings"),
    *("cli_errors", "directory_entries", "entry_points", "info_sizes", "pack_left_out", "report", "report_browser"),
    *("color", "examples", "pack_phases", "progress", "servers", "shell_completion"),
    *("pack_killed", "pack_large", "pack_missing", "pack_options", "pack_output", "pack_profile"),
    *("pack_sources", "permissions", "protections", "ray", "readme", "real_files_kept", "real_packages"),
    *("real_scripts", "rewriting", "signatures", "site_tables", "sites", "verify_index", "zip_confusion"),
)
"""The files of tests for the oldest and the newest only.

They are about bytes of files, packing, subcommands, the operating system, or many real packages at once.
"""
BRIEF = os.environ.get("BUNDLEIMP_TESTS") == "brief" or sys.platform == "emscripten"
SPARSE = BRIEF or os.environ.get("BUNDLEIMP_TESTS") == "sparse"
LEFT_OUT = ONCE if BRIEF else BYTES if SPARSE else ()
SHARE = 3 if sys.platform == "emscripten" else 6 if BRIEF else 2 if SPARSE else 1  # in Pyodide, few files are run


def sparse(step: int = 1) -> int:
    """Return how far apart the places to be tried are, if a full run tries every *step*-th."""
    return 5 * step if SPARSE else step


def shared_out(
    items: Sequence[pytest.Item], version: int = sys.version_info[1], share: int = SHARE
) -> list[pytest.Item]:
    """Return those of *items* that are run on Python 3.*version*: one part in *share* of each test."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = []
    for test in tests.values():
        # Not every second or sixth, which might be those that have one parameter in common.
        own = [item for place, item in enumerate(test) if (place + place // share - version) % share == 0]
        kept += own or [test[version % len(test)]]
    return kept
