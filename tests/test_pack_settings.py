"""The table ``[tool.bundleimp]``: its keys are the options of ``pack``, and the command line replaces them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp import cli
from bundleimp.packing.errors import PackError
from bundleimp.packing.options import PackOptions
from bundleimp.packing.settings import read_settings

from .builders import make_tree
from .command_line import error_of

if TYPE_CHECKING:
    from pathlib import Path

# A value in TOML for each kind of option.
VALUES = {"bool": "false", "int": "1", "Compression": "'none'", "Layout": "'flat'", "OnConflict": "'last'"}


def options_of(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    table: str,
    *words: str,
    project: str = "[project]\nname = 'My_App'\n",
) -> PackOptions:
    """Return the options of ``pack --project DIR`` with this *table* and these *words*."""
    make_tree(tmp_path / "proj", {"pyproject.toml": f"{project}[tool.bundleimp]\n{table}\n"})
    made: list[PackOptions] = []

    def build(options: PackOptions) -> bundleimp.PackReport:
        made.append(options)
        return bundleimp.PackReport(str(options.output))

    monkeypatch.setattr("bundleimp.cli.pack_command.build", build)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["pack", "--quiet", "--project", "proj", *words]) == 0
    return made[0]


def test_every_option_that_a_file_can_give_is_a_key() -> None:
    table: dict[str, Any] = {}
    for field in dataclasses.fields(PackOptions):
        kind = str(field.type)
        table[field.name.replace("_", "-")] = (
            ["x"] if "Sequence" in kind else True if kind == "bool" else 1 if kind.startswith("int") else "x"
        )
    del table["project"], table["progress"]
    options = read_settings(table, "", "pyproject.toml")
    assert set(options) == {field.name for field in dataclasses.fields(PackOptions)} - {"project", "progress"}


def test_values_of_the_table_become_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = (
        "entry-point = 'app'\nbytecode = false\noptimize = 2\nextras = ['web']\nexclude = ['*.txt']\ncompress = 'none'"
    )
    options = options_of(monkeypatch, tmp_path, table)
    assert (options.entry_point, options.bytecode, options.optimize) == ("app", False, 2)
    assert (options.extras, options.exclude, options.compress) == (["web"], ["*.txt"], "none")
    assert (options.project, options.sources, options.layout) == ("proj", [], "auto")


def test_paths_in_the_table_are_relative_to_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = "sources = ['src', '.']\nrequirement-files = ['r.txt', 'https://host/r.txt']\noutput = 'build/a.pybundle'"
    options = options_of(monkeypatch, tmp_path, table)
    assert options.sources == [str(tmp_path / "proj/src").removeprefix(f"{tmp_path}/"), "proj"]
    assert options.requirement_files[1] == "https://host/r.txt"
    assert str(options.output).replace("\\", "/") == "proj/build/a.pybundle"
    assert (tmp_path / "proj/build").is_dir()


def test_the_command_line_replaces_the_table_even_with_a_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = "compress = 'none'\nexclude = ['a', 'b']\nsources = ['src']\noutput = 'a.pybundle'\nshebang = 'python'"
    words = ["--compress", "deflate", "--exclude", "c", "own", "out.pybundle", "--shebang", ""]
    options = options_of(monkeypatch, tmp_path, table, *words)
    assert (options.compress, options.exclude, options.shebang) == ("deflate", ["c"], "")
    assert (options.sources, options.output) == (["own"], "out.pybundle")


def test_installer_options_are_replaced_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = "installer-options = ['--pre']"
    assert options_of(monkeypatch, tmp_path, table).installer_options == ["--pre"]
    assert options_of(monkeypatch, tmp_path, table, "--", "--no-index").installer_options == ["--no-index"]


def test_the_default_output_has_the_name_of_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    options = options_of(monkeypatch, tmp_path, "")
    assert str(options.output).replace("\\", "/") == "proj/dist/my-app.pybundle"


def test_a_failure_leaves_no_new_folder_behind(tmp_path: Path) -> None:
    make_tree(tmp_path, {"pyproject.toml": "[project]\nname = 'app'\n[tool.bundleimp]\nsources = ['gone']\n"})
    assert "gone: this source cannot be read" in error_of("pack", "--project", ".", cwd=tmp_path)
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"exclud": []}, "has an unknown key 'exclud'; did you mean exclude?"),
        ({"entry": "app"}, "has an unknown key 'entry'; did you mean entry-point?"),
        ({"on_conflict": "last"}, "has an unknown key 'on_conflict'; did you mean on-conflict?"),
        ({"zzz": 1}, "has an unknown key 'zzz'"),
        ({"project": "."}, "has an unknown key 'project'"),
        ({"exclude": "*.txt"}, "exclude must be a list of strings, not '*.txt'"),
        ({"exclude": [1]}, "exclude must be a list of strings, not [1]"),
        ({"bytecode": "no"}, "bytecode must be true or false, not 'no'"),
        ({"optimize": True}, "optimize must be a whole number, not True"),
        ({"entry-point": 3}, "entry-point must be a string, not 3"),
    ],
)
def test_what_the_table_cannot_say_is_an_error(table: dict[str, Any], message: str) -> None:
    with pytest.raises(PackError) as caught:
        read_settings(table, "", "dir/pyproject.toml")
    assert str(caught.value) == f"dir/pyproject.toml: [tool.bundleimp] {message}"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[tool.bundleimp]\nlayout = 'round'\noutput = 'o.pybundle'", "layout must be one of auto, flat, nested"),
        ("[tool.bundleimp]\nsources = ['src']", "the following arguments are required: OUT"),
        ("[project]\nversion = '1'", "pyproject.toml: the [project] table has no name"),
        ("[project", "pyproject.toml: is no valid TOML"),
        ("[project]\nname = 3", "pyproject.toml: project.name must be a string, not 3"),
        ("[project]\nname = 'a'\ndependencies = 'rich'", "project.dependencies must be a list, not 'rich'"),
        ("[project]\nname = 'a'\ndependencies = [1]", "project.dependencies must be a list of strings, and has 1"),
        ("tool = 3", "pyproject.toml: tool must be a table"),
        ("[tool]\nbundleimp = []", "pyproject.toml: bundleimp must be a table"),
    ],
)
def test_a_project_that_cannot_be_used_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    make_tree(tmp_path, {"pyproject.toml": content, "src/mod.py": ""})
    assert message in error_of("pack", "--project", ".", cwd=tmp_path)


def test_a_folder_without_a_project_is_one_line(tmp_path: Path) -> None:
    assert error_of("pack", "--project", ".", cwd=tmp_path) == ".: is no project: it has no pyproject.toml"
