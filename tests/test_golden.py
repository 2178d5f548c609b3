"""A bundle of format version 1 stays readable, and the writer still gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

import bundleimp

from .builders import run_python

FIXTURES = Path(__file__).parent.parent / "fixtures" / "v1"

SCRIPT = """
import libs, ns.data, ns.portion.deep, os, pkg.größe, single
print(single.VALUE, pkg.VALUE, ns.portion.deep.VALUE)
print(sorted(os.listdir(os.path.dirname(libs.HERE))), os.listdir(*ns.data.__path__))
"""

in_each_layout = pytest.mark.parametrize("layout", ["flat", "nested"])


@in_each_layout
def test_format_version_1_has_not_changed(
    layout: Literal["flat", "nested"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr("bundleimp.packing.manifest.__version__", "0.1.0")
    output = tmp_path / "out.pybundle"
    bundleimp.pack([FIXTURES / "tree"], output, bytecode=False, compress="none", layout=layout)
    assert output.read_bytes() == (FIXTURES / f"{layout}.pybundle").read_bytes()


@in_each_layout
def test_a_bundle_of_format_version_1_is_sound_and_imports(layout: str, tmp_path: Path) -> None:
    bundle = FIXTURES / f"{layout}.pybundle"
    assert bundleimp.open_bundle(bundle).verify() == []
    result = run_python("-c", SCRIPT, path=[bundle], BUNDLEIMP_CACHE_DIR=str(tmp_path), PYTHONUTF8="1")
    assert result.stdout == "single module deep\n['__init__.py', 'far', 'libs.txt'] ['table.txt']\n"
