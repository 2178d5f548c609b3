"""`bundleimp.dask.ship` where processes of a cluster lack something, end, start, or fail meanwhile."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

import bundleimp

from .builders import make_bundle
from .compiling import extension
from .dask_clusters import LOADED, RESTART, run, two_versions
from .engines import engine_marks, whole
from .programs import interpreter_without_bundleimp, interpreters

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = engine_marks("distributed")


@pytest.fixture(name="bundles")
def _bundles(tmp_path: Path) -> list[Path]:
    return two_versions(tmp_path)


def without_bundleimp(folder: Path) -> str:
    """Return a folder with what is installed here, except bundleimp."""
    import distributed  # noqa: PLC0415 (where the tests run, it is there)

    site = os.path.dirname(os.path.dirname(distributed.__file__))
    folder.mkdir()
    for name in os.listdir(site):
        if "bundleimp" not in name:
            (folder / name).symlink_to(os.path.join(site, name))
    return str(folder)


MIXED = """
start_scheduler()
start_worker()
start_worker(python=sys.argv[1], PYTHONPATH=sys.argv[2])
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(2)
    for bundle in sys.argv[3:]:
        show(refused(client, bundle))
    show(versions(client))
    show(client.run_on_scheduler(lambda dask_scheduler: "bundleimp" in dask_scheduler.worker_plugins))
"""


def test_a_worker_without_bundleimp_is_named(bundles: list[Path], tmp_path: Path) -> None:
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    shown = run(MIXED, tmp_path, python, without_bundleimp(tmp_path / "installed"), bundles[0])
    message = f"ADDRESS: has no bundleimp: run `pip install bundleimp=={bundleimp.__version__}` there"
    assert shown == [message, [[]] * 3, False]


def test_a_scheduler_without_bundleimp_is_named(bundles: list[Path], tmp_path: Path) -> None:
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    body = """
start_scheduler(python=sys.argv[1], PYTHONPATH=sys.argv[2])
with Client(scheduler_file="scheduler.json") as client:
    show(refused(client, sys.argv[3]))
    show(client.run_on_scheduler(lambda dask_scheduler: "bundleimp" in dask_scheduler.plugins))
"""
    shown = run(body, tmp_path, python, without_bundleimp(tmp_path / "installed"), bundles[0])
    message = f"ADDRESS: has no bundleimp: run `pip install bundleimp=={bundleimp.__version__}` there"
    assert shown == [message, False]


def test_workers_that_cannot_be_restarted_are_told_of_and_never_mixed(bundles: list[Path], tmp_path: Path) -> None:
    body = """
start_scheduler()
worker = start_worker("--no-nanny")
with Client(scheduler_file="scheduler.json", timeout=2) as client:
    client.wait_for_workers(1)
    bundleimp.dask.ship(client, *sys.argv[1:3])
    show(everywhere(client))
    show(refused(client, *sys.argv[3:], restart=True))
    worker.wait()
    start_worker()
    client.wait_for_workers(1)
    show(client.submit(report).result())
"""
    before, message, after = run(body, tmp_path, *bundles)
    assert (before, after) == ([whole(1)], whole(2))
    assert message.startswith("ADDRESS: workers have not come back after the restart: ")


def test_a_worker_with_another_version_of_bundleimp_is_named(bundles: list[Path], tmp_path: Path) -> None:
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    installed = without_bundleimp(tmp_path / "installed")
    (tmp_path / "installed" / "bundleimp.py").write_text("__version__ = '0.1.0'\n")
    message = f"ADDRESS: has bundleimp 0.1.0: run `pip install bundleimp=={bundleimp.__version__}` there"
    assert run(MIXED, tmp_path, python, installed, bundles[0]) == [message, [[]] * 3, False]


def test_a_bundle_that_does_not_run_on_the_python_of_a_worker_is_refused(tmp_path: Path) -> None:
    version = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"
    python = next(interpreters(version), None)
    if python is None:
        pytest.skip(f"no Python {version} was found")
    installed = without_bundleimp(tmp_path / "installed")
    (tmp_path / "installed" / "bundleimp").symlink_to(os.path.dirname(bundleimp.__file__))
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    here = make_bundle(tmp_path / "here.pybundle", {"here.py": "", f"ext{suffix}": extension(tmp_path / "e", "ext")})
    refused, shown, registered = run(MIXED, tmp_path, python, installed, here)
    assert refused.startswith(f"ADDRESS: {here}: runs on CPython {sys.version_info[0]}.{sys.version_info[1]}")
    assert f"and this is CPython {version}" in refused
    assert (shown, registered) == ([[]] * 3, False)


def test_a_worker_that_ends_while_it_receives_does_not_stop_the_others(bundles: list[Path], tmp_path: Path) -> None:
    """The nanny starts it again, and it is a new worker, which gets the bundles when it starts."""
    (tmp_path / "ending.py").write_text("""
