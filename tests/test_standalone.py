"""Standalone executables: they bring the runtime with them, and give way to a newer one only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .archives import flipped
from .builders import Tree, clean_environment, make_bundle, make_tree
from .parts import PARTS, WORLDS
from .programs import APP, PARALLEL, VERSIONS, interpreter_without_bundleimp, run_file

if TYPE_CHECKING:
    from collections.abc import Sequence

LAYOUTS = ("flat", "nested")
in_each_layout = pytest.mark.parametrize("layout", LAYOUTS)
in_each_version = pytest.mark.parametrize("version", VERSIONS)
# Without site-packages, and so without bundleimp: quicker than an environment that does not have it.
BARE = (sys.executable, "-I", "-S")
RUNNING = "{}.{}".format(*sys.version_info[:2])


def program(folder: Path, entry_point: str = "app.cli:main", tree: Tree = APP, **options: Any) -> Path:
    return make_bundle(folder / "app.pybundle", tree, entry_point=entry_point, **{"standalone": True} | options)


def program_for(versions: Sequence[str], folder: Path, **options: Any) -> Path:
    return program(folder, python=[interpreter_without_bundleimp(version) for version in versions], **options)


@in_each_layout
def test_without_bundleimp_an_ordinary_program_says_what_to_do(tmp_path: Path, layout: str) -> None:
    bundle = program(tmp_path, layout=layout, standalone=False)
    result = run_file(*BARE, bundle, status=1)
    (line,) = result.stderr.splitlines()
    assert line == f"{bundle}: needs bundleimp: install it for {sys.executable}, or pack with --standalone"


@in_each_version
@in_each_layout
def test_it_runs_where_bundleimp_is_not_installed(tmp_path: Path, layout: str, version: str) -> None:
    executable = interpreter_without_bundleimp(version)
    bundle = program_for([version], tmp_path, layout=layout)
    result = run_file(executable, "-W", "error", bundle, "three", status=3, BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    assert (result.stdout, result.stderr) == ("main ['three']\n", "")
    assert not (tmp_path / "cache").exists()


@in_each_layout
@pytest.mark.parametrize("options", [{"bytecode": False}, {"source": False}, {"optimize": 2}, {"compress": "none"}])
def test_it_runs_however_it_was_packed(tmp_path: Path, layout: str, options: dict[str, Any]) -> None:
    bundle = program(tmp_path, layout=layout, **options)
    assert bundleimp.open_bundle(bundle).verify() == []
    assert run_file(*BARE, "-B", bundle, "three", status=3).stdout == "main ['three']\n"


def test_a_python_without_embedded_bytecode_takes_the_source(tmp_path: Path) -> None:
    other = next(version for version in VERSIONS if version != RUNNING)
    executable = interpreter_without_bundleimp(other)
    bundle = program(tmp_path)
    assert run_file(executable, "-B", bundle, "three", status=3).stdout == "main ['three']\n"


@pytest.mark.parametrize("version", ["3.8", "3.9", "3.10"])
def test_an_older_python_is_told_so(tmp_path: Path, version: str) -> None:
    executable = interpreter_without_bundleimp(version)
    bundle = program(tmp_path)
    (line,) = run_file(executable, bundle, status=1, PATH=str(tmp_path)).stderr.splitlines()
    assert line.startswith(f"{bundle}: needs Python 3.11 or newer, and {executable} is {version}.")
    assert line.endswith(": no such Python is on PATH; install one")


def test_one_file_has_bytecode_for_several_pythons(tmp_path: Path) -> None:
    versions = ("3.11", "3.13")
    bundle = program_for(versions, tmp_path)
    for version in versions:
        script = f"import sys, zipimport; zipimport.zipimporter({str(bundle)!r}).get_data("
        script += "'BUNDLE-INFO/runtime.' + sys.implementation.cache_tag)"
        run_file(interpreter_without_bundleimp(version), "-c", script)
        run_file(interpreter_without_bundleimp(version), bundle, "three", status=3)


@pytest.mark.parametrize("options", [[], ["-O"], ["-OO"], ["--check-hash-based-pycs", "always"]])
def test_options_of_the_interpreter(tmp_path: Path, options: list[str]) -> None:
    assert run_file(*BARE, "-B", *options, program(tmp_path), "three", status=3).stderr == ""


@pytest.mark.parametrize("name", ["cli:fail", "module"])
@in_each_version
def test_tracebacks_have_source_lines(tmp_path: Path, version: str, name: str) -> None:
    tree = APP | {"app/module.py": "raise ValueError('wrong')\n"}
    bundle = program(tmp_path, f"app.{name}", tree, layout="nested")
    lines = run_file(interpreter_without_bundleimp(version), bundle, status=1).stderr.splitlines()
    assert lines[-1] == "ValueError: wrong"
    assert lines[-2].strip().startswith(("raise ValueError(", "~", "^"))
    assert f'  File "{bundle / "app" / name.replace(":fail", "")}.py"' in "\n".join(lines)


def test_the_runtime_has_source_and_a_loader_of_its_own(tmp_path: Path) -> None:
    script = """
