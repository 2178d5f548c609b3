"""The files of a ``dist-info`` folder, as installers, build back ends and people leave them."""

from __future__ import annotations

import pytest

from bundleimp.distinfo import EntryPoint, Row, entry_points, normalized, record_rows


@pytest.mark.parametrize("name", ["Some.Thing", "some--thing", "SOME_.thing", "some-thing"])
def test_all_spellings_of_a_name_are_one(name: str) -> None:
    assert normalized(name) == "some-thing"


def test_rows_of_a_record_may_be_quoted_and_short() -> None:
    assert record_rows('"a,b.py",sha256=x,3\n\npkg/__pycache__/m.pyc\r\n') == [
        Row("a,b.py", "sha256=x", "3"),
        Row("pkg/__pycache__/m.pyc", "", ""),
    ]


def test_entry_points_keep_their_case_and_may_have_colons() -> None:
    assert entry_points("[console_scripts]\nRun = pkg.mod:main [extra]\n[a.b]\nx=y\n") == [
        EntryPoint("console_scripts", "Run", "pkg.mod:main [extra]"),
        EntryPoint("a.b", "x", "y"),
    ]


def test_what_is_neither_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="no section headers"):
        entry_points("run = pkg:main")
    with pytest.raises(ValueError, match="field"):
        record_rows("a" * 200_000)
