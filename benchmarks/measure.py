"""Fresh interpreters, one run after another, so that whatever disturbs the machine disturbs all variants alike.

A *round* runs every variant once, in turns forwards and backwards; what is compared later is always of one round.
CPU time stands beside wall time: on a busy machine only the first is worth much.

Not pyperf: it measures one variant to the end and then the next, and the speed of a shared machine drifts by more in
between than the variants differ.  The ratio of two such runs says nothing; that of neighbours does.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .figures import Cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Variant = Callable[[int], Cost]

PROBES = Path(__file__).with_name("probes")


class RunError(Exception):
    """An interpreter that was to be measured failed."""


def environment(**variables: str) -> dict[str, str]:
    """Return the environment without what changes an interpreter's behaviour, and with *variables*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BUNDLEIMP_", "COV_"))}
    return kept | variables


def interleave(variants: Mapping[str, Variant], rounds: int) -> dict[str, list[Cost]]:
    """Return the costs of *rounds* rounds over the *variants*, by variant.

    A variant is called with the number of the round.  One round more runs first, and is not counted: it warms the page
    cache.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name in sorted(variants, reverse=bool(number % 2)):
            cost = variants[name](number)
            if number:
                costs[name].append(cost)
    return costs


def whole_process(arguments: Sequence[str], variables: Mapping[str, str]) -> Cost:
    """Run a process to its end and return what it cost from its start on.

    Raises:
        RunError: it failed.

    """
    quiet = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    started = time.perf_counter()
    pid = os.posix_spawn(arguments[0], list(arguments), dict(variables), file_actions=[quiet])
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    if status:
        message = f"{' '.join(arguments)}: exit status {os.waitstatus_to_exitcode(status)}"
        raise RunError(message)
    return Cost(usage.ru_utime + usage.ru_stime, wall)


def prepare(doing: str, *command: str | Path) -> None:
    """Run a process that is not measured.

    Raises:
        RunError: it failed, at *doing*.

    """
    result = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if result.returncode:
        message = f"{doing}: exit status {result.returncode}\n{result.stdout}{result.stderr}"
        raise RunError(message)


def run_probe(interpreter: Path, script: str, arguments: Sequence[str], variables: Mapping[str, str]) -> dict[str, Any]:
    """Run a script of `probes`, and return the JSON object that it prints.

    Raises:
        RunError: it failed.

    """
    # -P: the script's own folder is no path entry.
    command = [str(interpreter), "-P", str(PROBES / script), *arguments]
    result = subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=False)
    if result.returncode or result.stderr:
        message = f"{' '.join(command)}: exit status {result.returncode}\n{result.stderr}"
        raise RunError(message)
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def _in_round(number: int, variables: Mapping[str, str]) -> dict[str, str]:
    # The order of sets is the same for all variants of a round, and another one in the next.
    return environment(PYTHONHASHSEED=str(number), **variables)


class Process:
    """A variant that is a whole process, with an environment of its own."""

    def __init__(self, *command: str | Path, **variables: str) -> None:
        self._command = list(map(str, command))
        self._variables = variables

    def __call__(self, number: int) -> Cost:
        """Run the process in round *number*."""
        return whole_process(self._command, _in_round(number, self._variables))


class Probe:
    """A variant that is a script of `probes`, which measures itself; it keeps what the script reported."""

    def __init__(self, python: Path, cache: Path, script: str, *arguments: str | Path) -> None:
        self._python = python
        self._variables = {"BUNDLEIMP_CACHE_DIR": str(cache)}
        self._script = script
        self._arguments = list(map(str, arguments))
        self.reports: list[dict[str, Any]] = []

    def __call__(self, number: int) -> Cost:
        """Run the script in a fresh interpreter, in round *number*."""
        report = run_probe(self._python, self._script, self._arguments, _in_round(number, self._variables))
        self.reports.append(report)
        return Cost(report["cpu"], report["wall"])
