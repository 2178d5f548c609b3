"""Debuggers and profilers on programs: the lines of the README, and tracebacks."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .builders import TIMEOUT, Tree, clean_environment, make_bundle
from .programs import run_file

if TYPE_CHECKING:
    from pathlib import Path

BARE = (sys.executable, "-I", "-S")
TREE: Tree = {
    "app/__init__.py": "",
    "app/__main__.py": "from app.cli import main\nmain()\n",
    "app/cli.py": "import sys\n\ndef helper(n):\n    return 2 * n\n\n"
    "def main():\n    print('done', helper(21), sys.argv[1:])\n",
    "app/bad.py": "import sys\n\ndef main():\n    deeper()\n\ndef deeper():\n    raise ValueError('wrong')\n",
    "app/missing.py": "import no_such_module\n\ndef main(): pass\n",
    "app/syntax.py": "def main(): pass\nx = (\n",
    "app/hook.py": "import sys, traceback\n\ndef show(kind, error, trace):\n"
    "    print([frame.name for frame in traceback.extract_tb(trace)], trace is error.__traceback__)\n\n"
    "sys.excepthook = show\nfrom app.bad import main\n",
    "app/run.py": "from app.bad import main\nif __name__ == '__main__':\n    main()\n",
}
TOOLS: dict[str, tuple[list[str], str, str]] = {
    "pdb": (["-m", "pdb"], "break app.cli:3\nbreak 1\ncontinue\ncontinue\nquit\n", "done 42 ['x']"),
    "cProfile": (["-m", "cProfile", "-s", "cumulative"], "", "cli.py:3(helper)"),
    "trace": (["-m", "trace", "--listfuncs", "--module"], "", "funcname: helper"),
}


def program(path: Path, entry_point: str = "app.cli:main", **options: Any) -> Path:
    return make_bundle(path, TREE, entry_point=entry_point, layout="nested", **options)


@pytest.mark.parametrize("standalone", [False, True])
@pytest.mark.parametrize("tool", TOOLS)
def test_tools_of_the_standard_library_run_a_module_of_a_program(tmp_path: Path, standalone: bool, tool: str) -> None:
    path = program(tmp_path / "greet", standalone=standalone)
    words, given, printed = TOOLS[tool]
    module = ["app"] if tool == "trace" else ["-m", "app"]
    command = [*(BARE if standalone else (sys.executable,)), path, *words, *module, "x"]
    result = tool_output(command, given, BUNDLEIMP_INTERPRETER="1")
    assert printed in result
    assert "done 42 ['x']" in result


@pytest.mark.parametrize("tool", ["pdb", "cProfile"])
def test_tools_of_the_standard_library_run_a_whole_program(tmp_path: Path, tool: str) -> None:
    path = program(tmp_path / "greet")
    words, _, printed = TOOLS[tool]
    given = "import app.cli\nbreak app.cli.helper\ncontinue\nreturn\nquit\n" if tool == "pdb" else ""
    result = tool_output([sys.executable, *words, "-m", "bundleimp", "run", path, "x"], given)
    assert ("--Return--" if tool == "pdb" else printed) in result


def tool_output(command: list[Any], given: str, **variables: str) -> str:
    result = subprocess.run(
        list(map(str, command)),
        input=given,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert "Traceback" not in result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("standalone", [False, True])
@pytest.mark.parametrize(
    ("entry_point", "names", "last"),
    [
        ("app.bad:main", ["main", "deeper"], "ValueError: wrong"),
        ("app.run", ["<module>", "main", "deeper"], "ValueError: wrong"),
        ("app.missing:main", ["<module>"], "ModuleNotFoundError: No module named 'no_such_module'"),
        ("app.syntax:main", [], "SyntaxError: '(' was never closed"),
    ],
)
def test_tracebacks_show_the_frames_of_the_program_alone(
    tmp_path: Path, standalone: bool, entry_point: str, names: list[str], last: str
) -> None:
    path = program(tmp_path / "greet", entry_point, standalone=standalone)
    for command in (["-m", "bundleimp", "run"], []):
        result = run_file(sys.executable, *command, path, status=1)
        lines = result.stderr.splitlines()
        assert [
            line.rpartition(", in ")[2] for line in lines if line.startswith("  File ") and ", in " in line
        ] == names
        assert lines[-1].startswith(last)
    if standalone:
        assert run_file(*BARE, path, status=1).stderr.splitlines()[-1].startswith(last)


def test_a_hook_of_the_program_gets_these_frames_too(tmp_path: Path) -> None:
    result = run_file(sys.executable, program(tmp_path / "greet", "app.hook:main"), status=1)
    assert (result.stdout, result.stderr) == ("['main', 'deeper'] True\n", "")
