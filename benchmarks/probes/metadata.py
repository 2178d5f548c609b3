"""Ask for distributions in one path entry: ``metadata.py ENTRY STATE QUESTION NAME`` prints the cost and the answer.

QUESTION is "version", of the distribution NAME, or "entry_points", of the group NAME.  STATE is "used" where a module
was imported from the path entry before the clock starts, as in a program that comes from there, or "fresh": then
opening the path entry, and loading all that this takes, count too.
"""

import importlib.metadata
import sys
import time


def _version(name: str) -> str:
    return importlib.metadata.version(name)


def _entry_points(name: str) -> str:
    return " ".join(sorted(entry_point.value for entry_point in importlib.metadata.entry_points(group=name)))


def main(entry: str, state: str, question: str, name: str) -> None:
    """Ask *question* about *name*."""
    ask = {"version": _version, "entry_points": _entry_points}[question]
    if state == "used":
        sys.path.insert(0, entry)
        __import__("imported")
    wall, cpu = time.perf_counter(), time.process_time()
    if state == "fresh":
        sys.path.insert(0, entry)
    answer = ask(name)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall

    import json  # noqa: PLC0415 (after the clock has stopped)

    print(json.dumps({"cpu": cpu, "wall": wall, "answer": answer}))


main(*sys.argv[1:])
