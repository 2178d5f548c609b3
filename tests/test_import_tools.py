"""Tools that look at modules find in a bundle what they find in a directory."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from .builders import make_tree, run_python
from .places import (
    DIRECTORY,
    FLAT,
    NESTED,
    Places,
    in_each_and_mounted,
    in_each_with_source,
    in_each_with_source_and_mounted,
    lay_out,
)

if TYPE_CHECKING:
    from pathlib import Path

    from .builders import Tree

MODULE = '''\
"""A module."""

import functools


# Says what outer does.
def outer(number):
    """Return a closure."""
    def inner():
        return number + 1
    return inner


class Kind:
    # Inside.
    def method(self):
        return [
            self,
        ]


@functools.wraps(outer)
def wrapped(number):
    return outer(number)


short = lambda: 1
'''
BRANCHES = """\
def choose(number):
    if number:
        return 'some'
    return 'none'


def never():
    for _ in range(3):
        pass
"""
EXAMPLES = '''\
"""Examples.

>>> double(2)
4
"""


def double(number):
    """Return the double.

    >>> double(3)
    6
    >>> double(4)
    9
    """
    return 2 * number
'''
PLUGIN = """\
import pytest


@pytest.fixture
def answer():
    return 42


def pytest_report_header():
    return 'bundled plugin'
