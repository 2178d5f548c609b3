"""Child processes of programs: they import from the program's bundle, as they would import what is installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .archives import flipped
from .builders import Tree, make_bundle, make_tree
from .compiling import extension
from .programs import VERSIONS, interpreter_without_bundleimp, run_file
from .signing import allow, make_key, sign

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="needs processes")
in_each_layout = pytest.mark.parametrize("layout", ["flat", "nested"])
in_each_version = pytest.mark.parametrize("version", VERSIONS)

TREE: Tree = {
    "kid.py": "import app.more, sys\nprint('kid', __name__, sys.argv[1:], app.more.VALUE)\n",
    "app/__init__.py": "",
    "app/more.py": "VALUE = 5\n",
    "app/deeper.py": "from app.cli import python\npython('-m', 'kid', 'deep')\n",
    "app/cli.py": """
import os, subprocess, sys

def python(*arguments, executable=sys.executable, **variables):
    sys.stdout.flush()
    subprocess.run([executable, *arguments], env=os.environ | variables, check=True)

def main():
    os.chdir(os.sep)
    python(*sys.argv[1:])

def other():
    python(*sys.argv[2:], executable=sys.argv[1])
""",
}
RUNNING = "{}.{}".format(*sys.version_info[:2])


def program(folder: Path, entry_point: str = "app.cli:main", tree: Tree = TREE, **options: Any) -> Path:
    folder.mkdir(exist_ok=True)
    options = {"standalone": True} | options
    return make_bundle(folder / "app.pybundle", tree, entry_point=entry_point, **options)


def printed(*command: Path | str, cwd: Path | None = None, **variables: str) -> str:
    """Return what *command* prints; it prints no errors."""
    result = run_file(*command, status=0, cwd=cwd, **variables)
    assert result.stderr == ""
    return result.stdout


@in_each_version
@in_each_layout
def test_a_child_of_a_standalone_program_runs_a_module_of_it(tmp_path: Path, layout: str, version: str) -> None:
    python = interpreter_without_bundleimp(version)
    bundle = program(tmp_path, layout=layout, python=[python])
    assert printed(python, "-W", "error", bundle.name, "-m", "kid", "a", cwd=tmp_path) == "kid __main__ ['a'] 5\n"


@in_each_layout
@pytest.mark.parametrize("standalone", [True, False])
@pytest.mark.parametrize("command", [[], ["-m", "bundleimp", "run"]])
def test_a_child_runs_a_module_where_bundleimp_is_installed(
    tmp_path: Path, layout: str, standalone: bool, command: list[str]
) -> None:
    bundle = program(tmp_path, layout=layout, standalone=standalone)
    assert printed(sys.executable, *command, bundle, "-m", "app.deeper") == "kid __main__ ['deep'] 5\n"


def test_a_child_of_a_program_without_source_runs_a_module(tmp_path: Path) -> None:
    bundle = program(tmp_path, layout="nested", source=False)
    assert printed(interpreter_without_bundleimp(RUNNING), bundle, "-m", "kid") == "kid __main__ [] 5\n"


@in_each_layout
@pytest.mark.parametrize("standalone", [True, False])
def test_children_and_theirs_use_real_files_where_that_is_asked_for(
    tmp_path: Path, layout: str, standalone: bool
) -> None:
    tree = TREE | {"kid.py": "import os\nprint(os.path.isfile(__file__))\n"}
    bundle = program(tmp_path, tree=tree, layout=layout, standalone=standalone)
    python = sys.executable if not standalone else interpreter_without_bundleimp(RUNNING)
    cache = str(tmp_path / "cache")
    assert printed(python, bundle, "-m", "app.deeper", BUNDLEIMP_CACHE_DIR=cache) == "False\n"
    assert printed(python, bundle, "-m", "app.deeper", BUNDLEIMP_CACHE_DIR=cache, BUNDLEIMP_UNPACK="1") == "True\n"
    tree = TREE | {
        "kid.py": tree["kid.py"],
        "app/deeper.py": "from app.cli import python\npython('-m', 'kid', BUNDLEIMP_UNPACK='1')\n",
    }
    bundle = program(tmp_path / "other", tree=tree, layout=layout, standalone=standalone)
    assert printed(python, bundle, "-m", "app.deeper", BUNDLEIMP_CACHE_DIR=cache) == "True\n"


@in_each_layout
def test_a_child_of_a_standalone_program_imports_extension_modules(tmp_path: Path, layout: str) -> None:
    tree = TREE | {
        "native.so": extension(tmp_path / "c", "native", "7"),
        "kid.py": "import native\nprint(native.value())\n",
    }
    cache = str(tmp_path / "cache")
    bundle = program(tmp_path, tree=tree, layout=layout)
    python = interpreter_without_bundleimp(RUNNING)
    assert printed(python, bundle, "-m", "kid", BUNDLEIMP_CACHE_DIR=cache) == "7\n"


def test_what_the_user_has_at_start_up_still_runs(tmp_path: Path) -> None:
    make_tree(tmp_path / "user", {"sitecustomize.py": "import sys\nprint('custom', 'sitecustomize' in sys.modules)\n"})
    bundle = program(tmp_path, layout="nested")
    python = interpreter_without_bundleimp(RUNNING)
    user = str(tmp_path / "user")
    script = "import sitecustomize, sys, os; print(sitecustomize.__file__, sys.path[1:3])"
    file = tmp_path / "user" / "sitecustomize.py"
    custom = "custom True\n"
    assert printed(python, bundle, "-m", "kid", PYTHONPATH=user) == f"{custom * 2}kid __main__ [] 5\n"
    paths = [str(bundle), str(tmp_path / "user")]
    assert printed(python, bundle, "-c", script, PYTHONPATH=user) == f"{custom * 2}{file} {paths}\n"


def test_a_module_of_the_bundle_may_be_what_runs_at_start_up(tmp_path: Path) -> None:
    bundle = program(tmp_path, tree=TREE | {"sitecustomize.py": "import app.more\nprint(app.more.VALUE)\n"})
    assert printed(interpreter_without_bundleimp(RUNNING), bundle, "-c", "") == "5\n"


def test_a_child_has_nothing_of_ours_among_its_modules_and_path_entries(tmp_path: Path) -> None:
    bundle = program(tmp_path, layout="nested")
    script = """