import importlib.resources, inspect, sys

def main():
    text = importlib.resources.files("pkg").joinpath("data.txt").read_text()
    for name in ("hook", "interpreter.program", "data", "data.resources"):
        module = sys.modules["_bundleimp." + name]
        spec = module.__spec__
        assert spec.name == module.__name__ and spec.loader is module.__loader__ and spec.origin == module.__file__
        assert inspect.getsource(module).startswith('\"\"\"'), name
    assert not [name for name in sys.modules if name.partition(".")[0] == "bundleimp"]
    print(text, sys.modules["pkg"].__loader__.__class__.__module__)
"""
    bundle = program(tmp_path, "pkg.main:main", {"pkg/__init__.py": "", "pkg/main.py": script, "pkg/data.txt": "data"})
    assert run_file(*BARE, "-W", "error", bundle).stdout == "data _bundleimp.loaders\n"


@pytest.mark.parametrize("world", WORLDS)
def test_the_runtime_loads_its_parts_whatever_the_import_system_is(tmp_path: Path, world: str) -> None:
    script = f"""
import contextlib, importlib.resources.abc, io, pathlib, sys, tempfile

def main():
    asked = []
    exec({WORLDS[world]!r}, {{"asked": asked, "sys": sys}})
    for name in {PARTS!r}:
        part = sys.modules["_bundleimp"]
        for each in name.split("."):
            part = getattr(part, each)
        assert part is sys.modules["_bundleimp." + name], name
    print(asked)
"""
    bundle = program(tmp_path, "pkg.main:main", {"pkg/__init__.py": "", "pkg/main.py": script})
    assert run_file(*BARE, "-W", "error", bundle).stdout == "[]\n"


@in_each_version
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("entry_point", ["work.cli:main", "work.cli"])
def test_child_processes_import_from_the_bundle(tmp_path: Path, version: str, method: str, entry_point: str) -> None:
    executable = interpreter_without_bundleimp(version)
    bundle = program(tmp_path, entry_point, PARALLEL, layout="nested")
    result = run_file(executable, "-W", "error", bundle.name, method, cwd=tmp_path)
    assert (result.stdout, result.stderr) == ("[2] [3]\n8\n", "")


@pytest.mark.parametrize("entry_point", ["app.cli:main", "app.module"])
def test_the_main_module_may_run_again_in_one_process(tmp_path: Path, entry_point: str) -> None:
    """As in a fork server of Python 3.14, which runs it before its children do."""
    tree = APP | {"app/module.py": "print('module')\n"}
    bundle = program(tmp_path, entry_point, tree, layout="nested")
    script = f"import runpy; [runpy.run_path({str(bundle)!r}, run_name='__mp_main__') for _ in range(2)]"
    result = run_file(*BARE, "-W", "error", "-c", script)
    assert (result.stdout, result.stderr) == ("" if ":" in entry_point else "module\n" * 2, "")


def test_child_processes_of_a_flat_bundle_have_the_hook_too(tmp_path: Path) -> None:
    bundle = program(tmp_path, "work.cli:main", PARALLEL, layout="flat")
    assert run_file(*BARE, bundle, "spawn").stdout == "[2] [3]\n8\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the system starts no file by its first line")
def test_a_link_with_another_name_runs(tmp_path: Path) -> None:
    bundle = program(tmp_path, "app.cli:where", layout="nested", shebang=f"{sys.executable} -IS")
    (tmp_path / "command").symlink_to(bundle)
    first, spec, package, *paths = run_file(tmp_path / "command").stdout.split()
    assert (first, spec, package) == (str(tmp_path / "command"), "None", "None")
    assert paths == [str(bundle), str(bundle / "app" / "later.py"), str(bundle)]


def environment_with(folder: Path, version: str) -> str:
    """Return an interpreter whose installed bundleimp says that it is of *version*."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.rglob("site-packages")
    package = Path(bundleimp.__file__).parent
    shutil.copytree(package, site / "bundleimp", ignore=shutil.ignore_patterns("__pycache__"))
    start = site / "bundleimp" / "__init__.py"
    text = start.read_text("utf-8")
    start.write_text(text.replace(f'__version__ = "{bundleimp.__version__}"', f'__version__ = "{version}"'), "utf-8")
    make_tree(site, {"bundleimp.pth": "import bundleimp; bundleimp._start()\n"})
    return str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")