import os
from bundleimp.engines.receiving import Received

def end(*arguments):
    os.close(os.open("has-ended", os.O_CREAT | os.O_EXCL))
    os._exit(1)

if not os.path.exists("has-ended"):
    Received.take = end
""")
    body = """
start_scheduler()
start_worker()
start_worker("--preload", "ending.py")
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(2)
    before = client.run(os.getpid)
    bundleimp.dask.ship(client, *sys.argv[1:])
    client.wait_for_workers(2)
    show(len({*before.values()} & {*client.run(os.getpid).values()}))
    show(client.gather([client.submit(report, workers=[each], pure=False) for each in client.run(os.getpid)]))
"""
    assert run(body, tmp_path, *bundles[:2]) == [1, [whole(1)] * 2]


def test_a_task_that_imports_the_old_version_at_the_last_moment_stops_the_new_one(
    bundles: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "importing.py").write_text("""
import sys
from bundleimp.engines.receiving import Received

def take(self, sent, original=Received.take):
    original(self, sent)
    if self._names:
        import probe.late

Received.take = take
""")
    body = """
start_scheduler()
start_worker()
start_worker("--preload", "importing.py")
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(2)
    bundleimp.dask.ship(client, *sys.argv[1:3])
    show(refused(client, *sys.argv[3:]))
    show(versions(client))
    show(everywhere(client))
    bundleimp.dask.ship(client, *sys.argv[3:], restart=True)
    show(versions(client))
    show(everywhere(client))
"""
    assert run(body, tmp_path, *bundles) == [
        LOADED.replace("5", "2") + RESTART,
        [["v1-first", "v1-second"]] * 3,
        [whole(1)] * 2,
        [["v2-first", "v2-second"]] * 3,
        [whole(2)] * 2,
    ]


def test_a_worker_that_cannot_go_back_to_the_old_version_is_named(bundles: list[Path], tmp_path: Path) -> None:
    """Tasks of two workers import at the last moment: of one the old version, of the other the new one."""
    for name, before, after in (("old", "import probe.late", ""), ("new", "", "import probe.late")):
        (tmp_path / f"{name}.py").write_text(f"""
import sys
from bundleimp.engines.receiving import Received

def switch(self, wanted, *, original=Received.switch, **more):
    if self._names and wanted[0] not in self._names:
        {before or "pass"}
        original(self, wanted, **more)
        {after or "pass"}
    else:
        original(self, wanted, **more)

Received.switch = switch
""")
    body = """
start_scheduler()
start_worker("--preload", "old.py")
start_worker("--preload", "new.py")
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(2)
    bundleimp.dask.ship(client, *sys.argv[1:3])
    show(refused(client, *sys.argv[3:]))
    client.restart()
    show(versions(client))
    show(everywhere(client))
"""
    loaded = LOADED.replace("5", "2")
    assert run(body, tmp_path, *bundles) == [
        f"{loaded}; but {loaded.replace(': ', ' ').replace('v1', 'v2')}: run client.restart() to have the old bundles",
        [["v1-first", "v1-second"]] * 3,
        [whole(1)] * 2,
    ]


def test_an_unexpected_error_of_a_worker_is_not_lost(bundles: list[Path], tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text("""
from bundleimp.engines.receiving import Received

def take(self, sent):
    raise RuntimeError("broken")

Received.take = take
""")
    body = """
start_scheduler()
start_worker()
start_worker("--preload", "failing.py")
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(2)
    show(refused(client, *sys.argv[1:]))
    show(versions(client))
"""
    shown = run(body, tmp_path, *bundles[:2])
    assert shown == ["ADDRESS: cannot receive bundles: RuntimeError('broken')", [[]] * 3]


SMALL = """
os.mkdir("small")
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", "small"], check=True)
start_scheduler()
start_worker()
start_worker("--local-directory", os.path.abspath("small"))
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(2)
    bundleimp.dask.ship(client, sys.argv[1])
