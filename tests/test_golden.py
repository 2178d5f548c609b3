"""Bundles written by the first version stay readable, and format version 1 stays what it is, to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

import bundleimp

from .builders import run_python

FIXTURES = Path(__file__).parent.parent / "fixtures"
LAYOUTS: tuple[Literal["flat", "nested"], ...] = ("flat", "nested")
REVISIONS = ("v1", "v1.1", "v1.2", "v1.3")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_format_version_1_has_not_changed(
    layout: Literal["flat", "nested"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setattr("bundleimp.packing.manifest.__version__", "0.1.0")
    output = tmp_path / "out.pybundle"
    bundleimp.pack([FIXTURES / "v1" / "tree"], output, bytecode=False, compress="none", layout=layout)
    assert output.read_bytes() == (FIXTURES / REVISIONS[-1] / f"{layout}.pybundle").read_bytes()


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_old_bundle_is_sound_and_imports(layout: str, revision: str, tmp_path: Path) -> None:
    bundle = FIXTURES / revision / f"{layout}.pybundle"
    assert bundleimp.open_bundle(bundle).verify() == []
    script = "import single, pkg.größe, ns.portion.deep; print(single.VALUE, pkg.VALUE, ns.portion.deep.VALUE)"
    result = run_python("-c", script, path=[bundle], BUNDLEIMP_CACHE_DIR=str(tmp_path), PYTHONUTF8="1")
    assert result.stdout == "single module deep\n"
