"""`bundleimp.trace`: events of imports, what callbacks may do, and the lines of BUNDLEIMP_TRACE."""

from __future__ import annotations

import copy
import importlib
import json
import pickle
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp import TraceEvent

from .builders import run_python
from .parts import PARTS
from .places import FLAT, NESTED, NO_BYTECODE, PLAIN_ZIP, lay_out
from .platforms import needs_threads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .builders import Tree

TREE: Tree = {
    "pkg/__init__.py": "from . import sub\n",
    "pkg/sub.py": "X = 1\n",
    "pkg/broken.py": "1 / 0\n",
    "parts/one.py": "X = 1\n",
    # It opens a file beside itself.
    "shop/__init__.py": (
        "import os\n\nwith open(os.path.join(os.path.dirname(__file__), 'VERSION')) as stream:\n    V = stream.read()\n"
    ),
    "shop/VERSION": "1.2",
}
KINDS = [FLAT, NESTED, PLAIN_ZIP]
in_kinds = pytest.mark.parametrize("kind", KINDS)

# `told` returns the events of the given kinds in `seen`, and empties that.
_PRELUDE = """
import importlib, importlib.util, json, sys, threading, warnings
import bundleimp

seen = []


def told(*kinds):
    found = [[event.kind, event.name, event.path, event.member, event.reason] for event in seen if event.kind in kinds]
    seen.clear()
    return found


def fails(name):
    try:
        importlib.import_module(name)
    except Exception as error:
        return type(error).__name__
"""


def probe(place: Path, script: str, *, on_path: bool = True) -> Any:
    """Return what *script* leaves in ``result``, with "<place>" for the *place*, which is on the path by default."""
    text = f"PLACE = {str(place)!r}\n{_PRELUDE}{textwrap.dedent(script)}\nprint(json.dumps(result))\n"
    path = [place] if on_path else []
    printed = run_python("-c", text, path=path, BUNDLEIMP_CACHE_DIR=str(place.parent / "cache"))
    assert printed.stderr == ""
    return json.loads(printed.stdout.replace(str(place), "<place>"))


