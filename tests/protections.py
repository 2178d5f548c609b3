"""What protects from damage, attack and accident, and whether a test notices when a protection is taken out.

``protections.toml`` lists the protections.  ``python -m tests.protections`` takes each out of a copy of the project and
runs the tests that must fail then; words behind it choose by promise or file, and ``--write`` renews the page of the
documentation that lists them.  The copy has an environment of its own: the interpreters that the tests start import
from it, too.
"""

from __future__ import annotations

import argparse
import ast
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .builders import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TESTS = Path(__file__).parent
PROJECT = TESTS.parent
PACKAGE = "bundleimp"
PAGE = PROJECT / "docs" / "assurance" / "protections.md"
_BEGIN, _END = "<!-- protections: python -m tests.protections --write -->\n", "<!-- end of protections -->\n"
_LONGEST, _HANGS = 180, 20  # seconds, for tests that fail and for those that do not end
_LONGEST_REASON = 200
_ENDLESS = -1  # in the place of an exit status
_TESTS_FAILED = 1  # pytest's exit status; what cannot be collected or run has another one


@functools.cache
def _text(file: str) -> str:
    return (PROJECT / PACKAGE / file).read_text("utf-8")


@functools.cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@dataclass(frozen=True)
class Protection:
    """A piece of code that keeps a promise.

    Attributes:
        row: the case that it is for: a key of `Protections.rows`.
        promise: what holds because of it.
        file: where it stands, below the package.
        remove: its text there, which stands there once.
        put: what is there without it.
        tests: those that fail without it: ``test_file.py::test_name``, with a parameter where only that one shows it.
        hangs: whether they do not end then, in the place of failing.

    """

    row: str
    promise: str
    file: str
    remove: str
    put: str
    tests: tuple[str, ...]
    hangs: bool = False

    @property
    def source(self) -> str:
        """The text of the file that it stands in."""
        return _text(self.file)

    @property
    def changed(self) -> str:
        """The text of that file without it."""
        return self.source.replace(self.remove, self.put)

    @property
    def place(self) -> str:
        """The file and the function that it stands in."""
        before, found, _ = self.source.partition(self.remove.strip())
        line = before.count("\n") + 1 if found else 0
        names: list[str] = []
        nodes: list[ast.AST] = [_parsed(self.source)]
        while nodes:
            node = nodes.pop()
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                if not node.lineno <= line <= (node.end_lineno or 0):
                    continue
                names.append(node.name)
            nodes += ast.iter_child_nodes(node)
        return f"{self.file}: {'.'.join(names)}" if names else self.file


@dataclass(frozen=True)
class Protections:
    """All protections, and the cases that they are for, with a text for each."""

    rows: dict[str, str]
    entries: list[Protection]


def load() -> Protections:
    """Return what ``protections.toml`` lists."""
    with (TESTS / "protections.toml").open("rb") as stream:
        table = tomllib.load(stream)
    entries = [Protection(**entry | {"tests": tuple(entry["tests"])}) for entry in table["protection"]]
    return Protections(table["rows"], entries)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def page_table(protections: Protections) -> str:
    """Return the part of the page that lists the protections, by the cases that they are for."""
    parts = []
    for row, text in protections.rows.items():
        parts.append(f"\n## {text}\n\n| promise | protection | the test that fails without it |\n| --- | --- | --- |\n")
        for one in protections.entries:
            if one.row == row:
                tests = ", ".join(f"`{_cell(test.replace('.py::', ': '))}`" for test in one.tests)
                parts.append(f"| {_cell(one.promise)} | `{one.place}` | {tests} |\n")
    return "".join(parts) + "\n"


