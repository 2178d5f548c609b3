"""Bytecode that is compressed (``pack --compress-bytecode``), or only that of the modules in a profile."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing.compiler import packed_image
from bundleimp.packing.errors import PackError
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.content import images
from bundleimp.runtime.faults.kinds import BundleFormatError

from .archives import Index, embedded_image, flipped, forge, index_of
from .builders import Tree, clean_environment, make_bundle, make_tree, run_python
from .command_line import bundleimp_command
from .places import Laboratory
from .programs import interpreters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODE = "".join(f"def function_{number}(argument):\n    return argument + {number}\n" for number in range(100))
TREE: Tree = {
    "pkg/__init__.py": f'"""A package."""\n{CODE}\n\ndef fail():\n    return 1 / 0\n',
    "pkg/sub/deep.py": f"import sys\n{CODE}NAME = __name__\n",
    "pkg/tiny.py": "",
    "pkg/table.txt": "row\n" * 50,
    "asking.py": f"import os\nHERE = os.path.dirname(__file__)\n{CODE}",
}
PROBE = """
import importlib, inspect, os, runpy, traceback
import asking, pkg, pkg.sub.deep
result = [pkg.__doc__, pkg.function_7(1), pkg.sub.deep.NAME, inspect.getsource(pkg.fail)]
result += [pkg.__loader__.get_code("pkg").co_filename, importlib.reload(pkg).function_8(1)]
result += [runpy.run_module("pkg.tiny")["__name__"], os.path.basename(asking.HERE) != ""]
try:
    pkg.fail()
except ZeroDivisionError:
    result.append(traceback.format_exc())
