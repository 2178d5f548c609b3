"""Parcels, and the one with the runtime, without any engine."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from bundleimp.engines import parcel, runtimeparcel

from .builders import Tree, make_bundle, run_python
from .compiling import extension
from .programs import interpreter_without_bundleimp
from .signing import allow, make_key, sign

if TYPE_CHECKING:
    from pathlib import Path

    from bundleimp.packing.options import Layout

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="needs processes")


def test_the_name_has_nothing_that_means_something_in_a_url_or_on_a_path(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "my app#1:ü.pybundle", {"app.py": ""})
    (one,) = parcel.make(bundle, folder=str(tmp_path))
    assert one.stem == "my-app-1--"
    assert one.name.startswith("my-app-1---")
    assert one.name.endswith(parcel.SUFFIX)
    assert os.path.isfile(one.path)


def test_shared_libraries_beside_a_package_are_no_modules(tmp_path: Path) -> None:
    """Two bundles may have the same numpy, whose wheels have a folder ``numpy.libs``."""
    common: Tree = {"num/__init__.py": "", "num.libs/libblas-56d6.so": b"\x7fELF"}
    bundles = [make_bundle(tmp_path / f"{name}.pybundle", {**common, f"{name}.py": ""}) for name in "ab"]
    assert [sorted(each.modules) for each in parcel.make(*bundles, folder=str(tmp_path))] == [
        ["a", "num"],
        ["b", "num"],
    ]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")
def test_signatures_go_with_the_bundles(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    signed, other = (make_bundle(tmp_path / f"{name}.pybundle", {f"{name}.py": "X = 1\n"}) for name in ("good", "bad"))
    sign(signed, key)
    script = """
import sys, bundleimp
bundleimp.install(allowed_signers=sys.argv[1])
from bundleimp.engines import parcel, runtimeparcel
(one,) = parcel.make(sys.argv[2])
print(len(one.files), runtimeparcel.needed([one]))
sys.path.append(one.path)
import good
print(good.X)
try:
    parcel.make(sys.argv[3])
except bundleimp.BundleError as error:
    print(error)
"""
    allowed = allow(tmp_path / "allowed", {"me": key})
    printed = run_python("-c", script, str(allowed), str(signed), str(other)).stdout.splitlines()
    assert printed[:2] == ["2 []", "1"]
    assert printed[2].startswith(f"{other}: is not signed: ")


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_the_parcel_with_the_runtime_is_enough_where_bundleimp_is_lacking(tmp_path: Path, layout: Layout) -> None:
    tree: Tree = {
        "app/__init__.py": "from . import fast\nimport os, pathlib\n"
        "TEXT = pathlib.Path(os.path.dirname(__file__), 'd').read_text()\n",
        "app/d": "some text",
        "app/fast.abi3.so": extension(tmp_path / "c", "fast", "7"),
    }
    (app,) = parcel.make(make_bundle(tmp_path / "app.pybundle", tree, layout=layout), folder=str(tmp_path))
    runtime = runtimeparcel.make()
    assert runtime is runtimeparcel.make()
    assert (runtime.standalone, runtime.modules) == (True, {})
    result = run_python(
        *("-W", "error", "-c", "import app; print(app.TEXT, app.fast.value())"),
        path=[os.path.join(runtime.path, "__children__"), app.path, tmp_path / f"missing{parcel.SUFFIX}"],
        executable=interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2])),
        BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert (result.stdout, result.stderr) == ("some text 7\n", "")
