"""The command line as a whole: exit statuses, errors of one line, pipes, and files that are no bundles."""

from __future__ import annotations

import _io
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.cli import main
from bundleimp.runtime import format as bundle_format

from .archives import RawEntry, raw_zip
from .builders import clean_environment, make_bundle, make_tree
from .command_line import APP, bundleimp_command, error_of
from .platforms import needs_deep_stack, needs_processes, needs_raw_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

READERS = ["list", "info", "verify", "extract", "run"]
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes, devices and permissions")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("cli") / "app.pybundle", APP)


def arguments_for(command: str, path: Path, folder: Path) -> list[str]:
    """Return the arguments that point *command* to the file at *path*."""
    return [command, str(path), *([str(folder / "target")] if command == "extract" else [])]


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in [*READERS, "pack", "explain"])])
def test_help_is_no_error(arguments: list[str]) -> None:
    assert bundleimp_command(*arguments).stdout.startswith("usage: bundleimp")


def test_the_version_is_printed() -> None:
    assert bundleimp_command("--version").stdout == f"bundleimp {bundleimp.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["unknown"], ["lis", "x"], ["list"], ["list", "a", "b"], ["list", "a", "--unknown"], ["--unknown"]),
        *(
            ["pack"],
            ["pack", "src"],
            ["pack", "src", "out", "--layout", "round"],
            ["pack", "src", "out", "--optimize", "3"],
        ),
        *(
            ["pack", "src", "out", "--jobs", "many"],
            ["list", "x", "-l", "--tree"],
        ),
        *(
            ["pack", "s", "o", "--compress", "lzma"],
            ["pack", "s", "o", "--on-conflict", "ask"],
            ["pack", "s", "o", "--lay"],
        ),
        *(["run"], ["extract", "x"], ["explain"], ["explain", "x", "--path"], ["doctor", "x"]),
    ],
    ids=" ".join,
)
def test_bad_usage_is_one_line_that_points_to_the_help(arguments: list[str], tmp_path: Path) -> None:
    make_tree(tmp_path / "src", {"a.py": ""})
    assert "--help" in error_of(*arguments, cwd=tmp_path)


