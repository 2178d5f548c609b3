"""`pack` killed anywhere: the output is as it was or whole, and what could not be removed the next `pack` removes."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing import compiler, draft
from bundleimp.packing.errors import PackError

from .builders import make_tree, run_python
from .platforms import needs_processes

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

BEFORE = b"what was there before"
TREE = {"pkg/__init__.py": "x = 1\n", "pkg/mod.py": "y = 2\n" * 100, "pkg/data.txt": "text\n" * 1000}
# What is between an interrupt and a file that nobody removes.
CAREFUL = ("packing/draft.py", "packing/writer.py", "packing/build.py", "contextlib.py")
needs_locks = pytest.mark.skipif(sys.platform in {"win32", "emscripten"}, reason="needs locks of POSIX")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="orphaned processes are adopted on Linux only")


@pytest.fixture(name="source")
def _source(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "src", TREE)


@pytest.fixture(name="output")
def _output(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "out", {"app.pybundle": BEFORE}) / "app.pybundle"


def left_beside(output: Path) -> list[str]:
    return sorted(set(os.listdir(output.parent)) - {output.name})


class Interrupter:
    """Interrupts this thread before it runs a certain line of *CAREFUL*, counted from the first in draft.py."""

    def __init__(self, line: int) -> None:
        self.waiting = line
        self.counting = False

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Interrupter | None:
        if not frame.f_code.co_filename.endswith(CAREFUL):
            return None
        self.counting = self.counting or frame.f_code.co_filename.endswith(CAREFUL[0])
        if event == "line" and self.counting:
            self.waiting -= 1
            if self.waiting == 0:
                raise KeyboardInterrupt
        return self


def interrupted_at(line: int, source: Path, output: Path) -> bool:
    """Pack, and interrupt that before it runs a line; return whether there are so many."""
    before = sys.gettrace()
    mask = os.umask(0)
    os.umask(mask)
    sys.settrace(Interrupter(line))
    try:
        bundleimp.pack([source], output, bytecode=False, jobs=1, layout="nested")
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
        os.umask(mask)  # the draft asks for it by setting it; an interrupt just then must not change later tests
    return False


# A file that nobody closes any more is closed with a warning.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_line_leaves_nothing_behind(tmp_path: Path, output: Path) -> None:
    source = make_tree(tmp_path / "small", {"data.txt": "text\n"})
    bundleimp.pack([source], output, bytecode=False, jobs=1, layout="nested")
    outcomes = {BEFORE, output.read_bytes()}
    output.write_bytes(BEFORE)
    seen, line = set(), 1
    while interrupted_at(line, source, output):
        if left_beside(output):
            gc.collect()  # nobody knows of the draft any more but what refers to itself
        assert left_beside(output) == [], line
        seen.add(output.read_bytes())
        line += 1
    gc.collect()  # while the warnings are ignored
    assert line > 100
    assert seen == outcomes


# Forks once for each case.  A child runs the command and sends itself a signal at a line of ours; orphans become
# children of this process, which so knows that all of them have come to an end.
KILLER = """
import ctypes, io, json, os, random, signal, sys, bundleimp.cli
from bundleimp.packing import build, collect, compiler, draft, executable, pipeline, writer

source, output, layout = sys.argv[1:]
folder, before = os.path.dirname(output), open(output, "rb").read()
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
signal.alarm(100)  # an orphan that lives on is waited for

def drafted():
    return len(os.listdir(folder)) > 1

def placed():
    return open(output, "rb").read() != before

# Sends this process a signal at the line *moment*, or at the first where *moment* is true.
class Killer:
    def __init__(self, number, moment):
        self.number, self.moment, self.counted = number, moment, 0
    def __call__(self, frame, event, argument):
        if not any(part in frame.f_code.co_filename for part in ("/bundleimp/packing/", "/cli/pack", "/cli/signals")):
            return None
        if event == "line":
            self.counted += 1
            if self.moment() if callable(self.moment) else self.counted == self.moment:
                self.moment = None
                os.kill(os.getpid(), self.number)
        return self

def pack(number, moment):
    child = os.fork()
    if not child:
        sys.stdout = sys.stderr = io.StringIO()
        killer = Killer(number, moment)
        sys.settrace(killer)
        try:
            status = bundleimp.cli.main(["pack", "--jobs", "2", "--layout", layout, source, output])
        finally:
            sys.settrace(None)
        if moment is None:
            os.write(pipe, b"%d" % killer.counted)
        sys.exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return status