@in_kinds
def test_the_finds_of_a_package_are_events(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    found = probe(
        place,
        """
        sys.path.insert(0, PLACE)
        with bundleimp.trace(seen.append):
            import pkg, parts.one
            fails("pkg.nothing"), fails("nothing")
        result = told("claimed", "declined", "opened", "refused", "found", "portion", "missing")
        """,
        on_path=False,
    )
    assert ["opened", None, "<place>", None, None] in found
    assert ["claimed", None, "<place>", None, None] in found
    assert ["found", "pkg", "<place>/pkg/__init__.py", None, None] in found
    assert ["found", "pkg.sub", "<place>/pkg/sub.py", None, None] in found
    assert ["portion", "parts", "<place>/parts", None, None] in found
    assert ["found", "parts.one", "<place>/parts/one.py", None, None] in found
    assert ["missing", "pkg.nothing", "<place>/pkg", None, None] in found
    assert ["missing", "nothing", "<place>", None, None] in found
    assert not {kind for kind, *_ in found} & {"declined", "refused"}


@in_kinds
def test_loads_begin_and_end(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    loads = probe(
        place,
        """
        with bundleimp.trace(seen.append):
            import pkg
            fails("pkg.broken")
        times = [event.time for event in seen]
        assert times == sorted(times)
        assert all(event.duration >= 0 for event in seen if event.kind in ("loaded", "failed"))
        assert all(event.duration is None for event in seen if event.kind in ("load", "found"))
        result = told("load", "loaded", "failed")
        """,
    )
    broken = "<place>/pkg/broken.py"
    assert loads == [
        ["load", "pkg", "<place>/pkg/__init__.py", None, None],
        ["load", "pkg.sub", "<place>/pkg/sub.py", None, None],
        ["loaded", "pkg.sub", "<place>/pkg/sub.py", None, None],
        ["loaded", "pkg", "<place>/pkg/__init__.py", None, None],
        ["load", "pkg.broken", broken, None, None],
        ["failed", "pkg.broken", broken, None, "ZeroDivisionError: division by zero"],
    ]


@in_kinds
def test_a_reload_and_a_lazy_load_are_loads(kind: str, tmp_path: Path) -> None:
    """A lazy load begins when the module is executed."""
    place = lay_out(kind, tmp_path, TREE)
    result = probe(
        place,
        """
        import pkg.sub
        with bundleimp.trace(seen.append):
            importlib.reload(pkg.sub)
            result = [told("load", "loaded")]
            spec = importlib.util.find_spec("parts.one")
            spec.loader = importlib.util.LazyLoader(spec.loader)
            module = importlib.util.module_from_spec(spec)
            sys.modules["parts.one"] = module
            spec.loader.exec_module(module)
            result.append(told("load", "loaded"))
            module.X
            result.append(told("load", "loaded"))
        """,
    )
    sub, one = "<place>/pkg/sub.py", "<place>/parts/one.py"
    assert result == [
        [["load", "pkg.sub", sub, None, None], ["loaded", "pkg.sub", sub, None, None]],
        [],
        [["load", "parts.one", one, None, None], ["loaded", "parts.one", one, None, None]],
    ]


@in_kinds
def test_reads_name_the_member_and_its_size(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    reads = probe(
        place,
        """
        import pkg
        with bundleimp.trace(seen.append):
            pkg.__loader__.get_data("shop/VERSION")
            pkg.sub.__loader__.get_source("pkg.sub")
            import parts.one
        result = [[event.path, event.member, event.size] for event in seen if event.kind == "read"]
        """,
    )
    assert reads[:2] == [["<place>", "shop/VERSION", 3], ["<place>", "pkg/sub.py", 6]]
    members = {member for _, member, _ in reads[2:]}
    assert ("parts/one.py" if kind == PLAIN_ZIP else "bytecode of parts/one.py") in members
    assert all(size > 0 for _, _, size in reads)


@pytest.mark.parametrize("kind", [NO_BYTECODE, PLAIN_ZIP])
def test_the_cache_misses_writes_hits_and_refuses(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    script = """
    with bundleimp.trace(seen.append):
        import pkg.sub
    result = [[event.kind, event.member, event.reason] for event in seen
              if event.kind.startswith("cache") and "sub" in event.path]
    """
    assert probe(place, script) == [["cache-miss", "pkg/sub.py", None], ["cache-wrote", None, None]]
    assert probe(place, script) == [["cache-hit", "pkg/sub.py", None]]
    for cached in (tmp_path / "cache").rglob("sub.*.pyc"):
        content = cached.read_bytes()
        cached.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    reason = "it is damaged, or belongs to another module"
    assert probe(place, script) == [["cache-refused", "pkg/sub.py", reason], ["cache-wrote", None, None]]


@in_kinds
def test_real_files_are_events(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    script = """
    with bundleimp.trace(seen.append):
        import shop
    assert shop.V == "1.2"
    result = [[event.kind, event.duration >= 0] for event in seen if event.kind in ("placed", "loaded")]
    assert [event.path for event in seen if event.kind == "loaded"] == [shop.__file__]
    """
    assert probe(place, script) == [["placed", True], ["loaded", True]]
    assert probe(place, script) == [["loaded", True]]  # they are there


def test_a_refused_bundle_is_an_event_with_the_reason(tmp_path: Path) -> None:
    place = lay_out(FLAT, tmp_path, TREE)
    refused, missing, directory = (tmp_path / f"{name}.pybundle" for name in ("refused", "missing", "directory"))
    refused.write_text("no zip")
    directory.mkdir()
    script = f"""
    warnings.simplefilter("ignore")
    paths = [{str(refused)!r}, {str(missing)!r}, {str(directory)!r}]
    sys.path[:0] = paths
    with bundleimp.trace(seen.append):
        import pkg
    found = told("refused", "declined", "claimed")
    result = [[kind, paths.index(path), (reason or "").partition(":")[0]] for kind, _, path, *_, reason in found
              if path in paths]
    """
    assert probe(place, script) == [
        ["refused", 0, "is not a zip archive"],
        ["claimed", 0, ""],
        ["declined", 1, "no path to a bundle"],
        ["declined", 2, "no path to a bundle"],
    ]


@pytest.mark.parametrize("kind", [FLAT, NESTED])  # of a plain zip, the finder reads sources, too
def test_a_damaged_bundle_is_a_load_that_failed(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    found = probe(
        place,
        """
        import pkg
        path = pkg.__loader__.archive.path
        with open(path, "rb") as stream:
            size = len(stream.read())
        with bundleimp.trace(seen.append):
            spec = importlib.util.find_spec("parts.one")
            with open(path, "r+b") as stream:
                stream.truncate(1)
            fails("parts.one")
        result = told("load", "failed")
        """,
    )
    assert [kind for kind, *_ in found] == ["load", "failed"]
    assert found[-1][-1].startswith("Bundle")


@in_kinds
def test_tracebacks_and_warnings_are_as_without_tracing(kind: str, tmp_path: Path) -> None:
    """Those of ``import`` statements, whose frames in the import system the interpreter leaves out."""
    tree = TREE | {"warns.py": "import warnings\nwarnings.warn('here', stacklevel=2)\n"}
    place = lay_out(kind, tmp_path, tree)
    script = """
    import traceback
    warnings.simplefilter("always")
    result = []
    {begin}
    try:
        import pkg.broken
    except ZeroDivisionError:
        result.append(traceback.format_exc())
    with warnings.catch_warnings(record=True) as caught:
        import warns
    result += [[str(warning.message), warning.filename] for warning in caught]
    """
    trace = "trace = bundleimp.trace(seen.append)"
    assert probe(place, script.format(begin=trace)) == probe(place, script.format(begin="pass"))


@in_kinds
def test_a_loader_is_as_without_tracing(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    result = probe(
        place,
        """
        with bundleimp.trace(seen.append):
            import pkg.sub, parts.one
            spec = importlib.util.find_spec("shop")
        loaders = [pkg.sub.__loader__, parts.one.__spec__.loader]
        assert all(isinstance(loader, bundleimp.BundleLoader) for loader in loaders)
        result = [sorted(name for name in vars(loader) if "module" in name) for loader in loaders]
        assert len(seen)
        seen.clear()
        import shop
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        assert not seen  # the trace is closed
        """,
    )
    assert result == [[], []]


@in_kinds
def test_a_callback_that_raises_is_warned_of_and_dropped(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    script = """
    calls = []


    def bad(event):
        calls.append(event)
        raise ValueError("bad")


    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with bundleimp.trace(bad), bundleimp.trace(seen.append):
            import pkg.sub
    result = [len(calls), len(seen) > 5, [[warning.category.__name__, str(warning.message)] for warning in caught]]
    """
    message = "the trace callback bad is not called any more: it raised ValueError: bad"
    assert probe(place, script) == [1, True, [["BundleWarning", message]]]


def test_a_callback_that_raises_does_not_break_an_import_where_warnings_are_errors(tmp_path: Path) -> None:
    place = lay_out(FLAT, tmp_path, TREE)
    script = "import bundleimp\nbundleimp.trace(lambda event: 1 / 0)\nimport pkg\nprint(pkg.sub.X)"
    printed = run_python("-W", "error", "-c", script, path=[place])
    assert printed.stdout == "1\n"
    assert printed.stderr == (
        "bundleimp: the trace callback <lambda> is not called any more: it raised ZeroDivisionError: division by zero\n"
    )


def test_an_interrupt_in_a_callback_is_not_swallowed(tmp_path: Path) -> None:
    place = lay_out(FLAT, tmp_path, TREE)
    script = """
    def interrupt(event):
        raise KeyboardInterrupt


    try:
        with bundleimp.trace(interrupt):
            import pkg
    except KeyboardInterrupt:
        result = "interrupted"
    """
    assert probe(place, script) == "interrupted"


@in_kinds
def test_a_callback_may_import(kind: str, tmp_path: Path) -> None:
    """It does not receive the events of its own imports, and other callbacks do."""
    place = lay_out(kind, tmp_path, TREE)
    result = probe(
        place,
        """
        own = []


        def importing(event):
            own.append(event.name)
            import parts.one


        with bundleimp.trace(importing), bundleimp.trace(seen.append):
            import pkg.sub
        result = ["parts.one" in own, [name for kind, name, *_ in told("loaded")]]
        """,
    )
    assert result == [False, ["parts.one", "pkg.sub", "pkg"]]


@in_kinds
def test_traces_are_nested_and_end(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    result = probe(
        place,
        """
        runtime = bundleimp.runtime
        one, two = [], []


        def is_on():
            parts = [runtime, *runtime.loaded.values()]
            return {part.TRACING for part in parts if hasattr(part, "TRACING")}


        states = [is_on()]
        with bundleimp.trace(one.append) as outer:
            import pkg
            with bundleimp.trace(two.append):
                import parts.one
            states.append(is_on())
            counts = [len(one), len(two)]
            fails("pkg.broken")
            outer.close()
            outer.close()
            states.append(is_on())
        ended = [len(one), len(two)]
        import shop
        result = [
            states == [{False}, {True}, {False}],
            counts[0] > counts[1] > 0,
            ended[0] > counts[0],
            ended[1] == counts[1],
            [len(one), len(two)] == ended,
        ]
        """,
    )
    assert result == [True] * 5


def test_parts_that_are_loaded_while_tracing_is_on_trace_too_and_end_with_it(tmp_path: Path) -> None:
    place = lay_out(PLAIN_ZIP, tmp_path, TREE)
    script = """
    with bundleimp.trace(seen.append):
        import pkg
    assert "bundleimp.runtime.cache.code" in sys.modules
    result = [told("cache-wrote") != [], sys.modules["bundleimp.runtime.cache.code"].TRACING]
    """
    assert probe(place, script) == [True, False]


@needs_threads
@in_kinds
def test_events_come_in_the_thread_that_does_the_work(kind: str, tmp_path: Path) -> None:
    tree = {f"m{number}.py": "X = 1\n" for number in range(40)} | {f"w{number}.py": "X = 1\n" for number in range(80)}
    place = lay_out(kind, tmp_path, tree)
    result = probe(
        place,
        """
        import faulthandler
        faulthandler.dump_traceback_later(30, exit=True)
        sys.setswitchinterval(1e-6)
        by_thread = {}


        def note(event):
            by_thread.setdefault(threading.get_ident(), []).append(event)
            if event.kind == "found":  # both threads import all of these, in two orders
                numbers = range(80) if threading.get_ident() == idents[0] else reversed(range(80))
                for number in numbers:
                    importlib.import_module(f"w{number}")


        def run(names):
            idents.append(threading.get_ident())
            barrier.wait()
            for name in names:
                importlib.import_module(name)


        idents = []
        barrier = threading.Barrier(2)
        names = [[f"m{number}" for number in range(half, 40, 2)] for half in (0, 1)]
        with bundleimp.trace(note):
            threads = [threading.Thread(target=run, args=[half]) for half in names]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        loads = sorted(
            sorted(event.name for event in events if event.kind == "loaded") for events in by_thread.values()
        )
        times = [[event.time for event in events] for events in by_thread.values()]
        result = [loads == sorted(map(sorted, names)), all(each == sorted(each) for each in times)]
        """,
    )
    assert result == [True, True]


@needs_threads
def test_a_callback_may_wait_for_an_import_of_another_thread(tmp_path: Path) -> None:
    """It does not hold the import lock, which the other thread needs to find the next module."""
    waits = "import __main__\n\n__main__.started.set()\n__main__.go.wait()\nimport later\n"
    place = lay_out(FLAT, tmp_path, {"first.py": "", "waits.py": waits, "later.py": ""})
    result = probe(
        place,
        """
        import faulthandler
        faulthandler.dump_traceback_later(30, exit=True)
        started, go = threading.Event(), threading.Event()
        other = threading.Thread(target=importlib.import_module, args=["waits"])
        other.start()
        started.wait()


        def waiting(event):
            if (event.kind, event.name) == ("found", "first"):
                go.set()
                import waits


        with bundleimp.trace(waiting):
            import first
        other.join()
        result = "later" in sys.modules
        """,
    )
    assert result is True


@pytest.mark.parametrize("kind", [*KINDS, NO_BYTECODE])
def test_the_variable_prints_the_events_as_lines(kind: str, tmp_path: Path) -> None:
    place = lay_out(kind, tmp_path, TREE)
    broken = tmp_path / "broken.pybundle"
    broken.write_text("no zip")
    script = """
import bundleimp, importlib
bundleimp.trace(lambda event: print(event))
import pkg, shop
for name in ("nothing", "pkg.broken"):
    try:
        importlib.import_module(name)
    except Exception:
        pass
"""
    variables: dict[str, Any] = {"BUNDLEIMP_TRACE": "1", "BUNDLEIMP_CACHE_DIR": str(tmp_path / "cache")}
    printed = run_python("-W", "ignore", "-c", script, path=[broken, place], **variables)
    lines = printed.stderr.splitlines()
    assert all(line.startswith("bundleimp: ") for line in lines)
    lines = [line.removeprefix("bundleimp: ") for line in lines]
    assert lines[-len(printed.stdout.splitlines()) :] == printed.stdout.splitlines()
    assert f"claimed path entry {place}" in lines
    assert f"{place}: opened" in lines
    assert f"pkg.sub: found {place / 'pkg' / 'sub.py'}" in lines
    assert f"pkg.sub: loading {place / 'pkg' / 'sub.py'}" in lines
    assert f"nothing: not in {place}" in lines
    assert any(line.startswith(f"{broken}: refused: is not a zip archive") for line in lines)
    assert any(line.startswith("pkg.sub: loaded in 0.") for line in lines)
    assert any(line.startswith("pkg.broken: failed after 0.") for line in lines)
    assert any(": real files in " in line for line in lines)
    assert any(line.startswith(f"{place}: read ") for line in lines)
    assert any(line.startswith("cache: wrote ") for line in lines)


def test_a_misspelt_module_at_the_start_is_printed_too(tmp_path: Path) -> None:
    """The finder that answers for bundles without the runtime would print nothing."""
    place = lay_out(FLAT, tmp_path, TREE)
    printed = run_python("-c", "import importlib.util as u; u.find_spec('nothing')", path=[place], BUNDLEIMP_TRACE="1")
    assert f"bundleimp: nothing: not in {place}\n" in printed.stderr


@pytest.fixture(name="event")
def _event() -> TraceEvent:
    return TraceEvent("missing", 1.5, name="a\x1b[31m", path="p")


def test_an_event_is_immutable_and_can_be_copied(event: TraceEvent) -> None:
    with pytest.raises(AttributeError, match="cannot be changed"):
        event.name = "other"
    with pytest.raises(AttributeError, match="cannot be deleted"):
        del event.name
    for other in (copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):  # noqa: S301 (our own)
        assert repr(other) == repr(event) == "TraceEvent('missing', 1.5, name='a\\x1b[31m', path='p')"
    assert str(event) == "a\\x1b[31m: not in p"


def test_every_kind_has_a_line_and_is_documented() -> None:
    lines = bundleimp.runtime.interpreter.events._LINES  # noqa: SLF001 (ours)
    for kind in lines:
        assert str(TraceEvent(kind, 0.0, duration=0.5))
        assert f"``{kind}``" in str(TraceEvent.__doc__)


def _sources() -> Iterator[tuple[str, str]]:
    for part in PARTS:
        module = importlib.import_module(f"bundleimp.runtime.{part}")
        with open(str(module.__file__), encoding="utf-8") as stream:
            yield part, stream.read()


def test_no_part_traces_without_a_look_at_the_global() -> None:
    for part, text in _sources():
        for number, line in enumerate(text.splitlines()):
            if line.strip().startswith("trace("):
                assert "TRACING" in text.splitlines()[number - 1], f"{part}: line {number + 1}"


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="the callback must be callable, not int"):
        bundleimp.trace(1)  # type: ignore[arg-type]
    assert not bundleimp.runtime.TRACING
    assert "trace" not in vars(sys.modules["bundleimp.runtime.interpreter.events"])
