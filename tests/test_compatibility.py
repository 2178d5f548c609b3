"""The comparison of distributions: what counts as the same, and that its lists are in order."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from compatibility import __main__ as command
from compatibility import catalogue, table
from compatibility.catalogue import Difference, Snippet, differences, own_files, snippets
from compatibility.laboratory import Laboratory, LaboratoryError
from compatibility.marks import between
from compatibility.trial import Outcome, try_out
from compatibility.verdict import Result, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable

SNIPPET = Snippet("dist", Path("dist.py"), "something", ("dist",), subset=False, unpack=False, distribution="dist")
FINE = Outcome(0, "one\ntwo\n", "", 0, 0)
LISTED = Difference("two", "2", "it counts")


def result(directory: Outcome, bundle: Outcome, *accepted: Difference, mode: str = "bundle") -> Result:
    return judge(mode, directory, bundle, accepted)


def verdict(**results: Result) -> Verdict:
    return Verdict(SNIPPET, "1.0", results)


def test_equal_outcomes_are_the_same() -> None:
    assert result(FINE, FINE).text == "same"
    assert result(FINE, FINE).problem is None


@pytest.mark.parametrize(
    ("bundle", "text"),
    [
        (replace(FINE, stdout="one\n2\n"), "differs: prints +2"),
        (replace(FINE, stdout="one\n"), "differs: prints -two"),
        (replace(FINE, stderr="warning\n"), "differs: prints +warning"),
        (replace(FINE, status=1, stderr="Traceback:\n  x\nOSError: no\n"), "differs: exit status 1: OSError: no"),
        (replace(FINE, status=None), "differs: takes too long"),
    ],
)
def test_what_is_not_equal_is_a_problem(bundle: Outcome, text: str) -> None:
    assert result(FINE, bundle).text == text
    assert result(FINE, bundle).problem is not None


def test_a_snippet_that_fails_from_the_directory_shows_nothing() -> None:
    failed = Outcome(1, "", "ImportError: x\n", 0, 0)
    assert result(failed, failed).text == "differs: fails from the directory: exit status 1: ImportError: x"


def test_a_listed_difference_is_no_problem_and_has_its_reason() -> None:
    found = result(FINE, replace(FINE, stdout="one\n2\n"), LISTED)
    assert (found.problem, found.text) == (None, "differs: it counts")


def test_beside_a_listed_difference_others_are_problems() -> None:
    assert result(FINE, replace(FINE, stdout="1\n2\n"), LISTED).text == "differs: prints +1"


def test_a_listed_difference_that_does_not_occur_is_a_problem() -> None:
    assert result(FINE, FINE, LISTED).problem is not None
    gone = Difference("three", "3", "it counts")
    assert result(FINE, FINE, gone).problem == "a listed difference does not occur: 'three'"


@pytest.mark.parametrize("mode", ["bundle", "unpacked"])
def test_a_difference_without_a_mode_is_expected_in_both(mode: str) -> None:
    assert result(FINE, replace(FINE, stdout="one\n2\n"), LISTED, mode=mode).text == "differs: it counts"
    assert result(FINE, FINE, LISTED, mode=mode).problem is not None


def test_a_difference_with_a_mode_is_expected_in_that_one_only() -> None:
    listed = replace(LISTED, mode="unpacked")
    differing = replace(FINE, stdout="one\n2\n")
    assert result(FINE, differing, listed, mode="unpacked").text == "differs: it counts"
    assert result(FINE, FINE, listed, mode="unpacked").problem is not None
    assert result(FINE, differing, listed, mode="bundle").text == "differs: prints +2"
    assert result(FINE, FINE, listed, mode="bundle").text == "same"


def test_an_unknown_mode_is_an_error() -> None:
    with pytest.raises(ValueError, match="a mode is one of bundle, unpacked, not 'zip'"):
        Difference("two", "2", "it counts", mode="zip")


def test_the_table_goes_between_the_marks_again_and_again() -> None:
    bundle = result(FINE, replace(FINE, written_files=2, written_bytes=1_500_000))
    made = table.markdown([verdict(bundle=bundle, unpacked=result(FINE, FINE))], "CPython")
    assert "| dist | 1.0 | something | same | same | 2 files, 1.5 MB |" in made
    readme = "before\n<!-- compatibility: begin -->\n<!-- compatibility: end -->\nafter\n"
    once = between(readme, "compatibility", made)
    assert once.startswith("before\n<!-- compatibility: begin -->\n")
    assert once.endswith("\n<!-- compatibility: end -->\nafter\n")
    assert made in once
    assert between(once, "compatibility", made) == once


def test_the_page_of_the_documentation_can_be_written() -> None:
    text = command.PAGE.read_text("utf-8")
    assert between(text, "compatibility", "new") != text


def test_a_snippet_that_is_only_tried_unpacked_says_so_in_the_table() -> None:
    made = table.markdown([verdict(unpacked=result(FINE, FINE))], "CPython")
    assert "| dist | 1.0 | something | needs `BUNDLEIMP_UNPACK` | same | all |" in made


def test_the_table_has_the_sums_of_what_is_written_from_the_bundle() -> None:
    one = replace(FINE, written_files=1, written_bytes=1_000_000)
    all_of_it = replace(FINE, written_files=1000, written_bytes=10_000_000)
    verdicts = [
        verdict(bundle=result(FINE, one), unpacked=result(FINE, all_of_it)),
        verdict(bundle=result(FINE, FINE), unpacked=result(FINE, FINE)),
        verdict(bundle=result(FINE, replace(one, written_files=1999)), unpacked=result(FINE, FINE)),
        verdict(unpacked=result(FINE, all_of_it)),
    ]
    made = table.markdown(verdicts, "CPython")
    assert made.startswith("4 snippets with CPython: 3 the same from the bundle, 4 unpacked, 1 without a file")
    assert made.endswith("each with an empty one: 2,000 files, 2.0 MB.")


def test_a_file_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no lines"):
        between("text", "compatibility", "table")


@pytest.fixture
def snippet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Snippet]:
    """Return a function that makes the only snippet from its source."""
    folder = tmp_path / "snippets"
    folder.mkdir()
    monkeypatch.setattr(catalogue, "_FOLDER", folder)

    def make(source: str) -> Snippet:
        (folder / "one.py").write_text(source, "utf-8")
        return snippets()[0]

    return make


def test_metadata_of_a_snippet(snippet: Callable[[str], Snippet]) -> None:
    plain = snippet('"""It works."""\n')
    assert (plain.shows, plain.requirements, plain.distribution) == ("It works", ("one",), "one")
    assert not plain.subset
    assert not plain.unpack
    options = snippet(
        '"""x"""\n# /// script\n# dependencies = []\n# [tool.compatibility]\n# subset = true\n# unpack = true\n'
        '# distribution = "two"\n# ///\n'
    )
    assert (options.requirements, options.distribution) == ((), "two")
    assert options.subset
    assert options.unpack


@pytest.fixture
def laboratory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Laboratory:
    """Return a laboratory without its places: nothing is installed, and its interpreter is this one."""
    made = Laboratory(tmp_path / "laboratory", sys.executable)
    monkeypatch.setattr(made, "python", Path(sys.executable))
    made.directory.mkdir()
    made.cache.mkdir()
    return made


OWN = {"one/app/__init__.py": "", "one/app/data.txt": "data", "one/extra.py": ""}


def bring(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def test_files_of_a_snippet_are_put_beside_the_distributions(
    snippet: Callable[[str], Snippet], laboratory: Laboratory
) -> None:
    folder = snippet("").path.parent
    bring(folder, OWN)
    assert [path.name for path in own_files()] == ["app", "extra.py"]
    names = laboratory.copy_own_files([])
    assert (laboratory.directory / "app" / "data.txt").read_text("utf-8") == "data"
    (folder / "one" / "extra.py").unlink()
    assert laboratory.copy_own_files(names) == ["app"]
    assert sorted(path.name for path in laboratory.directory.iterdir()) == ["app"]


def test_files_of_a_snippet_do_not_replace_those_of_distributions(
    snippet: Callable[[str], Snippet], laboratory: Laboratory
) -> None:
    bring(snippet("").path.parent, OWN)
    (laboratory.directory / "app").mkdir()
    with pytest.raises(LaboratoryError, match="a distribution has a file of this name"):
        laboratory.copy_own_files([])


PRINTS = """
import os
cache = os.environ["BUNDLEIMP_CACHE_DIR"]
for kind in ("sites", "unpacked"):
    print(f"{cache}/{kind}/0123", f"{cache}/{kind}/0123/app/data.txt", os.path.relpath(f"{cache}/{kind}/0123"))
