"""A thread is stopped at each step of a piece of work while others go about theirs; nobody may wait for ever.

`SCRIPT` is the beginning of a program that forks a child for each step.  In the child, a worker is stopped before the
step.  Other threads start, and the worker goes on when they have ended, or after a moment: if it holds a lock, they
have to wait for it.  A child that does not end prints the stacks of its threads, and is ended.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from .builders import run_python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Seconds, for what must end at all.
LIMIT = int(os.environ.get("BUNDLEIMP_TEST_LIMIT", "60"))
# Every how many steps one is tried: 0 for what suits a test, 1 for all of them, which takes some minutes.
STRIDE = int(os.environ.get("BUNDLEIMP_TEST_STRIDE", "0"))

SCRIPT = """
import _imp, faulthandler, importlib, json, os, signal, sys, threading, time

MOMENT = 0.03  # seconds, for what may have to wait
FINISHED, FAILED, OVER = "finished", "failed", "over"


class Stop:
    "A place where one thread stops until another lets it go."

    def __init__(self):
        self.place = None
        self._arrived, self._go = threading.Event(), threading.Event()

    def here(self, place="here"):
        self.place = place
        self._arrived.set()
        assert self._go.wait(LIMIT), place

    def pass_by(self):
        "Say that nobody will stop here."
        self._arrived.set()

    def is_reached(self):
        "Wait until a thread is here or has passed by; return whether it is here."
        assert self._arrived.wait(LIMIT)
        return self.place is not None

    def let_go(self):
        self._go.set()


class Runner:
    "Threads, what they returned, and what went wrong in them."

    def __init__(self):
        self.threads, self.results, self.faults = {}, {}, []

    def start(self, name, action, *after):
        def run():
            try:
                self.results[name] = action()
            except BaseException as error:
                self.faults.append(f"{name}: {type(error).__name__}: {error}")
            finally:
                sys.settrace(None)
                for function in after:
                    function()

        self.threads[name] = threading.Thread(target=run, daemon=True)
        self.threads[name].start()

    def wait(self, seconds=None):
        "Wait for all threads, at most so long; return the names of those that go on."
        end = None if seconds is None else time.monotonic() + seconds
        for thread in self.threads.values():
            thread.join(None if end is None else max(0, end - time.monotonic()))
        return [name for name, thread in self.threads.items() if thread.is_alive()]


def in_child(action):
    "Call *action* in a forked child; return what it returns, or the fault that has ended it."
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        try:
            report = action()
        except BaseException as error:
            report = [FAILED, f"{type(error).__name__}: {error}"]
        os.write(theirs, json.dumps(report).encode()[:60000])
        os._exit(0)
    os.close(theirs)
    with open(ours) as stream:
        text = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(text) if text else [FAILED, f"did not end (exit status {status})"]


def each_step(case, *, first=1, stride=1):
    "Let a worker stop at the steps of a *case*; return what failed, and at how many steps others had to wait."
    failed, waited, tried, number = [], 0, 0, first
    while True:
        ours, theirs = os.pipe()
        report = in_child(lambda: _one_step(case, number, theirs))
        os.close(theirs)
        with open(ours) as stream:
            place = stream.read()
        if report[0] == OVER:
            return {"failed": failed, "waited": waited, "tried": tried}
        tried += 1
        waited += report[0] == FINISHED and bool(report[1])
        if report[0] == FAILED:
            failed.append(f"{place}: {report[1]}")
            if len(failed) == 3 or "did not end" in report[1]:
                return {"failed": failed, "waited": waited, "tried": tried}
        number += stride


def _one_step(case, number, stream):
    stop, seen, runner = Stop(), set(), Runner()

    def trace(frame, event, argument):
        place = frame.f_code, frame.f_lineno
        if event == "call":
            return trace if case.is_step(frame) else None
        if event == "line" and place not in seen:
            seen.add(place)
            if len(seen) == number:
                sys.settrace(None)
                text = f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno} {frame.f_code.co_name}"
                os.write(stream, text.encode())
                stop.here(text)
        return trace

    def working():
        sys.settrace(trace)
        return case.work()

    held = case.held()
    for name, (action, place) in held.items():
        runner.start(name, action, place.pass_by)
        assert place.is_reached(), name
    runner.start("worker", working, stop.pass_by)
    if not stop.is_reached():
        return [OVER, ""]
    for name, action in case.actions().items():
        runner.start(name, action)
    for _, place in held.values():
        place.let_go()
    waiting = runner.wait(MOMENT)
    stop.let_go()
    runner.wait()
    waiting = [name for name in waiting if name != "worker"]
    faults = runner.faults + case.check(runner.results)
    return [FAILED, "; ".join(faults)] if faults else [FINISHED, waiting]
"""


def run_script(program: str, *arguments: object, cwd: Path, options: Sequence[str] = (), **variables: str) -> Any:
    """Return what a *program*, which begins with `SCRIPT`, leaves in ``result``; it finds *arguments* in argv."""
    text = f"LIMIT = {LIMIT}\n{SCRIPT}\n{program}\nprint(json.dumps(result))\n"
    variables.setdefault("BUNDLEIMP_CACHE_DIR", str(cwd / "cache"))
    words = ("-W", "ignore", *options, "-c", text, *map(str, arguments))
    run = run_python(*words, path=(), cwd=cwd, check=True, executable=sys.executable, **variables)
    assert "did not end" not in run.stdout, f"{run.stdout}\n{run.stderr}"
    return json.loads(run.stdout)
