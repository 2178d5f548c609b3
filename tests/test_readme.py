"""The README: short, and with the two commands that ``.ci/run`` runs.  `test_docs` runs its other blocks."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text("utf-8")


def test_it_can_be_read_in_minutes() -> None:
    assert len(TEXT.splitlines()) <= 180
    assert len(TEXT.split()) <= 1100


def test_no_paragraph_is_long() -> None:
    prose = re.sub(r"```.*?```|<!--.*?-->|^[|#!-].*?$", "", TEXT, flags=re.DOTALL | re.MULTILINE)
    long = [paragraph for paragraph in prose.split("\n\n") if len(paragraph.split()) > 40]
    assert long == []


def test_the_set_up_commands_are_marked_for_ci() -> None:
    assert re.findall(r"<!-- ci: (\w+) -->\n```sh\n", TEXT) == ["main", "test"]
