"""`bundleimp.dask.ship` with real clusters of Dask, whose processes are of this machine."""

from __future__ import annotations

import json
import os
import re
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .builders import make_bundle
from .compiling import extension
from .engines import engine_marks, probe, reports, run_alone, whole
from .programs import interpreter_without_bundleimp, interpreters

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = engine_marks("distributed")

PRELUDE = """
import json, os, re, subprocess, sys, time
import bundleimp, bundleimp.dask
from distributed import Client, LocalCluster

started = []

def show(value):
    print(json.dumps(value), flush=True)

def wait(holds):
    while not holds():
        time.sleep(0.1)

def start(kind, *options, python=sys.executable, stderr=None, **variables):
    command = [python, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", "--no-dashboard", *options]
    started.append(subprocess.Popen(command, env=os.environ | variables, stderr=stderr))
    return started[-1]

def start_scheduler(port="0", **more):
    if os.path.exists("scheduler.json"):
        os.remove("scheduler.json")
    process = start("scheduler", "--port", port, "--scheduler-file", "scheduler.json", **more)
    wait(lambda: os.path.exists("scheduler.json") and os.path.getsize("scheduler.json"))
    return process

def start_worker(*options, **more):
    return start("worker", "--nthreads", "1", "--scheduler-file", "scheduler.json", *options, **more)

def local_cluster(**options):
    return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", **options)

def report():
    import probe
    return probe.report()

def everywhere(client):
    return list(client.run(report).values())

# As text, since a function cannot be loaded by another Python.
ENTRIES = "[each.split('/')[-1] for each in __import__('sys').path if each.endswith('.pybundle.zip')]"

def entries():
    return eval(ENTRIES)

def versions(client):
    # Of the path entries of all processes, without an import: the name of a bundle has its version.
    found = [client.run_on_scheduler(eval, ENTRIES), *client.run(eval, ENTRIES).values()]
    return [sorted(name[: -len("-0123456789abcdef.pybundle.zip")] for name in each) for each in found]

def refused(client, *bundles, **options):
    try:
        bundleimp.dask.ship(client, *bundles, **options)
    except bundleimp.BundleError as error:
        assert "\\n" not in str(error)
        return re.sub(r"-[0-9a-f]{16}\\.", "-#.", re.sub(r"tcp://127.0.0.1:[0-9]+", "ADDRESS", str(error)))

def main():
"""


RESTART = ": restart the workers by ship(..., restart=True)"
LOADED = "ADDRESS: has loaded probe and 5 other modules of v1-first-#.pybundle.zip"


def run(body: str, folder: Path, *arguments: object) -> list[Any]:
    """Run *body* in a function of a script, and return what it shows."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    ending = """
if __name__ == "__main__":
    try:
        main()
    finally:
        for process in started:
            process.kill()
"""
    variables: dict[str, Any] = {
        "DASK_TEMPORARY_DIRECTORY": str(folder),
        "BUNDLEIMP_CACHE_DIR": str(folder / "cache"),
    }
    return reports(run_alone(PRELUDE + lines + ending, folder, *map(str, arguments), **variables))


@pytest.fixture
def bundles(tmp_path: Path) -> list[Path]:
    """Return v1-first, v1-second, v2-first and v2-second."""
    made = [(version, bundle) for version in (1, 2) for bundle in probe(tmp_path, version)]
    return [bundle.rename(tmp_path / f"v{version}-{bundle.name}") for version, bundle in made]


def test_workers_of_now_and_later_and_restarted_ones_import_all_that_is_in_bundles(
    bundles: list[Path], tmp_path: Path
) -> None:
    body = """
with local_cluster() as cluster, Client(cluster) as client:
    show(bundleimp.dask.ship(client, *sys.argv[1:]))
    show(client.submit(report).result())
    show(everywhere(client))
    cluster.scale(3)
    client.wait_for_workers(3)
    show([client.submit(report, workers=[address], pure=False).result() for address in client.run(os.getpid)])
    client.restart()
    show([client.submit(report, workers=[address], pure=False).result() for address in client.run(os.getpid)])
    show(len(entries()))
show(len(entries()))  # the scheduler was in this process
"""
    shown = run(body, tmp_path, *bundles[:2])
    assert shown == [None, whole(1), [whole(1)] * 2, [whole(1)] * 3, [whole(1)] * 3, 2, 0]


def test_tasks_are_functions_of_bundles_that_the_scheduler_imports_too(bundles: list[Path], tmp_path: Path) -> None:
    body = """
