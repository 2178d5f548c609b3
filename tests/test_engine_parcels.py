"""Parcels, and the one with the runtime, without any engine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from bundleimp import BundleError
from bundleimp.engines import parcel, runtimeparcel

from .builders import Tree, make_bundle, make_zip, run_python
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


def test_a_damaged_index_is_told_of_the_bundle_and_not_of_the_copy(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", {"app/__init__.py": "", "app/sub/deep.py": ""})
    data = bytearray(bundle.read_bytes())
    data[data.index(b"PBd1") + 13] ^= 1  # the first block is that of the deepest folder
    bundle.write_bytes(data)
    with pytest.raises(BundleError, match=f"^{re.escape(str(bundle))}: "):
        parcel.make(bundle, folder=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".zip"] == []


def test_loaded_modules_are_from_elsewhere_if_another_bundle_has_other_files_for_them(tmp_path: Path) -> None:
    old, new = (make_bundle(tmp_path / f"{name}.pybundle", {"app.py": f"# {name}\n"}) for name in ("old", "new"))
    plain = make_zip(tmp_path / "plain.zip", {"app.py": ""})
    script = """
import sys
from bundleimp.engines import parcel, receiving

old, new = (parcel.read(path).modules for path in sys.argv[1:3])
import app
print(receiving.from_elsewhere(old), receiving.from_elsewhere(new))
"""
    words = ("-c", script, str(old), str(new))
    assert run_python(*words, path=[old]).stdout == f"{{}} {{{str(old)!r}: ['app']}}\n"
    assert run_python(*words, path=[plain]).stdout == "{} {}\n"


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")
def test_signatures_go_with_the_bundles(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    signed, other = (make_bundle(tmp_path / f"{name}.pybundle", {f"{name}.py": "X = 1\n"}) for name in ("good", "bad"))
    sign(signed, key)
    script = """
import sys, bundleimp
bundleimp.install(allowed_signers=sys.argv[1])
from bundleimp import BundleError
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
