"""Imports from many threads at once, in a process that has imported nothing from a bundle yet."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp.runtime import bundles, hook
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.bundles import OpenBundle
from bundleimp.runtime.content import refreshing

from .builders import make_zip
from .places import FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, Laboratory, lay_out
from .platforms import needs_threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

pytestmark = needs_threads

in_kinds = pytest.mark.parametrize("kind", [FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP])

# Switches wherever the interpreter allows one; a deadlock ends the process with the stacks of all threads.
_PRELUDE = """
import faulthandler, importlib, os, sys, threading
faulthandler.dump_traceback_later(240, exit=True)
sys.setswitchinterval(1e-6)


def at_once(*actions):
    \"\"\"Call each action in a thread of its own, all at the same moment; return what went wrong.\"\"\"
    barrier = threading.Barrier(len(actions))
    faults = []

    def run(action):
        barrier.wait()
        try:
            action()
        except importlib._bootstrap._DeadlockError:
            pass  # the interpreter's answer to threads that meet in a circle, from a directory as well
        except KeyError as error:
            # It may take a parent out of `sys.modules` that another thread has waited for.
            if error.args[0] not in ("p0", "p1", "p2", "p3"):
                faults.append(f"KeyError: {error}")
        except BaseException as error:
            faults.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(set(faults))
"""


def crowd(kind: str, tmp_path: Path) -> list[Path]:
    """Lay out four path entries with modules that import each other across them, in circles too."""
    trees: list[dict[str, str | bytes]] = []
    for number in range(4):
        after = (number + 1) % 4
        tree: dict[str, str | bytes] = {f"p{number}/m{i}.py": f"import p{after}.m{i}\nV = {i}\n" for i in range(8)}
        tree[f"p{number}/__init__.py"] = f"import c{after}\n"
        tree[f"c{number}.py"] = f"import c{after}\nV = {number}\n"
        tree[f"space/n{number}.py"] = f"import space.n{after}\n"
        trees.append(tree)
    return [lay_out(kind, tmp_path / str(number), tree) for number, tree in enumerate(trees)]


@in_kinds
def test_32_threads_import_across_bundles_in_circles_in_a_cold_process(kind: str, tmp_path: Path) -> None:
    probe = (
        _PRELUDE
        + """
places, sys.path[1:1] = sys.argv[1:], sys.argv[1:]
names = [f"p{number}.m{i}" for number in range(4) for i in range(6)] + [f"c{number}" for number in range(4)]
names += [f"space.n{number}" for number in range(4)]
faults = at_once(*(lambda name=name: importlib.import_module(name) for name in names))
for name in names:
    importlib.import_module(name)  # whatever a circle has stopped
result = [faults, len(names), [name for name in names if name not in sys.modules]]
faulthandler.cancel_dump_traceback_later()
"""
    )
    places = crowd(kind, tmp_path)
    for _ in range(3):
        seen = Laboratory(tmp_path / "laboratory").observe([], probe, *map(str, places))
        assert seen == [[], 32, []]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
@in_kinds
def test_a_child_forked_while_other_threads_import_imports_on(kind: str, tmp_path: Path) -> None:
    probe = (
        _PRELUDE
        + """
sys.path[1:1] = sys.argv[1:]
import c0
done = threading.Event()


def imports():
    while not done.is_set():
        for name in [name for name in list(sys.modules) if name[:2] == "p0"]:
            sys.modules.pop(name, None)
        try:
            import p0.m1
        except (ImportError, KeyError):  # another thread has just taken it out
            pass


threads = [threading.Thread(target=imports) for _ in range(4)]
for thread in threads:
    thread.start()
answers = []
for _ in range(12):
    child = os.fork()
    if not child:
        import space.n2
        os._exit(7)
    answers.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
done.set()
for thread in threads:
    thread.join()
result = sorted(set(answers))
faulthandler.cancel_dump_traceback_later()
"""
    )
    options = ("-W", "ignore")  # 3.12 warns of a fork where there are threads
    places = [str(place) for place in crowd(kind, tmp_path)]
    assert Laboratory(tmp_path / "laboratory").observe([], probe, *places, options=options) == [7]


def test_a_handler_may_import_while_a_closed_descriptor_is_replaced(tmp_path: Path) -> None:
    """An audit hook sees the file opened again, and imports from the same bundle."""
    probe = """
    import faulthandler, importlib, os, sys
    faulthandler.dump_traceback_later(60, exit=True)
    sys.path[1:1] = sys.argv[1:]
    import c0
    inside = []
    def hook(event, arguments):
        if event == "open" and arguments[0] == sys.argv[1] and not inside:
            inside.append(1)
            import p0.m1
    os.closerange(3, 50)
    sys.addaudithook(hook)
    import space.n0
    result = inside
    """
    places = [str(place) for place in crowd(NESTED, tmp_path)]
    assert Laboratory(tmp_path / "laboratory").observe([], probe, *places, options=()) == [1]


def seen_at_each_line(
    function: Callable[..., object], look: Callable[[], bool], act: Callable[[], object]
) -> set[bool]:
    """Call *act*; return what *look* gives before each line of *function*, where another thread may have its turn."""
    seen = set()

    def trace(frame: FrameType, _event: str, _argument: object) -> Any:
        if frame.f_code is function.__code__:
            seen.add(look())
            return trace
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return seen


def test_there_is_no_moment_without_a_hook_of_ours() -> None:
    def stand_in() -> None:
        pass

    def own() -> None:
        pass

    stand_in.claims_bundles = own.claims_bundles = True  # type: ignore[attr-defined]
    hooks = [stand_in, print]
    seen = seen_at_each_line(
        hook.put_first, lambda: stand_in in hooks or own in hooks, lambda: hook.put_first(hooks, own)
    )
    assert (seen, hooks) == ({True}, [own, print])


def test_there_is_no_moment_without_a_version_while_a_bundle_is_exchanged(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "out.pybundle", {"mod.py": "V = 1\n"})
    bundle = OpenBundle(str(path))
    bundle.refresh()

    def is_there() -> bool:
        return bundle.archive is not None or bundle.fault is not None

    first = bundle.archive
    for content in (b"no zip", make_zip(tmp_path / "new", {"mod.py": "V = 22\n"}).read_bytes()):
        fresh = tmp_path / "fresh"
        fresh.write_bytes(content)
        fresh.replace(path)
        assert seen_at_each_line(refreshing.exchange, is_there, bundle.refresh) == {True}
    assert bundle.archive not in {None, first}


def test_who_opens_a_bundle_while_another_thread_opens_it_has_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(make_zip(tmp_path / "out.pybundle", {"mod.py": ""}))
    opened: list[OpenBundle] = []
    asked: list[str] = []

    def late(*arguments: Any) -> Archive:
        if not asked:
            asked.append(path)
            opened.append(bundles.open_bundle(path))  # what the other thread does
        return Archive(*arguments)

    monkeypatch.setattr("bundleimp.runtime.archive.Archive", late)
    assert bundles.open_bundle(path) is opened[0]
    assert bundles.open_bundle(path) is opened[0]