def page() -> str:
    """Return the page as it has to be."""
    before, begin, rest = PAGE.read_text("utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return before + begin + page_table(load()) + end + after


@dataclass
class Outcome:
    """How a run of tests ended: pytest's exit status, what it printed, and why each test failed that did."""

    status: int
    text: str
    reasons: dict[str, str] = field(default_factory=dict)

    def fails(self, test: str) -> bool:
        """Return whether *test* failed, with whatever parameters."""
        return any(name == test or name.startswith(f"{test}[") for name in self.reasons)

    @property
    def is_skipped(self) -> bool:
        """Whether this platform has none of the tests."""
        return self.status == 0 and " skipped" in self.text and " passed" not in self.text


class Workshop:
    """A copy of the project, and an environment in which it is what is installed."""

    def __init__(self, folder: Path) -> None:
        self._tree = folder / "project"
        shutil.copytree(PROJECT, self._tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "build"))
        venv.create(folder / "venv", symlinks=sys.platform != "win32")
        folders = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
        self._python = Path(sysconfig.get_path("scripts", "venv", folders), Path(sys.executable).name)
        site = Path(sysconfig.get_path("purelib", "venv", folders))
        # A folder that a path file names is not looked through for further path files: our own install does not count.
        others = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        (site / "a_project.pth").write_text("\n".join([str(self._tree), *others, ""]), "utf-8")
        shutil.copy(PROJECT / "bundleimp.pth", site)
        found = self._run("-c", f"import {PACKAGE}; print({PACKAGE}.__file__)", cwd=folder).stdout.strip()
        if found != str(self._tree / PACKAGE / "__init__.py"):
            message = f"the tests would import {found}"
            raise RuntimeError(message)

    def _run(self, *arguments: str, cwd: Path, limit: float | None = _LONGEST) -> subprocess.CompletedProcess[str]:
        with subprocess.Popen(
            [self._python, *arguments],
            cwd=cwd,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                text, _ = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # what the tests have started, too
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, text)

    def write(self, file: str, text: str) -> None:
        """Write a file of the package, and forget what was compiled of it."""
        path = self._tree / PACKAGE / file
        path.write_text(text, "utf-8")
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)

    def test(self, tests: Sequence[str], limit: float | None = None) -> Outcome:
        """Run *tests*, for at most *limit* seconds where there is one."""
        options = ("-vv", "-rf", "--tb=no", "--no-header", "-p", "no:cacheprovider")
        try:
            result = self._run(
                "-m", "pytest", *options, *(f"tests/{test}" for test in tests), cwd=self._tree, limit=limit
            )
        except subprocess.TimeoutExpired:
            return Outcome(_ENDLESS, "the tests do not end")
        outcome = Outcome(result.returncode, result.stdout)
        for line in result.stdout.partition("short test summary info")[2].splitlines():
            if line.startswith("FAILED tests/"):
                name, _, reason = line.removeprefix("FAILED tests/").partition(" - ")
                outcome.reasons[name] = reason[:_LONGEST_REASON]
        return outcome

    def without(self, protection: Protection) -> Outcome:
        """Run the tests of a protection without it."""
        self.write(protection.file, protection.changed)
        try:
            return self.test(protection.tests, _HANGS if protection.hangs else _LONGEST)
        finally:
            self.write(protection.file, protection.source)


def _judged(protection: Protection, outcome: Outcome) -> str:
    """Return why the *outcome* of tests without the *protection* is not as it has to be; empty where it is."""
    if outcome.is_skipped or (protection.hangs and outcome.status == _ENDLESS):
        return ""
    if outcome.status != _TESTS_FAILED:
        return f"exit status {outcome.status}: {(outcome.text.splitlines() or [''])[-1]}"
    return ", ".join(f"{test} does not fail" for test in protection.tests if not outcome.fails(test))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _tried(chosen: Sequence[Protection], *, verbose: bool) -> Iterator[str]:
    """Take one protection after the other out; yield what goes wrong."""
    with tempfile.TemporaryDirectory(prefix="bundleimp-", ignore_cleanup_errors=True) as scratch:
        workshop = Workshop(Path(scratch).resolve())
        before = workshop.test(list(dict.fromkeys(test for one in chosen for test in one.tests)))
        if before.status:
            _say(before.text)
            yield "with all protections in place, the tests do not pass"
            return
        for one in chosen:
            start = time.monotonic()
            outcome = workshop.without(one)
            fault = _judged(one, outcome)
            word = "UNNOTICED" if fault else "skipped" if outcome.is_skipped else "noticed"
            took = time.monotonic() - start
            _say(f"{word:<9} {took:5.1f} s  {one.place}: {one.promise}{f' ({fault})' if fault else ''}")
            for name, reason in outcome.reasons.items() if verbose else ():
                _say(f"    {name}: {reason}")
            if fault:
                yield one.promise


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status: 1 where something went unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.protections", description=__doc__)
    parser.add_argument("patterns", nargs="*", metavar="PATTERN", help="words of the promise, or the file, of some")
    parser.add_argument("--write", action="store_true", help="renew the page of the documentation, and try nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="say how the tests failed")
    options = parser.parse_args(arguments)
    if options.write:
        PAGE.write_text(page(), "utf-8")
        return 0
    chosen = [
        one
        for one in load().entries
        if not options.patterns or any(word in f"{one.file}\n{one.promise}" for word in options.patterns)
    ]
    start = time.monotonic()
    faults = list(_tried(chosen, verbose=options.verbose))
    _say(f"{len(chosen)} protections, {len(faults)} unnoticed, {time.monotonic() - start:.0f} s")
    return 1 if faults or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