"""
METHODS = ["deflate", pytest.param("zstd", marks=pytest.mark.skipif(sys.version_info < (3, 14), reason="needs 3.14"))]
NUMBERS = {"deflate": 8, "zstd": 93}
in_each_method = pytest.mark.parametrize("method", METHODS)


def bundle_of(folder: Path, method: str = "deflate", **options: Any) -> Path:
    return make_bundle(folder / "out.pybundle", TREE, compress_bytecode=method, **options)


@in_each_method
@pytest.mark.parametrize("options", [{"layout": "flat"}, {"layout": "nested"}, {"source": False}])
def test_modules_are_those_of_a_directory(tmp_path: Path, method: str, options: dict[str, Any]) -> None:
    bundle = bundle_of(tmp_path, method, **options)
    probe = PROBE if options.get("source", True) else PROBE.replace(", inspect.getsource(pkg.fail)", "")
    laboratory = Laboratory(tmp_path / "laboratory")
    if options.get("source", True):
        expected = laboratory.observe([make_tree(tmp_path / "directory", TREE)], probe)
    else:
        expected = laboratory.observe([make_bundle(tmp_path / "stored.pybundle", TREE, source=False)], probe)
    assert laboratory.observe([bundle], probe) == expected


@in_each_method
def test_nothing_is_compiled_at_an_import(tmp_path: Path, method: str) -> None:
    bundle = bundle_of(tmp_path, method)
    trace = run_python("-c", "import pkg.sub.deep, pkg.tiny", path=[bundle], BUNDLEIMP_TRACE="1").stderr
    assert "bytecode of pkg/sub/deep.py" in trace
    assert "cache-" not in trace


@in_each_method
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_an_image_is_the_stored_one_in_fewer_bytes(tmp_path: Path, method: str, layout: str) -> None:
    bundle = bundle_of(tmp_path, method, layout=layout)
    stored = make_bundle(tmp_path / "stored.pybundle", TREE, layout=layout)
    packed, whole = (index_of(path.read_bytes()) for path in (bundle, stored))
    for name in [name for name in TREE if name.endswith(".py")]:
        assert embedded_image(Archive(str(bundle)), name) == embedded_image(Archive(str(stored)), name)
        (small,), (large,) = packed[name].codes, whole[name].codes
        assert small is not None
        assert large is not None
        data = bundle.read_bytes()[small.offset : small.offset + small.size]
        if name == "pkg/tiny.py":  # zstd does not make it smaller
            assert small.size <= large.size
        else:
            assert small.size < 0.5 * large.size
            assert data[:6] == b"PBz1" + NUMBERS[method].to_bytes(2, "little")
    assert bundleimp.open_bundle(bundle).verify() == []


@in_each_method
def test_the_manifest_and_info_say_so(tmp_path: Path, method: str) -> None:
    bundle = bundle_of(tmp_path, method)
    manifest = bundleimp.open_bundle(bundle).manifest
    assert manifest is not None
    assert manifest["compress_bytecode"] == method
    assert f", compressed by {method}\n" in bundleimp_command("info", bundle).stdout
    plain = make_bundle(tmp_path / "plain.pybundle", TREE)
    assert "compress_bytecode" in bundleimp_command("diff", plain, bundle, status=1).stdout


@in_each_method
def test_the_same_inputs_give_the_same_bytes_with_any_number_of_threads(tmp_path: Path, method: str) -> None:
    one, two = (bundle_of(tmp_path / name, method, jobs=jobs) for name, jobs in (("one", 1), ("two", 4)))
    assert one.read_bytes() == two.read_bytes()


@in_each_method
def test_without_source_the_member_is_compressed(tmp_path: Path, method: str) -> None:
    opened = bundleimp.open_bundle(bundle_of(tmp_path, method, source=False))
    assert {member.name: member.method for member in opened.members} == {
        **dict.fromkeys(["asking.pyc", "pkg/__init__.pyc", "pkg/sub/deep.pyc"], NUMBERS[method]),
        "pkg/table.txt": 8,
        "pkg/tiny.pyc": next(member.method for member in opened.members if member.name == "pkg/tiny.pyc"),
    }


def test_unpacked_files_have_ordinary_bytecode(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path)
    bundleimp_command("site", bundle, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    (found,) = (tmp_path / "cache").rglob("deep.*.pyc")
    assert found.read_bytes()[:4] == importlib.util.MAGIC_NUMBER


@in_each_method
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_a_standalone_program_runs(tmp_path: Path, method: str, layout: str) -> None:
    tree = TREE | {"app.py": "import pkg\n\ndef main():\n    print(pkg.function_7(1))\n"}
    options = {"entry_point": "app:main", "standalone": True, "layout": layout}
    bundle = make_bundle(tmp_path / "app.pybundle", tree, compress=method, compress_bytecode=method, **options)
    result = subprocess.run(
        [sys.executable, "-I", "-S", bundle], env=clean_environment(), capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("8\n", "")
    with zipfile.ZipFile(bundle) as archive:
        start = (bundle_format.RUNTIME, bundle_format.MAIN)
        methods = {info.compress_type for info in archive.infolist() if info.filename.startswith(start)}
    # Python's own zipimport reads them, and knows no zstd before 3.15.
    assert methods == {zipfile.ZIP_DEFLATED}
    assert bundleimp.open_bundle(bundle).verify() == []


def test_a_profile_orders_compressed_bytecode(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, profile="-c 'import pkg.tiny, pkg.sub.deep'")
    index = index_of(bundle.read_bytes())
    offsets = {code.offset: name for name in TREE if name.endswith(".py") for code in index[name].codes if code}
    order = ["pkg/__init__.py", "pkg/tiny.py", "pkg/sub/deep.py", "asking.py"]
    assert [name for _, name in sorted(offsets.items())] == order
    assert bundleimp.open_bundle(bundle).verify() == []


def test_bytecode_of_the_profile_only(tmp_path: Path) -> None:
    tree = {name: content for name, content in TREE.items() if name.startswith("pkg/") and name.endswith(".py")}
    bundle = make_bundle(tmp_path / "out.pybundle", tree, profile="-c 'import pkg.sub.deep'", profile_only=True)
    index = index_of(bundle.read_bytes())
    embedded = {name for name in tree if index[name].codes != [None]}
    assert embedded == {"pkg/__init__.py", "pkg/sub/deep.py"}
    assert bundleimp.open_bundle(bundle).verify() == []
    cache = tmp_path / "cache"
    assert run_python("-c", "import pkg.sub.deep", path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache)).stderr == ""
    assert not cache.exists()
    # Another module is compiled, and its bytecode is kept.
    run_python("-c", "import pkg.tiny", path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache))
    assert [path.name.partition(".")[0] for path in cache.rglob("*.pyc")] == ["tiny"]


def test_the_report_counts_the_modules_of_the_profile(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", TREE)
    report = bundleimp.pack([source], tmp_path / "out.pybundle", profile="-c 'import pkg'", profile_only=True, jobs=1)
    assert (report.modules, report.ordered, report.members) == (1, 1, 5)


def test_an_older_python_is_an_error_for_zstd(tmp_path: Path) -> None:
    output = tmp_path / "out.pybundle"
    if sys.version_info < (3, 14):
        with pytest.raises(PackError, match=r"--compress-bytecode zstd needs Python 3\.14 or newer to pack"):
            bundle_of(tmp_path, "zstd")
    else:
        older = [path for minor in (11, 12, 13) for path in list(interpreters(f"3.{minor}"))[:1]]
        if not older:
            pytest.skip("there is no older Python")
        with pytest.raises(PackError, match="cannot read --compress-bytecode zstd; use deflate") as caught:
            bundle_of(tmp_path, "zstd", python=[sys.executable, older[0]])
        assert caught.value.file == older[0]
    assert not output.exists()


def test_what_would_be_compressed_too_well_is_stored() -> None:
    image = b"pyc magic and header" + bytes(10_000_000)
    packed = zlib.compress(image, wbits=-15)
    assert len(image) < len(packed) * images.MOST  # deflate cannot
    assert images.decode(packed_image(image, 8)) == image
    assert packed_image(b"short", 8) == b"short"
    assert packed_image(image, 0) is image


# Bad input.


def _image(bundle: Path) -> tuple[Index, bytes]:
    """Return the index of *bundle*, and the bytes of the image of ``pkg/sub/deep.py``."""
    data = bundle.read_bytes()
    index = index_of(data)
    (extent,) = index["pkg/sub/deep.py"].codes
    assert extent is not None
    return index, data[extent.offset : extent.offset + extent.size]


def replace_image(bundle: Path, change: Callable[[bytes], bytes]) -> None:
    """Change the image of ``pkg/sub/deep.py``, to one that is not longer, and make its checksum in the index fit."""
    index, image = _image(bundle)
    new = change(image)
    assert len(new) <= len(image)
    (extent,) = index["pkg/sub/deep.py"].codes
    assert extent is not None
    data = bundle.read_bytes()
    bundle.write_bytes(data[: extent.offset] + new + data[extent.offset + len(new) :])
    extent.size, extent.checksum = len(new), bundle_format.checksum(new)
    forge(bundle, index)


def with_method(image: bytes, method: int) -> bytes:
    return image[:4] + method.to_bytes(2, "little") + image[6:]


def with_size(image: bytes, size: int) -> bytes:
    return image[:6] + size.to_bytes(4, "little") + image[10:]


def size_of(image: bytes) -> int:
    return int.from_bytes(image[6:10], "little")


def bomb(method: int = 8, size: int = 2**32 - 1) -> bytes:
    compressor = zlib.compressobj(9, wbits=-15)
    return images.encode(method, compressor.compress(bytes(500_000)) + compressor.flush(), size)


LIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "larger": (lambda image: with_size(image, size_of(image) + 1), "does not have the [0-9]+ bytes that it announces"),
    "smaller": (lambda image: with_size(image, size_of(image) - 1), "does not have the [0-9]+ bytes that it announces"),
    "huge": (lambda image: with_size(image, 2**32 - 1), "cannot have the 4294967295 bytes that it announces"),
    "bomb": (lambda _: bomb(), "cannot have the 4294967295 bytes that it announces"),
    "more than announced": (lambda _: bomb(size=1000), "does not have the 1000 bytes that it announces"),
    "unknown method": (lambda image: with_method(image, 12), "is compressed with method 12, which is not supported"),
    "not compressed": (lambda image: image[:10] + b"nonsense", "cannot (be decompressed|have the)"),
    "cut": (lambda image: image[: len(image) // 2], "does not have the [0-9]+ bytes that it announces"),
    "header only": (lambda image: image[:10], "does not match its checksum|is not an unchecked hash-based pyc"),
    "another Python": (lambda _: packed_image(b"\x01\x02\r\n" + bytes(2000), 8), "checksum|hash-based pyc"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_broken_image_is_an_error_that_names_file_and_member(tmp_path: Path, lie: str) -> None:
    change, message = LIES[lie]
    bundle = bundle_of(tmp_path, layout="flat")
    replace_image(bundle, change)
    with pytest.raises(BundleFormatError, match=message) as caught:
        embedded_image(Archive(str(bundle)), "pkg/sub/deep.py")
    assert caught.value.member == "bytecode of pkg/sub/deep.py"
    result = run_python("-c", "import pkg.sub.deep", path=[bundle], check=False)
    (*_, last) = result.stderr.splitlines()
    assert result.returncode == 1
    assert f"BundleFormatError: {bundle}: bytecode of pkg/sub/deep.py: " in last


@pytest.mark.parametrize("lie", LIES)
def test_verify_finds_a_broken_image(tmp_path: Path, lie: str) -> None:
    change, message = LIES[lie]
    bundle = bundle_of(tmp_path, layout="flat")
    replace_image(bundle, change)
    findings = [str(finding) for finding in bundleimp.open_bundle(bundle).verify()]
    assert [text for text in findings if re.search(f"the bytecode of pkg/sub/deep.py .*({message})", text)] != []


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bundleimp.runtime.content.images.decompression.decompress", pytest.fail)
    with pytest.raises(ValueError, match="cannot have the 4294967295 bytes that it announces"):
        images.decode(bomb(93))


@in_each_method
def test_any_flipped_bit_of_an_image_is_refused(tmp_path: Path, method: str) -> None:
    bundle = bundle_of(tmp_path, method, layout="flat")
    (extent,) = index_of(bundle.read_bytes())["pkg/sub/deep.py"].codes
    assert extent is not None
    whole = bundle.read_bytes()
    damaged = tmp_path / "damaged.pybundle"
    for position in range(extent.offset, extent.offset + extent.size, 7):
        damaged.write_bytes(flipped(whole, position * 8 + position % 8))
        with pytest.raises(BundleFormatError, match=r"does not match its checksum") as caught:
            embedded_image(Archive(str(damaged)), "pkg/sub/deep.py")
        assert (caught.value.file, caught.value.member) == (str(damaged), "bytecode of pkg/sub/deep.py")
        damaged.unlink()


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="this Python has zstd")
def test_zstd_where_there_is_none_says_what_is_needed(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, layout="flat")
    replace_image(bundle, lambda image: with_method(image, 93))
    with pytest.raises(BundleFormatError, match=r"is compressed with zstd, which needs Python 3\.14 or newer"):
        embedded_image(Archive(str(bundle)), "pkg/sub/deep.py")


def test_the_runtime_of_a_program_without_bytecode_has_its_own(tmp_path: Path) -> None:
    tree: Tree = {"app.py": "def main():\n    print('ran')\n"}
    bundle = make_bundle(tmp_path / "app.pybundle", tree, entry_point="app:main", standalone=True, bytecode=False)
    tag = str(sys.implementation.cache_tag)
    with zipfile.ZipFile(bundle) as archive:
        codes = {info.filename: info.compress_type for info in archive.infolist() if info.filename.endswith(tag)}
    assert codes == {bundle_format.RUNTIME + tag: zipfile.ZIP_DEFLATED}
    assert bundleimp.open_bundle(bundle).verify() == []
    command = [sys.executable, "-I", "-S", "-B", str(bundle)]
    result = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("ran\n", "")
