"""Names and texts out of a file are not printed as they are where they would write to the terminal."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle, run_python
from .command_line import bundleimp_command

if TYPE_CHECKING:
    from pathlib import Path

RED, LINES, TURNED = "pkg/a\x1b[31mred.txt", "pkg/x\ny.txt", "pkg/b\u202egnp.txt"
NAMES = [RED, LINES, TURNED]
ESCAPED = ["pkg/a\\x1b[31mred.txt", "pkg/x\\ny.txt", "pkg/b\\u202egnp.txt"]
REASON = "the name has control characters or invisible characters"


@pytest.fixture(name="hostile", params=["plain zip", "bundle"])
def _hostile(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "out.pybundle"
    if request.param == "bundle":
        return make_bundle(path, {"pkg/__init__.py": "", **dict.fromkeys(NAMES, "")})
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("pkg/__init__.py", *NAMES):
            archive.writestr(name, "")
    return path


def is_harmless(text: str) -> bool:
    return all(letter.isprintable() or letter == "\n" for letter in text) and "\ny.txt" not in text


@pytest.mark.parametrize("words", [["list"], ["list", "-l"], ["list", "--tree"], ["info"], ["verify"]], ids=" ".join)
def test_no_command_prints_them(hostile: Path, words: list[str]) -> None:
    status = 1 if words == ["verify"] else 0
    result = bundleimp_command(*words, hostile, status=status)
    assert is_harmless(result.stdout + result.stderr)
    if words != ["info"]:
        assert all(name.rpartition("/")[2] in result.stdout for name in ESCAPED)


def test_diff_does_not_print_them(hostile: Path, tmp_path: Path) -> None:
    other = make_bundle(tmp_path / "other.pybundle", {"pkg/__init__.py": ""})
    result = bundleimp_command("diff", other, hostile, status=1)
    assert is_harmless(result.stdout)
    assert all(f"added    {name}" in result.stdout for name in ESCAPED)


def test_json_has_them_as_they_are(hostile: Path) -> None:
    members = json.loads(bundleimp_command("list", "--json", hostile).stdout)
    assert set(NAMES) <= {member["name"] for member in members}


def test_verify_names_them(hostile: Path) -> None:
    lines = bundleimp_command("verify", hostile, status=1).stdout.splitlines()
    found = {line.partition(" (at offset")[0] for line in lines if REASON in line}
    assert found == {f"{hostile}: {name}: {REASON}" for name in ESCAPED}


def test_ordinary_names_of_other_languages_are_neither_a_finding_nor_escaped(tmp_path: Path) -> None:
    persian, family, space = (
        "pkg/\u0645\u06cc\u200c\u062e.txt",
        "pkg/\U0001f468\u200d\U0001f469.txt",
        "pkg/a\u00a0b.txt",
    )
    new = "pkg/\U0001fae8.txt"  # unknown to the Unicode tables of Python 3.11
    bundle = make_bundle(tmp_path / "out.pybundle", dict.fromkeys([persian, family, space, new], ""))
    assert bundleimp_command("verify", bundle).stdout.startswith(f"{bundle}: sound")
    assert {persian, family, space, new} <= set(bundleimp_command("list", bundle).stdout.splitlines())


def test_neither_the_trace_nor_wrong_usage_prints_them(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"pkg/a\x1b[31m.py": ""})
    result = run_python(
        "-c", "import importlib; importlib.import_module('pkg.a\\x1b[31m')", path=[bundle], BUNDLEIMP_TRACE="1"
    )
    assert "pkg.a\\x1b[31m: found" in result.stderr
    assert is_harmless(result.stderr)
    wrong = bundleimp_command("list", bundle, "b\x1b[31m.pybundle", status=2)
    assert "b\\x1b[31m.pybundle" in wrong.stderr
    assert is_harmless(wrong.stderr)


def test_pack_warns_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    (folder / "pkg").mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_text("")
    result = bundleimp_command("pack", folder, tmp_path / "out.pybundle")
    assert sorted(result.stderr.splitlines()) == sorted(f"bundleimp: warning: {name}: {REASON}" for name in ESCAPED)


def test_errors_and_warnings_do_not_print_them(tmp_path: Path) -> None:
    """Neither those of imports."""
    path = tmp_path / "out.pybundle"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pkg/\x1b[31m.py", "x = 1\n" * 100)
    data = bytearray(path.read_bytes())
    data[data.index(b"x = 1")] ^= 1
    path.write_bytes(data)
    script = "import importlib; importlib.import_module('pkg.\\x1b[31m')"
    result = run_python("-c", script, path=[path], check=False)
    line = result.stderr.splitlines()[-1]
    assert is_harmless(line)
    assert "pkg/\\x1b[31m.py" in line
    result = bundleimp_command("extract", path, tmp_path / "folder", status=2)
    assert is_harmless(result.stderr)
    assert "pkg/\\x1b[31m.py" in result.stderr