reading, pipe = os.pipe()
pack(0, None)
lines, whole = int(os.read(reading, 20)), open(output, "rb").read()
chosen = random.Random(layout)
result = []
for number, times in ((signal.SIGTERM, 4), (signal.SIGINT, 3), (signal.SIGHUP, 3), (signal.SIGKILL, 6)):
    # At any time, and more often near the end, where the output takes its place.
    moments = [chosen.randint(1, lines) if step % 2 else lines - chosen.randint(0, 60) for step in range(times)]
    for moment in (drafted, placed, *moments):
        open(output, "wb").write(before)
        status = pack(number, moment)
        data = open(output, "rb").read()
        left = [name for name in os.listdir(folder) if name != os.path.basename(output)]
        kind = "whole" if data == whole else "before" if data == before else "broken"
        if left:
            pack(0, 0)
        result.append([number, status, kind, left, [name for name in os.listdir(folder) if name in left]])
print(json.dumps(result))
"""


@needs_processes
@needs_linux
@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_a_signal_at_any_time_leaves_the_output_whole_and_no_process(source: Path, output: Path, layout: str) -> None:
    printed = run_python("-W", "error", "-c", KILLER, str(source), str(output), layout).stdout
    results = json.loads(printed)
    assert {kind for _, _, kind, _, _ in results} == {"before", "whole"}
    for number, status, kind, left, left_by_the_next in results:
        if number == signal.SIGKILL:
            assert status in {-number, 0}
            assert len(left) <= 1
            assert all(name.startswith(".bundleimp-") and name.endswith(".tmp") for name in left)
        else:
            # Before there is anything to remove, and after it is in its place, the signal does what it always does.
            assert status in {128 + number, -number} or (status == 0 and kind == "whole")
            assert left == []
        assert left_by_the_next == []
    kinds = [(kind, len(left)) for number, _, kind, left, _ in results if number == signal.SIGKILL]
    assert kinds[:2] == [("before", 1), ("whole", 0)]


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals there")
def test_a_signal_that_is_ignored_stays_ignored(source: Path, output: Path) -> None:
    script = (
        "import os, signal, sys, bundleimp.cli, bundleimp.packing.writer as module\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does\n"
        "place = module.BundleWriter.finish\n"
        "module.BundleWriter.finish = lambda *all: os.kill(os.getpid(), signal.SIGHUP) or place(*all)\n"
        "sys.exit(bundleimp.cli.main(['pack', '--quiet', *sys.argv[1:]]))"
    )
    run_python("-c", script, str(source), str(output))
    assert bundleimp.open_bundle(output).verify() == []


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals there")
def test_a_second_signal_does_not_disturb_the_first_ones_cleaning_up(source: Path, output: Path) -> None:
    script = (
        "import os, signal, sys, bundleimp.cli\n"
        "from bundleimp.packing import draft, writer\n"
        "def signalling(function, *numbers):\n"
        "    def call(*arguments):\n"
        "        for number in numbers:\n"
        "            os.kill(os.getpid(), number)\n"
        "        return function(*arguments)\n"
        "    return call\n"
        "writer.BundleWriter.finish = signalling(writer.BundleWriter.finish, signal.SIGTERM)\n"
        "draft.Draft.discard = signalling(draft.Draft.discard, signal.SIGINT, signal.SIGHUP)\n"
        "sys.exit(bundleimp.cli.main(['pack', *sys.argv[1:]]))"
    )
    result = run_python("-c", script, str(source), str(output), check=False)
    assert (result.returncode, result.stdout, result.stderr) == (128 + signal.SIGTERM, "", "")
    assert (output.read_bytes(), left_beside(output)) == (BEFORE, [])


def test_signals_are_handled_as_before_once_the_command_has_ended(source: Path, output: Path) -> None:
    from bundleimp import cli  # noqa: PLC0415 (no other test here needs it)

    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = [signal.getsignal(number) for number in numbers]
    assert cli.main(["pack", "--quiet", str(source), str(output)]) == 0
    assert [signal.getsignal(number) for number in numbers] == before


@pytest.fixture(name="workers")
def _workers(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Return the worker processes, as they are started."""
    started: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(compiler.subprocess, "Popen", Popen)  # type: ignore[attr-defined]
    return started


