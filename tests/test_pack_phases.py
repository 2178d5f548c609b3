"""The events of `pack` for its phases.  It prints nothing itself."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing.build import build
from bundleimp.packing.options import PackOptions
from bundleimp.packing.progress import Step

from .builders import make_tree

if TYPE_CHECKING:
    from pathlib import Path

TREE = {"mod.py": "x = 1\n", "pkg/__init__.py": "", "pkg/data.txt": "data"}


def steps_of(folder: Path, **options: Any) -> list[Step]:
    """Pack `TREE`, and return the steps that are told."""
    given = {"sources": [make_tree(folder / "src", TREE)], "output": folder / "out.pybundle", "jobs": 1, **options}
    defaults = {name: parameter.default for name, parameter in inspect.signature(bundleimp.pack).parameters.items()}
    steps: list[Step] = []
    build(PackOptions(**{**defaults, **given, "progress": steps.append}))
    return steps


def test_each_phase_begins_and_ends_with_its_number(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert steps_of(tmp_path) == [
        Step("reading"),
        Step("reading", 3, 3),
        Step("compiling", 0, 2),
        Step("writing", 0, 3),
        Step("compiling", 1, 2),
        Step("writing", 1, 3, "mod.py"),
        Step("compiling", 2, 2),
        Step("writing", 2, 3, "pkg/__init__.py"),
        Step("writing", 3, 3, "pkg/data.txt"),
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("options", [{"bytecode": False}, {"exclude": ["*.py"]}], ids=str)
def test_where_nothing_is_compiled_there_is_no_such_phase(tmp_path: Path, options: dict[str, Any]) -> None:
    assert {step.phase for step in steps_of(tmp_path, **options)} == {"reading", "writing"}


def test_a_virtual_environment_is_read_and_not_resolved(tmp_path: Path) -> None:
    make_tree(
        tmp_path / "venv", {"pyvenv.cfg": "", "lib/python3.11/site-packages/lib.py": "", "Lib/site-packages/lib.py": ""}
    )
    steps = steps_of(tmp_path, from_venv=tmp_path / "venv")
    assert [step.phase for step in steps][:2] == ["reading", "reading"]


def test_the_public_function_tells_of_members_only(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    source = make_tree(tmp_path / "src", TREE)
    bundleimp.pack([source], tmp_path / "out.pybundle", jobs=1, progress=lambda *step: seen.append(step))
    assert seen == [(1, 3, "mod.py"), (2, 3, "pkg/__init__.py"), (3, 3, "pkg/data.txt")]
