"""Where a program starts: all its scripts in one file, and the variables that choose."""

from __future__ import annotations

import ast
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .builders import Tree, make_bundle
from .programs import APP, run_file

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="the system starts no file by its first line")
in_each_layout = pytest.mark.parametrize("layout", ["flat", "nested"])
alone_or_not = pytest.mark.parametrize("standalone", [False, True])
LIST = "tools: give the name of a script, and its arguments:\n    app-extra\n    gone\n    show-app\n    show-gui\n"
TREE: Tree = APP | {
    "app-1.0.dist-info/entry_points.txt": "# scripts\n[console_scripts]\nshow-app = app.cli:main\n; no = script\n"
    "app-extra=app.cli : main [more]\ngone = app.gone:main\n\n[gui_scripts]\nshow-gui = app.cli:Commands.status\n"
    "[pytest11]\nplugin = app.plugin\n",
    "app/names.py": "import os\nprint(sorted(name for name in os.environ if 'BUNDLEIMP' in name))\n",
}


def program(path: Path, entry_point: str = "*", **options: Any) -> Path:
    return make_bundle(path, TREE, entry_point=entry_point, **options)


def run(path: Path, *words: str, status: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    return run_file(sys.executable, "-W", "error", path, *words, status=status, cwd=None, **variables)


@in_each_layout
@alone_or_not
def test_the_first_word_names_the_script(tmp_path: Path, layout: str, standalone: bool) -> None:
    path = program(tmp_path / "tools", layout=layout, standalone=standalone)
    assert run(path, "show-app", "three", "-x", status=3).stdout == "main ['three', '-x']\n"
    assert run(path, "app-extra", "three", status=3).stdout == "main ['three']\n"
    run(path, "show-gui", status=5)


@on_posix
@alone_or_not
def test_the_name_that_it_is_called_by_names_the_script(tmp_path: Path, standalone: bool) -> None:
    path = program(tmp_path / "tools", standalone=standalone, shebang=sys.executable)
    for link in ("show-app", "app-extra"):
        (tmp_path / link).symlink_to(path)
        assert run_file(tmp_path / link, "three", status=3).stdout == "main ['three']\n"
    renamed = path.rename(tmp_path / "show-app.pybundle")
    assert run_file(renamed, "three", status=3).stdout == "main ['three']\n"


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_without_a_script_all_are_listed(tmp_path: Path, words: tuple[str, ...]) -> None:
    result = run(program(tmp_path / "tools"), *words, status=2)
    assert (result.stdout, result.stderr) == ("", LIST)


def test_an_unknown_script_is_one_line(tmp_path: Path) -> None:
    path = program(tmp_path / "tools")
    line = "tools: there is no script 'shw-app'; did you mean show-app?; without arguments, tools lists its scripts\n"
    assert run(path, "shw-app", status=2).stderr == line
    line = "tools: no packed distribution has a console script 'shw-app'; did you mean show-app?\n"
    assert run(path, status=2, BUNDLEIMP_SCRIPT="shw-app").stderr == line


def test_a_script_whose_module_is_missing_is_one_line(tmp_path: Path) -> None:
    result = run(program(tmp_path / "tools"), "gone", status=1)
    assert result.stderr == "gone: cannot start app.gone:main: No module named 'app.gone'\n"


def test_the_name_of_the_program_becomes_that_of_the_script(tmp_path: Path) -> None:
    tree = TREE | {"app/cli.py": "import sys\n\ndef main():\n    print(sys.argv)\n"}
    path = make_bundle(tmp_path / "tools", tree, entry_point="*")
    first, rest = ast.literal_eval(run(path, "show-app", "x").stdout)
    assert (os.path.basename(first), os.path.realpath(first), rest) == ("show-app", str(path), "x")


def test_all_scripts_are_an_entry_point_only_where_there_are_some(tmp_path: Path) -> None:
    manifest = bundleimp.open_bundle(program(tmp_path / "tools")).manifest or {}
    assert manifest["entry_point"] == "*"
    with pytest.raises(bundleimp.BundleError) as caught:
        make_bundle(tmp_path / "none", {"a.py": ""}, entry_point="*")
    assert str(caught.value) == (
        "entry point: '*' is all console scripts of the packed distributions, and they have none"
    )
    assert not (tmp_path / "none").exists()


@alone_or_not
@pytest.mark.parametrize("entry_point", ["app.cli:Commands.status", "app", "*"])
@pytest.mark.parametrize(
    ("variables", "stdout", "status"),
    [
        ({"BUNDLEIMP_SCRIPT": "show-app"}, "main ['three']\n", 3),
        ({"BUNDLEIMP_MODULE": "app.cli:main"}, "main ['three']\n", 3),
        ({"BUNDLEIMP_MODULE": "app.cli:Commands.status"}, "", 5),
        ({"BUNDLEIMP_MODULE": "app.module"}, "__main__ app app.module app/module.py ['three']\n", 4),
        ({"BUNDLEIMP_MODULE": "app"}, "__main__ ['{path}', 'three']\n", 0),
        ({"BUNDLEIMP_MODULE": "app.names"}, "['BUNDLEIMP_CACHE_DIR', 'BUNDLEIMP_CHILDREN']\n", 0),
    ],
)
def test_the_environment_chooses_another_start(
    tmp_path: Path, standalone: bool, entry_point: str, variables: dict[str, str], stdout: str, status: int
) -> None:
    path = program(tmp_path / "tools", entry_point, standalone=standalone)
    result = run(path, "three", status=status, **variables)
    assert (result.stdout, result.stderr) == (stdout.format(path=path), "")


@pytest.mark.parametrize(
    ("variables", "status", "line"),
    [
        ({"BUNDLEIMP_MODULE": "app.clj:main"}, 1, "tools: cannot start app.clj:main: No module named 'app.clj'"),
        ({"BUNDLEIMP_MODULE": "apq:main"}, 1, "tools: cannot start apq:main: No module named 'apq'"),
        ({"BUNDLEIMP_MODULE": "app.cli:x"}, 1, "tools: cannot start app.cli:x: the module has no x"),
        ({"BUNDLEIMP_MODULE": "app.clj"}, 1, f"{sys.executable}: No module named app.clj"),
        ({"BUNDLEIMP_MODULE": "a b"}, 2, "tools: BUNDLEIMP_MODULE is MODULE or MODULE:FUNCTION, and not 'a b'"),
        (
            {"BUNDLEIMP_MODULE": "app", "BUNDLEIMP_SCRIPT": "show-app"},
            2,
            "tools: BUNDLEIMP_MODULE and BUNDLEIMP_SCRIPT are both set: set one of them",
        ),
    ],
)
def test_a_start_that_does_not_exist_is_one_line(
    tmp_path: Path, variables: dict[str, str], status: int, line: str
) -> None:
    path = program(tmp_path / "tools", "app.cli:main")
    assert run(path, status=status, **variables).stderr == f"{line}\n"


def test_an_empty_variable_chooses_nothing(tmp_path: Path) -> None:
    path = program(tmp_path / "tools", "app.cli:main")
    chosen = dict.fromkeys(("BUNDLEIMP_MODULE", "BUNDLEIMP_SCRIPT"), "") | {"BUNDLEIMP_INTERPRETER": "0"}
    run(path, "three", status=3, **chosen)


def test_children_inherit_none_of_the_variables(tmp_path: Path) -> None:
    script = f"""
import os, subprocess, sys

def main():
    sys.exit(subprocess.run([sys.executable, {os.fspath(tmp_path / "other")!r}, "three"]).returncode)
"""
    program(tmp_path / "other", "app.cli:main")
    path = make_bundle(tmp_path / "tools", {"m.py": script}, entry_point="m:main")
    assert run(path, status=3, BUNDLEIMP_MODULE="m:main").stdout == "main ['three']\n"
