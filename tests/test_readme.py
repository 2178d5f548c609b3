"""The README's commands and code run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bundleimp
from bundleimp.cli import _COMMANDS

from .builders import clean_environment, make_bundle, make_tree, run_python
from .platforms import needs_processes, needs_ssh_keygen

README = Path(__file__).parent.parent / "README.md"
TEXT = README.read_text("utf-8")
FENCE = re.compile(r"(<!-- ci: \w+ -->\n)?```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = [match.groups() for match in FENCE.finditer(TEXT)]
SHELL = [text for mark, kind, text in BLOCKS if kind == "sh" and not mark]
PYTHON = [text for _, kind, text in BLOCKS if kind == "python"]


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path) -> Path:
    make_tree(tmp_path, {"src/mypkg/__init__.py": "", "src/mypkg/__main__.py": "print('hello')\n"})
    return tmp_path


def run_shell(commands: str, folder: Path) -> list[str]:
    """Run *commands* in *folder*, where nothing may fail or be printed as an error; return the lines of output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    result = subprocess.run(
        ["bash", "-e", "-c", commands],  # noqa: S607 (whichever bash is there)
        cwd=folder,
        env=clean_environment(PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_the_shell_commands_run(workspace: Path) -> None:
    lines = run_shell(SHELL[0], workspace)
    assert str(workspace / "out.pybundle" / "mypkg" / "__init__.py") in lines
    assert "out.pybundle: sound, 2 members, flat" in lines
    assert lines[-1] == "hello"


@needs_ssh_keygen
def test_the_commands_for_signatures_run(workspace: Path) -> None:
    commands = FENCE.search(TEXT.partition("\n## Signatures")[2])
    assert commands is not None
    make_bundle(workspace / "out.pybundle", {"mypkg/__init__.py": "", "mypkg/__main__.py": "print('hello')\n"})
    assert run_shell(commands[3], workspace) == [
        "out.pybundle: signed, out.pybundle.sig",
        "out.pybundle: sound, 2 members, flat",
        "out.pybundle: signed by release@example.com",
        "signed",
        "hello",
    ]


@pytest.mark.skipif(shutil.which("bash") is None, reason="the README's commands are for a POSIX shell")
def test_the_set_up_commands_are_marked_for_ci() -> None:
    assert [mark.split()[2] for mark, _, _ in BLOCKS if mark] == ["main", "test"]


def test_the_python_code_runs(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(workspace)
    assert len(PYTHON) == 2
    exec(compile(PYTHON[0], str(README), "exec"), {})  # noqa: S102 (our own README)
    tag = sys.implementation.cache_tag
    assert capsys.readouterr().out == f"2 ['{tag}']\n['mypkg/__init__.py', 'mypkg/__main__.py'] []\n"


@needs_processes
def test_the_python_code_for_mounts_runs(workspace: Path) -> None:
    pytest.importorskip("fsspec")
    make_bundle(workspace / "out.pybundle", {"mypkg/__init__.py": "print('mypkg')\n"})
    (workspace / "script.py").write_text(PYTHON[1], "utf-8")
    assert run_python("script.py", cwd=workspace).stdout == "mypkg\n1 2 3\n"


def test_every_command_is_in_the_table() -> None:
    assert re.findall(r"^\| `(\w+)[ `]", TEXT.partition("## Commands")[2].partition("##")[0], re.MULTILINE) == list(
        _COMMANDS
    )


def test_every_environment_variable_of_ours_is_in_the_table() -> None:
    folder = Path(bundleimp.__file__).parent
    used = {
        name
        for path in folder.rglob("*.py")
        for name in re.findall(r"\b(BUNDLEIMP_[A-Z_]+|CACHE_DIRECTORY|SOURCE_DATE_EPOCH)\b", path.read_text("utf-8"))
    }
    table = TEXT.partition("## Environment")[2].partition("##")[0]
    assert set(re.findall(r"^\| `([A-Z_]+)", table, re.MULTILINE)) == used


def test_the_tests_that_promises_name_are_there() -> None:
    section = TEXT.partition("\n## What is promised")[2].partition("\n## ")[0]
    named = re.findall(r"`(test_[\w*]+)`", section)
    assert len(named) > 20
    for name in named:
        assert list(Path(__file__).parent.glob(f"{name}.py")), name
