"""Real packages in a damaged bundle: what an importing process sees is as in the sound one, or a clear error.

Each test has one fresh process for all its damages (`tests.damage`); a crash of the interpreter would end it.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .builders import Tree, make_bundle, make_zip, run_python

if TYPE_CHECKING:
    from collections.abc import Callable

OWN: Tree = {
    "asking/__init__.py": "import os\nHERE = os.path.dirname(__file__)\n",
    "asking/table.txt": "row\n" * 30,
    "space/leaf.py": "VALUE = 1\n",
    "single.py": "VALUE = 2\n",
}
REAL = ("iniconfig", "markupsafe", "pluggy")


def real_tree() -> Tree:
    """Return distributions of the test environment (a compiled module is among them), and modules of our own."""
    tree = dict(OWN)
    for name in REAL:
        for file in importlib.metadata.files(name) or ():
            if not file.name.endswith(".pyc") and ".." not in file.parts:
                tree[file.as_posix()] = Path(str(file.locate())).read_bytes()
    return tree


MAKERS: dict[str, Callable[[Path, Tree], Path]] = {
    "flat": lambda path, tree: make_bundle(path, tree, layout="flat"),
    "nested": lambda path, tree: make_bundle(path, tree, layout="nested"),
    "stored": lambda path, tree: make_bundle(path, tree, layout="flat", compress="none"),
    "without bytecode": lambda path, tree: make_bundle(path, tree, bytecode=False),
    "standalone": lambda path, tree: make_bundle(path, tree, standalone=True, entry_point="single:VALUE.bit_length"),
    "compressed bytecode": lambda path, tree: make_bundle(path, tree, compress_bytecode="deflate"),
    "profile": lambda path, tree: make_bundle(path, tree, profile="-c 'import pluggy'"),
    "plain zip": make_zip,
}


@pytest.fixture(scope="module", params=MAKERS)
def victim(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MAKERS[request.param](tmp_path_factory.mktemp("damage") / "out.pybundle", real_tree())


def tried(attempt: str, victim: Path, count: int) -> dict[str, Any]:
    """Return what became of *count* damages to the bundle *victim*."""
    cache = str(victim.with_name("cache"))
    root = Path(__file__).parents[1]
    arguments = ("-m", "tests.damage", attempt, str(victim), "1", str(count))
    result = run_python("-W", "error", *arguments, cwd=root, path=[root], BUNDLEIMP_CACHE_DIR=cache)
    return dict(json.loads(result.stdout))


def test_what_is_imported_from_a_damaged_bundle_is_as_in_the_sound_one_or_a_clear_error(
    victim: Path, damages: int
) -> None:
    outcome = tried("imports", victim, damages)
    assert outcome["wrong"] == []
    assert set(outcome["outcomes"]) == {"error", "warning", "no effect"}


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_damage_to_what_is_read_at_start_up_hides_no_module(layout: str, tmp_path: Path, damages: int) -> None:
    outcome = tried("waiting", MAKERS[layout](tmp_path / "out.pybundle", OWN), 5 * damages)
    assert outcome["wrong"] == []
    assert {"refused", "no effect"} <= set(outcome["outcomes"])
