"""The finders of bundleimp on ``sys.meta_path``, as programs look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, run_python

if TYPE_CHECKING:
    from pathlib import Path

TREE = {
    # As the AWS CLI does when it is imported, before it puts a finder of its own before the path based finder.
    "aliases.py": """
import sys

def names():
    return [f"{f.__module__}.{f.__name__ if isinstance(f, type) else type(f).__name__}" for f in sys.meta_path]

def main():
    print(*names(), sep="\\n")
""",
}


@pytest.mark.parametrize("imported", [False, True])
def test_each_finder_names_the_module_it_is_from(tmp_path: Path, imported: bool) -> None:
    bundle = make_bundle(tmp_path / "lib.pybundle", TREE)
    script = "import aliases; aliases.main()" if imported else f"{TREE['aliases.py']}\nmain()"
    found = run_python("-c", script, path=[bundle] if imported else []).stdout.splitlines()
    assert ("bundleimp.runtime.hook.SimpleNamespace" if imported else "bundleimp.SimpleNamespace") in found
    assert "_frozen_importlib_external.PathFinder" in found


def test_each_finder_of_a_program_names_the_module_it_is_from(tmp_path: Path) -> None:
    program = make_bundle(tmp_path / "program", TREE, entry_point="aliases:main", standalone=True)
    assert "_frozen_importlib_external.PathFinder" in run_python("-I", "-S", str(program)).stdout.splitlines()
