"""``python -m benchmarks.engines``: sympy and orjson on the workers of Dask, Spark and Ray, sent in several ways.

Prints a table in Markdown: the seconds from a cluster that waits to the first result that uses both packages, and what
is on a worker's disk then.  Each run has a new cluster of two workers, in network and process namespaces of its own,
and empty caches.  Engines that are not installed are left out.  sympy and orjson must not be installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bundleimp import pack

from . import peers, trees
from .measure import PROBES, RunError, environment, prepare

PACKAGES = ("sympy", "orjson")
WAYS = {
    "distributed": ("nothing", "bundleimp.dask.ship", "upload_file, plain zip of sympy", "directory on PYTHONPATH"),
    "pyspark": (
        *("nothing", "bundleimp.spark.ship", "bundle as PYSPARK_PYTHON", "addPyFile, plain zip"),
        *("directory on PYTHONPATH", "pex as PYSPARK_PYTHON"),
    ),
    "ray": (
        *("nothing", "bundleimp.ray.runtime_env", "bundle as py_executable", "plain zip in working_dir"),
        *("directory as working_dir", "pex as py_executable"),
    ),
}
_NAMESPACE = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
# Brings the loopback interface up (SIOCSIFFLAGS), and becomes the command.
_LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    fcntl.ioctl(one, 0x8914, struct.pack("16sH14x", b"lo", 0x41))
os.execv(sys.argv[1], sys.argv[1:])
"""
_LONGEST = 300  # seconds
_MB = 1e6


@dataclass(frozen=True)
class Run:
    """What one run gave.

    Attributes:
        seconds: until the first result.
        files: on a worker's disk, without caches.
        size: their bytes.
        cached: files in the caches of all workers.
        cached_size: their bytes.
        fault: what did not work, or "".

    """

    seconds: float
    files: int
    size: int
    cached: int
    cached_size: int
    fault: str


def build(folder: Path) -> None:
    """Make what is sent, in *folder*: a bundle, an interpreter, a directory, a plain zip, and a pex.

    Raises:
        RunError: a tool failed.

    """
    tools = peers.environment_with_pip(folder / "tools")
    peers.install(tools)
    bare = trees.plain_interpreter(folder / "bare")
    prepare("installing", tools / "pip", "install", "--quiet", "--no-compile", "--target", folder / "libs", *PACKAGES)
    shutil.rmtree(folder / "libs" / "bin", ignore_errors=True)
    pack([folder / "libs"], folder / "out.pybundle")
    (folder / "place").mkdir()
    pack([folder / "libs"], folder / "place" / "env.pybundle", standalone=True, shebang=str(bare))
    shutil.make_archive(str(folder / "out"), "zip", folder / "libs")
    # Dask imports all that it is sent, and cannot import orjson from a zip.
    shutil.copytree(folder / "libs", folder / "pure", ignore=shutil.ignore_patterns("orjson*"))
    shutil.make_archive(str(folder / "pure"), "zip", folder / "pure")
    # Without --inherit-path, a pex drops the engine's entries of PYTHONPATH.
    pex: list[str | Path] = [tools / "pex", *PACKAGES, "--inherit-path=fallback", "--python", bare]
    prepare("pex", *pex, "-o", folder / "place" / "env.pex")
    # What workers find that are started by the bare Python: the engine, and neither bundleimp nor the packages.
    (folder / "engine").mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.suffix != ".pth" and "bundleimp" not in entry.name:
            (folder / "engine" / entry.name).symlink_to(entry)


def once(engine: str, way: str, folder: Path) -> Run:
    """Run a cluster of *engine*, and send the packages in this *way*.

    Raises:
        RunError: it failed.

    """
    with tempfile.TemporaryDirectory(prefix="e-") as own:  # a short path, for sockets
        variables = {
            "HOME": own,
            "BUNDLEIMP_CACHE_DIR": f"{own}/cache/bundleimp",
            "PEX_ROOT": f"{own}/cache/pex",
            "SPARK_LOCAL_IP": "127.0.0.1",
            "JAVA_TOOL_OPTIONS": "-XX:-UsePerfData",
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",
        }
        for name in ("cache", "work"):
            Path(own, name).mkdir()
        command = [sys.executable, str(PROBES / f"on_{engine}.py"), way, str(folder), own]
        result = subprocess.run(
            [*_NAMESPACE, sys.executable, "-I", "-c", _LOOPBACK, *command],
            cwd=Path(own, "work"),
            env=environment(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST,
        )
        lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
        if result.returncode or not lines:
            message = f"{engine}, {way}: exit status {result.returncode}\n{result.stderr[-2000:]}"
            raise RunError(message)
        found = json.loads(lines[-1])
        caches = [path for path in Path(own, "cache").rglob("*") if path.is_file() and not path.is_symlink()]
        return Run(**found, cached=len(caches), cached_size=sum(path.stat().st_size for path in caches))


def row(engine: str, way: str, runs: list[Run]) -> str:
    """Return the line of the table for these *runs*."""
    times = sorted(run.seconds for run in runs)
    spread = f"{statistics.median(times):.1f} s ({times[0]:.1f} to {times[-1]:.1f})"
    first = runs[0]
    disk, cache = (f"{number:,} / {size / _MB:.1f} MB" for number, size in _pairs(first))
    return f"| {engine} | {way} | {spread} | {disk} | {cache} | {first.fault} |"


def _pairs(run: Run) -> tuple[tuple[int, int], tuple[int, int]]:
    return (run.files, run.size), (run.cached, run.cached_size)


def main() -> int:
    """Measure, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each way is tried (default: 3)")
    rounds = parser.parse_args().rounds
    installed = [name for name in PACKAGES if importlib.util.find_spec(name) is not None]
    engines = [name for name in WAYS if importlib.util.find_spec(name) is not None]
    if installed or not engines:
        need = f"uninstall {', '.join(installed)}" if installed else f"install one of {', '.join(WAYS)}"
        print(need, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="engines-") as folder:
        build(Path(folder))
        runs: dict[tuple[str, str], list[Run]] = {}
        for _ in range(rounds):
            for key in [(engine, way) for engine in engines for way in WAYS[engine]]:
                runs.setdefault(key, []).append(once(*key, Path(folder)))
    print(f"{rounds} rounds, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end\n")
    print("| engine | way | first result | files on a worker | in caches | |\n| --- | --- | --- | --- | --- | --- |")
    for key, each in runs.items():
        print(row(*key, each))
    return 0


if __name__ == "__main__":
    sys.exit(main())
