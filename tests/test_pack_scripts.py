"""Scripts with inline metadata (PEP 723): packed with what they need, they are programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp import pythons
from bundleimp.packing.errors import PackError
from bundleimp.packing.script import module_name, read_script

from .builders import Tree, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .test_pack_inputs import inputs_of, make_wheel, offline
from .test_pack_project import needs_uv, tops, uv

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "dep",
# ]
#
# [tool.bundleimp]
# exclude = ["*.txt"]
# output = "tool.pybundle"
# sources = ["lib"]
# ///
import sys
import dep
if __name__ == "__main__":
    import helper
    print(dep.name, helper.x, sys.argv[1:])
"""
TREE: Tree = {"my-tool.py": SCRIPT, "lib/helper.py": "x = 1\n", "lib/notes.txt": ""}


@pytest.fixture(name="index")
def _index(tmp_path: Path) -> Path:
    make_wheel(tmp_path / "wheels", "dep", {"dep/__init__.py": "name = 'dep'\n"})
    return tmp_path / "wheels"


def test_a_script_is_a_program_with_its_dependencies(index: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, TREE)
    bundleimp_command("pack", "my-tool.py", "--", *offline(index), cwd=tmp_path)
    assert tops(tmp_path / "tool.pybundle") == ["__children__", "__main__.py", "dep", "helper.py", "my_tool.py"]
    assert run_python(str(tmp_path / "tool.pybundle"), "a").stdout == "dep 1 ['a']\n"
    assert inputs_of(tmp_path / "tool.pybundle") == ["my-tool.py", "lib", "dep"]


def test_the_command_line_replaces_what_the_script_says(index: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, TREE)
    words = ["my-tool.py", "out.pybundle", "--exclude", "*.json", "-e", "helper"]
    bundleimp_command("pack", *words, "--", *offline(index), cwd=tmp_path)
    assert tops(tmp_path / "out.pybundle") == [
        "__children__",
        "__main__.py",
        "dep",
        "helper.py",
        "my_tool.py",
        "notes.txt",
    ]
    manifest = bundleimp.open_bundle(tmp_path / "out.pybundle").manifest
    assert manifest is not None
    assert manifest["entry_point"] == "helper"


def test_pack_as_a_function_takes_a_script_without_its_table(index: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, TREE)
    output = tmp_path / "out.pybundle"
    bundleimp.pack([tmp_path / "my-tool.py"], output, installer_options=offline(index), jobs=1)
    assert tops(output) == ["__children__", "__main__.py", "dep", "my_tool.py"]


def test_a_module_without_metadata_is_a_module(tmp_path: Path) -> None:
    make_tree(tmp_path, {"my-tool.py": "x = 1\n"})
    bundleimp_command("pack", "my-tool.py", "out.pybundle", cwd=tmp_path)
    assert tops(tmp_path / "out.pybundle") == ["my-tool.py"]


def test_a_script_alone_needs_an_output(tmp_path: Path) -> None:
    make_tree(tmp_path, {"tool.py": "# /// script\n# ///\n"})
    assert "the following arguments are required: OUT" in error_of("pack", "tool.py", cwd=tmp_path)


def test_empty_metadata_makes_a_program_too(tmp_path: Path) -> None:
    make_tree(tmp_path, {"tool.py": "# /// script\n# ///\nprint('ran')\n"})
    bundleimp.pack([tmp_path / "tool.py"], tmp_path / "out.pybundle", jobs=1)
    assert run_python(str(tmp_path / "out.pybundle")).stdout == "ran\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("# /// script\n# ///\n# /// script\n# ///\n", "has more than one metadata block (# /// script)"),
        ("# /// script\n# dependencies = []\n\n# ///\n", "its metadata block is not complete"),
        ("# /// script\n# dependencies = [\n# ///\n", "is no valid TOML"),
        ("# /// script\n# dependencies = 'rich'\n# ///\n", "dependencies in its metadata must be a list of strings"),
        ("# /// script\n# dependencies = [1]\n# ///\n", "dependencies in its metadata must be a list of strings"),
        ("# /// script\n# requires-python = 3.11\n# ///\n", "requires-python in its metadata must be a string"),
        (
            "# /// script\n# requires-python = 'three'\n# ///\n",
            "requires-python in its metadata is no version specifier",
        ),
        ("# /// script\n# requires-python = '>=3.99'\n# ///\n", "needs Python >=3.99, and "),
        (
            "# /// script\n# [tool.bundleimp]\n# exclud = []\n# ///\n",
            "has an unknown key 'exclud'; did you mean exclude?",
        ),
        ("# /// script\n# dependencies = ['-e.']\n# ///\n", "'-e.' is not a requirement"),
    ],
)
def test_metadata_that_cannot_be_used_is_one_line(tmp_path: Path, source: str, message: str) -> None:
    make_tree(tmp_path, {"tool.py": source, "out.pybundle": "before"})
    assert message in error_of("pack", "tool.py", "out.pybundle", cwd=tmp_path)
    assert (tmp_path / "out.pybundle").read_text() == "before"


