"""One run of `benchmarks.engines` with Ray: WAY, the folder with what is sent, and a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import ray
from both import both, count
from ray._private.runtime_env.working_dir import upload_working_dir_if_needed

import bundleimp.ray


def uploaded(folder: str, own: str) -> dict[str, Any]:
    """Upload a folder, and return the key for it."""
    given = {"working_dir": folder}
    return dict(upload_working_dir_if_needed(given, include_gitignore=False, scratch_dir=own))


def environment(way: str, folder: str, own: str) -> dict[str, Any]:
    """Return the runtime environment."""
    # The bare Python has neither bundleimp nor Ray.
    python = str(next(Path(folder, "bare", "bin").glob("python3*")))
    engine = {"PYTHONPATH": f"{folder}/engine", "PEX_EXTRA_SYS_PATH": f"{folder}/engine"}
    base: dict[str, Any] = {"py_executable": python, "env_vars": engine}
    if way == "bundleimp.ray.runtime_env":
        return bundleimp.ray.runtime_env(f"{folder}/out.pybundle", **base)
    if way == "directory as working_dir":
        return base | uploaded(f"{folder}/libs", own)
    if way == "plain zip in working_dir":
        Path(own, "zip").mkdir()
        shutil.copy(f"{folder}/out.zip", f"{own}/zip")
        base["env_vars"] = {"PYTHONPATH": f"{folder}/engine:out.zip"}
        return base | uploaded(f"{own}/zip", own)
    for name, what in (("env.pybundle", "bundle"), ("env.pex", "pex")):
        if way == f"{what} as py_executable":
            Path(own, "place").mkdir()
            shutil.copy(f"{folder}/place/{name}", f"{own}/place")
            return base | uploaded(f"{own}/place", own) | {"py_executable": f"./{name}"}
    return base


def main(way: str, folder: str, own: str) -> None:
    """Run a cluster, and print the outcome."""
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="error",
        _temp_dir=os.path.join(own, "r"),
    )
    both.__module__ = "__main__"  # so that it is sent as code, and not by its name

    def work() -> str:
        return "" if way == "nothing" else both()

    task = ray.remote(work)
    ray.get(ray.remote(lambda: 1).remote())
    start = time.perf_counter()
    fault = ray.get(task.options(runtime_env=environment(way, folder, own)).remote())
    seconds = time.perf_counter() - start
    disk = count(os.path.join(own, "r", "session_latest", "runtime_resources"))
    print(json.dumps({"seconds": seconds, **disk, "fault": fault}))


if __name__ == "__main__":
    main(*sys.argv[1:])