start_scheduler()
start_worker()
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(1)
    bundleimp.dask.ship(client, *sys.argv[1:3])
    sys.path += sys.argv[1:3]
    import probe
    show(client.submit(probe.report).result())
    show(client.run_on_scheduler(lambda: sorted(name for name in sys.modules if name.startswith("probe"))))
    show(refused(client, *sys.argv[3:]))
    show(versions(client))
    bundleimp.dask.ship(client, *sys.argv[3:], restart=True)
    show(versions(client))
    show(client.submit(probe.report).result())
    show(client.run_on_scheduler(report))
"""
    old, new = ["v1-first", "v1-second"], ["v2-first", "v2-second"]
    assert run(body, tmp_path, *bundles) == [
        whole(1),
        ["probe", "probe.reporting"],
        f"{LOADED}, and so has 1 other process{RESTART}".replace("5 other modules", "1 other module"),
        [old, old],
        [new, new],
        whole(2),
        whole(2),
    ]


def test_a_new_version_is_refused_where_one_worker_has_loaded_the_old_one(bundles: list[Path], tmp_path: Path) -> None:
    body = """
with local_cluster() as cluster, Client(cluster) as client:
    bundleimp.dask.ship(client, *sys.argv[1:3])
    one, other = client.run(os.getpid)
    client.run(report, workers=[one])
    show(refused(client, *sys.argv[3:]))
    show(versions(client))
    show(everywhere(client))
    cluster.scale(3)
    client.wait_for_workers(3)
    show(everywhere(client))
    bundleimp.dask.ship(client, *sys.argv[3:], restart=True)
    show(everywhere(client))
    cluster.scale(4)
    client.wait_for_workers(4)
    show(everywhere(client))
"""
    assert run(body, tmp_path, *bundles) == [
        LOADED + RESTART,
        [["v1-first", "v1-second"]] * 3,
        [whole(1)] * 2,
        [whole(1)] * 3,
        [whole(2)] * 3,
        [whole(2)] * 4,
    ]


def test_a_version_that_nobody_has_imported_is_replaced_without_a_restart(bundles: list[Path], tmp_path: Path) -> None:
    body = """
with local_cluster() as cluster, Client(cluster) as client:
    bundleimp.dask.ship(client, *sys.argv[1:3])
    before = client.run(os.getpid)
    bundleimp.dask.ship(client, *sys.argv[3:], restart=True)
    show(client.run(os.getpid) == before)
    show(versions(client))
    show(everywhere(client))
"""
    assert run(body, tmp_path, *bundles) == [True, [["v2-first", "v2-second"]] * 3, [whole(2)] * 2]


def test_half_of_a_new_version_is_never_mixed_with_the_old_one(bundles: list[Path], tmp_path: Path) -> None:
    """The new version of one bundle replaces that one; the other one stays, with its modules."""
    body = """
with local_cluster() as cluster, Client(cluster) as client:
    bundleimp.dask.ship(client, *sys.argv[1:3])
    client.run(report)
    show(refused(client, sys.argv[3]))
    show(everywhere(client))
    bundleimp.dask.ship(client, sys.argv[3], restart=True)
    show(versions(client))
    show(everywhere(client))
"""
    assert run(body, tmp_path, *bundles) == [
        f"{LOADED}, and so has 1 other process{RESTART}",
        [whole(1)] * 2,
        [["v1-second", "v2-first"]] * 3,
        [[2, 2, 2, 2, 2, 1]] * 2,
    ]


def test_bundles_add_up_and_the_same_one_twice_changes_nothing(bundles: list[Path], tmp_path: Path) -> None:
    body = """
def registered(dask_scheduler):
    return id(dask_scheduler.worker_plugins["bundleimp"])

with local_cluster() as cluster, Client(cluster) as client:
    for bundle in sys.argv[1:]:
        bundleimp.dask.ship(client, bundle)
    show(versions(client))
    before = client.run_on_scheduler(registered)
    client.run(report)
    bundleimp.dask.ship(client, *sys.argv[1:])
    bundleimp.dask.ship(client, sys.argv[2], restart=True)
    show(client.run_on_scheduler(registered) == before)
    show(everywhere(client))
