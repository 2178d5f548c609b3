"""The benchmarks' pure parts: what meets a target, what is kept, and what the documentation shows of it."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import __main__ as command
from benchmarks import peers, plot, table
from benchmarks.figures import Cost, Count, Figure, Outcome, Quantity, Row, Spread, difference, proportion, ratio
from benchmarks.instructions import Instructions
from benchmarks.measure import Process, RunError, interleave, prepare
from benchmarks.results import Measured, Results, as_data, from_data, keep, load
from bundleimp import BundleError
from compatibility.marks import between

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).parent.parent
FASTER = ratio("bundle / directory", [Cost(1.0, 3.0)] * 2, [Cost(2.0, 2.0)] * 2, 0.92)
SLOWER = replace(FASTER, limit=0.4)
PEER = ratio("zipimport / directory", [Cost(3.0, 3.0)], [Cost(2.0, 2.0)])
LATER = difference("hook installed - not", [Cost(0.0135, 0.0135)], [Cost(0.0130, 0.0130)], 0.3)
OPENED = Count("bundle: opened", [1, 1], 1, constant=True)
PEAK = proportion("bundle / directory", [101, 103], [100, 100], 1.02)
ROW = Measured("import", (FASTER, PEER), ("a note",))
OTHER = Measured("opened-files", (OPENED, PEAK, LATER), ())
RESULTS = Results("CPython 3.11.0", "Linux x86_64", 2, (ROW, OTHER))
NEWER = Results("CPython 3.12.0", "Linux x86_64", 2, (replace(ROW, figures=(SLOWER, PEER)),))
ORDER = ["import", "opened-files"]
TITLES = {"import": "imports", "opened-files": "calls", "cold": "cold"}


def rows(markdown: str) -> list[list[str]]:
    return [line.strip("| ").split(" | ") for line in markdown.splitlines() if line.startswith("| ")]


def test_pairs_are_compared_before_they_are_summed_up() -> None:
    ours, theirs = [Cost(1, 1), Cost(30, 30), Cost(3, 3)], [Cost(1, 1), Cost(10, 10), Cost(1.5, 1.5)]
    assert ratio("name", ours, theirs).cpu == Spread(2, 1.5, 2.5)
    assert difference("name", ours, theirs).cpu.median == 1500


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (FASTER, True),
        (SLOWER, False),
        (PEER, None),
        (replace(FASTER, by_wall=True), False),
        (LATER, False),
        (PEAK, True),
        (replace(PEAK, limit=1.01), False),
        (OPENED, True),
        (replace(OPENED, values=[1, 2]), False),
        (replace(OPENED, values=[0, 1]), False),
        (replace(OPENED, limit=None), None),
    ],
)
def test_a_target_is_for_the_median_and_for_every_count(figure: Figure | Count | Quantity, met: bool | None) -> None:
    assert figure.met is met


def test_results_survive_being_kept() -> None:
    once = from_data(json.loads(json.dumps(as_data(RESULTS))))
    assert once.python == RESULTS.python
    assert [measured.name for measured in once.rows] == ORDER
    assert as_data(once) == as_data(RESULTS)
    assert table.markdown([once], TITLES) == table.markdown([RESULTS], TITLES)


def test_a_row_that_runs_again_replaces_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "results" / "cpython-311.json"
    keep(replace(RESULTS, rows=(OTHER,)), path, ORDER)
    keep(replace(RESULTS, rows=(ROW,)), path, ORDER)
    keep(replace(RESULTS, rows=(replace(ROW, figures=(SLOWER,)),)), path, ORDER)
    (kept,) = load(path.parent)
    assert [measured.name for measured in kept.rows] == ORDER
    assert kept.missed
    assert len(kept.rows[0].figures) == 1
    assert len(kept.rows[1].figures) == 3


def test_a_row_that_could_not_be_measured_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cpython-311.json"
    keep(RESULTS, path, ORDER)
    keep(replace(RESULTS, rows=(Measured("import", (), ("not measured",)),)), path, ORDER)
    assert load(tmp_path) == [from_data(as_data(RESULTS))]


@pytest.mark.parametrize("change", [{"python": "CPython 3.11.1"}, {"platform": "Darwin arm64"}, {"processors": 8}])
def test_figures_of_another_machine_or_python_do_not_stay_beside_new_ones(change: dict[str, str | int]) -> None:
    new = replace(RESULTS, rows=(ROW,))
    assert new.over(RESULTS, ORDER).rows == (ROW, OTHER)
    assert new.over(replace(RESULTS, **change), ORDER).rows == (ROW,)  # type: ignore[arg-type]


def test_the_page_has_one_column_for_each_python() -> None:
    found = rows(table.markdown([RESULTS, NEWER], TITLES))
    assert found[0] == ["work", "at most", "CPython 3.11.0", "CPython 3.12.0"]
    assert found[2] == [
        *("imports: bundle / directory", "0.92"),
        "0.500 [0.500, 0.500], wall 1.500, n = 2",
        "**0.500** [0.500, 0.500], wall 1.500, n = 2",
    ]


def test_the_page_shows_counts_and_differences_and_other_quantities() -> None:
    found = {row[0]: row[1:] for row in rows(table.markdown([RESULTS], TITLES))}
    assert found["calls: bundle: opened"] == ["1, the same", "1 / 1"]
    assert found["calls: bundle / directory"] == ["1.02", "1.020 [1.015, 1.025], n = 2"]
    assert found["calls: hook installed - not"] == [
        "0.3 ms",
        "**+0.50 ms** [+0.50, +0.50], wall +0.50, n = 1",
    ]


def test_what_is_judged_by_wall_time_shows_it_first() -> None:
    cold = Measured("cold", (replace(FASTER, by_wall=True),), ())
    assert rows(table.markdown([replace(RESULTS, rows=(cold,))], TITLES))[2] == [
        *("cold: bundle / directory", "0.92, wall"),
        "**1.500** [1.500, 1.500], CPU 0.500, n = 2",
    ]


def test_a_row_that_the_suite_no_longer_has_is_not_shown() -> None:
    assert "bundle: opened" not in table.markdown([RESULTS], {"import": "imports"})


def test_what_has_no_target_is_folded_away() -> None:
    shown, _, folded = table.markdown([RESULTS], TITLES).partition("<details>")
    assert "zipimport" not in shown
    assert "imports: zipimport / directory | 1.500" in folded


def test_the_terminal_shows_columns_that_have_something_in_them() -> None:
    assert table.lines(ROW) == [
        "",
        "== import",
        "figure                 CPU: median [quartiles]   wall: median [quartiles]  pairs  at most",
        "bundle / directory     0.500 x [0.500 .. 0.500]  1.500 x [1.500 .. 1.500]  2      0.92     ok",
        "zipimport / directory  1.500 x [1.500 .. 1.500]  1.500 x [1.500 .. 1.500]  1",
        "   a note",
    ]
    assert table.lines(Measured("row", (), ("not measured",)))[2:] == ["   not measured"]


def test_the_plot_has_a_bar_for_each_figure_and_python() -> None:
    drawing = ET.fromstring(plot.svg([RESULTS, NEWER]))  # noqa: S314 (our own)
    bars = [element for element in drawing.iter() if element.tag.endswith("rect")]
    assert [bar.get("class") for bar in bars] == ["bundle", "bundle", "peer", "peer"]
    texts = [element.text for element in drawing.iter() if element.tag.endswith("text")]
    assert "0.50  (3.11.0)" in texts
    assert "0.50  (3.12.0)" in texts
    starts = [float(bar.get("x", "")) for bar in bars]
    assert starts[0] < starts[2], "what is faster goes to the left of 1, where what is slower starts"


def test_without_results_there_is_an_empty_plot() -> None:
    assert "<rect" not in plot.svg([])


def test_what_cannot_be_prepared_is_noted_by_the_last_line_of_why() -> None:
    notes = ["a note"]
    with peers.noted(notes, "without pex and shiv"):
        prepare("downloading", sys.executable, "-c", "import sys; sys.exit('/a/folder\\nno network')")
    assert notes == ["a note", "without pex and shiv: no network"]


def test_processes_of_a_round_share_their_hash_seed_and_have_their_own_environment(tmp_path: Path) -> None:
    program = "import os, sys; open(sys.argv[1], 'a').write(os.environ['PYTHONHASHSEED'] + os.environ['OWN'] + ' ')"
    interleave({each: Process(sys.executable, "-c", program, tmp_path / "seeds", OWN=each) for each in "ab"}, 2)
    assert (tmp_path / "seeds").read_text("utf-8") == "0a 0b 1b 1a 2a 2b "


def instructions(folder: Path, counts: Sequence[int]) -> Instructions:
    """Return what counts processes: of each it says the next of *counts*."""
    left = iter(counts)
    return Instructions(lambda _command, _env: next(left), folder / "cache")


def test_a_process_is_counted_warm_and_with_one_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    seen: list[str] = []

    def count(command: Sequence[str], env: Mapping[str, str]) -> int:
        seen.append(Path(command[-1]).read_text("utf-8") + env.get("PYTHONDONTWRITEBYTECODE", " ordinary"))
        return 7

    program = "import os, sys; open(sys.argv[1], 'a').write(os.environ['PYTHONHASHSEED'] + os.environ['OWN'] + ' ')"
    counting = Instructions(count, tmp_path / "cache")
    assert counting.once(sys.executable, "-c", program, tmp_path / "runs", OWN="a") == 7
    assert seen == ["0a 0a  ordinary"]


def test_counts_that_cannot_be_repeated_are_an_error(tmp_path: Path) -> None:
    process = (sys.executable, "-S", "-c", "pass")
    counting = instructions(tmp_path, [1000, 1000, 1005, 1000, 1000, 1010])
    assert counting.twice(*process) == 1000
    assert counting.difference == 0
    assert counting.twice(*process) == 1000
    assert counting.difference == pytest.approx(0.005)
    with pytest.raises(RunError, match="differ too much, 1,000 and 1,010 instructions"):
        counting.twice(*process)


def test_counts_of_any_size_and_sign_are_shown_in_full() -> None:
    counts = Measured("cold", (Count("first", [14_027_261]), Count("peer", [-19_055])), ())
    assert [line.split() for line in table.lines(counts)[2:]] == [
        ["figure", "count"],
        ["first", "14,027,261"],
        ["peer", "-19,055"],
    ]
    found = rows(table.markdown([replace(RESULTS, rows=(counts,))], TITLES))
    assert found[-2:] == [["cold: first", "14,027,261"], ["cold: peer", "-19,055"]]


def failing(error: BaseException) -> Callable[[Path, int], Outcome]:
    def run(_folder: Path, _pairs: int) -> Outcome:
        raise error

    return run


@pytest.fixture(name="readme")
def _readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a README with marks; the command has four rows, and keeps its figures beside it."""
    made = (
        Row("broken", 1, failing(RunError("it broke")), ""),
        Row("fast", 7, lambda _folder, pairs: Outcome([replace(FASTER, pairs=pairs)]), "work"),
        Row("slow", 1, lambda _folder, _pairs: Outcome([SLOWER]), "slow work"),
        Row("missing", 1, lambda _folder, _pairs: Outcome([], ["not measured: no such tool"]), ""),
    )
    monkeypatch.setattr(command, "ROWS", made)
    monkeypatch.setattr(command, "_KEPT", tmp_path / "results")
    path = tmp_path / "README.md"
    path.write_text("before\n<!-- benchmarks: begin -->\n<!-- benchmarks: end -->\nafter\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("names", "status"), [(["fast"], 0), (["missing"], 0), (["fast", "slow"], 1), (["broken", "slow"], 2)]
)
@pytest.mark.usefixtures("readme")
def test_the_exit_status_says_whether_all_ran_and_reached_their_targets(names: list[str], status: int) -> None:
    assert command.main([f"--row={name}" for name in names]) == status


