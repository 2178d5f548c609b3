"""What an installer says when it fails: one line for the user, and all of it where that is the output of a build."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from bundleimp.packing import complaints
from bundleimp.packing.errors import PackError

from .builders import make_tree

if TYPE_CHECKING:
    from pathlib import Path

UNSOLVED = """warning: `VIRTUAL_ENV` is set
error: No solution found when resolving dependencies
  cause: Because dep was not found, we conclude
         it is.

hint: Something.
"""
UNSOLVED_BEFORE = (
    "  \u00d7 No solution found when resolving dependencies:\n  \u2570\u2500\u25b6 Because it is not there.\n"
)
NOT_FOUND = """ERROR: Could not find a version that satisfies the requirement dep==9 (from versions: 1.0, 2.0)
ERROR: No matching distribution found for dep==9
"""
WRONG_OPTION_OF_UV = """error: unexpected argument '--platform' found

  tip: to pass '--platform' as a value, use '-- --platform'

Usage: uv pip install
"""
WRONG_OPTION_OF_PIP = """
Usage:
  pip install [options]

no such option: --python-platform
"""
OTHER_PYTHON = """ERROR: Packages require a different Python. 3.11.7 not in:
'>=3.12' (required by dep 2.5.5 (from https://example.com/dep.whl (from https://example.com/) (requires-python:>=3.12)))
'>=3.12' (required by dep 2.5.4)
"""
UNBUILT_BY_UV = """error: Failed to build `x`
  cause: Call failed (exit status: 1)

         [stderr]
         Traceback (most recent call last):
         error: Multiple packages.
         More.

hint: Build failures
"""
UNBUILT_BY_PIP = """  error: subprocess-exited-with-error

  \u00d7 Building wheel did not run.
  \u2502 exit code: 1
  \u2570\u2500> [2 lines of output]
      Traceback
      ModuleNotFoundError: nope
      [end of output]

  note: This error
"""


@pytest.mark.parametrize(
    ("said", "gist"),
    [
        (
            UNSOLVED,
            "No solution found when resolving dependencies: Because dep was not found, we conclude it is (Something)",
        ),
        (UNSOLVED_BEFORE, "No solution found when resolving dependencies: Because it is not there"),
        (
            NOT_FOUND,
            "Could not find a version that satisfies the requirement dep==9; No matching distribution found for dep==9",
        ),
        (WRONG_OPTION_OF_UV, "unexpected argument '--platform' found"),
        (WRONG_OPTION_OF_PIP, "no such option: --python-platform"),
        (OTHER_PYTHON, "Packages require a different Python. 3.11.7 not in: '>=3.12' (required by dep 2.5.5)"),
        (UNBUILT_BY_UV, "Failed to build `x`: Call failed (exit status: 1) (Build failures): Multiple packages."),
        (UNBUILT_BY_PIP, "Building wheel did not run: ModuleNotFoundError: nope"),
        ("", ""),
    ],
)
def test_what_an_installer_says_becomes_one_line(said: str, gist: str) -> None:
    assert complaints.gist_of(said) == gist


def script(folder: Path, text: str) -> list[str]:
    return [sys.executable, str(make_tree(folder, {"said.py": text}) / "said.py")]


def test_a_long_output_is_shown_and_its_end_is_the_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = script(tmp_path, "import sys\nfor n in range(30): print('line', n, file=sys.stderr)\nsys.exit(3)")
    with pytest.raises(PackError) as caught:
        complaints.run("uv", command, talk=False)
    assert str(caught.value) == "uv failed: line 29; it says more above"
    assert "line 7\n" in capfd.readouterr().err.replace("\r", "")


def test_wrong_options_are_explained(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    command = script(tmp_path, "import sys; sys.exit('no such option: --x')")
    with pytest.raises(PackError) as caught:
        complaints.run("pip", command, talk=False)
    words = "options after -- are for pip here, and --installer uv takes the other installer"
    assert str(caught.value) == f"pip failed: no such option: --x; {words}"
    assert capfd.readouterr().err == ""


def test_a_silent_failure_says_its_status(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"^uv failed with exit status 3$"):
        complaints.run("uv", script(tmp_path, "raise SystemExit(3)"), talk=False)


def test_an_installer_that_talks_has_said_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PackError, match=r"^uv failed with exit status 1; it says why above$"):
        complaints.run("uv", script(tmp_path, "import sys; sys.exit('because')"), talk=True)
    assert capfd.readouterr().err.strip() == "because"


def test_warnings_of_a_success_reach_the_user(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    complaints.run("uv", script(tmp_path, "import sys; print('careful', file=sys.stderr)"), talk=False)
    assert capfd.readouterr().err.strip() == "careful"
