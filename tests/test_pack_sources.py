"""Sources that are, become or do something awkward: packed whole as they were at some time, or one clear error."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing import pipeline, reading
from bundleimp.packing.errors import PackError

from .builders import make_tree, run_python
from .command_line import error_of
from .platforms import needs_processes, needs_threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

pytestmark = pytest.mark.skipif(
    sys.platform in {"win32", "emscripten"}, reason="needs kinds of files, and paths, that are not here"
)

BEFORE = b"what was there before"


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "src", {"a.txt": "first\n", "data.bin": bytes(1000), "mod.py": "x = 1\n"})


@pytest.fixture(name="output")
def _output(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "out", {"app.pybundle": BEFORE}) / "app.pybundle"


def bind(path: Path) -> None:
    """Make a socket at *path*, whose whole name may be too long for one."""
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


KINDS: dict[str, Callable[[Path], object]] = {
    "directory": lambda path: make_tree(path, {"file": ""}),
    "fifo": lambda path: os.mkfifo(path),  # noqa: PLW0108 (Windows has none)
    "socket": bind,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "circle of links": lambda path: path.symlink_to(path.name),
    "link to nothing": lambda path: path.symlink_to("gone"),
}


@pytest.mark.parametrize("name", ["data.bin", "mod.py"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_becomes_something_else_is_an_error_that_names_it(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 1)
    monkeypatch.setattr(pipeline, "AHEAD", 0)

    def become(done: int, *_step: object) -> None:
        if done == 1:
            (source / name).unlink()
            KINDS[kind](source / name)

    with pytest.raises(PackError) as caught:
        bundleimp.pack([source], output, jobs=1, bytecode=False, progress=become)
    assert caught.value.file == str(source / name)
    assert (output.read_bytes(), os.listdir(output.parent)) == (BEFORE, ["app.pybundle"])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "directory"])
def test_what_is_no_file_is_an_error_that_names_it(source: Path, output: Path, kind: str) -> None:
    KINDS[kind](source / "odd")
    with pytest.raises(PackError, match="leave it out with --exclude") as caught:
        bundleimp.pack([source], output, jobs=1)
    assert caught.value.file == str(source / "odd")
    assert bundleimp.pack([source], output, jobs=1, exclude=["odd"]).members == 3


@needs_processes
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_and_is_named_as_a_source_is_one_line(output: Path, tmp_path: Path, kind: str) -> None:
    if kind == "directory":
        pytest.skip("that is a source")
    KINDS[kind](tmp_path / "odd.py")
    assert error_of("pack", tmp_path / "odd.py", output).startswith(f"{tmp_path / 'odd.py'}: ")
    assert output.read_bytes() == BEFORE


def make_device(path: Path) -> None:
    """Make a device of the test's own: should `pack` replace it, it must not be the system's."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except OSError as error:
        pytest.skip(f"no device can be made here: {error}")


@pytest.mark.parametrize("make", [os.mkfifo, bind, make_device] if hasattr(os, "mkfifo") else [])
def test_an_output_that_is_no_file_is_not_replaced(
    source: Path, tmp_path: Path, make: Callable[[Path], object]
) -> None:
    output = tmp_path / "odd.pybundle"
    make(output)
    with pytest.raises(PackError, match="would be replaced"):
        bundleimp.pack([source], output, jobs=1)
    assert not output.is_file()


@pytest.mark.parametrize("size", [1000, pipeline.LARGEST_HELD + 1])
@pytest.mark.parametrize("change", ["grows", "shrinks", "is written anew"])
def test_a_file_that_changes_while_it_is_read_is_an_error_that_names_it(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch, change: str, size: int
) -> None:
    path = source / "data.bin"
    path.write_bytes(bytes(size))
    os.utime(path, (1, 1))
    asked = reading.os.fstat  # type: ignore[attr-defined]

    def fstat(descriptor: int) -> os.stat_result:
        status: os.stat_result = asked(descriptor)
        if os.path.samestat(status, path.stat()) and status.st_mtime == 1:
            content = {"grows": size + 5, "shrinks": 10, "is written anew": size}[change]
            path.write_bytes(b"x" * content)
        return status

    with monkeypatch.context() as patch:
        patch.setattr(reading.os, "fstat", fstat)  # type: ignore[attr-defined]
        with pytest.raises(PackError, match="changed while it was read") as caught:
            bundleimp.pack([source], output, jobs=1, bytecode=False)
    assert caught.value.file == str(path)
    assert (output.read_bytes(), os.listdir(output.parent)) == (BEFORE, ["app.pybundle"])


