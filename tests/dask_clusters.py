"""Clusters of Dask for tests: a script that starts one, and the bundles that are shipped to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .engines import probe, reports, run_alone

if TYPE_CHECKING:
    from pathlib import Path

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


def two_versions(folder: Path) -> list[Path]:
    """Return the bundles v1-first, v1-second, v2-first and v2-second, in *folder*."""
    made = [(version, bundle) for version in (1, 2) for bundle in probe(folder, version)]
    return [bundle.rename(folder / f"v{version}-{bundle.name}") for version, bundle in made]