"""
    other = make_bundle(tmp_path / "other.pybundle", {"other.py": ""})
    shown = run(body, tmp_path, *bundles[:2], other)
    assert shown == [[["other", "v1-first", "v1-second"]] * 3, True, [whole(1)] * 2]


def test_workers_of_now_and_later_have_the_bundles_in_one_order(tmp_path: Path) -> None:
    body = """
with local_cluster() as cluster, Client(cluster) as client:
    for bundle in sys.argv[1:] + sys.argv[1:2]:
        bundleimp.dask.ship(client, bundle)
    cluster.scale(3)
    client.wait_for_workers(3)
    show([[name[:3] for name in names] for names in client.run(entries).values()])
"""
    made = [make_bundle(tmp_path / f"{name}.pybundle", {f"{name}.py": ""}) for name in ("one", "two", "six")]
    assert run(body, tmp_path, *made) == [[["six", "two", "one"]] * 3]


def test_an_extension_module_that_the_scheduler_has_loaded_needs_another_scheduler(
    bundles: list[Path], tmp_path: Path
) -> None:
    body = """
start_scheduler()
start_worker()
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(1)
    bundleimp.dask.ship(client, *sys.argv[1:3])
    show(client.run_on_scheduler(report))
    show(refused(client, *sys.argv[3:], restart=True))
    show(client.run_on_scheduler(report))
    show(everywhere(client))
"""
    assert run(body, tmp_path, *bundles) == [
        whole(1),
        f"{LOADED}, and probe.fast stays loaded: start it again".replace("has", "the scheduler has", 1),
        whole(1),
        [whole(1)],
    ]


def test_modules_of_the_process_that_calls_are_not_forgotten(bundles: list[Path], tmp_path: Path) -> None:
    body = """
with local_cluster() as cluster, Client(cluster) as client:
    bundleimp.dask.ship(client, *sys.argv[1:3])
    import probe.late  # the scheduler is in this process
    show(refused(client, *sys.argv[3:], restart=True))
    show(everywhere(client))
"""
    assert run(body, tmp_path, *bundles) == [
        (
            "ADDRESS: this process, which runs the scheduler, has loaded probe and 2 other modules of "
            "v1-first-#.pybundle.zip: start it again, and ship there"
        ),
        [whole(1)] * 2,
    ]


def test_modules_of_a_process_of_another_client_are_not_forgotten(bundles: list[Path], tmp_path: Path) -> None:
    body = """
if len(sys.argv) == 4:
    with Client(sys.argv[1]) as client:
        show(refused(client, *sys.argv[2:], restart=True))
    return
with local_cluster() as cluster, Client(cluster) as client:
    bundleimp.dask.ship(client, *sys.argv[1:3])
    import probe.late
    subprocess.run([sys.executable, sys.argv[0], client.scheduler.address, *sys.argv[3:]], check=True)
    show(everywhere(client))
"""
    assert run(body, tmp_path, *bundles) == [
        LOADED.replace("has", "the scheduler has").replace("5", "2") + ", and probe stays loaded: start it again",
        [whole(1)] * 2,
    ]


def test_an_asynchronous_client_awaits(bundles: list[Path], tmp_path: Path) -> None:
    body = """
import asyncio

