"""Progress of ``pack`` and ``fetch`` on a terminal, with the library `rich` and without."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_tree, run_python
from .command_line import APP, bundleimp_command

pytest.importorskip("pyte")
pytest.importorskip("termios")
from .terminals import WITH, WITHOUT, Terminal, on_terminal, terminal
from .webserver import serve

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundleimp.cli.progress import Display

both_ways = pytest.mark.parametrize("way", [WITH, WITHOUT], ids=["rich", "plain"])
PACK = ("pack", "src", "out.pybundle")
REPORT = "out.pybundle: "


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path) -> Path:
    make_tree(tmp_path / "src", APP)
    return tmp_path


def shown(result: Terminal, *words: str) -> bool:
    """Return whether one screen shows all *words*."""
    return any(all(word in screen for word in words) for screen in result.screens)


@both_ways
def test_each_phase_is_shown_with_its_count_and_all_are_wiped_away(way: list[str], folder: Path) -> None:
    result = on_terminal(["python", *way, *PACK], cwd=folder)
    assert result.status == 0
    assert shown(result, "reading")
    assert shown(result, "compiling", "writing")
    assert {"4 modules", "8 members"} <= set(re.findall(r"\d (?:modules|members)", result.written.decode()))
    assert result.screen.startswith(REPORT)
    assert result.has_cursor


def test_with_rich_there_is_a_bar_for_each_phase(folder: Path) -> None:
    result = on_terminal(["python", *WITH, *PACK], cwd=folder)
    last = next(screen for screen in reversed(result.screens) if "writing" in screen).splitlines()
    assert [line.split()[0] for line in last] == ["reading", "compiling", "writing"]
    assert [re.sub(" +", " ", line.partition("━ ")[2]) for line in last][:2] == ["8 files 0 s", "4 modules 0 s"]


@both_ways
def test_what_an_installer_prints_stays_and_is_not_overwritten(way: list[str], folder: Path) -> None:
    make_tree(folder / "lib", {"pyproject.toml": PROJECT, "lib.py": "", "backend.py": BACKEND})
    result = on_terminal(["python", *way, "pack", "lib", "out.pybundle"], cwd=folder, columns=200)
    assert result.status == 0, result.screen
    lines = result.screen.splitlines()
    assert lines[0] == "resolving"
    assert any("lib" in line for line in lines[1:-2])
    assert REPORT in lines[-2]
    assert shown(result, "resolving", "1 distribution ") is (way is WITH)


PROJECT = """
[project]
name = "lib"
version = "1.0"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "lib-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("lib.py", "")
        wheel.writestr("lib-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: lib\\nVersion: 1.0\\n")
        wheel.writestr("lib-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("lib-1.0.dist-info/RECORD", "lib.py,,\\nlib-1.0.dist-info/RECORD,,\\n")
    return name
"""


@both_ways
@pytest.mark.parametrize("columns", [20, 40, 200])
def test_no_line_is_wider_than_the_terminal(way: list[str], columns: int, folder: Path) -> None:
    """Wide characters are not, either: what wraps would not be wiped away."""
    make_tree(folder / "src", {f"data/{'日本語' * 10}-{number}.txt": "" for number in range(3)})
    result = on_terminal(["python", *way, *PACK, "--exclude", "table.txt"], cwd=folder, columns=columns)
    assert result.status == 0
    assert result.screen.replace("\n", "").startswith(REPORT)
    assert all(screen.count("reading") <= 1 for screen in result.screens)


@both_ways
@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter is a shell script")
def test_an_interrupt_leaves_the_terminal_clean(way: list[str], folder: Path) -> None:
    with terminal(["python", *way, *PACK, "--python", waiting(folder)], cwd=folder) as running:
        running.wait_for(lambda screen: "reading" in screen)
        running.type("\x03")
        running.finish()
    assert running.status == 130
    assert running.screen.removeprefix("^C") == "bundleimp: interrupted"
    assert running.has_cursor


@both_ways
@pytest.mark.skipif(sys.platform == "win32", reason="the interpreter is a shell script")
def test_a_terminal_that_becomes_wider_or_narrower_is_no_error(way: list[str], folder: Path) -> None:
    with terminal(["python", *way, *PACK, "--python", waiting(folder)], cwd=folder) as running:
        running.wait_for(lambda screen: "reading" in screen)
        running.resize(30)
        running.resize(120)
        (folder / "go").touch()
        running.finish()
    assert running.status == 0
    assert running.screen.startswith(REPORT)


def waiting(folder: Path) -> Path:
    """Return an interpreter that starts when there is a file ``go``."""
    script = folder / "waiting"
    wait = f"while [ ! -e {folder}/go ]; do sleep 0.05; done"
    script.write_text(f"#!/bin/sh\ntrap '' INT\n{wait}\nexec {sys.executable} \"$@\"\n")
    script.chmod(0o755)
    return script


@both_ways
@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_without_control_sequences_gets_lines(way: list[str], kind: str, folder: Path) -> None:
    result = on_terminal(["python", *way, *PACK], cwd=folder, TERM=kind)
    lines = result.written.decode().splitlines()
    assert not re.search(r"[^\n -~]", "\n".join(lines))
    phases = [line.partition(",")[0] for line in lines if "bundle" not in line and "runs on" not in line]
    assert phases[:4] == ["reading", "reading 8 files", "compiling 0/4 modules", "writing 0/8 members"]
    assert sorted(phases[4:]) == ["compiling 4 modules", "writing 8 members"]


@both_ways
def test_where_the_terminal_has_no_utf_8_only_ascii_is_written(way: list[str], folder: Path) -> None:
    make_tree(folder / "src", {"app/größe-日本語.txt": ""})
    result = on_terminal(["python", *way, *PACK], cwd=folder, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.status == 0
    assert result.written.isascii()
    assert result.screen.startswith(REPORT)


HOSTILE = ("a\x1b]0;title\x07", "b\x1b[31mred", "c\nnew line", "d\u202egnp")


@pytest.mark.parametrize("kind", ["bars.Bars", "progress.Line"])
@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_do_not_reach_the_terminal(
    name: str, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    module, _, cls = kind.partition(".")
    display: Display = getattr(pytest.importorskip(f"bundleimp.cli.{module}"), cls)()
    display.update("writing", 1, 5, name)
    display.clear()
    printed = capsys.readouterr().err
    assert "writing" in printed
    assert ascii(name)[1:-1] in printed
    assert name not in printed


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_there_is_none_where_somebody_wants_less(option: str, folder: Path) -> None:
    assert on_terminal(["python", *WITH, *PACK, option], cwd=folder, shows_output=False).written == b""


@both_ways
def test_no_color_leaves_the_bars_without_colour(way: list[str], folder: Path) -> None:
    result = on_terminal(["python", *way, *PACK], cwd=folder, NO_COLOR="1")
    assert shown(result, "writing")
    assert not re.search(rb"\x1b\[[0-9;]*[1-9][0-9;]*m", result.written)


@both_ways
def test_fetch_shows_the_bytes(way: list[str], folder: Path) -> None:
    (folder / "src" / "random").write_bytes(os.urandom(3_000_000))
    bundleimp_command(*PACK, cwd=folder)
    with serve() as web:
        web.routes["/out.pybundle"] = (folder / "out.pybundle").read_bytes()
        variables: dict[str, Any] = {"BUNDLEIMP_CACHE_DIR": str(folder / "cache"), "no_proxy": "*"}
        command = ["python", *way, "fetch", f"{web.url}/out.pybundle"]
        result = on_terminal(command, cwd=folder, columns=300, **variables)
    assert result.status == 0, result.screen
    assert re.search("fetching.* of 3.0 MB", result.written.decode())
    assert "fetching" not in result.screen


@pytest.mark.parametrize(
    "words",
    [["--help"], ["pack", "--help"], ["list", "out.pybundle"], ["verify", "out.pybundle"], list(PACK)],
    ids=" ".join,
)
def test_without_a_terminal_no_library_is_loaded(words: Sequence[str], folder: Path) -> None:
    bundleimp_command(*PACK, cwd=folder)
    script = (
        "import sys\nfrom bundleimp.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.partition('.')[0] in {'rich', 'shtab'}])"
    )
    assert run_python("-c", script, *words, cwd=folder).stdout.splitlines()[-1] == "[]"
