"""Programs made of real packages: all their scripts in one file, and an interpreter, where nothing is installed."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path

import pytest

import bundleimp

from .programs import run_file

DISTRIBUTIONS = ("markdown-it-py", "mdurl", "pygments", "rich")
# Without site-packages, and so without bundleimp and these packages.
BARE = (sys.executable, "-I", "-S")
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="the system starts no file by its first line")
TEXT = "# Title\n\nSome *text*, and a table:\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"
CODE = "def f(x):\n    return {'a': x}\n"


def installed(folder: Path) -> Path:
    """Copy the distributions, as they are installed, into *folder*."""
    for name in DISTRIBUTIONS:
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or ():
            source = Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and source.suffix != ".pyc" and source.is_file():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / file)
    return folder


@pytest.fixture(scope="module", name="source")
def _source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("real") / "installed")


@pytest.fixture(scope="module", params=["flat", "nested"], name="tools")
def _tools(request: pytest.FixtureRequest, source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All scripts in one program; in a folder with a text and some code."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "text.md").write_text(TEXT)
    (folder / "code.py").write_text(CODE)
    shebang = f"{sys.executable} -IS"
    bundleimp.pack([source], folder / "tools", entry_point="*", standalone=True, layout=request.param, shebang=shebang)
    return folder / "tools"


def test_each_script_does_what_it_does_when_installed(tools: Path) -> None:
    for script, words, module in (
        ("pygmentize", ("-f", "html", "-O", "full", "code.py"), "pygments"),
        ("markdown-it", ("text.md",), "markdown_it.cli.parse"),
    ):
        expected = run_file(sys.executable, "-m", module, *words, cwd=tools.parent).stdout
        assert expected.startswith("<")
        result = run_file(*BARE, "-W", "error::ImportWarning", tools, script, *words, cwd=tools.parent)
        assert (result.stdout, result.stderr) == (expected, "")


@on_posix
def test_a_link_is_a_script(tools: Path) -> None:
    link = tools.with_name("markdown-it")
    link.symlink_to(tools)
    assert run_file(link, "text.md", cwd=tools.parent).stdout.startswith("<h1>Title</h1>\n")
    link.unlink()


def test_its_scripts_are_listed(tools: Path) -> None:
    lines = run_file(*BARE, tools, status=2).stderr.splitlines()
    assert [line.strip() for line in lines[1:]] == ["markdown-it", "pygmentize"]


def test_it_is_an_interpreter_too(tools: Path) -> None:
    for words in (("-m", "rich.markdown", "-w", "40", "text.md"), ("-m", "pygments", "-f", "terminal", "code.py")):
        expected = run_file(sys.executable, *words, cwd=tools.parent).stdout
        result = run_file(*BARE, tools, *words, cwd=tools.parent, BUNDLEIMP_INTERPRETER="1")
        assert (result.stdout, result.stderr) == (expected, "")
        assert len(expected) > 20


def test_what_fails_shows_the_code_that_failed(source: Path, tmp_path: Path) -> None:
    """Also where the program has set a hook of its own, which prints frames in a panel."""
    script = tmp_path / "script.py"
    script.write_text("import rich.traceback\nrich.traceback.install(width=200)\nNAME = 1 / 0\n")
    bundleimp.pack([source], tmp_path / "env", standalone=True)
    printed = run_file(*BARE, tmp_path / "env", "script.py", status=1, cwd=tmp_path).stderr
    assert "NAME = 1 / 0" in printed
    assert "ZeroDivisionError" in printed
    assert not [word for word in ("runpy", "_bundleimp", "BUNDLE-INFO", "__main__.py") if word in printed]