import sys
places = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
print([place for place in places if "__children__" in place], "__children__" in str(sys.path))
"""
    assert printed(interpreter_without_bundleimp(RUNNING), bundle, "-c", script) == "[] False\n"


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.10", *VERSIONS])
@in_each_layout
def test_another_python_is_left_alone(tmp_path: Path, layout: str, version: str) -> None:
    if version == RUNNING:
        pytest.skip("this is the same Python")
    other = interpreter_without_bundleimp(version)
    bundle = program(tmp_path, "app.cli:other", layout=layout)
    python = interpreter_without_bundleimp(RUNNING)
    script = """
import sys
print(sys.version_info >= (3, 8) and [name for name in sys.path if "app.pybundle" in name])
for name in ("kid", "sitecustomize"):
    try:
        print("app.pybundle" in str(getattr(__import__(name), "__file__", "")) or None)  # some Pythons have one
    except ImportError:
        print(None)
"""
    # The zipimport of 3.6 cannot read the file.
    assert printed(python, bundle, other, "-c", script) == f"{False if version == '3.6' else []}\nNone\nNone\n"


@in_each_layout
def test_another_environment_of_the_same_python_is_left_alone(tmp_path: Path, layout: str) -> None:
    python = interpreter_without_bundleimp(RUNNING)
    subprocess.run([python, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    other = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    bundle = program(tmp_path, "app.cli:other", layout=layout)
    script = "import importlib.util; print(importlib.util.find_spec('kid'))"
    assert printed(python, bundle, other, "-c", script) == "None\n"
    assert printed(other, bundle, other, "-m", "kid") == "kid __main__ [] 5\n"
    assert printed(other, bundle, python, "-c", script) == "None\n"


def test_the_environment_of_the_user_is_kept(tmp_path: Path) -> None:
    script = "import os, sys; print(os.environ['PYTHONPATH'], os.environ['BUNDLEIMP_CHILDREN'])"
    bundle = program(tmp_path)
    own = f"{bundle}{os.sep}__children__"
    python = interpreter_without_bundleimp(RUNNING)
    for before in ("", "x", os.pathsep.join(["x", own, "y"]), os.pathsep.join([own, "x"])):
        rest = "".join(f"{os.pathsep}{name}" for name in before.split(os.pathsep) if name not in {own, ""})
        result = printed(python, bundle, "-c", script, PYTHONPATH=before).split(maxsplit=1)
        tag = f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"
        assert result[0] == f"{own}{rest}"
        assert result[1].startswith(f"{bundle}{os.pathsep}{tag} ")
        assert result[1].count(os.pathsep) == 1


def test_the_environment_stays_as_it_is_where_that_is_asked_for(tmp_path: Path) -> None:
    script = "import os; print(os.environ.get('PYTHONPATH'), os.environ['BUNDLEIMP_CHILDREN'])"
    assert printed(sys.executable, program(tmp_path), "-c", script, BUNDLEIMP_CHILDREN="0") == "None 0\n"


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_child_that_is_to_be_isolated_is(tmp_path: Path, option: str) -> None:
    script = "import importlib.util; print(importlib.util.find_spec('kid'))"
    python = interpreter_without_bundleimp(RUNNING)
    assert printed(python, program(tmp_path), option, "-c", script) == "None\n"


@pytest.mark.parametrize("option", ["-I", "-E", "-O", "-s"])
def test_children_of_an_isolated_program_find_it(tmp_path: Path, option: str) -> None:
    python = interpreter_without_bundleimp(RUNNING)
    assert printed(python, option, program(tmp_path), "-m", "kid") == "kid __main__ [] 5\n"


@pytest.mark.skipif(os.pathsep != ":", reason="a path cannot contain the separator of paths")
def test_a_path_that_the_environment_cannot_hold_is_one_warning(tmp_path: Path) -> None:
    bundle = program(tmp_path / "a:b")
    result = run_file(interpreter_without_bundleimp(RUNNING), bundle, "-c", "print('child')")
    assert result.stdout == "child\n"
    assert (
        f"BundleWarning: {bundle}: child processes cannot import from it, because its path has a ':'" in result.stderr
    )
    assert len([line for line in result.stderr.splitlines() if "Warning" in line]) == 1


def test_a_child_that_cannot_import_from_the_program_says_so_and_goes_on(tmp_path: Path) -> None:
    bundle = program(tmp_path, layout="nested", bytecode=False)
    python = interpreter_without_bundleimp(RUNNING)
    entry = f"{bundle}{os.sep}__children__"
    assert printed(python, "-m", "kid", PYTHONPATH=entry) == "kid __main__ [] 5\n"
    (offset,) = (
        entry.member.offset
        for entry in bundleimp.open_bundle(bundle).outer.entries
        if entry.member.name == f"BUNDLE-INFO/runtime.{sys.implementation.cache_tag}"
    )
    bundle.write_bytes(flipped(bundle.read_bytes(), 8 * (offset + 500)))
    result = run_file(python, "-c", "print('child')", PYTHONPATH=entry)
    message = f"bundleimp: this process cannot import from the program that started it: {bundle}: its embedded runtime"
    assert result.stdout == "child\n"
    assert result.stderr.startswith(message)
    assert len(result.stderr.splitlines()) == 1


def test_a_program_that_another_one_starts_has_its_own_modules_first(tmp_path: Path) -> None:
    inner = program(tmp_path / "inner", tree=TREE | {"kid.py": "print('inner')\n"}, layout="nested")
    outer = program(tmp_path / "outer", tree=TREE | {"only.py": "print('only')\n"}, layout="nested")
    python = interpreter_without_bundleimp(RUNNING)
    assert printed(python, outer, inner, "-m", "kid") == "inner\n"
    assert printed(python, outer, inner, "-m", "only") == "only\n"
    assert printed(python, outer, outer, "-m", "kid") == "kid __main__ [] 5\n"


@pytest.mark.parametrize("newer", ["inner", "outer"])
def test_of_two_programs_the_newer_runtime_serves_both(
    tmp_path: Path, newer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = TREE | {
        "app/look.py": """
