"""The documentation: its blocks run, it names all commands and variables, and Sphinx builds it without a warning."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bundleimp
from bundleimp.cli import _COMMANDS
from bundleimp.environment import VARIABLES

from .builders import clean_environment
from .platforms import needs_processes

pytest.importorskip("sybil")
from .pages import PAGES, ROOT, SHOWN, languages, make_workspace, run_blocks

RUN = {"console", "python", "sh"}
# Headings of the page on troubleshooting that are not our messages.
PYTHONS_OWN = (
    "No module named … ",
    "No module named …, and",
    "Cannot find implementation",
    "NotADirectoryError",
    "SyntaxError",
    "Each start",
)
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are for a POSIX shell")


@needs_bash
@needs_processes
@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if languages(page) & RUN])
def test_the_blocks_of_a_page_run(name: str, tmp_path: Path) -> None:
    make_workspace(tmp_path)
    run_blocks(PAGES[name], tmp_path)


@pytest.mark.parametrize("name", PAGES)
def test_each_block_has_a_known_language(name: str) -> None:
    assert {language for language in languages(PAGES[name]) if not language.startswith("{")} <= RUN | SHOWN


@pytest.mark.parametrize("name", PAGES)
def test_a_block_that_is_left_out_has_a_reason(name: str) -> None:
    text = PAGES[name].read_text("utf-8")
    assert text.count("<!-- skip: ") == len(
        re.findall(r'<!-- skip: next (?:"[^"]+"|if\(.*reason="[^"]+"\)) -->\n', text)
    )


def test_the_environment_variables_are_those_that_the_code_names() -> None:
    folder = Path(bundleimp.__file__).parent
    used = {
        name
        for path in folder.rglob("*.py")
        if path.name != "environment.py"
        for name in re.findall(
            r"\b(BUNDLEIMP_[A-Z_]+|CACHE_DIRECTORY|(?:NO|FORCE)_COLOR|SOURCE_DATE_EPOCH)\b", path.read_text("utf-8")
        )
    }
    assert {variable.name for variable in VARIABLES} == used


def test_the_reference_has_every_command() -> None:
    page = PAGES["docs/reference/commands.md"].read_text("utf-8")
    assert re.findall(r"^   :func: (\w+)$", page, re.MULTILINE) == list(_COMMANDS)


def test_the_reference_has_every_public_name() -> None:
    page = PAGES["docs/reference/api.md"].read_text("utf-8")
    assert sorted(re.findall(r"^\.\. auto\w+:: (\w+)$", page, re.MULTILINE)) == bundleimp.__all__


def test_the_tests_that_promises_name_are_there() -> None:
    named = re.findall(r"`(test_[\w*]+)`", PAGES["docs/assurance/promises.md"].read_text("utf-8"))
    assert len(named) > 20
    for name in named:
        assert list(Path(__file__).parent.glob(f"{name}.py")), name


def test_troubleshooting_has_the_messages_of_the_code() -> None:
    folder = Path(bundleimp.__file__).parent
    code = " ".join(" ".join(path.read_text("utf-8").split()) for path in sorted(folder.rglob("*.py")))
    page = PAGES["docs/troubleshooting.md"].read_text("utf-8").replace("\\_", "_")
    messages = [text for text in re.findall(r"^### (.*)$", page, re.MULTILINE) if not text.startswith(PYTHONS_OWN)]
    parts = [part.strip() for message in messages for part in re.split("…|: (?:it )?", message) if part.strip(" :;")]
    assert len(parts) > 20
    assert [part for part in parts if part not in code] == []


@needs_processes
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    for module in ("sphinx", "myst_parser", "furo", "sphinx_argparse_cli"):
        pytest.importorskip(module)
    command = [sys.executable, "-m", "sphinx", "-W", "-q", str(ROOT / "docs"), str(tmp_path / "site")]
    result = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