@pytest.mark.parametrize(
    ("module", "name", "size"),
    [(reading, "data.bin", 1000), (reading, "mod.py", 1000), (pipeline, "data.bin", pipeline.LARGEST_HELD + 1)],
)
def test_a_file_that_never_ends_is_not_read_for_ever(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, size: int
) -> None:
    path = source / name
    path.write_bytes(bytes(size))
    real = reading.opened

    class Endless:
        """A stream whose file gets another byte with each that is read."""

        def __init__(self, stream: Any) -> None:
            self.stream = stream
            self.fileno, self.seek = stream.fileno, stream.seek

        def read(self, wanted: int) -> bytes:
            assert wanted >= 0
            assert path.stat().st_size < 10_000_000
            with path.open("ab") as file:
                file.write(bytes(wanted))
            data: bytes = self.stream.read(wanted)
            return data

    class Opened:
        def __init__(self, name: Any) -> None:
            self.context: Any = real(name)

        def __enter__(self) -> Any:
            return Endless(self.context.__enter__())

        def __exit__(self, *error: object) -> Any:
            return self.context.__exit__(*error)

    monkeypatch.setattr(module, "opened", Opened)
    with pytest.raises(PackError, match="changed while it was read"):
        bundleimp.pack(
            [path.parent], output, jobs=1, bytecode=False, exclude=sorted({"a.txt", "data.bin", "mod.py"} - {name})
        )


@needs_threads
def test_a_tree_on_which_somebody_works_gives_whole_files_or_an_error(source: Path, output: Path) -> None:
    done = threading.Event()

    def work() -> None:
        for version in count():
            if done.is_set():
                return
            for name in ("a.txt", "data.bin", "mod.py"):
                # As an editor saves a file: another one takes its place.
                (source / "new~").write_bytes(b"# %d\n" % version * 2000)
                (source / "new~").replace(source / name)
            shutil.rmtree(source / "folder", ignore_errors=True)
            make_tree(source, {f"folder/{version % 7}.txt": "#\n", "folder/deep/file.txt": "#\n"})

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for _ in range(20):
            try:
                bundleimp.pack([source], output, bytecode=False, jobs=2)
            except PackError as error:
                assert "\n" not in str(error)  # noqa: PT017 (either is right)
                continue
            bundle = bundleimp.open_bundle(output)
            assert bundle.verify() == []
            assert all(len(set(bundle.read(member.name).split(b"\n"))) <= 2 for member in bundle.members)
    finally:
        done.set()
        worker.join()
    assert os.listdir(output.parent) == ["app.pybundle"]


def test_a_file_in_the_deepest_folder_that_a_bundle_can_have_is_packed(tmp_path: Path, output: Path) -> None:
    name = "d/" * 199 + "file.py"
    bundleimp.pack([make_tree(tmp_path / "src", {name: "x = 1\n"})], output, jobs=1)
    assert bundleimp.open_bundle(output).read(name) == b"x = 1\n"


def make_deep(folder: Path, name: str, levels: int) -> None:
    """Make a file below so many folders of this name; the whole path may be longer than the system takes."""
    folder.mkdir()
    before = os.getcwd()
    os.chdir(folder)
    try:
        for _ in range(levels):
            os.mkdir(name)
            os.chdir(name)
        with open("file.py", "wb"):
            pass
    finally:
        os.chdir(before)


@pytest.mark.parametrize(
    ("name", "levels", "message"), [("d", 1500, "is nested deeper than"), ("d" * 255, 16, "too long")]
)
def test_a_folder_that_is_too_deep_is_an_error(
    tmp_path: Path, output: Path, name: str, levels: int, message: str
) -> None:
    make_deep(tmp_path / "src", name, levels)
    with pytest.raises(PackError, match=message):
        bundleimp.pack([tmp_path / "src"], output, jobs=1)
    assert output.read_bytes() == BEFORE
    # By its own means: there are paths that Python cannot name.
    subprocess.run(["rm", "-rf", str(tmp_path / "src")], check=True)  # noqa: S607 (of the system)


