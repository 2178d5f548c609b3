"""Bundles with names for engines, such as ``out.pybundle.zip``, and errors of Pythons without bundleimp."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
import zlib
from importlib.machinery import EXTENSION_SUFFIXES
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp import waiting
from bundleimp.inspection.extract import extract
from bundleimp.packing.build import LARGEST_FLAT
from bundleimp.packing.stubs import MOST_IN_NAMESPACES, of_extensions, of_payload
from bundleimp.runtime.format import SUFFIXES
from bundleimp.runtime.plain import stubs

from .builders import Tree, make_bundle, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .programs import APP, run_file
from .signing import allow, make_key, sign

if TYPE_CHECKING:
    from pathlib import Path

    from bundleimp.packing.options import Layout

TREE: Tree = {
    "pkg/__init__.py": "",
    "pkg/mod.py": "import os\nTEXT = open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()\n",
    "pkg/pure.py": "X = 1\n",
    "pkg/data.txt": "some text",
    "pkg/again.py": "",
    "ns/part/deep.py": "Y = 2\n",
    "one-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: one\nVersion: 1.0\n",
}
ALL = """
import importlib.metadata, importlib.resources, pkg.mod, ns.part.deep, sys
print(pkg.mod.TEXT, importlib.resources.files("pkg").joinpath("data.txt").read_text(), ns.part.deep.Y)
print(importlib.metadata.version("one"), type(pkg.__loader__).__name__, ns.part.deep.__file__)
"""
LACKS = "which needs bundleimp (pip install bundleimp), and a name that ends in .pybundle or .pybundle.zip"
ENGINE_SUFFIXES = SUFFIXES[1:]
LAYOUTS: tuple[Layout, ...] = ("flat", "nested")
in_each_layout = pytest.mark.parametrize("layout", LAYOUTS)
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")


def test_the_start_up_knows_the_same_names() -> None:
    assert waiting.SUFFIXES == SUFFIXES


@in_each_layout
@pytest.mark.parametrize("suffix", ENGINE_SUFFIXES)
def test_a_bundle_under_the_name_of_an_engine_is_imported(tmp_path: Path, suffix: str, layout: Layout) -> None:
    bundle = make_bundle(tmp_path / f"out{suffix}", TREE, layout=layout)
    lines = f"some text some text 2\n1.0 BundleLoader {bundle / 'ns' / 'part' / 'deep.py'}\n"
    assert run_python("-W", "error", "-c", ALL, path=[bundle]).stdout == lines
    assert run_python("-W", "error", "-c", f"import sys; sys.path.insert(1, {str(bundle)!r})\n{ALL}").stdout == lines
    found = run_python("-c", "import pure; print(type(pure.__loader__).__name__)", path=[bundle / "pkg"]).stdout
    assert found == "BundleLoader\n"
    script = "import json, sys; print([name for name in sys.modules if name.startswith('bundleimp.runtime')])"
    assert run_python("-c", script, path=[bundle]).stdout == "[]\n"


@pytest.mark.parametrize("name", ["out.pybundle.tar", "out.pybundle.zipx", "out.pybundle.zi", "out.pybundle.zip.old"])
def test_similar_names_are_left_to_zipimport(tmp_path: Path, name: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", TREE, layout="flat").rename(tmp_path / name)
    script = "import pkg.pure; print(type(pkg.pure.__loader__).__name__)"
    assert run_python("-c", script, path=[bundle]).stdout == "zipimporter\n"


def test_only_what_is_named_for_engines_is_flat_at_any_size(tmp_path: Path) -> None:
    tree: Tree = {f"data/{number}.txt": "" for number in range(LARGEST_FLAT + 1)}
    for name, usual in (("a.pybundle", "nested"), ("a.pybundle.zip", "flat")):
        for given in ("auto", *LAYOUTS):
            bundle = make_bundle(tmp_path / name, tree, layout=given)
            assert bundleimp.open_bundle(bundle).layout == (usual if given == "auto" else given)


def test_pack_takes_these_names_for_programs_and_sources_too(tmp_path: Path) -> None:
    own = make_tree(tmp_path / "own", {"__main__.py": "print('own')\n"})
    bundleimp.pack([own], tmp_path / "own.pybundle.pyz", shebang=sys.executable)
    assert run_file(sys.executable, tmp_path / "own.pybundle.pyz").stdout == "own\n"
    path = make_bundle(tmp_path / "app.pybundle.pyz", APP, entry_point="app.cli:main", standalone=True)
    assert run_file(sys.executable, "-I", "-S", path, "three", status=3).stdout == "main ['three']\n"
    assert bundleimp_command("run", path, "-m", "app.names").stdout == "[]\n"
    bundleimp.pack([path], tmp_path / "again.pybundle")
    assert "app/cli.py" in {member.name for member in bundleimp.open_bundle(tmp_path / "again.pybundle").members}
    assert "must end in .pybundle" in error_of("pack", own, tmp_path / "out.zip")
    assert "must end in .pybundle" in error_of("pack", own, tmp_path / ".pybundle.zip")


def test_they_are_left_out_of_a_folder(tmp_path: Path) -> None:
    tree: Tree = {"a.py": "", "old.pybundle.zip": "x", "old.pybundle.zip.sig": "x", "stub.py": stubs.CONTENT}
    source = make_tree(tmp_path / "src", tree)
    report = bundleimp.pack([source], tmp_path / "out.pybundle")
    assert {item.name for item in report.left_out} == tree.keys() - {"a.py"}


# Trust


@needs_ssh_keygen
@in_each_layout
@pytest.mark.parametrize("suffix", ENGINE_SUFFIXES)
def test_a_signature_is_needed_under_each_name(tmp_path: Path, suffix: str, layout: Layout) -> None:
    key = make_key(tmp_path / "key")
    signers = str(allow(tmp_path / "signers", {"release": key}))
    bundle = make_bundle(tmp_path / f"out{suffix}", {"pkg.py": "print('imported')\n"}, layout=layout)
    for script in ("import pkg", f"import sys; sys.path.append({str(bundle)!r}); import pkg"):
        refused = run_python("-c", script, path=[bundle], check=False, BUNDLEIMP_ALLOWED_SIGNERS=signers)
        assert refused.stdout == ""
        assert f"{bundle}: is not signed" in refused.stderr
    sign(bundle, key)
    result = run_python("-W", "error", "-c", "import pkg", path=[bundle], BUNDLEIMP_ALLOWED_SIGNERS=signers)
    assert result.stdout == "imported\n"


@needs_ssh_keygen
def test_a_folder_with_such_a_name_is_not_imported_where_bundles_must_be_signed(tmp_path: Path) -> None:
    signers = str(allow(tmp_path / "signers", {"release": make_key(tmp_path / "key")}))
    folder = make_tree(tmp_path / "out.pybundle.zip", {"pkg.py": "print('imported')\n"})
    result = run_python("-c", "import pkg", path=[folder], check=False, BUNDLEIMP_ALLOWED_SIGNERS=signers)
    assert (result.returncode, result.stdout) == (1, "")
    assert run_python("-c", "import pkg", path=[folder]).stdout == "imported\n"


# Without bundleimp, or under a name that it does not claim


def test_pure_code_is_imported_without_bundleimp(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle.zip", TREE)
    script = "import pkg.pure, ns.part.deep; print(pkg.pure.X, ns.part.deep.Y, type(pkg.__loader__).__name__)"
    assert run_python("-S", "-c", script, path=[bundle]).stdout == "1 2 zipimporter\n"


@pytest.mark.parametrize("name", ["out.pybundle", "out.pybundle.zip", "o.zip"])
@pytest.mark.parametrize("module", ["pkg", "pkg.pure", "single", "ns.part.deep", "_native"])
def test_a_nested_bundle_names_bundleimp(tmp_path: Path, name: str, module: str) -> None:
    tree = TREE | {"single.py": "", "not-one.py": "", f"_native{EXTENSION_SUFFIXES[0]}": b""}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, layout="nested").rename(tmp_path / name)
    found = module.partition(".")[0] if module.startswith("pkg") else module
    for options in [["-S"], []] if name == "o.zip" else [["-S"]]:
        result = run_python(*options, "-c", f"import {module}", path=[bundle], check=False)
        last = result.stderr.splitlines()[-1]
        assert last.startswith(f"ModuleNotFoundError: No module named {found!r}: it is in a bundle, {LACKS}: {bundle}")


def test_an_extension_module_in_a_flat_bundle_names_bundleimp(tmp_path: Path) -> None:
    tree = TREE | {f"pkg/_fast{EXTENSION_SUFFIXES[0]}": b"", "pkg/_fast.txt": ""}
    bundle = make_bundle(tmp_path / "out.pybundle.zip", tree)
    result = run_python("-S", "-c", "import pkg._fast", path=[bundle], check=False)
    assert f"No module named 'pkg._fast': it is in a bundle, {LACKS}" in result.stderr
    script = "try: from pkg._fast import x\nexcept ModuleNotFoundError as error: print(error.name)"
    assert run_python("-S", "-c", script, path=[bundle]).stdout == "pkg._fast\n"


@in_each_layout
def test_stubs_are_no_members(tmp_path: Path, layout: Layout) -> None:
    tree: Tree = {"pkg/__init__.py": "X = 1\n", "one.py": "Y = 2\n", f"pkg/_c{EXTENSION_SUFFIXES[0]}": b"\x7fELF"}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, layout=layout)
    for changed in (False, True):
        if changed:  # the index does not belong to it any more
            with zipfile.ZipFile(bundle, "a") as archive:
                archive.writestr("added.txt", "")
            tree["added.txt"] = ""
        else:
            assert bundleimp.open_bundle(bundle).verify() == []
        assert {member.name for member in bundleimp.open_bundle(bundle).members} == tree.keys()
        assert run_python("-c", "import pkg, one; print(pkg.X, one.Y)", path=[bundle]).stdout == "1 2\n"
        assert bundleimp.open_bundle(bundle).read("one.py") == b"Y = 2\n"
        extract(bundleimp.open_bundle(bundle), tmp_path / f"folder-{changed}")
        found = [path for path in (tmp_path / f"folder-{changed}").rglob("*") if path.is_file()]
        assert len(found) == len(tree)
        bundleimp.pack([bundle], tmp_path / "copy.pybundle")
        assert bundleimp.open_bundle(tmp_path / "copy.pybundle").read("pkg/__init__.py") == b"X = 1\n"


def test_a_stub_is_known_by_its_checksum_and_verify_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert zlib.crc32(stubs.CONTENT) == stubs.CHECKSUM
    bundle = make_bundle(tmp_path / "out.pybundle", {"one.py": ""}, layout="nested")
    monkeypatch.setattr("bundleimp.inspection.verify.STUB", b"another")  # a forged CRC-32 is as good as this
    (finding,) = bundleimp.open_bundle(bundle).verify()
    assert (finding.member, finding.message) == ("one.py", "has the checksum of a stub, and other code")


def test_which_modules_get_stubs() -> None:
    members = ["a/__init__.py", "a/b.py", "a/sub/__init__.py", "c.pyc", "d.py", "ns/e/__init__.py", "ns/f.py", "g.txt"]
    assert of_payload([*members, "h-i.py", "j k/l.py", "d/x.txt"]) == [
        *("a/__init__.py", "c.py", "d.py", "ns/e/__init__.py", "ns/f.py"),
    ]
    many = [f"ns/m{number}.py" for number in range(MOST_IN_NAMESPACES + 1)]
    assert of_payload(many[1:]) == sorted(many[1:])
    assert of_payload([*many, "a.py"]) == ["a.py"]
    native = ["p/_c.abi3.so", "p/_d.pyd", "p/_e.so", "p/_f.so", "p/libz.so", "x.libs/q.so"]
    assert of_extensions([*native, "p/_e.py", "p/_f/__init__.py"]) == ["p/_c.py", "p/_d.py"]


# What the commands say


def test_explain_and_list_know_the_names(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle.zip", TREE)
    assert "pkg/pure.py" in bundleimp_command("list", bundle).stdout.split()
    explained = run_python("-m", "bundleimp", "explain", "pkg.pure", path=[bundle]).stdout
    assert os.path.join(str(bundle), "pkg", "pure.py") in explained


def test_doctor_names_bundles_under_other_names(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle.zip", TREE)
    other = tmp_path / "o.zip"
    shutil.copy(bundle, other)
    seen = run_python("-m", "bundleimp", "doctor", path=[bundle, other], check=False).stdout
    assert f"ok       {bundle}: can be opened, with bytecode for this Python" in seen
    assert f"{other}: is a bundle, whose extension modules, signature and bytecode are used only if its name" in seen
