"""Bundles on workers of Ray: by `bundleimp.ray.runtime_env`, as their Python, and without code of ours."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .builders import make_bundle, make_tree
from .engines import engine_marks, probe, reports, run_alone, shadowing, whole
from .programs import interpreter_without_bundleimp

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = engine_marks("ray", commands=("gcc",), large=True)

START = """
import json, os, sys
import bundleimp.ray

def start(environment):
    import ray
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error",
        _temp_dir=os.environ["RAY_FOLDER"], runtime_env=environment,
    )

def say(value):
    print(json.dumps(value))

def fault(call):
    try:
        return call()
    except Exception as error:
        return str(error)

def report():
    import probe
    return probe.report()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Return the environment variables of the driver.  Ray's sockets need a short path."""
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        yield {
            "RAY_FOLDER": folder,
            "HOME": str(tmp_path),
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_worker_niceness": "0",  # 15 is usual, which starves them on a busy machine
        }


def bare_worker(folder: Path) -> dict[str, object]:
    """Return what makes Ray start workers in a Python that has Ray, but not bundleimp."""
    engine = folder / "engine"
    engine.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.suffix != ".pth" and "bundleimp" not in entry.name:
            (engine / entry.name).symlink_to(entry)
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    return {"py_executable": python, "env_vars": {"PYTHONPATH": str(engine)}}


LIVING = """
first, second = sys.argv[1:3], sys.argv[3:5]
environment = bundleimp.ray.runtime_env(*first)
assert "ray" not in sys.modules
start(environment)
import ray

class Actor:
    def report(self):
        return report()

    def child(self):
        import subprocess
        code = "import json, probe; print(json.dumps(probe.report()))"
        return json.loads(subprocess.check_output([sys.executable, "-c", code], cwd="/"))

task, actor = ray.remote(report), ray.remote(Actor)
old = actor.remote()
say(ray.get([task.remote(), old.report.remote(), old.child.remote()]))
newer = bundleimp.ray.runtime_env(*second)
assert newer != environment and newer == bundleimp.ray.runtime_env(*second)
new = actor.options(runtime_env=newer).remote()
say(ray.get([task.options(runtime_env=newer).remote(), new.report.remote(), new.child.remote()]))
say(ray.get([task.remote(), old.report.remote(), old.child.remote()]))
ray.shutdown()
start(bundleimp.ray.runtime_env(*second))
say(ray.get([task.remote()]))
"""


def test_a_new_version_runs_whole_beside_the_old_one(tmp_path: Path, settings: dict[str, Any]) -> None:
    bundles = [str(bundle) for version in (1, 2) for bundle in probe(tmp_path, version)]
    lines = run_alone(START + LIVING, tmp_path, *bundles, **settings)
    assert reports(lines) == [[whole(1)] * 3, [whole(2)] * 3, [whole(1)] * 3, [whole(2)]]


WITH_MORE = """
import pathlib
environment = bundleimp.ray.runtime_env(
    *sys.argv[1:3],
    working_dir="mine",
    py_modules=["extra"],
    env_vars={"PYTHONPATH": "/none/mine", "COLOUR": "blue"},
    excludes=["*.log"],
)
start(environment)
import ray

@ray.remote
def look():
    import extra, beside
    paths = [os.path.basename(entry) for entry in sys.path]
    return [report(), extra.VALUE, beside.VALUE, os.environ["COLOUR"], "mine" in paths, sorted(os.listdir())]

say(ray.get(look.remote()))
"""


def test_what_the_caller_has_set_stays(tmp_path: Path, settings: dict[str, Any]) -> None:
    make_tree(tmp_path / "mine", {"beside.py": "VALUE = 5\n", "data.txt": "", "old.log": ""})
    make_tree(tmp_path / "extra", {"__init__.py": "VALUE = 6\n"})
    bundles = [str(bundle) for bundle in probe(tmp_path, 1)]
    lines = run_alone(START + WITH_MORE, tmp_path, *bundles, **settings)
    ((found, *others, names),) = reports(lines)
    assert (found, *others) == (whole(1), 6, 5, "blue", True)
    assert {"beside.py", "data.txt"} <= set(names)
    assert "old.log" not in names