print(os.environ["PYTHONPATH"], os.environ.get("BUNDLEIMP_UNPACK"), os.listdir(cache))
"""


@pytest.mark.parametrize(
    ("mode", "last"), [("directory", "None []"), ("bundle", "None []"), ("unpacked", "1 ['filled']")]
)
def test_paths_are_the_same_in_all_modes(
    snippet: Callable[[str], Snippet], laboratory: Laboratory, mode: str, last: str
) -> None:
    bring(laboratory.directory, {"app/data.txt": ""})
    (laboratory.cache / "filled").touch()
    outcome = try_out(snippet(PRINTS), laboratory, mode)
    line = "<place> <place>/app/data.txt <place>\n"
    assert (outcome.status, outcome.stdout) == (0, f"{line}{line}<place> {last}\n"), outcome.stderr
    assert outcome.written_files == 0


def test_every_snippet_says_what_it_shows() -> None:
    assert [snippet.name for snippet in snippets() if not snippet.shows] == []


def test_there_are_enough_of_them() -> None:
    assert len(snippets()) >= 60
    assert len([snippet for snippet in snippets() if snippet.subset]) >= 12


def test_files_of_our_own_have_different_names() -> None:
    names = [path.name for path in own_files()]
    assert sorted(set(names)) == sorted(names)


def test_every_listed_difference_is_of_a_snippet_and_has_a_reason() -> None:
    assert differences().keys() <= {snippet.name for snippet in snippets()}
    assert all(difference.reason for listed in differences().values() for difference in listed)
