# ruff: noqa: INP001 (a plug-in, not a package)
"""Plug-in for pytest in Pyodide: a test that fails because it needs processes or threads is counted as skipped.

That not too much is skipped for these reasons, `run` sees to by counting those that passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

# As the standard library says it; a `PackError` of ours, which would be a fault, begins otherwise.
REASONS = (
    "OSError: [Errno 138] emscripten does not support processes",
    "RuntimeError: can't start new thread",
    "ModuleNotFoundError: No module named '_multiprocessing'",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a failure for one of these reasons into a skip that names it."""
    report = yield
    reason = next((reason for reason in REASONS if report.failed and reason in report.longreprtext), None)
    if reason is not None:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), (item.location[1] or 0) + 1, f"Skipped: {reason}")
    return report
