"""Workers of loky, joblib and multiprocessing: what they import, and what they import when bundles were replaced."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .builders import make_bundle, make_tree
from .engines import engine_marks, probe, reports, run_alone, whole
from .programs import interpreter_without_bundleimp

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = engine_marks("joblib", "loky")

WORK = """
import os, time
import probe, probens.two  # one of each bundle, so that the process has its version

def begin():
    return [os.getpid(), probe.VERSION]

def report(_=None):
    return [os.getpid(), probe.report()]

def together(folder, number):
    # Waits until as many workers are here.
    os.makedirs(folder, exist_ok=True)
    open(os.path.join(folder, str(os.getpid())), "w").close()
    while len(os.listdir(folder)) < number:
        time.sleep(0.01)
    return report()
"""
REPLACE = """
def replace(new, place):
    for name in os.listdir(new):
        os.replace(os.path.join(new, name), os.path.join(place, name))
"""
# argv: the module of loky, the folder with the new bundles, that of those in use, and how these get on the path.
LOKY = f"""
import importlib, json, os, sys
{REPLACE}
def main():
    library, new, place, way = sys.argv[1:]
    paths = [os.path.join(place, name) for name in sorted(os.listdir(place))]
    if way == "sys.path":
        sys.path[:0] = paths
    if way == "mount":
        import bundleimp
        for path in paths:
            bundleimp.mount(path)
    import work
    loky = importlib.import_module(library)

    def executor(number):
        return loky.get_reusable_executor(max_workers=number, timeout=600)

    def in_each(folder, number):
        futures = [executor(number).submit(work.together, folder, number) for _ in range(number)]
        return [future.result(timeout=300) for future in futures]

    living, _ = executor(1).submit(work.begin).result(timeout=300)
    replace(new, place)
    seen = in_each("more", 2)  # a second worker is started
    print(json.dumps([[pid == living, report] for pid, report in seen]))
    executor(2).shutdown()
    print(json.dumps([report for _, report in in_each("anew", 2)]))
    print(json.dumps(work.report()[1]))

if __name__ == "__main__":
    main()
"""


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Path:
    """Return a folder with the bundles of version 1; those of version 2 are in ``new``."""
    for version, name in ((1, "place"), (2, "new")):
        folder = tmp_path / name
        folder.mkdir()
        for bundle in probe(tmp_path, version):
            shutil.copy(bundle, folder)
        work = make_bundle(tmp_path / f"v{version}" / "work.pybundle", {"work.py": WORK})
        shutil.copy(work, folder)
    return tmp_path / "place"


@pytest.mark.parametrize(
    ("library", "way"),
    [("loky", "PYTHONPATH"), ("loky", "sys.path"), ("loky", "mount"), ("joblib.externals.loky", "PYTHONPATH")],
)
def test_each_worker_of_loky_has_one_version(tmp_path: Path, place: Path, library: str, way: str) -> None:
    path = ":".join(map(str, sorted(place.iterdir()))) if way == "PYTHONPATH" else ""
    lines = run_alone(LOKY, tmp_path, library, str(tmp_path / "new"), str(place), way, PYTHONPATH=path)
    more, anew, own = reports(lines)
    assert sorted(more) == [[False, whole(2)], [True, whole(1)]]
    assert anew == [whole(2)] * 2
    assert own == whole(1)


def test_each_worker_of_a_standalone_program_has_one_version(tmp_path: Path) -> None:
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    library = tmp_path / "library"
    for file in (file for name in ("loky", "cloudpickle") for file in importlib.metadata.files(name) or ()):
        if file.suffix == ".py":
            (library / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), library / file)
    for version, name in ((1, "place"), (2, "new")):
        (tmp_path / name).mkdir()
        bundles = probe(tmp_path, version)
        sources = [*bundles, library, make_tree(tmp_path / "source", {"work.py": WORK, "driver.py": LOKY})]
        options: dict[str, Any] = {"entry_point": "driver:main", "standalone": True}
        bundleimp.pack(sources, tmp_path / name / "app.pybundle", shebang=python, **options)
    start = f"import os\nos.execv({python!r}, {[python, 'place/app.pybundle', 'loky', 'new', 'place', '']!r})\n"
    more, anew, own = reports(run_alone(start, tmp_path))
    assert sorted(more) == [[False, whole(2)], [True, whole(1)]]
    assert (anew, own) == ([whole(2)] * 2, whole(1))


@pytest.mark.usefixtures("place")
def test_each_worker_mounts_what_is_in_memory(tmp_path: Path) -> None:
    """The name of a mount is on the path of each worker, and its bytes are not there."""
    script = """
import json, sys
import bundleimp, loky

def mount(mounts):
    for name, data in mounts.items():
        bundleimp.mount(data, name)

if __name__ == "__main__":
    mounts = {name: open(name, "rb").read() for name in ("place/first.pybundle", "place/second.pybundle")}
    mounts = {name[6:-9]: data for name, data in mounts.items()}
    mount(mounts)
    import probe
    for options in ({}, {"initializer": mount, "initargs": (mounts,)}):
        executor = loky.get_reusable_executor(max_workers=1, **options)
        error = executor.submit(probe.report).exception()
        print(json.dumps(str(error.__cause__ or error) if error else executor.submit(probe.report).result()))
"""
    error, report = reports(run_alone(script, tmp_path))
    assert "No module named 'probe'" in error
    assert report == whole(1)


# argv: how workers are started, the folder with the new bundles, that of those in use.
POOL = f"""
import json, multiprocessing, os, sys
import work
{REPLACE}
def main():
    method, new, place, *preloaded = sys.argv[1:]
    work.begin()
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload(preloaded)
    with context.Pool(1, maxtasksperchild=2) as pool:
        living, _ = pool.apply(work.begin)
        replace(new, place)
        seen = [pool.apply(work.report) for _ in range(2)]
    print(json.dumps([[pid == living, report] for pid, report in seen]))
    print(json.dumps(work.report()[1]))

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("method", "preloaded", "version"),
    [("fork", [], 1), ("spawn", [], 2), ("forkserver", [], 2), ("forkserver", ["work"], 1)],
)
def test_each_worker_of_a_pool_has_one_version(
    tmp_path: Path, place: Path, method: str, preloaded: list[str], version: int
) -> None:
    path = ":".join(map(str, sorted(place.iterdir())))
    lines = run_alone(POOL, tmp_path, method, str(tmp_path / "new"), str(place), *preloaded, PYTHONPATH=path)
    workers, own = reports(lines)
    assert workers == [[True, whole(1)], [False, whole(version)]]
    assert own == whole(1)


def test_each_bundle_has_the_version_of_the_first_import_from_it(tmp_path: Path, place: Path) -> None:
    """So what belongs together has to be in one bundle, or at least one module of each is imported at once."""
    script = f"""
import json, os, sys
{REPLACE}
import probe
replace(*sys.argv[1:])
print(json.dumps(probe.report()))
"""
    path = ":".join(map(str, sorted(place.iterdir())))
    (report,) = reports(run_alone(script, tmp_path, str(tmp_path / "new"), str(place), PYTHONPATH=path))
    assert report == [1, 1, 1, 1, 1, 2]
