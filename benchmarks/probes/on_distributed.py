"""One run of `benchmarks.engines` with Dask: WAY, the folder with what is sent, and a folder of its own."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, cast

from both import both, count
from distributed import Client, LocalCluster

import bundleimp.dask

if TYPE_CHECKING:
    from distributed import Worker


def on_disk(dask_worker: Worker) -> dict[str, int]:
    """Return what is in the folder of a worker."""
    return dict(count(dask_worker.local_directory))


def nothing() -> str:
    """Return at once."""
    return ""


def main(way: str, folder: str, _: str) -> None:
    """Run a cluster, and print the outcome."""
    if way == "directory on PYTHONPATH":
        sys.path.insert(0, f"{folder}/libs")  # spawned workers get it
    both.__module__ = "__main__"  # so that it is sent as code, and not by its name
    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    cluster_type, client_type = cast("Any", LocalCluster), cast("Any", Client)  # Dask has no types for them
    with cluster_type(**options, local_directory=os.getcwd()) as cluster, client_type(cluster) as client:
        client.wait_for_workers(2)
        start = time.perf_counter()
        if way == "bundleimp.dask.ship":
            bundleimp.dask.ship(client, f"{folder}/out.pybundle")
        elif way == "upload_file, plain zip of sympy":
            client.upload_file(f"{folder}/pure.zip")
        work = nothing if way == "nothing" else both
        found = [client.submit(work, workers=[each], pure=False) for each in client.run(os.getpid)]
        faults = client.gather(found)
        seconds = time.perf_counter() - start
        disk = next(iter(client.run(on_disk).values()))
    print(json.dumps({"seconds": seconds, **disk, "fault": faults[0]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
