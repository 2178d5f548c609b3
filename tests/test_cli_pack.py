"""``pack`` as a command: its output, its warnings, and its errors."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import make_tree, run_python
from .command_line import APP, bundleimp_command, error_of

if TYPE_CHECKING:
    from pathlib import Path

OWN_TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "src", APP)


def test_the_main_line_works(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.pybundle"
    result = bundleimp_command("pack", source, output)
    size = bundleimp.open_bundle(output).size / 1000
    lines = [
        f"{output}: {size:.1f} kB, 8 members, 4 modules compiled for {OWN_TAG}, flat",
        "runs on Python 3.11 or newer, any platform",
    ]
    assert result.stdout.splitlines() == lines
    assert result.stderr == ""
    assert run_python("-c", "import app; print(app.NAME)", path=[output]).stdout == "app\n"


def test_relative_paths_work(source: Path) -> None:
    bundleimp_command("pack", "src", "out.pybundle", cwd=source.parent)
    assert bundleimp.open_bundle(source.parent / "out.pybundle").verify() == []


def test_quiet_prints_nothing(source: Path, tmp_path: Path) -> None:
    make_tree(source, {"bad.py": "x ="})
    result = bundleimp_command("pack", "--quiet", source, tmp_path / "out.pybundle")
    assert (result.stdout, result.stderr) == ("", "")


def test_json_is_the_report(source: Path, tmp_path: Path) -> None:
    make_tree(source, {"bad.py": "x = 1\ny ="})
    output = tmp_path / "out.pybundle"
    report = json.loads(bundleimp_command("pack", "--json", source, output).stdout)
    (warning,) = report.pop("warnings")
    assert warning["member"] == "bad.py"
    assert warning["message"].startswith("line 2: ")
    (alternative,) = report.pop("runs_on")
    assert {key: value for key, value in alternative.items() if value} == {"python": ">=3.11"}
    assert report == {
        "output": str(output),
        "size": output.stat().st_size,
        "members": 9,
        "modules": 4,
        "kept": 0,
        "layout": "flat",
        "code_tags": [OWN_TAG],
        "ordered": 0,
        "imports": {},
        "left_out": [],
        "targets": [],
    }


def test_what_cannot_be_compiled_is_one_line_of_warning_and_no_error(source: Path, tmp_path: Path) -> None:
    make_tree(source, {"app/bad.py": "x = 1\nprint 'two'\n"})
    result = bundleimp_command("pack", source, tmp_path / "out.pybundle")
    (line,) = result.stderr.splitlines()
    assert line.startswith("bundleimp: warning: app/bad.py: line 2: ")
    assert "kept as a file, not compiled" in line


def test_every_option_reaches_the_bundle(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.pybundle"
    options = [*("--layout", "nested", "--compress", "none", "--optimize", "2", "--jobs", "1"), "--exclude", "lib-*"]
    bundleimp_command("pack", source, output, *options, "--exclude", "*.txt", "--python", sys.executable)
    bundle = bundleimp.open_bundle(output)
    assert bundle.layout == "nested"
    assert [member.name for member in bundle.members] == [
        *("app/__init__.py", "app/__main__.py", "app/deep/mod.py", "single.py")
    ]
    assert {member.method for member in bundle.members} == {0}
    assert bundle.manifest is not None
    assert [python["tag"] for python in bundle.manifest["python"]] == [f"{OWN_TAG}.opt-2"]


@pytest.mark.parametrize(("option", "names"), [("--no-source", ["m.pyc"]), ("--no-bytecode", ["m.py"])])
def test_source_and_bytecode_can_be_left_out(tmp_path: Path, option: str, names: list[str]) -> None:
    make_tree(tmp_path, {"m.py": "x = 1"})
    bundleimp_command("pack", option, tmp_path / "m.py", tmp_path / "out.pybundle")
    assert [member.name for member in bundleimp.open_bundle(tmp_path / "out.pybundle").members] == names


def test_a_conflict_names_both_sources_and_the_way_out(tmp_path: Path) -> None:
    one, two = (make_tree(tmp_path / name, {"mod.py": f"x = '{name}'"}) for name in ("one", "two"))
    text = error_of("pack", one, two, tmp_path / "out.pybundle")
    assert text == f"mod.py: {one / 'mod.py'} and {two / 'mod.py'} differ; choose with --on-conflict first or last"
    bundleimp_command("pack", "--on-conflict", "last", one, two, tmp_path / "out.pybundle")
    assert bundleimp.open_bundle(tmp_path / "out.pybundle").read("mod.py") == b"x = 'two'"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing", "out.pybundle"], "missing: this source cannot be read: No such file or directory"),
        (["src", "gone/out.pybundle"], "there is no directory"),
        (["src", "src"], "is a directory; name the file to write"),
        (["src/app/table.txt", "out.pybundle"], "is not a directory, a project, a wheel, a bundle or a .py module"),
        (["empty", "out.pybundle"], "there is nothing to pack"),
        (["--no-source", "--no-bytecode", "src", "out.pybundle"], "--no-source needs bytecode for one Python"),
        (["--python", "no-such-python", "src", "out.pybundle"], "no-such-python: this interpreter cannot be started"),
        (["--exclude", "*", "src", "out.pybundle"], "there is nothing to pack"),
        (["--jobs", "-1", "src", "out.pybundle"], "jobs"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_leaves_the_output_untouched(
    source: Path, arguments: list[str], message: str
) -> None:
    make_tree(source.parent, {"empty/__pycache__/x.pyc": b"", "out.pybundle": "before"})
    assert message in error_of("pack", *arguments, cwd=source.parent)
    assert (source.parent / "out.pybundle").read_text() == "before"
    assert not (source.parent / "gone").exists()


def test_in_a_pipe_there_is_no_progress(source: Path, tmp_path: Path) -> None:
    result = bundleimp_command("pack", source, tmp_path / "out.pybundle")
    assert "\r" not in result.stdout + result.stderr
    assert "\x1b" not in result.stdout + result.stderr
