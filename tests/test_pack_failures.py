"""Whatever goes wrong while packing, the output is as it was, nothing is left beside it, and one line says why."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing import draft, pipeline
from bundleimp.packing.errors import PackError

from .builders import Tree, make_tree, run_python
from .platforms import needs_limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TREE: Tree = {
    "pkg/__init__.py": "x = 1\n",
    "pkg/a.txt": "text\n" * 1000,
    "pkg/b.bin": bytes(range(256)) * 100,
    "pkg/mod.py": "y = 2\n",
}
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and limits")


class Workshop:
    """A folder with a source, and an output folder that is watched."""

    def __init__(self, folder: Path) -> None:
        self.source = make_tree(folder / "src", TREE)
        self.output = folder / "out/app.pybundle"
        self.output.parent.mkdir()
        self.output.write_bytes(b"what was there before")

    def pack(self, **options: Any) -> bundleimp.PackReport:
        return bundleimp.pack([self.source], self.output, **({"jobs": 1} | options))

    def assert_untouched(self) -> None:
        assert os.listdir(self.output.parent) == ["app.pybundle"]
        assert self.output.read_bytes() == b"what was there before"


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)


def test_a_pack_that_succeeds_replaces_the_output_and_leaves_nothing_beside_it(workshop: Workshop) -> None:
    workshop.pack()
    assert os.listdir(workshop.output.parent) == ["app.pybundle"]
    assert bundleimp.open_bundle(workshop.output).verify() == []


def failing(error: BaseException, after: int = 0) -> Callable[..., Any]:
    """Return a function that raises *error* once it was called *after* times."""
    calls = 0

    def fail(*_arguments: object, **_options: object) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise error

    return fail


# What packing asks of the system before it writes, and after.
STEPS = [(draft, "_create"), (tempfile, "TemporaryFile"), (os, "chmod"), (os, "fsync"), (os, "replace")]


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[0].__name__}.{step[1]}")
def test_a_full_disk_leaves_the_output_untouched(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str], layout: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(*step, failing(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(PackError, match="cannot be written: No space left on device") as caught:
            workshop.pack(layout=layout)
    assert caught.value.file == str(workshop.output)
    workshop.assert_untouched()


@needs_limits
@needs_posix
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_writes_that_fail_at_any_place_leave_the_output_untouched(workshop: Workshop, layout: str) -> None:
    # The system itself refuses to let a file grow beyond a limit, as it does when the disk is full.
    whole = workshop.pack(layout=layout).size
    workshop.output.write_bytes(b"what was there before")
    script = (
        "import os, resource, sys, bundleimp\n"
        "for limit in range(0, int(sys.argv[3]), 500):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))\n"
        "    try:\n"
        "        bundleimp.pack([sys.argv[1]], sys.argv[2], layout=sys.argv[4], jobs=1)\n"
        "    except bundleimp.BundleError as error:\n"
        "        assert 'cannot be written' in str(error), error\n"
        "    else:\n"
        "        sys.exit(f'no error at {limit}')\n"
        "    left = os.listdir(os.path.dirname(sys.argv[2]))\n"
        "    assert left == ['app.pybundle'], (limit, left)\n"
    )
    run_python("-W", "error", "-c", script, str(workshop.source), str(workshop.output), str(whole - 1), layout)
    workshop.assert_untouched()


@needs_limits
@needs_posix
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_an_interrupt_stays_one_if_what_was_written_does_not_fit(workshop: Workshop, layout: str, after: int) -> None:
    """Closing a file writes what is buffered, and fails then: that must not take the place of the interrupt."""
    script = (
        "import resource, sys, bundleimp\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))\n"
        "calls = []\n"
        "def progress(*arguments):\n"
        "    calls.append(arguments)\n"
        f"    if len(calls) > {after}: raise KeyboardInterrupt\n"
        "try:\n"
        "    bundleimp.pack([sys.argv[1]], sys.argv[2], layout=sys.argv[3], jobs=1, progress=progress)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    result = run_python("-W", "error", "-c", script, str(workshop.source), str(workshop.output), layout)
    assert result.stdout == "interrupted\n"
    workshop.assert_untouched()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("anything"), MemoryError()], ids=repr)
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_an_interrupted_pack_leaves_the_output_untouched(
    workshop: Workshop, error: BaseException, after: int, layout: str
) -> None:
    with pytest.raises(type(error)):
        workshop.pack(progress=failing(error, after), layout=layout)
    workshop.assert_untouched()


def test_an_interrupt_at_the_last_step_leaves_the_output_untouched(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            workshop.pack()
    workshop.assert_untouched()


@pytest.fixture
def nothing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each file read when it is written."""
    monkeypatch.setattr(pipeline, "BATCH", 1)
    monkeypatch.setattr(pipeline, "AHEAD", 0)


@pytest.mark.usefixtures("nothing_ahead")
def test_a_source_that_vanishes_is_named(workshop: Workshop) -> None:
    vanishing = workshop.source / "pkg/b.bin"
    with pytest.raises(PackError, match="cannot be read: No such file") as caught:
        workshop.pack(progress=lambda *_step: vanishing.unlink(missing_ok=True))
    assert caught.value.file == str(vanishing)
    workshop.assert_untouched()


def test_a_module_that_vanishes_before_its_turn_is_near_is_named(workshop: Workshop) -> None:
    # Twice as much as may be held.
    number = 2 * pipeline.AHEAD * (os.cpu_count() or 1) // 100_000
    make_tree(workshop.source, {f"m{at:04}.py": "#" * 100_000 for at in range(number)})
    vanishing = max(workshop.source.glob("m*.py"))
    with pytest.raises(PackError, match="cannot be read: No such file") as caught:
        workshop.pack(progress=lambda *_step: vanishing.unlink(missing_ok=True))
    assert caught.value.file == str(vanishing)
    workshop.assert_untouched()


