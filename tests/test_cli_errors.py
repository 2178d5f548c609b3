"""Bad usage: one line that says what was meant, and points to the help of the command that was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundleimp.cli import main

from .builders import make_bundle
from .command_line import APP, bundleimp_command

if TYPE_CHECKING:
    from pathlib import Path

PACK = "see 'bundleimp pack --help'"
ERRORS = {
    "": "the following arguments are required: COMMAND; see 'bundleimp --help'",
    "lis x": "unknown command 'lis' (did you mean list?); see 'bundleimp --help'",
    "unpack": "unknown command 'unpack' (did you mean pack?); see 'bundleimp --help'",
    "frobnicate --help": "unknown command 'frobnicate'; see 'bundleimp --help'",
    "--versoin": "unknown option --versoin (did you mean --version?); see 'bundleimp --help'",
    "--zip pack a b": "unknown option --zip; see 'bundleimp --help'",
    "list": "the following arguments are required: BUNDLE; see 'bundleimp list --help'",
    "list a b": "unexpected argument 'b'; see 'bundleimp list --help'",
    "list a --jsn": "unknown option --jsn (did you mean --json?); see 'bundleimp list --help'",
    "verify --quite a": "unknown option --quite (did you mean --quiet?); see 'bundleimp verify --help'",
    "run --unpck a": "unknown option --unpck (did you mean --unpack?); see 'bundleimp run --help'",
    "pack s o --layuot flat": "unknown option --layuot (did you mean --layout?); see 'bundleimp pack --help'",
    "pack --exclde=x s o": "unknown option --exclde (did you mean --exclude?); see 'bundleimp pack --help'",
    "list -l --tree x": "argument --tree: not allowed with argument -l/--long; see 'bundleimp list --help'",
    "pack s o --layout flt": f"argument --layout: invalid choice: 'flt' (did you mean flat?); {PACK}",
    "pack s o --optimize 3": f"argument --optimize: invalid choice: '3' (choose from 0, 1, 2); {PACK}",
    "pack s o --jobs": "argument --jobs: expected one argument; see 'bundleimp pack --help'",
    "cache": "the following arguments are required: ACTION; see 'bundleimp cache --help'",
    "cache clera": "unknown action 'clera' (did you mean clear?); see 'bundleimp cache --help'",
    "cache prune --older": "unknown option --older (did you mean --older-than?); see 'bundleimp cache prune --help'",
    "cache list x": "unexpected argument 'x'; see 'bundleimp cache list --help'",
}


@pytest.mark.parametrize("words", ERRORS)
def test_bad_usage_says_what_was_meant_and_where_the_help_is(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words.split())
    assert caught.value.code == 2
    assert capsys.readouterr() == ("", f"bundleimp: error: {ERRORS[words]}\n")


def test_a_word_that_moves_the_cursor_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["\x1b[2J"], ["list", "--\x1b[2J", "x"], ["list", "x", "\x1b[2J"]):
        with pytest.raises(SystemExit):
            main(words)
        error = capsys.readouterr().err
        assert "\x1b" not in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("command", ["pack", "verify", "extract", "diff", "sign", "fetch"])
def test_every_command_that_can_be_quiet_has_the_short_form(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "  -q, --quiet " in capsys.readouterr().out


def test_q_is_quiet(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", APP)
    assert bundleimp_command("verify", "-q", bundle).stdout == ""
    assert bundleimp_command("extract", "-q", bundle, tmp_path / "tree").stdout == ""
    assert bundleimp_command("pack", tmp_path / "tree", "-q", tmp_path / "again.pybundle").stdout == ""
    assert bundleimp_command("diff", "-q", bundle, bundle).stdout == ""
