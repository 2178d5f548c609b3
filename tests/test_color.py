"""Colour in the output of commands: when it is used, how to choose, and that names of members cannot add to it."""

from __future__ import annotations

import contextlib
import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp.cli import main

from .builders import make_bundle, make_zip
from .command_line import bundleimp_command
from .test_terminal import ESCAPED, NAMES, is_harmless

if TYPE_CHECKING:
    from pathlib import Path

CODES = re.compile(r"\x1b\[(?:0|1|32|33|1;31|1;34)m")
"""All that the commands use: bold and three colours."""
COMMANDS = [
    (["list", "--tree", "new.pybundle"], 0, "\x1b[1;34mpkg/\x1b[0m"),
    (["list", "--long", "new.pybundle"], 0, "\x1b[1msize"),
    (["info", "new.pybundle"], 0, "\x1b[1msource"),
    (["verify", "new.pybundle"], 0, "\x1b[32msound\x1b[0m"),
    (["verify", "broken.pybundle"], 1, "\x1b[1;31m"),
    (["diff", "old.pybundle", "new.pybundle"], 1, "\x1b[32madded    pkg/new.py\x1b[0m"),
    (["diff", "new.pybundle", "old.pybundle"], 1, "\x1b[1;31mremoved  pkg/new.py\x1b[0m"),
    (["diff", "old.pybundle", "old.pybundle"], 0, "\x1b[32mno difference\x1b[0m"),
    (["cache", "verify"], 0, "\x1b[32msound\x1b[0m"),
    (["pack", "--help"], 0, "\x1b[1mexamples:\x1b[0m"),
    (["--help"], 0, "\x1b[32m-h, --help\x1b[0m"),
    (["pack", "new.pybundle.source", "again.pybundle"], 0, "\x1b[33mwarning:\x1b[0m pkg/bad.py"),
    (["list", "missing.pybundle"], 2, "\x1b[1;31merror:\x1b[0m missing.pybundle"),
    (["list"], 2, "\x1b[1;31merror:\x1b[0m the following arguments are required: BUNDLE"),
]


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("color")
    make_bundle(folder / "old.pybundle", {"pkg/__init__.py": "", "pkg/mod.py": "x = 1"})
    make_bundle(
        folder / "new.pybundle", {"pkg/__init__.py": "", "pkg/mod.py": "x = 22", "pkg/new.py": "", "pkg/bad.py": "("}
    )
    data = bytearray((folder / "old.pybundle").read_bytes())
    data[data.index(b"x = 1")] ^= 1
    (folder / "broken.pybundle").write_bytes(data)
    return folder


def printed(words: list[str], folder: Path, *, status: int = 0, **variables: str) -> str:
    """Return what a command prints; it runs in this process."""
    variables.setdefault("BUNDLEIMP_CACHE_DIR", str(folder / "cache"))
    output = io.StringIO()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in ("NO_COLOR", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.redirect_stderr(output))
        try:
            ended: Any = main(words)
        except SystemExit as end:
            ended = end.code
    assert (ended or 0) == status, output.getvalue()
    return output.getvalue()


@pytest.mark.parametrize(
    ("words", "status", "colored"), COMMANDS, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_colour_is_added_to_the_same_text(words: list[str], status: int, colored: str, folder: Path) -> None:
    plain = printed(words, folder, status=status)
    assert "\x1b" not in plain
    text = printed(["--color", "always", *words], folder, status=status)
    assert colored in text
    assert CODES.sub("", text) == plain


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": ""}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color=never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "auto"], {"FORCE_COLOR": "1"}, True),
        (["--color", "auto"], {}, False),
    ],
)
def test_the_option_decides_and_then_the_environment(
    options: list[str], variables: dict[str, Any], folder: Path, *, expected: bool
) -> None:
    words = ["list", "--tree", "old.pybundle"]
    assert ("\x1b" in printed([*options, *words], folder, **variables)) is expected
    assert ("\x1b" in printed([words[0], *options, *words[1:]], folder, **variables)) is expected


def test_an_action_of_a_command_has_the_option_too(folder: Path) -> None:
    assert "\x1b[1msize" in printed(["cache", "list", "--color", "always"], folder)


def test_a_program_gets_its_own_option(tmp_path: Path) -> None:
    make_bundle(
        tmp_path / "app.pybundle", {"app.py": "import sys\ndef main(): print(sys.argv[1:])\n"}, entry_point="app:main"
    )
    words = ["app.pybundle", "--color", "no-such"]
    for before in (["run"], ["--color", "never", "run", "--color", "always"]):
        assert bundleimp_command(*before, *words, cwd=tmp_path).stdout == "['--color', 'no-such']\n"


def test_json_has_no_colour(folder: Path) -> None:
    for words in (["list", "--json"], ["info", "--json"], ["verify", "--json"]):
        assert "\x1b" not in printed(["--color", "always", *words, "old.pybundle"], folder)


def test_a_wrong_choice_is_one_line(folder: Path) -> None:
    text = printed(["--color", "sometimes", "list", "old.pybundle"], folder, status=2)
    assert text.startswith("bundleimp: error: argument --color: invalid choice: 'sometimes'")
    assert text.count("\n") == 1


@pytest.mark.parametrize("words", [["list"], ["list", "-l"], ["list", "--tree"], ["info"], ["verify"]], ids=" ".join)
def test_names_of_members_add_no_colour(tmp_path: Path, words: list[str]) -> None:
    """Their escapes stand inside of ours."""
    hostile = make_zip(tmp_path / "out.pybundle", dict.fromkeys(["pkg/__init__.py", "d\x1b[32m/e.txt", *NAMES], ""))
    status = 1 if words == ["verify"] else 0
    text = printed(["--color", "always", *words, hostile.name], tmp_path, status=status)
    assert is_harmless(CODES.sub("", text))
    assert "\x1b[31m" not in text
    if words != ["info"]:
        assert all(name.rpartition("/")[2] in text for name in ESCAPED)


def test_a_difference_in_names_adds_no_colour(tmp_path: Path) -> None:
    make_bundle(tmp_path / "other.pybundle", {"pkg/__init__.py": ""})
    make_zip(tmp_path / "out.pybundle", dict.fromkeys(["pkg/__init__.py", *NAMES], ""))
    text = printed(["--color", "always", "diff", "other.pybundle", "out.pybundle"], tmp_path, status=1)
    assert is_harmless(CODES.sub("", text))
    assert all(f"\x1b[32madded    {name}\x1b[0m" in text for name in ESCAPED)


def test_on_a_terminal_there_is_colour_of_itself(folder: Path) -> None:
    pytest.importorskip("pyte")
    pytest.importorskip("termios")
    from .terminals import WITHOUT, on_terminal  # noqa: PLC0415 (only where there are terminals of this kind)

    def shown(*words: str, **variables: Any) -> tuple[str, str]:
        result = on_terminal(["python", *WITHOUT, *words], cwd=folder, **variables)
        return result.color_of("error:"), result.color_of("missing")

    assert shown("list", "missing.pybundle") == ("red", "default")
    assert shown("list", "missing.pybundle", NO_COLOR="1") == ("default", "default")
    assert shown("list", "missing.pybundle", TERM="dumb") == ("default", "default")
    assert shown("--color", "never", "list", "missing.pybundle") == ("default", "default")
    tree = on_terminal(["python", *WITHOUT, "list", "--tree", "new.pybundle"], cwd=folder)
    assert (tree.color_of("pkg/"), tree.color_of("mod.py")) == ("blue", "default")