import sys

def main():
    hooks = [hook.__module__ for hook in sys.path_hooks if getattr(hook, "claims_bundles", False)]
    import pure, outer
    print(*hooks, type(pure.__loader__).__module__, type(outer.__loader__).__module__)
    import os, importlib.resources
    print(importlib.resources.files("sitecustomize_of_outer").joinpath("data.txt").read_text())
""",
        "pure.py": "",
    }
    start = {"sitecustomize.py": "import sitecustomize_of_outer\n", "sitecustomize_of_outer/__init__.py": ""}
    start |= {"sitecustomize_of_outer/data.txt": "data", "outer.py": ""}
    bundles = {}
    for name, entry, content in (("inner", "app.look:main", tree), ("outer", "app.cli:main", TREE | start)):
        version = "99.0.1" if name == newer else bundleimp.__version__
        monkeypatch.setattr("bundleimp.packing.executable.__version__", version)
        bundles[name] = program(tmp_path / name, entry, content, layout="nested")
    python = interpreter_without_bundleimp(RUNNING)
    used = "_bundleimp_99_0_1" if newer == "inner" else "_bundleimp"
    expected = f"{used}.hook {used}.loaders {used}.loaders\ndata\n"
    assert printed(python, "-W", "error", bundles["outer"], bundles["inner"]) == expected


def test_a_bundle_that_is_no_program_is_found_by_children_of_run(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "lib.pybundle", TREE, layout="nested")
    assert printed(sys.executable, "-m", "bundleimp", "run", bundle, "-m", "app.deeper") == "kid __main__ ['deep'] 5\n"


def test_a_member_in_the_place_of_what_children_are_started_with_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(bundleimp.BundleError) as caught:
        program(tmp_path, tree=TREE | {"__children__/x.py": ""})
    assert str(caught.value).startswith("__children__/x.py: would be among what the program's children are started")
    assert not (tmp_path / "app.pybundle").exists()


@in_each_layout
def test_workers_of_loky_import_from_a_standalone_program(tmp_path: Path, layout: str) -> None:
    pytest.importorskip("joblib", reason="joblib is not installed")
    tree: Tree = {
        "native.so": extension(tmp_path / "c", "native", "7"),
        "work/__init__.py": "",
        "work/jobs.py": "import native\n\ndef multiplied(number):\n    return number * native.value()\n",
        "work/cli.py": """
