"""Bytecode that stands in a plain zip: beside its source it is used where it is valid, alone it is the module."""

from __future__ import annotations

import importlib.util
import marshal
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from .places import Laboratory

if TYPE_CHECKING:
    from pathlib import Path

# A zip counts in steps of two seconds, in local time.
MOMENT = (2024, 5, 6, 7, 8, 10)
MTIME = int(time.mktime((*MOMENT, -1, -1, -1)))
SOURCE = b"WHICH = 'source'\n"
MAGIC = importlib.util.MAGIC_NUMBER


def code_of(text: str) -> bytes:
    return marshal.dumps(compile(text, "elsewhere.py", "exec", dont_inherit=True))


def image(flags: int, validation: bytes, *, magic: bytes = MAGIC) -> bytes:
    """Return the pyc image of a module that calls itself bytecode (PEP 552)."""
    return magic + flags.to_bytes(4, "little") + validation + code_of("WHICH = 'bytecode'\n")


def timed(difference: int = 0, *, size: int = len(SOURCE), magic: bytes = MAGIC) -> bytes:
    validation = (MTIME + difference).to_bytes(4, "little") + size.to_bytes(4, "little")
    return image(0, validation, magic=magic)


def hashed(*, checked: bool, right: bool) -> bytes:
    digest = importlib.util.source_hash(SOURCE if right else b"another source")
    return image(0b11 if checked else 0b01, digest)


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), content)
    return path


def observe(folder: Path, members: dict[str, bytes], probe: str, *options: str) -> Any:
    path = write_zip(folder / "place.pybundle", members)
    return Laboratory(folder / "laboratory").observe([path], probe, options=("-W", "error", *options))


WHICH = """
import mod
result = [mod.WHICH, mod.__file__, mod.__cached__ if hasattr(mod, "__cached__") else mod.__spec__.cached]
"""
TIMED = {
    "the same time": (timed(), "bytecode"),
    "one second later": (timed(1), "bytecode"),
    "one second earlier": (timed(-1), "bytecode"),
    "three seconds later": (timed(3), "source"),
    "three seconds earlier": (timed(-3), "source"),
    "an hour later": (timed(3600), "source"),
    "another size": (timed(size=len(SOURCE) + 1), "source"),
    "bad magic": (timed(magic=b"\0\0\r\n"), "source"),
    "unknown flags": (image(0b100, timed()[8:16]), "source"),
    "half a header": (timed()[:10], "source"),
    "nothing": (b"", "source"),
}


@pytest.mark.parametrize("case", TIMED)
@pytest.mark.parametrize("package", [False, True], ids=["module", "package"])
def test_bytecode_beside_its_source_is_used_where_time_and_size_agree(case: str, package: bool, tmp_path: Path) -> None:
    beside, expected = TIMED[case]
    stem = "mod/__init__" if package else "mod"
    known = observe(tmp_path, {f"{stem}.py": SOURCE, f"{stem}.pyc": beside}, WHICH)
    assert known[:2] == [expected, f"<place>/{stem}.py"]


@pytest.mark.parametrize("case", ["the same time", "three seconds later"])
def test_the_code_bears_the_name_of_its_source_in_the_zip(case: str, tmp_path: Path) -> None:
    probe = """
    import importlib.abc, mod
    loader = mod.__loader__
    codes = [loader.get_code("mod"), importlib.abc.SourceLoader.get_code(loader, "mod")]
    result = [code.co_filename for code in codes] + [codes[0] == codes[1], loader.get_source("mod")]
    """
    known = observe(tmp_path, {"mod.py": SOURCE, "mod.pyc": TIMED[case][0]}, probe)
    assert known == ["<place>/mod.py", "<place>/mod.py", True, SOURCE.decode()]


@pytest.mark.parametrize("mode", ["default", "always", "never"])
@pytest.mark.parametrize("checked", [True, False], ids=["checked", "unchecked"])
@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_hash_based_bytecode_is_checked_as_the_option_says(
    mode: str, checked: bool, right: bool, tmp_path: Path
) -> None:
    """PEP 552: with ``always`` also unchecked ones are, with ``never`` no one is."""
    is_checked = mode == "always" or (mode == "default" and checked)
    members = {"mod.py": SOURCE, "mod.pyc": hashed(checked=checked, right=right)}
    known = observe(tmp_path, members, WHICH, "--check-hash-based-pycs", mode)
    assert known[0] == ("source" if is_checked and not right else "bytecode")


def test_stale_bytecode_is_not_read_again_once_the_source_is_compiled(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "place.pybundle", {"mod.py": SOURCE, "mod.pyc": timed(60)})
    laboratory = Laboratory(tmp_path / "laboratory")
    probe = """
    import sys
    compiled = []
    sys.addaudithook(lambda event, details: event == "compile" and "mod.py" in str(details[1]) and compiled.append(1))
    import mod
    result = [mod.WHICH, len(compiled)]
    """
    assert [laboratory.observe([path], probe) for _ in range(2)] == [["source", 1], ["source", 0]]


@pytest.mark.parametrize("name", ["only.pyc", "only/__init__.pyc"])
@pytest.mark.parametrize(
    "how", [timed(5000), hashed(checked=True, right=False), hashed(checked=False, right=False)], ids=range(3)
)
def test_bytecode_alone_is_a_module_whatever_it_says_of_its_source(name: str, how: bytes, tmp_path: Path) -> None:
    probe = """
    import only
    result = [only.WHICH, only.__file__, only.__loader__.get_source("only"), hasattr(only, "__path__")]
    """
    assert observe(tmp_path, {name: how}, probe) == ["bytecode", f"<place>/{name}", None, "/" in name]


BAD_ALONE = {
    "bad magic": timed(magic=b"\0\0\r\n"),
    "magic of another Python": timed(magic=(2000).to_bytes(2, "little") + b"\r\n"),
    "half a header": timed()[:10],
    "nothing": b"",
}


@pytest.mark.parametrize("case", BAD_ALONE)
def test_bytecode_alone_with_bad_magic_is_an_import_error_that_says_so(case: str, tmp_path: Path) -> None:
    probe = """
    try:
        import only
    except ImportError as error:
        result = [error.name, error.path, str(error)]
    """
    name, path, text = observe(tmp_path, {"only.pyc": BAD_ALONE[case]}, probe)
    assert (name, path) == ("only", "<place>/only.pyc")
    assert "bad magic number in 'only'" in text


@pytest.mark.parametrize("body", [b"", b"\0", b"N", code_of("x = 1\n")[:-3], marshal.dumps((1, 2))], ids=range(5))
def test_bytecode_alone_that_holds_no_code_is_an_import_error(body: bytes, tmp_path: Path) -> None:
    probe = """
    try:
        import only
    except ImportError as error:
        result = [error.name, "only.pyc" in str(error) or "only.pyc" in str(error.path)]
    """
    assert observe(tmp_path, {"only.pyc": timed()[:16] + body}, probe) == ["only", True]