"""
TREE: Tree = {
    "pkg/__init__.py": '"""A package."""\n\nfrom .mod import outer\n',
    "pkg/mod.py": MODULE,
    "pkg/__main__.py": "from pkg.mod import outer\nfrom pkg import branches\n\nprint(outer(1)(), branches.choose(1))\n",
    "pkg/branches.py": BRANCHES,
    "pkg/examples.py": EXAMPLES,
    "pkg/checks.py": "def check_equal(one, other):\n    assert one == other\n",
    "bundled_plugin.py": PLUGIN,
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("tools"), TREE)


@in_each_and_mounted
def test_inspect_finds_source_files_and_modules(places: Places, kind: str) -> None:
    probe = """
    import inspect
    import pkg, pkg.mod
    things = [pkg, pkg.mod, pkg.outer, pkg.outer(1), pkg.mod.Kind, pkg.mod.Kind.method, pkg.mod.wrapped, pkg.mod.short]
    result = []
    for thing in things + [pkg.outer.__code__]:
        answers = []
        for function in (
            inspect.getsource, inspect.getsourcefile, inspect.getfile, inspect.getmodule, inspect.getsourcelines,
            inspect.getcomments, inspect.getdoc, inspect.getabsfile,
        ):
            try:
                answer = function(thing)
            except (OSError, TypeError) as error:
                answer = [type(error).__name__, str(error)]
            answers.append(getattr(answer, "__name__", answer))
        result.append(answers)
    """
    places.as_in_directory(kind, probe)


@in_each_with_source_and_mounted
@pytest.mark.parametrize("order", ["import linecache, pkg.mod", "import pkg.mod, linecache"])
def test_linecache_gives_lines_by_file_name_alone(places: Places, kind: str, order: str) -> None:
    probe = f"""
    import sys
    early = "linecache" in sys.modules
    {order}
    result = [early]
    path = pkg.mod.__file__
    result.append([linecache.getline(path, number) for number in (0, 1, 7, 99)])
    linecache.checkcache()
    result.append(linecache.getline(path, 7))
    linecache.checkcache(path)
    result.append([len(linecache.getlines(path)), len(linecache.getlines(path, vars(pkg.mod)))])
    linecache.clearcache()
    result.append(linecache.getline(path, 7, vars(pkg.mod)))
    result.append(linecache.getline(pkg.__path__[0] + "/missing.py", 1))
    """
    assert places.as_in_directory(kind, probe)[2] == "def outer(number):\n"


@in_each_with_source_and_mounted
@pytest.mark.parametrize("clear", [True, False])
def test_linecache_gives_the_files_own_lines_whatever_globals_it_is_given(
    places: Places, kind: str, clear: bool
) -> None:
    """As pdb does, which gives those of the frame that it stands in."""
    probe = f"""
    import linecache
    import pkg.mod, pkg.branches
    if {clear}:
        linecache.clearcache()
    result = [linecache.getline(pkg.mod.__file__, 7, vars(pkg.branches)), linecache.getline(pkg.mod.__file__, 7)]
    """
    assert places.as_in_directory(kind, probe) == ["def outer(number):\n"] * 2


@in_each_with_source_and_mounted
def test_linecache_finds_lines_by_file_name_after_it_was_cleared(places: Places, kind: str) -> None:
    probe = """
    import linecache
    import pkg.mod
    linecache.clearcache()
    result = linecache.getline(pkg.mod.__file__, 7)
    """
    assert places.as_in_directory(kind, probe) == "def outer(number):\n"


@in_each_with_source_and_mounted
def test_linecache_finds_lines_where_the_module_was_replaced_in_the_module_table(places: Places, kind: str) -> None:
    probe = """
    import sys
    import pkg.mod
    path = pkg.mod.__file__
    del sys.modules["pkg.mod"], pkg.mod
    import linecache
    result = linecache.getline(path, 7)
    """
    assert places.as_in_directory(kind, probe) == "def outer(number):\n"


@in_each_with_source_and_mounted
def test_doctest_runs_examples_and_reports_failures(places: Places, kind: str) -> None:
    probe = """
    import contextlib, doctest, io
    import pkg.examples
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        outcome = doctest.testmod(pkg.examples)
    tests = doctest.DocTestFinder().find(pkg.examples)
    result = [list(outcome)[:2], printed.getvalue(), [[test.name, test.filename, test.lineno] for test in tests]]
    """
    known = places.as_in_directory(kind, probe)
    assert known[0] == [1, 3]
    assert 'File "<place>/pkg/examples.py", line 13' in known[1]


PDB_SESSIONS = {
    "breakpoint at a function": ("import pkg.mod", "b pkg.mod.outer", "c", "l", "ll", "w", "p number", "s", "q"),
    "breakpoint at a line": (
        "import pkg.branches",
        "tbreak pkg.branches.choose",
        "c",
        "b 4",
        "b",
        "u",
        "l",
        "d",
        "n",
        "w",
        "q",
    ),
    "source of an object": ("import pkg.mod", "source pkg.mod.Kind", "whatis pkg.mod.outer", "q"),
}


@in_each_with_source_and_mounted
@pytest.mark.parametrize("session", PDB_SESSIONS)
@pytest.mark.parametrize("main", ["script", "module"])
def test_pdb_stops_in_bundled_code_and_lists_it(places: Places, kind: str, session: str, main: str) -> None:
    """Breakpoints at ``FILE:LINE`` are left out: pdb asks the file system whether there is such a file."""
    script = str(places.laboratory.probe_file("import pkg.branches\npkg.outer(1)()\npkg.branches.choose(0)\n"))
    options = [part for command in PDB_SESSIONS[session] for part in ("-c", command)]
    target = [script] if main == "script" else ["-m", "pkg"]
    outcome = places.runs_as_in_directory(kind, "-m", "pdb", *options, *target)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert "***" not in outcome.stdout


@in_each_with_source_and_mounted
def test_post_mortem_lists_bundled_code(places: Places, kind: str) -> None:
    script = str(places.laboratory.probe_file("import pkg.mod\npkg.mod.outer(None)()\n"))
    outcome = places.runs_as_in_directory(kind, "-m", "pdb", "-c", "c", "-c", "l", "-c", "q", "-c", "q", script)
    assert "->\t        return number + 1" in outcome.stdout


RUN = "import pkg.branches\nprint(pkg.outer(1)(), pkg.branches.choose(1))\n"
MEASURED = """
import json, sys
import coverage
data = coverage.CoverageData(sys.argv[1])
data.read()
paths = sorted(data.measured_files())
print(json.dumps([[path, sorted(data.lines(path)), sorted(data.arcs(path) or [])] for path in paths]))
"""


@in_each_with_source_and_mounted
@pytest.mark.parametrize("options", [("--source=pkg",), ("--branch", "--source=pkg"), ("--include=*/pkg/*",)])
def test_coverage_measures_the_same_lines_and_branches(
    places: Places, kind: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    laboratory = places.laboratory
    found = []
    for place in (DIRECTORY, kind):
        data = tmp_path / place
        command = ["-m", "coverage", "run", f"--data-file={data}", *options, str(laboratory.probe_file(RUN))]
        run = places.run(place, *command)
        assert (run.status, run.stdout, run.stderr) == (0, "2 some\n", "")
        measured = places.run(place, str(laboratory.probe_file(MEASURED)), str(data))
        # Of a directory, the files that were never imported are known too: coverage walks real ones.
        found.append([entry for entry in json.loads(measured.stdout) if entry[1]])
    assert found[0] == found[1]
    assert [entry[0] for entry in found[1]] == [f"<place>/pkg/{name}.py" for name in ("__init__", "branches", "mod")]
    assert found[1][1][1] == [1, 2, 3, 7]


@in_each_with_source
def test_coverage_reports_the_same_counts_once_combined_with_the_sources(
    places: Places, kind: str, tmp_path: Path
) -> None:
    """Coverage reads sources from files (or zips of five suffixes) alone, so it is told where they are: ``[paths]``."""
    sources = places.path(DIRECTORY)
    reports = []
    for place in (DIRECTORY, kind):
        folder = tmp_path / place
        paths = f"[run]\ndata_file = {folder / 'data'}\n[paths]\nsame =\n  {sources}\n  {places.path(place)}\n"
        make_tree(folder, {"rc": paths})
        rc, raw, report = f"--rcfile={folder / 'rc'}", str(folder / "raw"), folder / "report.json"
        for command in (
            ["run", rc, f"--data-file={raw}", "--include=*/pkg/*", str(places.laboratory.probe_file(RUN))],
            ["combine", rc, raw],
            ["json", rc, "-o", str(report)],
        ):
            outcome = places.run(place, "-m", "coverage", *command)
            assert outcome.status == 0, outcome
        files = json.loads(report.read_text())["files"]
        reports.append({name.rpartition("pkg/")[2]: facts["summary"] for name, facts in files.items()})
    assert reports[0] == reports[1]
    assert set(reports[0]) == {"__init__.py", "branches.py", "mod.py"}


@in_each_with_source_and_mounted
def test_pytest_runs_tests_that_use_bundled_helpers_and_plugins(places: Places, kind: str, tmp_path: Path) -> None:
    """Assertions in the bundle are not rewritten (pytest rewrites files), but they fail, and their line is shown."""
    test = (
        "import pytest\npytest.register_assert_rewrite('pkg.checks')\nfrom pkg.checks import check_equal\n\n"
        "def test_right(answer):\n    check_equal(answer, 42)\n\ndef test_wrong(answer):\n    check_equal(answer, 43)\n"
    )
    folder = make_tree(tmp_path, {"test_it.py": test})
    shown = []
    for place in (DIRECTORY, kind):
        command = ["-m", "pytest", "-p", "no:cacheprovider", "-p", "bundled_plugin", "-W", "error", "-rA", str(folder)]
        outcome = places.run(place, *command)
        lines = outcome.stdout.splitlines()
        results = [line.partition(" - ")[0].split("/")[-1] for line in lines if line.startswith(("PASSED", "FAILED"))]
        source = [line for line in lines if line.split() == [">", "assert", "one", "==", "other"]]
        shown.append([outcome.status, outcome.stderr, "bundled plugin" in lines, results, source])
    assert shown[0] == shown[1]
    assert shown[1][3] == ["test_it.py::test_right", "test_it.py::test_wrong"]


@in_each_with_source_and_mounted
def test_trace_counts_lines_of_bundled_code(places: Places, kind: str) -> None:
    probe = """
    import trace
    import pkg.branches
    tracer = trace.Trace(count=True, trace=False)
    tracer.runfunc(pkg.branches.choose, 0)
    result = sorted([path, line, count] for (path, line), count in tracer.results().counts.items())
    """
    assert places.as_in_directory(kind, probe) == [["<place>/pkg/branches.py", 2, 1], ["<place>/pkg/branches.py", 4, 1]]


@in_each_with_source_and_mounted
def test_profiles_name_bundled_files(places: Places, kind: str) -> None:
    probe = """
    import cProfile, pstats
    import pkg.branches
    profile = cProfile.Profile()
    profile.runcall(pkg.branches.choose, 1)
    result = sorted(list(key) for key in pstats.Stats(profile).stats if "pkg" in key[0])
    """
    assert places.as_in_directory(kind, probe) == [["<place>/pkg/branches.py", 1, "choose"]]


@pytest.mark.skipif(sys.version_info < (3, 15), reason="Python 3.15 has this profiler")
@pytest.mark.parametrize("kind", [FLAT, NESTED])
def test_the_sampling_profiler_shows_the_source_of_bundled_code(tmp_path: Path, kind: str) -> None:
    tree = {"pkg/__init__.py": "", "pkg/busy.py": "for number in range(5_000_000):\n    the_sum = number + 1\n"}
    place = lay_out(kind, tmp_path / "place", tree)
    page = tmp_path / "page.html"
    options = ("-m", "profiling.sampling", "run", "--flamegraph", "-o", str(page))
    run_python(*options, "-m", "pkg.busy", path=[place], BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    assert "the_sum = number + 1" in page.read_text(encoding="utf-8")


@in_each_with_source_and_mounted
@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is there from 3.12 on")
def test_monitoring_sees_the_lines_of_bundled_code(places: Places, kind: str) -> None:
    probe = """
    import sys
    import pkg.branches
    result, tool = [], sys.monitoring.COVERAGE_ID
    sys.monitoring.use_tool_id(tool, "probe")
    sys.monitoring.register_callback(
        tool, sys.monitoring.events.LINE, lambda code, line: result.append([code.co_filename, line])
    )
    sys.monitoring.set_local_events(tool, pkg.branches.choose.__code__, sys.monitoring.events.LINE)
    pkg.branches.choose(1)
    """
    assert places.as_in_directory(kind, probe) == [["<place>/pkg/branches.py", 2], ["<place>/pkg/branches.py", 3]]
