"""The row `programs` of the benchmarks: its pure parts, and the table that shows it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.figures import Spread, Start
from benchmarks.programs import in_both, lines
from benchmarks.results import Measured, Results, as_data, from_data
from benchmarks.shipping import Program, Shipped, ending, files_and_bytes, own_wheel

ONE = Spread(1, 1, 1)
VENV = Start("tool --version", "venv", None, ONE, ONE, 200.0, (300, 12.5), 50_000_000)
BUNDLE = Start(
    *("tool --version", "bundle", 2.5, Spread(1.5, 1.25, 1.75), Spread(0.9, 0.8, 1)),
    *(180.4, (12, 0.5), 40_000_000, "exit 1, 1 line: `needs a|b`"),
)
PEX = replace(BUNDLE, way="pex", instructions=None, later=Spread(12, 11, 13.5), elsewhere="runs")
ROW = Measured("programs", (VENV, BUNDLE, PEX), ("another Python: 3.12",))
RESULTS = Results("CPython 3.11.0", "Linux x86_64", 2, (ROW,))
CELLS = [
    ["tool --version", "venv", "", "", "", "200 ms", "50 M", "300 files, 12.5 MB", ""],
    [
        *("", "bundle", "2.5 MB", "1.500 [1.250, 1.750]", "0.900 [0.800, 1.000]", "180 ms", "0.800"),
        *("12 files, 0.5 MB", r"exit 1, 1 line: `needs a\|b`"),
    ],
    ["", "pex", "2.5 MB", "1.500 [1.250, 1.750]", "12.0 [11.0, 13.5]", "180 ms", "", "12 files, 0.5 MB", "runs"],
]


def test_the_page_has_a_line_for_each_program_and_way_in_a_table_of_its_own() -> None:
    others, _, programs = table.markdown([RESULTS], {"programs": "programs"}).partition("### Programs")
    assert "bundle" not in others
    found = [[cell.strip() for cell in line[1:-1].split(" | ")] for line in programs.splitlines() if line[:1] == "|"]
    assert found[2:] == CELLS
    assert programs.startswith("\n\nCPython 3.11.0; another Python: 3.12.\n")


def test_without_programs_there_is_no_table_of_them() -> None:
    assert "###" not in table.markdown([replace(RESULTS, rows=(Measured("programs", (), ("not measured",)),))], {})


def test_the_terminal_shows_a_line_for_each_program_and_way() -> None:
    shown = table.lines(ROW)
    assert shown[2].split("  ")[0] == "program"
    assert [line.split()[:2] for line in shown[3:6]] == [["tool", "--version"], ["bundle", "2.5"], ["pex", "2.5"]]
    assert shown[6] == "   another Python: 3.12"


def test_starts_survive_being_kept() -> None:
    once = from_data(json.loads(json.dumps(as_data(RESULTS))))
    assert as_data(once) == as_data(RESULTS)
    assert table.markdown([once], {}) == table.markdown([RESULTS], {})
    assert not once.missed


@pytest.mark.parametrize(
    ("status", "output", "said"),
    [
        (0, "hello\n", "runs"),
        (2, "\n", "exit 2, no output"),
        (1, "/folder/app: no `thing`\n\n", "exit 1, 1 line: `app: no 'thing'`"),
        (1, "no Python fits\nexamined:\n", "exit 1, 2 lines: `no Python fits`"),
        (1, "Traceback\n  line\nImportError: " + "x" * 99, f"exit 1, 3 lines: `ImportError: {'x' * 47}…`"),
    ],
)
def test_an_ending_is_told_by_status_and_the_line_that_says_why(status: int, output: str, said: str) -> None:
    assert ending(status, output, "/folder") == said


@pytest.mark.parametrize(
    ("alone", "beside", "said"),
    [
        ("runs", "runs", "runs"),
        ("exit 1", "exit 1", "exit 1"),
        ("exit 1", "runs", "starts the Python that fits; without one: exit 1"),
        ("exit 1", "exit 2", "with the Python that fits: exit 2; without one: exit 1"),
    ],
)
def test_what_differs_with_a_fitting_python_is_told(alone: str, beside: str, said: str) -> None:
    assert in_both(alone, beside) == said


def test_a_file_with_several_names_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"12345")
    os.link(tmp_path / "one", tmp_path / "hard")
    (tmp_path / "soft").symlink_to("one")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "two").write_bytes(b"1")
    assert files_and_bytes(tmp_path) == (2, 6)


def test_a_title_names_no_folder() -> None:
    assert Program("tool", ("--diff", f"{os.sep}a{os.sep}module.py"), ()).title == "tool --diff module.py"


def test_a_programs_own_module_is_a_wheel_with_a_command(tmp_path: Path) -> None:
    assert own_wheel(Program("sample", (), ("typer", "rich"), "app = print\n"), tmp_path) == "sample"
    (wheel,) = tmp_path.iterdir()
    (found,) = importlib.metadata.distributions(path=[str(wheel)])
    assert (found.name, found.requires) == ("sample", ["typer", "rich"])
    (command,) = found.entry_points
    assert (command.group, command.name, command.value) == ("console_scripts", "sample", "sample:app")
    assert {str(file) for file in found.files or ()} >= {"sample.py", "sample-1.0.dist-info/RECORD"}


COUNTING = """
import os, pathlib
home = pathlib.Path(os.environ["HOME"])
(home / f"run{len(list(home.iterdir()))}").write_text("four")
"""


def test_a_first_start_has_empty_caches_and_later_ones_those_of_the_first(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(COUNTING)
    program = Program("tool", (), ())
    ways = {
        name: Shipped([sys.executable, "-I", "-S", script], file, tmp_path / f"caches of {name}", ())
        for name, file in {"venv": tmp_path, "bundle": script}.items()
    }
    venv, bundle = lines(program, ways, 2)
    # The last first start, one later start to warm up, and two that count.
    assert (bundle.left[0], bundle.file) == (4, 0.0)
    assert (venv.way, venv.file, venv.first, venv.later) == ("venv", None, ONE, ONE)
    assert venv.left[0] > bundle.left[0], "a virtual environment is what it leaves"


def test_another_python_finds_empty_caches_and_the_given_path(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(f"{COUNTING}\nimport sys\nsys.exit(f\"{{len(list(home.iterdir()))}} {{os.environ['PATH']}}\")\n")
    shipped = Shipped([sys.executable, script], script, tmp_path / "caches", ())
    for folder in ("one", "two"):
        assert shipped.elsewhere(Path(sys.executable), [Path(folder)]) == f"exit 1, 1 line: `1 {folder}`"