@needs_processes
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_the_longest_names_and_paths_come_back_and_stop_no_interpreter(
    tmp_path: Path, output: Path, layout: str
) -> None:
    part = "n" * 252  # 255 with its suffix
    room = (3900 - len(os.fspath(tmp_path))) // 253
    names = [f"{part}.py", "/".join([part] * room) + "/file.txt", "ä" * 126 + ".py", "😀" * 62 + ".txt"]
    bundleimp.pack([make_tree(tmp_path / "src", dict.fromkeys(names, "x = 1\n"))], output, layout=layout, jobs=1)  # type: ignore[arg-type]
    bundle = bundleimp.open_bundle(output)
    assert [member.name for member in bundle.members] == sorted(names)
    assert bundle.verify() == []
    run_python("-c", f"import {part}, {'ä' * 126}", path=[output])
    run_python("-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(output)!r}); import colorsys")


def test_pack_does_not_load_ssl() -> None:
    """It comes with `urllib.request`, and takes 3 MB."""
    script = "import sys, bundleimp; bundleimp.pack; print('ssl' in sys.modules, 'bundleimp.packing' in sys.modules)"
    assert run_python("-c", script).stdout == "False True\n"


BOUND = (25 << 20, 2000)
"""What `pack` takes in memory at most, in bytes: for itself, and for each file."""


@pytest.mark.skipif(sys.platform != "linux", reason="what a process had at most is known on Linux")
def test_the_memory_of_pack_is_bounded_by_the_number_of_files(tmp_path: Path) -> None:
    number = 20_000
    source = tmp_path / "src"
    for folder in range(20):
        (source / f"pkg{folder}").mkdir(parents=True)
    for at in range(number):
        (source / f"pkg{at % 20}/f{at}.txt").write_bytes(os.urandom(2000))
    script = (
        "import sys, bundleimp\n"
        "report = bundleimp.pack([sys.argv[1]], sys.argv[2], jobs=2)\n"
        # Not `getrusage`, which also counts the process that this one was started by.
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM:'))\n"
        "print(report.members, peak.split()[1])"
    )
    printed = run_python("-c", script, str(source), str(tmp_path / "out.pybundle")).stdout
    members, peak = map(int, printed.split())
    assert members == number
    assert peak << 10 < BOUND[0] + number * BOUND[1]


LIMITED = """
import os, resource, sys, bundleimp
source, folder, kind = sys.argv[1:]
output = os.path.join(folder, "app.pybundle")
for size in range(32, 513, 96):
    status = os.system(f"mount -o remount,size={size}k {folder}")
    assert status == 0
    before = os.path.exists(output) and open(output, "rb").read()
    try:
        bundleimp.pack([source], output, layout=kind, jobs=1)
        print("whole", bundleimp.open_bundle(output).verify())
    except bundleimp.BundleError as error:
        print(str(error).partition(": ")[2])
        assert before == (os.path.exists(output) and open(output, "rb").read())
    assert [name for name in os.listdir(folder) if name != "app.pybundle"] == []
"""


def can_mount() -> bool:
    """Return whether a mount of one's own is possible here."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    command = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_a_disk_that_is_full_leaves_the_output_untouched_and_nothing_beside_it(tmp_path: Path, layout: str) -> None:
    if not can_mount():
        pytest.skip("needs a file system of its own, which this user cannot mount here")
    noise = {f"{at}.bin": os.urandom(20_000) for at in range(8)}
    source = make_tree(tmp_path / "src", noise)
    (tmp_path / "small").mkdir()
    mounted = 'mount -t tmpfs -o size=32k tmpfs "$0" && exec "$@"'
    result = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounted, str(tmp_path / "small")),
            *(sys.executable, "-W", "error", "-c", LIMITED, str(source), str(tmp_path / "small"), layout),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert set(lines) == {"cannot be written: No space left on device", "whole []"}