from joblib import Parallel, delayed
from work.jobs import multiplied

def main():
    print(Parallel(n_jobs=2, backend="loky")(delayed(multiplied)(number) for number in range(3)))
    print(Parallel(n_jobs=1)(delayed(multiplied)(number) for number in range(3)))
""",
    }
    source = make_tree(tmp_path / "source", tree)
    needed = [name for name in ("cloudpickle", "joblib", "loky") if importlib.util.find_spec(name)]
    for file in (file for name in needed for file in importlib.metadata.files(name) or ()):
        if ".." not in file.parts and file.suffix == ".py" and "test" not in file.parts:
            (source / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), source / file)
    bundle = tmp_path / "app.pybundle"
    options: dict[str, Any] = {"layout": layout, "entry_point": "work.cli:main", "standalone": True}
    bundleimp.pack([source], bundle, **options)
    python = interpreter_without_bundleimp(RUNNING)
    assert printed(python, "-W", "error", bundle, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache")) == "[0, 7, 14]\n" * 2


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_children_of_a_signed_program_find_it_and_those_of_another_do_not(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    signers = str(allow(tmp_path / "signers", {"somebody": key}))
    bundle = program(tmp_path, layout="nested")
    script = "import importlib.util; print(importlib.util.find_spec('kid'))"
    entry = f"{bundle}{os.sep}__children__"
    refused = run_file(sys.executable, "-c", script, PYTHONPATH=entry, BUNDLEIMP_ALLOWED_SIGNERS=signers)
    assert refused.stdout == "None\n"
    sign(bundle, key)
    deep = printed(sys.executable, bundle, "-m", "app.deeper", BUNDLEIMP_ALLOWED_SIGNERS=signers)
    kid = printed(sys.executable, "-m", "kid", PYTHONPATH=entry, BUNDLEIMP_ALLOWED_SIGNERS=signers)
    assert (deep, kid) == ("kid __main__ ['deep'] 5\n", "kid __main__ [] 5\n")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_a_child_runs_nothing_that_no_hook_checks(tmp_path: Path) -> None:
    """A file without the suffix is checked by the program itself; in a child `zipimport` would not check it."""
    key = make_key(tmp_path / "key")
    signers = str(allow(tmp_path / "signers", {"somebody": key}))
    tree = TREE | {
        "app/cli.py": "import os, sys\n\ndef main():\n    print('__children__' in os.environ.get('PYTHONPATH', ''))\n"
    }
    named = make_bundle(tmp_path / "app.pybundle", tree, entry_point="app.cli:main", standalone=True)
    other = named.rename(tmp_path / "app")
    sign(other, key)
    assert printed(sys.executable, other, BUNDLEIMP_ALLOWED_SIGNERS=signers) == "False\n"
    assert printed(sys.executable, other) == "True\n"


@in_each_layout
def test_spawned_children_of_unpacked_programs(tmp_path: Path, layout: str) -> None:
    code = """
