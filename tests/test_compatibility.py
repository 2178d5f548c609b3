"""The comparison of distributions: what counts as the same, and that its lists are in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compatibility import table
from compatibility.catalogue import Difference, Snippet, differences, snippets
from compatibility.marks import between
from compatibility.trial import Outcome
from compatibility.verdict import Verdict, judge

SNIPPET = Snippet("dist", Path("dist.py"), "something", ("dist",), subset=False)
FINE = Outcome(0, "one\ntwo\n", "", 0, 0)
LISTED = Difference("two", "2", "it counts")


def verdict(directory: Outcome, bundle: Outcome, *accepted: Difference) -> Verdict:
    return judge(SNIPPET, "1.0", directory, bundle, accepted)


def test_equal_outcomes_are_the_same() -> None:
    assert verdict(FINE, FINE).text == "same"
    assert verdict(FINE, FINE).problem is None


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
    assert verdict(FINE, bundle).text == text
    assert verdict(FINE, bundle).problem is not None


def test_a_snippet_that_fails_from_the_directory_shows_nothing() -> None:
    failed = Outcome(1, "", "ImportError: x\n", 0, 0)
    assert verdict(failed, failed).text == "differs: fails from the directory: exit status 1: ImportError: x"


def test_a_listed_difference_is_no_problem_and_has_its_reason() -> None:
    result = verdict(FINE, replace(FINE, stdout="one\n2\n"), LISTED)
    assert (result.problem, result.text) == (None, "differs: it counts")


def test_beside_a_listed_difference_others_are_problems() -> None:
    assert verdict(FINE, replace(FINE, stdout="1\n2\n"), LISTED).text == "differs: prints +1"


def test_a_listed_difference_that_does_not_occur_is_a_problem() -> None:
    assert verdict(FINE, FINE, LISTED).problem is not None
    gone = Difference("three", "3", "it counts")
    assert verdict(FINE, FINE, gone).problem == "a listed difference does not occur: 'three'"


def test_the_table_goes_between_the_marks_again_and_again() -> None:
    made = table.markdown([verdict(FINE, replace(FINE, written_files=2, written_bytes=1_500_000))], "CPython")
    assert "| dist | 1.0 | something | same | 2 files, 1.5 MB |" in made
    readme = "before\n<!-- compatibility: begin -->\n<!-- compatibility: end -->\nafter\n"
    once = between(readme, "compatibility", made)
    assert once.startswith("before\n<!-- compatibility: begin -->\n")
    assert once.endswith("\n<!-- compatibility: end -->\nafter\n")
    assert made in once
    assert between(once, "compatibility", made) == once


def test_a_file_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="no lines"):
        between("text", "compatibility", "table")


def test_every_snippet_says_what_it_shows() -> None:
    assert [snippet.name for snippet in snippets() if not snippet.shows] == []


def test_there_are_enough_of_them() -> None:
    assert len(snippets()) >= 60
    assert len([snippet for snippet in snippets() if snippet.subset]) >= 12


def test_every_listed_difference_is_of_a_snippet_and_has_a_reason() -> None:
    assert differences().keys() <= {snippet.name for snippet in snippets()}
    assert all(difference.reason for listed in differences().values() for difference in listed)
