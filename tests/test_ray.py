"""`bundleimp.ray.runtime_env`, as far as no Ray is needed.  The rest is in `test_engine_ray`."""

from __future__ import annotations

import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp import BundleError
from bundleimp.engines import runtimeparcel
from bundleimp.ray import runtime_env

from .builders import TIMEOUT, make_bundle, make_tree, run_python
from .programs import interpreter_without_bundleimp
from .test_misfit import OF_OTHERS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="needs processes")


def folder_of(environment: dict[str, Any]) -> Path:
    """Return the folder that Ray puts on PYTHONPATH, here: it uploads what is in it."""
    return Path(environment["py_modules"][0]).parent


def run_as_worker(
    environment: dict[str, Any], code: str, *more: Path, executable: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Run *code* in a process whose PYTHONPATH is as that of a worker."""
    return run_python("-c", code, path=[folder_of(environment), *more], executable=executable)


def test_ray_is_not_imported(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "a.pybundle", {"a.py": ""})
    code = f"import sys, bundleimp.ray; bundleimp.ray.runtime_env({str(bundle)!r}); print('ray' in sys.modules)"
    assert run_python("-c", code).stdout == "False\n"


def test_the_content_names_the_environment(tmp_path: Path) -> None:
    old = make_bundle(tmp_path / "old" / "app.pybundle", {"app.py": "VERSION = 1\n"})
    same = make_bundle(tmp_path / "same" / "app.pybundle", {"app.py": "VERSION = 1\n"})
    new = make_bundle(tmp_path / "new" / "app.pybundle", {"app.py": "VERSION = 2\n"})
    other = make_bundle(tmp_path / "b.pybundle", {"b.py": ""})
    assert runtime_env(old) == runtime_env(same, old)
    different = [runtime_env(*each) for each in ((old,), (new,), (old, other), (other, old))]
    assert len({str(each) for each in different}) == len(different)


def test_a_bundle_that_is_signed_meanwhile_goes_with_its_signature(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "a.pybundle", {"a.py": "X = 'signed'\n"})
    before = runtime_env(bundle)
    (tmp_path / "a.pybundle.sig").write_text("a signature")
    after = runtime_env(bundle)
    assert after != before
    assert [path.read_text() for path in Path(after["py_modules"][0]).glob("a-*.sig")] == ["a signature"]


def test_threads_make_the_same_environment_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_bundle(tmp_path / "a.pybundle", {"a.py": "X = 'threads'\n"})
    runtimeparcel.make()
    both = threading.Barrier(2, timeout=TIMEOUT)

    def rename(path: Path, target: Path, original: Callable[[Path, Path], Path] = Path.rename) -> Path:
        both.wait()
        return original(path, target)

    monkeypatch.setattr(Path, "rename", rename)
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(runtime_env, [bundle] * 2)
    assert first == second


def test_other_keys_stay_and_the_caller_s_modules_come_next(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "a.pybundle", {"a.py": ""})
    given: dict[str, Any] = {"working_dir": ".", "env_vars": {"PYTHONPATH": "x"}, "py_modules": ["mine"], "pip": ["x"]}
    environment = runtime_env(bundle, **given)
    assert environment["py_modules"][1:] == ["mine"]
    assert {key: environment[key] for key in given if key != "py_modules"} == {
        key: value for key, value in given.items() if key != "py_modules"
    }
    assert given["py_modules"] == ["mine"]


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"image_uri": "x"}, ValueError, "Ray does not combine image_uri with uploaded files"),
        ({"container": {"image": "x"}}, ValueError, "Ray does not combine container with uploaded files"),
        ({"py_modules": "mine"}, TypeError, "py_modules must be a list, and not str"),
    ],
)
def test_keys_that_cannot_be_combined(
    tmp_path: Path, more: dict[str, Any], error: type[Exception], message: str
) -> None:
    bundle = make_bundle(tmp_path / "a.pybundle", {"a.py": ""})
    with pytest.raises(error, match=message):
        runtime_env(bundle, **more)


def test_no_bundle_is_an_error() -> None:
    with pytest.raises(TypeError, match="no bundle was given"):
        runtime_env()


def test_a_bundle_for_another_python_is_refused_at_once(tmp_path: Path) -> None:
    tree, words = OF_OTHERS["an extension module"]
    bundle = make_bundle(tmp_path / "late.pybundle", tree)
    with pytest.raises(BundleError) as caught:
        runtime_env(bundle)
    assert str(caught.value).startswith(f"{bundle}: runs on {words}, and this is ")


def test_a_damaged_bundle_is_refused_at_once(tmp_path: Path) -> None:
    bundle = tmp_path / "a.pybundle"
    bundle.write_bytes(b"not a bundle")
    with pytest.raises(BundleError, match=f"^{re.escape(str(bundle))}: "):
        runtime_env(bundle)


def test_two_bundles_with_the_same_module_are_refused(tmp_path: Path) -> None:
    first, second = (make_bundle(tmp_path / f"{name}.pybundle", {"a.py": f"NAME = '{name}'\n"}) for name in "bc")
    with pytest.raises(BundleError) as caught:
        runtime_env(first, second)
    assert str(caught.value) == (
        f"{second}: has the module a, and {first} has another one of that name: ship one of them"
    )


def test_children_of_a_worker_find_the_bundles_from_anywhere(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "a.pybundle", {"a.py": "VALUE = 5\n"})
    child = "subprocess.run([sys.executable, '-c', 'import a; print(a.VALUE)'], check=True)"
    code = f"import os, subprocess, sys; os.chdir(os.sep); {child}"
    assert run_as_worker(runtime_env(bundle), code).stdout == "5\n"


def test_the_bundles_are_on_the_path_in_their_order_before_the_caller_s(tmp_path: Path) -> None:
    bundles = [make_bundle(tmp_path / f"{name}.pybundle", {f"{name}.py": ""}) for name in "ba"]
    environment = runtime_env(*bundles)
    code = "import os, sys; print(*[os.path.basename(entry)[:2] for entry in sys.path[1:5]])"
    assert run_as_worker(environment, code, tmp_path / "mine").stdout == "b- a- bu mi\n"


@pytest.mark.parametrize("standalone", [True, False])
def test_the_caller_s_sitecustomize_runs(tmp_path: Path, standalone: bool) -> None:
    bundles = [
        make_bundle(tmp_path / f"{name}.pybundle", {f"{name}.py": ""}, standalone=standalone) for name in ("a", "b")
    ]
    mine = make_tree(tmp_path / "mine", {"sitecustomize.py": "import a, b\nprint('mine')\n"})
    result = run_as_worker(runtime_env(*bundles), "import sitecustomize as s; print(s.__file__)", mine)
    assert (result.stdout, result.stderr) == (f"mine\n{mine / 'sitecustomize.py'}\n", "")


def test_an_error_in_the_caller_s_sitecustomize_is_shown(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "a.pybundle", {"a.py": ""})
    mine = make_tree(tmp_path / "mine", {"sitecustomize.py": "import nothing_like_that\n"})
    assert "No module named 'nothing_like_that'" in run_as_worker(runtime_env(bundle), "import a", mine).stderr


def test_workers_need_no_bundleimp(tmp_path: Path) -> None:
    python = interpreter_without_bundleimp("{}.{}".format(*sys.version_info[:2]))
    bundles = [
        make_bundle(tmp_path / f"{name}.pybundle", {f"space/{name}.py": ""}, layout="nested", standalone=standalone)
        for name, standalone in (("plain", False), ("own", True))
    ]
    code = "import space.own, space.plain; print(space.own.__loader__.__class__.__name__, len(space.__path__))"
    for given in (bundles, bundles[::-1]):
        result = run_as_worker(runtime_env(*given), code, executable=python)
        assert (result.stdout, result.stderr) == ("BundleLoader 2\n", "")
    code = "import space.plain; print(space.plain.__loader__.__class__.__name__)"
    result = run_as_worker(runtime_env(bundles[0]), code, executable=python)
    assert (result.stdout, result.stderr) == ("BundleLoader\n", "")


def test_a_bundle_that_did_not_arrive_is_named(tmp_path: Path) -> None:
    environment = runtime_env(make_bundle(tmp_path / "a.pybundle", {"a.py": ""}))
    (parcel,) = Path(environment["py_modules"][0]).glob("a-*.pybundle.zip")
    content = parcel.read_bytes()
    parcel.unlink()
    try:
        result = run_as_worker(environment, "")
    finally:
        parcel.write_bytes(content)  # other tests may get the same folder
    message = f'bundleimp: {parcel.name} did not reach this worker: do any "excludes" match it?\n'
    assert result.stderr == message