def test_two_scripts_are_no_program(tmp_path: Path) -> None:
    source = "# /// script\n# ///\n"
    make_tree(tmp_path, {"one.py": source, "two.py": source})
    error = error_of("pack", "one.py", "two.py", "out.pybundle", cwd=tmp_path)
    assert error == "two.py: is a script with metadata, as one.py is; name the program with --entry-point"
    bundleimp_command("pack", "one.py", "two.py", "out.pybundle", "-e", "two", cwd=tmp_path)
    assert tops(tmp_path / "out.pybundle") == ["__children__", "__main__.py", "one.py", "two.py"]


def test_blocks_of_other_types_and_unreadable_sources_are_no_metadata() -> None:
    assert read_script(b"# /// other\n# x = 1\n# ///\n", "tool.py") is None
    assert read_script(b"# coding: nothing\n# /// script\n# ///\n", "tool.py") is None
    assert read_script(b"x = '\xff'\n# /// script\n# ///\n", "tool.py") is None


def test_lines_may_end_as_on_windows() -> None:
    script = read_script(b"# /// script\r\n# dependencies = ['dep']\r\n#\r\n# ///\r\n", "tool.py")
    assert script is not None
    assert script.dependencies == ["dep"]


@pytest.mark.parametrize(
    ("stem", "name"), [("tool", "tool"), ("my-tool", "my_tool"), ("2to3", "_2to3"), ("a.b c", "a_b_c")]
)
def test_a_script_has_the_name_of_a_module(stem: str, name: str) -> None:
    assert module_name(stem) == name


@pytest.mark.parametrize(
    ("specifier", "version", "allowed"),
    [
        (">=3.11", (3, 11, 0), True),
        (">=3.11,<3.13", (3, 13, 0), False),
        (">=3.11.2", (3, 11, 1), False),
        ("<4", (3, 15, 0), True),
        (">3.11", (3, 11, 4), True),
        ("<=3.11", (3, 11, 4), False),
        ("==3.12.*", (3, 12, 4), True),
        ("==3.12.*", (3, 11, 4), False),
        ("!=3.12.*", (3, 12, 4), False),
        ("==3.12", (3, 12, 0), True),
        ("~=3.11", (3, 15, 0), True),
        ("~=3.11.2", (3, 12, 0), False),
        ("", (3, 12, 0), True),
        (">=3.13.0rc1", (3, 13, 0), True),
    ],
)
def test_versions_are_compared_as_pep_440_says(specifier: str, version: tuple[int, ...], *, allowed: bool) -> None:
    here = pythons.parse("==" + ".".join(map(str, version)))
    assert bool(pythons.both(pythons.parse(specifier), here)) is allowed


def test_a_program_runs_where_its_script_says(tmp_path: Path) -> None:
    make_tree(tmp_path, {"tool.py": "# /// script\n# requires-python = '>=3.11,<3.77'\n# ///\n"})
    report = bundleimp.pack([tmp_path / "tool.py"], tmp_path / "out.pybundle")
    assert [(each.python, each.because) for each in report.runs_on] == [(">=3.11,<3.77", ("tool.py",))]


def test_another_python_is_asked_for_its_version(tmp_path: Path) -> None:
    make_tree(tmp_path, {"tool.py": "# /// script\n# requires-python = '>=3.11'\n# ///\n"})
    with pytest.raises(PackError, match="no-such-python: this interpreter cannot be started"):
        bundleimp.pack([tmp_path / "tool.py"], tmp_path / "out.pybundle", python=["no-such-python"])


@needs_uv
def test_the_lock_of_a_script_is_followed(index: Path, tmp_path: Path) -> None:
    settings = f"# [tool.uv]\n# no-index = true\n# find-links = [{str(index)!r}]\n# ///\n"
    script = f"# /// script\n# dependencies = ['dep']\n{settings}import dep; print(dep.name)\n"
    make_tree(tmp_path, {"tool.py": script})
    uv("lock", "--quiet", "--script", "tool.py", "--python", sys.executable, cwd=tmp_path)
    make_wheel(index, "dep", {"dep/__init__.py": "name = 'newer'\n"}, version="3.0")
    bundleimp_command("pack", "tool.py", "out.pybundle", cwd=tmp_path)
    assert run_python(str(tmp_path / "out.pybundle")).stdout == "dep\n"
    assert inputs_of(tmp_path / "out.pybundle") == ["tool.py", "tool.py.lock"]
