"""Texts that several commands and modules print are the same, because one function makes them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from bundleimp import platforms
from bundleimp.packing.targets import parse_target
from bundleimp.runtime.content.purposes import TRIPLETS, Purpose
from bundleimp.runtime.faults.likeness import near

from .builders import make_bundle, make_tree, run_python
from .command_line import bundleimp_command
from .test_runs_on import distribution

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("machine", [*TRIPLETS, "x86_64", "aarch64", "s390x", "riscv64"])
def test_a_machine_has_one_name_in_each_place(machine: str) -> None:
    target = parse_target(f"cp313-manylinux_2_28_{machine}")
    platform = platforms.parse(target.platform)
    assert platform is not None
    (suffix,) = platform.facts["suffix"]
    assert suffix in target.key
    read = Purpose(f"module.{target.key}.so").machine
    assert TRIPLETS.get(read, read) == TRIPLETS.get(machine, machine)


def test_the_json_of_pack_has_the_versions_that_are_printed(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", distribution("old", "py3-none-any", requires=">=3.8,!=3.11.99"))
    output = tmp_path / "out.pybundle"
    report = json.loads(bundleimp_command("pack", "--json", source, output).stdout)
    assert [each["python"] for each in report["runs_on"]] == [">=3.11,!=3.11.99"]
    printed = bundleimp_command("pack", source, output).stdout.splitlines()[1]
    assert printed == "runs on Python 3.11 or newer but not 3.11.99, any platform"


def test_a_question_names_what_is_near() -> None:
    assert near("mian", ["main", "other"]) == "; did you mean main?"
    assert near("mian", ["main"], " ({})") == " (main)"
    assert near("x", ["main"]) == ""


def test_uninstall_removes_the_hook_of_programs_and_install_brings_it_back(tmp_path: Path) -> None:
    code = """
import sys
from bundleimp import install, uninstall

def names():
    return [hook.__module__ for hook in sys.path_hooks if "bundleimp" in getattr(hook, "__module__", "")]

print(names())
uninstall()
print(names())
import one
print(type(sys.path_importer_cache[sys.path[0]]).__name__)
install()
print(names())
import two
print(type(sys.path_importer_cache[sys.path[0]]).__name__)
"""
    tree = {"start.py": code, "one.py": "", "two.py": ""}
    program = make_bundle(tmp_path / "program", tree, entry_point="start")
    both = ["bundleimp.runtime.hook", "bundleimp.runtime.interpreter.programs"]
    result = run_python(str(program), executable=sys.executable)
    assert result.stdout == f"{both}\n[]\nzipimporter\n{both}\nBundleFinder\n"
