"""The command line is completed in bash, zsh and fish, each run in a terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_bundle, make_tree, run_python
from .command_line import bundleimp_command

pytest.importorskip("pyte")
pytest.importorskip("termios")
from .terminals import WITHOUT, Terminal, terminal

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = "ready>"
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f"PS1='{PROMPT} '; source ./script"),
    "zsh": (["zsh", "-f", "-i"], f"PS1='{PROMPT} '; autoload -U compinit; compinit -D -u; eval \"$(cat script)\""),
    "fish": (["fish", "--no-config", "-i"], f"function fish_prompt; echo '{PROMPT} '; end; source ./script"),
}
# Each key press of Tab has one answer.
TYPED = {
    "bundleimp doct": "bundleimp doctor",
    "bundleimp list --tre": "bundleimp list --tree",
    "bundleimp list uniq": "bundleimp list unique.pybundle",
    "bundleimp pack --layout nest": "bundleimp pack --layout nested",
    "bundleimp pack --from-venv fold": "bundleimp pack --from-venv folder/",
    "bundleimp pack fold": "bundleimp pack folder/",
    "bundleimp --color nev": "bundleimp --color never",
    "bundleimp cache prun": "bundleimp cache prune",
    "bundleimp cache prune --older": "bundleimp cache prune --older-than",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_options_choices_and_files_are_completed(shell: str, tmp_path: Path) -> None:
    pytest.importorskip("shtab")
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    make_tree(tmp_path, {"folder/inner.txt": ""})
    make_bundle(tmp_path / "unique.pybundle", {"mod.py": ""})
    shutil.move(tmp_path / "unique.pybundle.source", tmp_path / "source")
    (tmp_path / "script").write_text(bundleimp_command("--print-completion", shell).stdout)
    command, setup = SHELLS[shell]
    home: dict[str, Any] = {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "home"),
        "ZDOTDIR": str(tmp_path / "home"),
    }
    (tmp_path / "home").mkdir()
    with terminal(command, cwd=tmp_path, columns=100, LC_ALL="C.UTF-8", **home) as running:
        running.type(f"{setup}\r")
        running.wait_for(lambda screen: last_line(screen) == PROMPT)
        for typed, completed in TYPED.items():
            assert pressed_tab(running, typed, completed) == completed


def pressed_tab(running: Terminal, typed: str, completed: str) -> str:
    """Type a text and Tab; return the line that is on the screen once it is as *completed*."""
    running.type(f"{typed}\t")
    running.wait_for(lambda screen: last_line(screen).endswith(completed))
    line = last_line(running.screen).removeprefix(f"{PROMPT} ")
    running.type("\x15")  # the line is deleted
    running.wait_for(lambda screen: last_line(screen) == PROMPT)
    return line


def last_line(screen: str) -> str:
    """Return the last line of a *screen*."""
    return screen.rpartition("\n")[2]


@pytest.mark.parametrize("shell", SHELLS)
def test_without_the_library_one_line_says_what_to_install(shell: str) -> None:
    result = run_python(*WITHOUT, "--print-completion", shell, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "bundleimp: error: completion needs the library shtab; install it with: pip install shtab\n"


def test_another_shell_is_a_wrong_choice() -> None:
    result = bundleimp_command("--print-completion", "tcsh", status=2)
    assert "invalid choice: 'tcsh' (choose from bash, zsh, fish)" in result.stderr