@pytest.mark.parametrize("content", ["", "longer\n" * 10_000])
def test_a_source_that_changes_while_it_is_packed_gives_a_sound_bundle(workshop: Workshop, content: str) -> None:
    workshop.pack(progress=lambda *_step: make_tree(workshop.source, {"pkg/b.bin": content}))
    bundle = bundleimp.open_bundle(workshop.output)
    assert bundle.verify() == []
    assert bundle.read("pkg/b.bin") in {TREE["pkg/b.bin"], content.encode()}


@pytest.mark.usefixtures("nothing_ahead")
@pytest.mark.parametrize("content", ["", "longer\n" * 10_000])
def test_a_source_that_changes_before_it_is_read_is_packed_as_it_is_then(workshop: Workshop, content: str) -> None:
    workshop.pack(progress=lambda *_step: make_tree(workshop.source, {"pkg/b.bin": content}))
    assert bundleimp.open_bundle(workshop.output).read("pkg/b.bin") == content.encode()


@pytest.mark.parametrize("content", ["", "shorter\n", "longer\n" * 200_000])
def test_what_is_too_large_to_be_held_is_read_when_it_is_written(workshop: Workshop, content: str) -> None:
    make_tree(workshop.source, {"pkg/b.bin": bytes(pipeline.LARGEST_HELD + 1)})
    workshop.pack(progress=lambda *_step: make_tree(workshop.source, {"pkg/b.bin": content}))
    bundle = bundleimp.open_bundle(workshop.output)
    assert bundle.verify() == []
    assert bundle.read("pkg/b.bin") == content.encode()


def test_what_is_too_large_to_be_held_and_vanishes_is_named(workshop: Workshop) -> None:
    vanishing = workshop.source / "pkg/b.bin"
    vanishing.write_bytes(bytes(pipeline.LARGEST_HELD + 1))
    with pytest.raises(PackError, match="cannot be read: No such file") as caught:
        workshop.pack(progress=lambda *_step: vanishing.unlink(missing_ok=True))
    assert caught.value.file == str(vanishing)
    workshop.assert_untouched()


def test_an_output_that_is_a_directory_is_an_error(workshop: Workshop) -> None:
    with pytest.raises(PackError, match="is a directory"):
        bundleimp.pack([workshop.source], workshop.output.parent, jobs=1)
    workshop.assert_untouched()


def test_an_output_in_a_folder_that_does_not_exist_is_an_error(workshop: Workshop) -> None:
    output = workshop.output.parent / "gone/app.pybundle"
    with pytest.raises(PackError, match="there is no directory") as caught:
        bundleimp.pack([workshop.source], output, jobs=1)
    assert caught.value.file == str(output)
    workshop.assert_untouched()


@needs_posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_in_a_folder_that_cannot_be_written_to_is_an_error(workshop: Workshop) -> None:
    workshop.output.parent.chmod(0o500)
    try:
        with pytest.raises(PackError, match="cannot be written: Permission denied"):
            workshop.pack()
    finally:
        workshop.output.parent.chmod(0o700)
    workshop.assert_untouched()


def test_an_output_that_is_its_own_source_is_an_error(workshop: Workshop) -> None:
    module = workshop.source / "pkg/mod.py"
    with pytest.raises(PackError, match="would replace its source"):
        bundleimp.pack([module], module, jobs=1)
    assert module.read_text() == "y = 2\n"


@needs_posix
def test_an_output_that_is_its_own_source_through_a_link_is_an_error(workshop: Workshop) -> None:
    (workshop.output.parent / "link").symlink_to(workshop.source)
    module = workshop.source / "pkg/mod.py"
    with pytest.raises(PackError, match="would replace its source"):
        bundleimp.pack([module], workshop.output.parent / "link/pkg/mod.py", jobs=1)
    assert module.read_text() == "y = 2\n"


@needs_posix
def test_an_output_that_is_a_link_stays_one(workshop: Workshop, tmp_path: Path) -> None:
    link = tmp_path / "current.pybundle"
    link.symlink_to(workshop.output)
    bundleimp.pack([workshop.source], link, jobs=1)
    assert link.is_symlink()
    assert bundleimp.open_bundle(workshop.output).verify() == []
    assert os.listdir(workshop.output.parent) == ["app.pybundle"]


@needs_posix
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664), (0o027, 0o640)])
def test_the_permissions_of_the_output_follow_the_umask(workshop: Workshop, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        workshop.pack()
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert workshop.output.stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize(
    "name",
    ["n" * 240 + ".pybundle", "ä" * 120 + ".pybundle", "😀" * 60 + ".pybundle"],
    ids=["ascii", "two bytes", "four bytes"],
)
@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are measured in other units there")
def test_an_output_may_have_the_longest_name_that_a_file_can_have(workshop: Workshop, name: str) -> None:
    output = workshop.output.with_name(name)
    bundleimp.pack([workshop.source], output, jobs=1)
    assert bundleimp.open_bundle(output).verify() == []


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are always text there")
def test_a_folder_whose_name_is_no_text_can_be_a_source(workshop: Workshop) -> None:
    odd = workshop.source.rename(workshop.source.with_name(os.fsdecode(b"caf\xe9")))
    bundleimp.pack([odd], workshop.output, jobs=1)
    assert bundleimp.open_bundle(workshop.output).verify() == []


@pytest.mark.parametrize("jobs", [-1, -100])
def test_a_number_of_jobs_that_is_none_is_an_error(workshop: Workshop, jobs: int) -> None:
    with pytest.raises(PackError, match="jobs"):
        workshop.pack(jobs=jobs)
    workshop.assert_untouched()
