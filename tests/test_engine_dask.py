"""`bundleimp.dask.ship` with real clusters of Dask: what is imported where, and new versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from .builders import make_bundle
from .dask_clusters import LOADED, RESTART, run, two_versions
from .engines import engine_marks, probe, reports, run_alone, whole

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = engine_marks("distributed")


@pytest.fixture(name="bundles")
def _bundles(tmp_path: Path) -> list[Path]:
    return two_versions(tmp_path)


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
