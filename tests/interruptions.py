"""Something happens at every step of ours, one after the other: an exception, an import, a look at the files.

`SCRIPT` is the beginning of a program that forks a child for each step of a piece of work, and lets something happen in
it there.  A step is the first time that a line is reached in one of bundleimp's own files.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from .builders import run_python

if TYPE_CHECKING:
    from pathlib import Path

needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform == "emscripten", reason="needs a process for each step"
)

_SCRIPT = """
import faulthandler, importlib.util, json, os, signal, sys, traceback
import bundleimp
faulthandler.dump_traceback_later(300, exit=True)
OURS = os.path.dirname(bundleimp.__file__) + os.sep
FINISHED, FAILED, OVER = 0, 1, 2


def each_step(work, happening, check, *, files="", stride=1):
    "Return where the *check* failed after the *happening*, and how many steps the *work* has in those *files*."
    failed, number = [], 1
    while True:
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            report = _one_step(work, happening, check, number, files)
            os.write(theirs, json.dumps(report).encode()[:60000])
            os._exit(0)
        os.close(theirs)
        with open(ours) as stream:
            text = stream.read()
        os.waitpid(child, 0)
        report = json.loads(text) if text else [FAILED, f"step {number} ended the process"]
        if report[1]:
            failed.append(report[1])
        if report[0] == OVER:
            return {"failed": failed, "steps": number - 1}
        number += stride


def _one_step(work, happening, check, number, files):
    where, seen = [], set()

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(OURS) or frame.f_code.co_name == "__del__":
            return None
        if files and os.path.basename(frame.f_code.co_filename) not in files:
            return None
        place = frame.f_code, frame.f_lineno
        if event == "line" and not where and place not in seen:
            seen.add(place)
            if len(seen) == number:
                where.append(f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno} {frame.f_code.co_name}")
                sys.settrace(None)
                happening()
        return trace

    try:
        try:
            sys.settrace(trace)
            work()
        except (KeyboardInterrupt, MemoryError):
            pass
        finally:
            sys.settrace(None)
        if not where:
            check()
            return [OVER, ""]
        check()
    except BaseException:
        return [FAILED if where else OVER, f"{where}: {traceback.format_exc()}"]
    return [FINISHED, ""]


def interrupt():
    raise KeyboardInterrupt


def exhaust():
    raise MemoryError


def in_handler(action):
    "Return what lets the *action* happen in a signal handler, which runs before the next step is taken."
    signal.signal(signal.SIGUSR1, lambda number, frame: action())
    return lambda: os.kill(os.getpid(), signal.SIGUSR1)
"""


def at_each_step(program: str, *arguments: object, cwd: Path) -> dict[str, Any]:
    """Return what a *program*, which leaves it in ``result``, got from ``each_step``; it finds *arguments* in argv."""
    text = f"{_SCRIPT}\n{program}\nprint(json.dumps(result))\n"
    run = run_python("-W", "ignore", "-c", text, *map(str, arguments), cwd=cwd)
    found: dict[str, Any] = json.loads(run.stdout)
    return found