BARE = """
start(None)
import ray

task = ray.remote(report)
base = json.loads(sys.argv[5])
for bundles in (sys.argv[1:3], sys.argv[3:5]):
    environment = bundleimp.ray.runtime_env(*bundles, **base)
    say(ray.get(task.options(runtime_env=environment).remote()))
"""


def test_workers_need_no_bundleimp(tmp_path: Path, settings: dict[str, Any]) -> None:
    bundles = map(str, [*probe(tmp_path, 1), *probe(tmp_path, 2, standalone=True)])
    lines = run_alone(START + BARE, tmp_path, *bundles, json.dumps(bare_worker(tmp_path)), **settings)
    assert reports(lines) == [whole(1), whole(2)]


PYTHON = """
import ray

class Actor:
    def look(self):
        import multiprocessing, subprocess
        import mine, ray
        try:
            import bundleimp
        except ModuleNotFoundError:
            bundleimp = None
        with multiprocessing.get_context("fork").Pool(2) as pool:
            lengths = pool.map(len, ["a", "bb"])
        child = [sys.executable, "-c", "import mine, ray; print(mine.TEXT, ray.__file__)"]
        printed = subprocess.run(child, capture_output=True, text=True, cwd="/", check=True).stdout.split()
        return [mine.TEXT, mine.fast.value(), bundleimp, lengths, printed[0], printed[1] == ray.__file__]

base = json.loads(sys.argv[1])
start(base | {"working_dir": "place", "py_executable": "./env.pybundle"})
actor = ray.remote(Actor)
say(ray.get(actor.remote().look.remote()))
base["py_executable"] = os.path.abspath("place/env.pybundle")
say(ray.get(actor.options(runtime_env=base).remote().look.remote()))
"""


def test_a_bundle_is_the_python_of_workers(tmp_path: Path, settings: dict[str, Any]) -> None:
    tree = shadowing("ray", tmp_path / "c")
    base = bare_worker(tmp_path)
    (tmp_path / "place").mkdir()
    make_bundle(tmp_path / "place" / "env.pybundle", tree, standalone=True, shebang=base["py_executable"])
    lines = run_alone(START + PYTHON, tmp_path, json.dumps(base), **settings)
    assert reports(lines) == [["hello", 7, None, [1, 2], "hello", True]] * 2


RECIPE = """
import ray
for version in (1, 2):
    start({"working_dir": f"v{version}", "env_vars": {"PYTHONPATH": "first.pybundle:second.pybundle"}})
    say(ray.get(ray.remote(report).remote()))
    ray.shutdown()
"""


def test_bundles_in_a_working_dir_need_no_code(tmp_path: Path, settings: dict[str, Any]) -> None:
    for version in (1, 2):
        probe(tmp_path, version)
    assert reports(run_alone(START + RECIPE, tmp_path, **settings)) == [whole(1), whole(2)]


LARGE = """
environment = bundleimp.ray.runtime_env(sys.argv[1])
say(fault(lambda: start(environment)))
import ray
ray.shutdown()
start(None)
say(fault(lambda: bundleimp.ray.runtime_env(sys.argv[1])))
"""


def test_ray_says_that_a_bundle_is_too_large_for_it(tmp_path: Path, settings: dict[str, Any]) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"a.py": "", "data": os.urandom(9 << 20)})
    settings["RAY_max_grpc_message_size"] = str(8 << 20)  # 512 MiB is usual
    for message in reports(run_alone(START + LARGE, tmp_path, str(bundle), **settings)):
        assert "Failed to upload module" in message
        assert "exceeds the maximum size of 8.00MiB" in message