@pytest.mark.usefixtures("readme")
def test_a_row_that_fails_is_one_line_and_the_others_run(capsys: pytest.CaptureFixture[str]) -> None:
    command.main([])
    printed = capsys.readouterr()
    assert printed.err == "benchmarks: error: broken: it broke\n"
    assert "== fast" in printed.out
    assert "not measured: no such tool" in printed.out


@pytest.mark.parametrize(
    "error",
    [
        RunError("it broke"),
        BundleError("no bundle"),
        ModuleNotFoundError("the environment has no sympy"),
        PermissionError("the disk"),
        subprocess.CalledProcessError(1, "venv"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_row_raises_the_others_run_and_are_kept(
    error: Exception, readme: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = Row("fast", 1, lambda _folder, _pairs: Outcome([FASTER]), "work")
    monkeypatch.setattr(command, "ROWS", (fast, Row("broken", 1, failing(error), ""), replace(fast, name="last")))
    assert command.main([f"--write={readme}"]) == 2
    (kept,) = load(readme.parent / "results")
    assert [measured.name for measured in kept.rows] == ["fast", "last"]


def test_an_interrupted_run_keeps_what_was_measured(
    readme: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fast = Row("fast", 1, lambda _folder, _pairs: Outcome([FASTER]), "work")
    monkeypatch.setattr(command, "ROWS", (fast, Row("long", 1, failing(KeyboardInterrupt()), "")))
    assert command.main([f"--write={readme}"]) == 2
    assert capsys.readouterr().err == "benchmarks: interrupted\n"
    assert [measured.name for each in load(readme.parent / "results") for measured in each.rows] == ["fast"]
    assert "| work: bundle / directory |" in readme.read_text("utf-8")


def test_writing_keeps_the_figures_and_renews_table_and_plot(readme: Path) -> None:
    assert command.main(["--row=fast", f"--write={readme}"]) == 0
    assert command.main(["--row=slow", "--pairs=3", f"--write={readme}"]) == 1
    (kept,) = load(readme.parent / "results")
    assert [measured.name for measured in kept.rows] == ["fast", "slow"]
    text = readme.read_text("utf-8")
    assert "| work: bundle / directory | 0.92 | 0.500 [0.500, 0.500], wall 1.500, n = 7 |" in text
    assert (readme.parent / "results" / "plot.svg").is_file()
    readme.write_text(between(text, "benchmarks", "gone"), "utf-8")
    assert command.main(["--kept", f"--write={readme}"]) == 1
    assert readme.read_text("utf-8") == text


def test_without_a_file_the_page_of_the_documentation_is_renewed(readme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.PAGE == ROOT / "docs" / "benchmarks.md"
    monkeypatch.setattr(command, "PAGE", readme)
    assert command.main(["--row=fast", "--write"]) == 0
    assert "| work: bundle / directory |" in readme.read_text("utf-8")


def test_what_cannot_be_written_to_is_an_error_before_anything_is_measured(
    readme: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme.write_text("no marks\n", "utf-8")
    assert command.main([f"--write={readme}"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("benchmarks: error: there are no lines")


@pytest.mark.parametrize(
    "arguments", [["--kept"], ["--pairs=0"], ["--row=unknown"], ["--kept", "--write=x", "--row=fast"]]
)
@pytest.mark.usefixtures("readme")
def test_bad_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2


def test_the_page_and_its_plot_are_made_from_what_is_kept() -> None:
    page = command.PAGE.read_text("utf-8")
    kept = load(ROOT / "benchmarks" / "results")
    assert between(page, "benchmarks", table.markdown(kept, {row.name: row.title for row in command.ROWS})) == page
    assert (ROOT / "benchmarks" / "results" / "plot.svg").read_text("utf-8") == plot.svg(kept)
    assert "(../benchmarks/results/plot.svg)" in page


def test_one_python_has_all_rows() -> None:
    path = ROOT / "benchmarks" / "results" / "cpython-311.json"
    kept = {measured.name for measured in from_data(json.loads(path.read_text("utf-8"))).rows}
    rows = {row.name for row in command.ROWS}
    missing, gone = rows - kept, kept - rows
    assert not missing, f"not measured in {path.name}: {', '.join(sorted(missing))}"
    assert not gone, f"no longer measured, but in {path.name}: {', '.join(sorted(gone))}"