import multiprocessing

def work():
    print("worked", flush=True)

def main():
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    process.join()
    return process.exitcode
"""
    bundle = program(tmp_path, "jobs:main", {"jobs.py": code}, layout=layout)
    python = interpreter_without_bundleimp(RUNNING)
    cache = str(tmp_path / "cache")
    assert printed(python, bundle, BUNDLEIMP_UNPACK="1", BUNDLEIMP_CACHE_DIR=cache) == "worked\n"


@in_each_layout
@pytest.mark.parametrize("module", ["pkg.again", "pkg"])
def test_a_module_may_start_itself_again_by_its_path(tmp_path: Path, layout: str, module: str) -> None:
    """As gunicorn and reloaders do after `python -m`."""
    script = """
import os, subprocess, sys
import app.more
print(__name__, os.path.relpath(sys.argv[0], sys.argv[1]), os.path.basename(__file__), {location}, flush=True)
if len(sys.argv) < 3:
    subprocess.run([sys.executable, *sys.argv, "again"], check=True)
"""
    located = "open(os.path.join(os.path.dirname(__file__), 'data.txt')).read()"
    tree = TREE | {
        "pkg/__init__.py": "",
        "pkg/again.py": script.format(location=0),
        "pkg/__main__.py": script.format(location=located),
        "pkg/data.txt": "data",
    }
    bundle = program(tmp_path, tree=tree, layout=layout)
    result = printed(interpreter_without_bundleimp(RUNNING), bundle, "-m", module, bundle)
    assert [line.split()[0] for line in result.splitlines()] == ["__main__"] * 2
    assert {line.split(maxsplit=2)[2] for line in result.splitlines()} == {
        "again.py 0" if module != "pkg" else "__main__.py data"
    }


def test_a_path_to_what_is_no_script_has_no_main_module(tmp_path: Path) -> None:
    bundle = make_bundle(
        tmp_path / "lib.pybundle", {"pkg/__init__.py": "", "pkg.py": "", "pkg/data.txt": "", "x.pyc": ""}
    )
    for name in ("pkg.py", "pkg/data.txt", "x.pyc", "pkg/none.py"):
        result = run_file(sys.executable, bundle / name, status=1)
        assert "can't find '__main__' module in" in result.stderr