@pytest.mark.parametrize(
    ("version", "used"),
    [("99.0.0", "bundleimp"), (bundleimp.__version__, "_bundleimp"), ("0.0.1", "_bundleimp"), ("odd", "_bundleimp")],
)
def test_a_newer_installed_runtime_is_used_instead(tmp_path: Path, version: str, used: str) -> None:
    executable = environment_with(tmp_path / "venv", version)
    tree = APP | {
        "app/cli.py": """
import importlib.util, sys

def main():
    hooks = [hook.__module__ for hook in sys.path_hooks if getattr(hook, "claims_bundles", False)]
    ours = [finder for finder in sys.meta_path if getattr(finder, "claims_bundles", False)]
    finders = [finder.find_spec.__module__ for finder in ours]
    print(sys.modules["app"].__loader__.__class__.__module__, *hooks, *finders)
    print(importlib.util.find_spec("bundleimp") is not None)
    raise ValueError("wrong")
"""
    }
    bundle = program(tmp_path, tree=tree, layout="nested")
    runtime = "bundleimp.runtime" if used == "bundleimp" else "_bundleimp"
    for path in (bundle, tmp_path / "link"):
        if path != bundle:
            path.symlink_to(bundle)
        result = run_file(executable, path, status=1)
        assert result.stdout == f"{runtime}.loaders {runtime}.hook {runtime}.hook\nTrue\n"
        assert 'raise ValueError("wrong")' in result.stderr


@in_each_layout
def test_the_command_run_runs_it_too(tmp_path: Path, layout: str) -> None:
    bundle = program(tmp_path, layout=layout)
    result = run_file(sys.executable, "-W", "error", "-m", "bundleimp", "run", bundle, "three", status=3)
    assert (result.stdout, result.stderr) == ("main ['three']\n", "")


def test_where_the_hook_is_turned_off_the_embedded_runtime_is_used(tmp_path: Path) -> None:
    bundle = program(tmp_path, "app.cli:runtime")
    assert run_file(sys.executable, bundle, BUNDLEIMP_DISABLE="1").stdout == "_bundleimp\n"


@pytest.mark.parametrize("kind", ["code", "compressed code", "source"])
def test_a_damaged_runtime_is_one_line_and_never_runs(tmp_path: Path, kind: str) -> None:
    bundle = program(tmp_path, layout="nested", bytecode=kind != "compressed code")
    name = f"BUNDLE-INFO/runtime.{sys.implementation.cache_tag if kind != 'source' else 'source'}"
    other = next(version for version in VERSIONS if version != RUNNING)
    executable = interpreter_without_bundleimp(other) if kind == "source" else sys.executable
    (member,) = [entry.member for entry in bundleimp.open_bundle(bundle).outer.entries if entry.member.name == name]
    data = bundle.read_bytes()
    for part in (200, member.packed_size // 2, member.packed_size - 1):
        bundle.write_bytes(flipped(data, 8 * (member.offset + 30 + len(name) + part)))
        result = run_file(executable, "-I", "-S", "-B", bundle, "three", status=1)
        message = f"{bundle}: its embedded runtime is damaged; copy the file again, or pack it anew\n"
        assert (result.stdout, result.stderr) == ("", message)
        assert any(finding.member == name for finding in bundleimp.open_bundle(bundle).verify())


def test_a_program_does_without_what_its_user_has_in_the_environment(tmp_path: Path) -> None:
    make_tree(tmp_path / "decoy", {"_bundleimp/__init__.py": "raise SystemExit('decoy')\n"})
    environment = clean_environment(PYTHONPATH=str(tmp_path / "decoy"), BUNDLEIMP_DISABLE="1")
    command = [sys.executable, str(program(tmp_path)), "three"]
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 3
