"""A program with rich and pydantic for each Python that is here, in one file.  Downloads the packages."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import make_tree
from .programs import interpreters, is_reachable, run_file

if TYPE_CHECKING:
    from pathlib import Path

REQUIREMENTS = ("typer", "rich", "pydantic")
CODE = """
import sys
import pydantic, pydantic_core, rich.text, typer

class Item(pydantic.BaseModel):
    price: float

app = typer.Typer()

@app.command()
def main(price: str):
    print(Item.model_validate({"price": price}).model_dump_json(), sys.version_info[1])
    print(pydantic_core._pydantic_core.__file__.count(f"-3{sys.version_info[1]}-"))
"""


@pytest.mark.skipif(sys.platform == "emscripten", reason="needs processes")
def test_one_file_runs_on_each_python(tmp_path: Path) -> None:
    found = [next(iter(interpreters(version)), "") for version in ("3.11", "3.12", "3.13")]
    pythons = [python for python in found if python]
    if len(pythons) < 2:
        pytest.skip("there are no two Pythons here that all packages have wheels for")
    if not is_reachable("typer", tmp_path / "downloads"):
        pytest.skip("no package index is reachable")
    source = make_tree(tmp_path / "source", {"shop.py": CODE})
    program = tmp_path / "shop"
    options = {"requirements": REQUIREMENTS, "python": pythons, "entry_point": "shop:app", "standalone": True}
    report = bundleimp.pack([source], program, **options)  # type: ignore[arg-type]
    assert len(report.targets) == len(pythons)
    for python in pythons:
        version = run_file(python, "-c", "import sys; print(sys.version_info[1])").stdout.strip()
        result = run_file(python, "-I", "-S", program, "1.5", BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
        price, minor = result.stdout.splitlines()[0].split()
        assert (json.loads(price), minor) == ({"price": 1.5}, version)
    assert bundleimp.open_bundle(program).verify() == []