@pytest.mark.parametrize("arguments", [["unknown"], ["list"], []])
def test_the_console_script_ends_the_same_way(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("bundleimp: error: ")


def test_the_console_script_returns_the_exit_status(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(bundle)]) == 0
    assert main(["explain", "no_such_module_anywhere"]) == 1
    assert main(["list", str(tmp_path / "missing.pybundle")]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("bundleimp: error: ")


def test_the_installed_console_script_works(bundle: Path) -> None:
    script = os.path.join(os.path.dirname(sys.executable), "bundleimp")
    if not os.path.exists(script):
        pytest.skip("bundleimp is not installed with its script")
    result = subprocess.run(
        [script, "list", str(bundle)], capture_output=True, text=True, check=False, env=clean_environment()
    )
    assert (result.returncode, result.stdout) == (0, bundleimp_command("list", bundle).stdout)


def _truncated(path: Path) -> None:
    path.write_bytes(make_bundle(path.with_name("whole.pybundle"), APP).read_bytes()[:-1])


def _newer(path: Path) -> None:
    data = bytearray(make_bundle(path.with_name("whole.pybundle"), APP).read_bytes())
    data[-bundle_format.LOCATOR_SIZE + 8] = 7
    path.write_bytes(data)


def _loop(path: Path) -> None:
    path.symlink_to(path)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _path: None, "cannot be opened: No such file or directory"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "text": (lambda path: path.write_text("no zip\n" * 100), "is not a zip archive"),
    "truncated": (
        _truncated,
        "is not a zip archive: the end record is missing, or the file is truncated; copy it again, or pack it anew",
    ),
    "directory": (lambda path: path.mkdir(), "is not a regular file"),
    "damaged": (lambda path: path.write_bytes(raw_zip([RawEntry(b"a")], count=3)), "damaged"),
    "newer": (_newer, "has format version 7, and this bundleimp reads up to version 1: upgrade bundleimp"),
    "link to itself": (_loop, "cannot be opened"),
}


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_is_no_sound_bundle_is_an_error_that_names_it(tmp_path: Path, command: str, kind: str) -> None:
    if sys.platform == "win32" and kind == "link to itself":
        pytest.skip("links need a privilege there")
    path = tmp_path / "bad.pybundle"
    make, message = BAD_FILES[kind]
    make(path)
    text = error_of(*arguments_for(command, path, tmp_path))
    assert text.startswith(f"{path}: ")
    assert message in text
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("command", READERS)
def test_a_file_that_may_not_be_read_is_an_error_that_names_it(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # As root every file can be read, so that the refusal is played.
    path = str(make_bundle(tmp_path / "out.pybundle", APP))

    def refuse(name: str) -> BinaryIO:
        raise PermissionError(13, "Permission denied", name)

    # In the place of the module `_io`, and for this file only: parts of the runtime are read, too.
    monkeypatch.setattr("bundleimp.runtime.bundlefile._io", SimpleNamespace(**vars(_io) | {"open_code": refuse}))
    assert main(arguments_for(command, tmp_path / "out.pybundle", tmp_path)) == 2
    assert capsys.readouterr().err == f"bundleimp: error: {path}: cannot be opened: Permission denied\n"


def test_offset_and_member_stand_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.pybundle"
    path.write_bytes(raw_zip([RawEntry(b"a.txt", b"x", crc=1)]))
    text = error_of("extract", path, tmp_path / "target")
    assert text.startswith(f"{path}: a.txt: does not match its checksum")
    assert text.endswith("(at offset 35)")


@needs_processes
@needs_posix
@pytest.mark.parametrize("members", [3, 5000])
@pytest.mark.parametrize("options", [[], ["-l"], ["--tree"], ["--json"]])
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, members: int, options: list[str]) -> None:
    path = tmp_path / "many.pybundle"
    path.write_bytes(raw_zip([RawEntry(f"m{number}.py".encode()) for number in range(members)]))
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-m", "bundleimp", "list", str(path), *options],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env=clean_environment(),
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("members", [3, 5000])
def test_output_that_cannot_be_written_is_an_error(tmp_path: Path, members: int) -> None:
    path = tmp_path / "many.pybundle"
    path.write_bytes(raw_zip([RawEntry(f"m{number}.py".encode()) for number in range(members)]))
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run(
            [sys.executable, "-m", "bundleimp", "list", str(path)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=clean_environment(),
        )
    assert (result.returncode, result.stderr) == (2, "bundleimp: error: No space left on device\n")


@pytest.mark.parametrize(
    "arguments", [["list"], ["list", "-l"], ["list", "--tree"], ["list", "--json"], ["info"], ["verify"]], ids=" ".join
)
def test_any_name_can_be_printed_in_any_encoding(tmp_path: Path, arguments: list[str]) -> None:
    path = make_bundle(tmp_path / "größe.pybundle", {"日本語/mod.py": "", "ä.txt": ""})
    command, *options = arguments
    bundleimp_command(command, path, *options, PYTHONIOENCODING="ascii", PYTHONUTF8="0")


@needs_raw_names
@pytest.mark.parametrize("command", [*READERS, "pack"])
def test_a_path_that_is_no_text_can_be_worked_with(tmp_path: Path, command: str) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.pybundle")
    make_tree(tmp_path / "src", {"__main__.py": "print('ran')"})
    if command == "pack":
        bundleimp_command("pack", tmp_path / "src", path)
        return
    make_bundle(tmp_path / "out.pybundle", {"__main__.py": "print('ran')"}).rename(path)
    bundleimp_command(*arguments_for(command, path, tmp_path))


HOSTILE_MEMBERS = {
    "manifest that is not JSON": RawEntry(b"BUNDLE-INFO/manifest.json", b"{"),
    "manifest that is no object": RawEntry(b"BUNDLE-INFO/manifest.json", b"[1]"),
    "manifest that is no text": RawEntry(b"BUNDLE-INFO/manifest.json", b"\xff\xfe\xff"),
    "manifest without end": RawEntry(b"BUNDLE-INFO/manifest.json", b"[" * 200_000),
    "manifest with other types": RawEntry(b"BUNDLE-INFO/manifest.json", b'{"tool": [], "format": {}}'),
    "RECORD with an overlong line": RawEntry(b"a-1.dist-info/RECORD", b"x" * 200_000),
    "RECORD that is no text": RawEntry(b"a-1.dist-info/RECORD", b"\xff\0\n\0"),
    "METADATA that is none": RawEntry(b"a-1.dist-info/METADATA", b"\xff\0\n\n\nName"),
    "entry points that are none": RawEntry(b"a-1.dist-info/entry_points.txt", b"[a\nb = c = d\n\xff"),
    "payload that is no zip": RawEntry(b"BUNDLE-INFO/payload.zip", b"no zip"),
    "payload that is empty": RawEntry(b"BUNDLE-INFO/payload.zip", b""),
    "payload that is deflated": RawEntry(b"BUNDLE-INFO/payload.zip", raw_zip([RawEntry(b"a")]) * 3, method=8),
}


@pytest.mark.parametrize("command", ["list", "info", "verify"])
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=needs_deep_stack if "without end" in kind else ()) for kind in HOSTILE_MEMBERS]
)
def test_a_hostile_member_never_gives_a_traceback(
    tmp_path: Path, command: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hostile.pybundle"
    metadata = RawEntry(b"a-1.dist-info/METADATA", b"Name: a\nVersion: 1\n")
    entry = HOSTILE_MEMBERS[kind]
    path.write_bytes(raw_zip([entry] if entry.name == metadata.name else [metadata, entry]))
    for options in ([], ["--json"]):
        assert main([command, str(path), *options]) in {0, 1, 2}
    errors = capsys.readouterr().err.splitlines()
    assert all(line.startswith(f"bundleimp: error: {path}: ") for line in errors)