async def work():
    async with (
        LocalCluster(n_workers=1, asynchronous=True, dashboard_address=None, host="127.0.0.1") as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        await bundleimp.dask.ship(client, *sys.argv[1:3])
        show(await client.submit(report))
        try:
            await bundleimp.dask.ship(client, *sys.argv[3:])
        except bundleimp.BundleError:
            await bundleimp.dask.ship(client, *sys.argv[3:], restart=True)
        show(await client.submit(report, pure=False))

asyncio.run(work())
"""
    assert run(body, tmp_path, *bundles) == [whole(1), whole(2)]


def test_workers_in_the_process_that_calls_need_no_shipping(bundles: list[Path], tmp_path: Path) -> None:
    body = """
with Client(processes=False, n_workers=1, dashboard_address=None) as client:
    show(re.sub("inproc://[^ ]*:", "ADDRESS:", refused(client, sys.argv[1])))
    show(entries())
"""
    assert run(body, tmp_path, bundles[0]) == [
        "ADDRESS: this worker is in the process that calls ship: put the bundle on sys.path instead",
        [],
    ]


def test_what_cannot_be_shipped_is_said_before_anything_is_sent(bundles: list[Path], tmp_path: Path) -> None:
    body = """
def plugins(dask_scheduler):
    return [name for name in [*dask_scheduler.plugins, *dask_scheduler.worker_plugins] if "bundleimp" in name]

with local_cluster() as cluster, Client(cluster) as client:
    for bundles in json.loads(sys.argv[1]):
        show(refused(client, *bundles))
    show(client.run_on_scheduler(plugins))
"""
    suffix = "cpython-38-x86_64-linux-gnu.so"
    other = make_bundle(tmp_path / "other.pybundle", {f"ext.{suffix}": b"\x7fELF"})
    damaged = tmp_path / "damaged.pybundle"
    damaged.write_bytes(bundles[0].read_bytes()[:1000])
    missing = tmp_path / "missing.pybundle"
    cases = [[str(other)], [str(damaged)], [str(missing)], [str(bundles[0]), str(bundles[2])]]
    *errors, registered = run(body, tmp_path, json.dumps(cases))
    assert registered == []
    assert [error.partition(": ")[0] for error in errors] == list(map(str, [other, damaged, missing, bundles[2]]))
    assert "runs on CPython 3.8" in errors[0]
    assert errors[3].endswith(f"has the module probe, and {bundles[0]} has another one of that name: ship one of them")


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


def test_a_plugin_of_the_user_comes_from_a_bundle(tmp_path: Path) -> None:
    code = """
from distributed.diagnostics.plugin import WorkerPlugin

class Mine(WorkerPlugin):
    name = "mine"

    def setup(self, worker):
        self.version = {}
"""
    old, new = (make_bundle(tmp_path / f"{n}.pybundle", {"mine.py": code.replace("{}", str(n))}) for n in (1, 2))
    body = """
start_scheduler()
start_worker()
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(1)
    sys.path.append(sys.argv[1])
    import mine
    bundleimp.dask.ship(client, sys.argv[1])
    client.register_plugin(mine.Mine())
    version = lambda dask_worker: dask_worker.plugins["mine"].version
    show(list(client.run(version).values()))
    bundleimp.dask.ship(client, sys.argv[2], restart=True)
    show(client.submit(len, "ab").result())  # the worker has set up its plugins then
    show(list(client.run(version).values()))
"""
    assert run(body, tmp_path, old, new) == [[1], 2, [2]]


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


AT_THE_TOP = """
import sys
import probe
import bundleimp, bundleimp.dask
from distributed import Client, LocalCluster

def version():
    return probe.VERSION

if __name__ == "__main__":
    import json, os, shutil
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as cluster:
        with Client(cluster) as client:
            bundleimp.dask.ship(client, sys.argv[1])
            print(json.dumps(client.submit(version).result()), flush=True)
            for restart in (False, True):
                try:
                    bundleimp.dask.ship(client, sys.argv[2], restart=restart)
                except bundleimp.BundleError as error:
                    print(json.dumps(str(error)), flush=True)
"""


def test_a_bundle_that_workers_have_from_elsewhere_is_not_mixed_with_a_new_version(tmp_path: Path) -> None:
    """Workers of a LocalCluster run the top of the script, and so import from the client's own path."""
    old, new = (probe(tmp_path, version)[0] for version in (1, 2))
    lines = run_alone(AT_THE_TOP, tmp_path, str(old), str(new), PYTHONPATH=str(old))
    first, *refused = reports(lines)
    assert first == 1
    # The scheduler is in the client's process, which cannot be restarted.
    reason = f": this process, which runs the scheduler, has loaded probe of {old}: start it again, and ship there"
    assert [message.endswith(reason) for message in refused] == [True, True], refused


def test_a_worker_that_has_imported_from_its_own_bundle_is_restarted(bundles: list[Path], tmp_path: Path) -> None:
    body = """
start_scheduler()
start_worker(PYTHONPATH=os.pathsep.join(sys.argv[1:3]))
with Client(scheduler_file="scheduler.json") as client:
    client.wait_for_workers(1)
    show(everywhere(client))
    bundleimp.dask.ship(client, *sys.argv[1:3])  # the same content
    show(refused(client, *sys.argv[3:]))
    bundleimp.dask.ship(client, *sys.argv[3:], restart=True)
    client.wait_for_workers(1)
    show(everywhere(client))
"""
    first, message, last = run(body, tmp_path, *bundles)
    assert (first, last) == ([whole(1)], [whole(2)])
    assert message.startswith("ADDRESS: has loaded probe")
    assert message.endswith(RESTART)