@needs_processes
@pytest.mark.parametrize("when", range(3))
def test_a_worker_that_is_killed_is_an_error_and_no_other_lives_on(
    source: Path, output: Path, workers: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    compiling = compiler.Compiler.submit
    monkeypatch.setattr("bundleimp.packing.pipeline.BATCH", 1)
    calls = 0

    def submit(self: compiler.Compiler, modules: Any) -> Any:
        nonlocal calls
        if calls == when:
            workers[0].kill()
            workers[0].wait()
        calls += 1
        return compiling(self, modules)

    monkeypatch.setattr(compiler.Compiler, "submit", submit)
    make_tree(source, {f"m{number}.py": "x = 1\n" for number in range(3)})
    with pytest.raises(PackError, match="ended unexpectedly while it compiled this module"):
        bundleimp.pack([source], output, jobs=2)
    assert [process.returncode is not None for process in workers] == [True] * len(workers)
    assert (output.read_bytes(), left_beside(output)) == (BEFORE, [])


ENDLESS = "import sys, time\nprint({greeting!r}, flush=True)\nsys.stdin.buffer.readline()\ntime.sleep(1000)\n"


@needs_processes
@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
def test_an_interrupt_does_not_wait_for_what_is_being_compiled(
    source: Path,
    output: Path,
    tmp_path: Path,
    workers: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bundleimp.packing.pipeline.BATCH", 1)
    greeting = '{"tag": "cpython-99", "magic": "00000000", "version": "3.99.0"}'
    python = make_tree(tmp_path, {"python": f"#!{sys.executable}\n{ENDLESS.format(greeting=greeting)}"}) / "python"
    python.chmod(0o755)
    make_tree(source, {"a.txt": ""})

    def interrupt(*_step: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bundleimp.pack([source], output, python=[str(python)], jobs=1, progress=interrupt)
    assert [process.returncode for process in workers] == [-signal.SIGKILL]


def drafts_of(output: Path, *names: str) -> list[str]:
    """Return the names of drafts of *output*, as killed processes leave them, that end in *names*."""
    prefix = f".bundleimp-{zlib.crc32(os.fsencode(output.name)):08x}-"
    return [f"{prefix}{name}.tmp" for name in names]


def test_what_a_killed_pack_has_left_is_removed_by_the_next_to_the_same_output(source: Path, output: Path) -> None:
    theirs = [*drafts_of(output.with_name("other.pybundle"), "one"), ".bundleimp-notes.tmp", "tmpabc"]
    make_tree(output.parent, dict.fromkeys([*drafts_of(output, "one", "two"), *theirs], "left"))
    bundleimp.pack([source], output, jobs=1)
    assert left_beside(output) == sorted(theirs)


@needs_locks
def test_what_stands_where_a_draft_could_stops_no_pack(source: Path, output: Path) -> None:
    folder, pipe, link, target = drafts_of(output, "folder", "pipe", "link", "target")
    (output.parent / folder).mkdir()
    os.mkfifo(output.parent / pipe)
    (output.parent / link).symlink_to(source / "pkg/mod.py")
    bundleimp.pack([source], output, jobs=1)
    assert (source / "pkg/mod.py").exists()
    assert bundleimp.open_bundle(output).verify() == []
    assert target not in left_beside(output)


@needs_locks
def test_the_draft_of_another_pack_at_work_is_left_alone(source: Path, output: Path, tmp_path: Path) -> None:
    other = make_tree(tmp_path / "other", {"mod.py": "z = 3\n"})
    packed: list[bundleimp.PackReport] = []

    def pack_meanwhile(*_step: object) -> None:
        if not packed:
            packed.append(bundleimp.pack([other], output, jobs=1))
            assert bundleimp.open_bundle(output).read("mod.py") == b"z = 3\n"

    bundleimp.pack([source], output, jobs=1, progress=pack_meanwhile)
    assert bundleimp.open_bundle(output).read("pkg/__init__.py") == b"x = 1\n"
    assert left_beside(output) == []


def test_a_draft_that_was_taken_for_abandoned_before_it_was_locked_is_made_again(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    creating = draft._create  # noqa: SLF001 (between it and the lock is what this is about)

    def create(path: Path) -> Any:
        file = creating(path)
        made.append(path)
        if len(made) == 1:
            path.unlink()
        return file

    monkeypatch.setattr(draft, "_create", create)
    bundleimp.pack([source], output, jobs=1)
    assert len(made) == 2
    assert bundleimp.open_bundle(output).verify() == []
    assert left_beside(output) == []


def test_the_command_runs_where_no_signal_can_be_caught(source: Path, output: Path) -> None:
    from bundleimp import cli  # noqa: PLC0415 (no other test here needs it)

    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(cli.main(["pack", "--quiet", str(source), str(output)])))
    thread.start()
    thread.join()
    assert statuses == [0]