"""


def test_a_worker_that_cannot_write_the_bundle_is_named_and_nothing_changes(tmp_path: Path) -> None:
    old = make_bundle(tmp_path / "v1-app.pybundle", {"app.py": "VERSION = 1"})
    new = make_bundle(tmp_path / "v2-app.pybundle", {"app.py": "VERSION = 2", "large.bin": os.urandom(300_000)})
    body = """
    show(refused(client, sys.argv[2]).replace(os.getcwd(), ""))
    show(versions(client))
    show(client.submit(lambda: __import__("app").VERSION).result())
    start_worker()
    client.wait_for_workers(3)
    show(list(client.run(lambda: __import__("app").VERSION).values()))
"""
    shown = run(SMALL + body, tmp_path, old, new)
    assert re.sub("worker-[^:]*", "worker", shown[0]) == (
        "ADDRESS: /small/dask-scratch-space/worker: cannot be written: No space left on device"
    )
    assert shown[1:] == [[["v1-app"]] * 3, 1, [1, 1, 1]]


LATER = """
{first}
start_scheduler()
start_worker()
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(1)
    bundleimp.dask.ship(client, sys.argv[1])
    with open("log", "w") as log:
        {worker}
    show(worker.wait())
    show(len(client.run(os.getpid)))
with open("log") as log:
    for line in log:  # the nanny may log, too, that the worker has ended
        if " - distributed.worker - ERROR - " in line:
            text = line.partition(" - distributed.worker - ERROR - ")[2].strip()
            show(re.sub("127.0.0.1:[0-9]+", "ADDRESS", text.replace(os.getcwd(), "")))
"""


def test_a_later_worker_that_cannot_write_the_bundle_takes_no_tasks(tmp_path: Path) -> None:
    large = make_bundle(tmp_path / "app.pybundle", {"app.py": "VERSION = 1", "large.bin": os.urandom(300_000)})
    first = """
os.mkdir("small")
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", "small"], check=True)
"""
    worker = 'worker = start_worker("--local-directory", os.path.abspath("small"), stderr=log)'
    shown = run(LATER.format(first=first, worker=worker), tmp_path, large)
    line = re.sub("worker-[^:]*", "worker", shown.pop())
    assert line == "tcp://ADDRESS: /small/dask-scratch-space/worker: cannot be written: No space left on device"
    assert shown == [0, 1]


def test_a_later_worker_without_bundleimp_takes_no_tasks(bundles: list[Path], tmp_path: Path) -> None:
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    installed = without_bundleimp(tmp_path / "installed")
    worker = "worker = start_worker(python=sys.argv[2], PYTHONPATH=sys.argv[3], stderr=log)"
    shown = run(LATER.format(first="", worker=worker), tmp_path, bundles[0], python, installed)
    message = f"tcp://ADDRESS: has no bundleimp: run `pip install bundleimp=={bundleimp.__version__}` there"
    assert shown == [0, 1, message]


def test_after_a_new_start_of_the_scheduler_bundles_are_shipped_again(bundles: list[Path], tmp_path: Path) -> None:
    body = """
scheduler = start_scheduler("8786")
worker = start_worker()
client, hasty = Client("tcp://127.0.0.1:8786", timeout=60), Client("tcp://127.0.0.1:8786", timeout=10)
client.wait_for_workers(1)
bundleimp.dask.ship(client, *sys.argv[1:])
scheduler.kill()
scheduler.wait()
show(refused(hasty, *sys.argv[1:]))
worker.wait()  # it has lost its scheduler
wait(lambda: hasty.status == "closed")
show(refused(hasty, *sys.argv[1:]))
start_scheduler("8786")
start_worker()
wait(lambda: client.status == "running")
client.wait_for_workers(1)
show(versions(client))
bundleimp.dask.ship(client, *sys.argv[1:])
show(everywhere(client))
client.close()
"""
    unreached, closed, *shown = run(body, tmp_path, *bundles[:2])
    assert unreached.startswith("ADDRESS: the scheduler cannot be reached: ")
    assert closed == "the client is closed: connect another one"
    assert shown == [[[], []], [whole(1)]]
