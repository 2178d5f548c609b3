"""Programs under names of any kind: renamed, linked, without the suffix; nothing of what works for bundles is lost."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp

from .builders import Tree, clean_environment, make_bundle, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .compiling import extension
from .programs import APP, PARALLEL, run_file
from .signing import allow, make_key, sign, signature_of

if TYPE_CHECKING:
    from pathlib import Path

# Without site-packages, and so without bundleimp.
BARE = (sys.executable, "-I", "-S")
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="the system starts no file by its first line")
needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen")
in_each_layout = pytest.mark.parametrize("layout", ["flat", "nested"])
alone_or_not = pytest.mark.parametrize("standalone", [False, True])

DATA: Tree = {
    "pkg/__init__.py": "",
    "pkg/text.txt": "text of pkg",
    "ns/portion/mod.py": "VALUE = 1\n",
    "ns/portion/deep.txt": "text of ns",
    "pkg/main.py": """
import importlib.metadata, importlib.resources, inspect, sys
import ns.portion.mod

def main():
    print(importlib.resources.files("pkg").joinpath("text.txt").read_text())
    print(importlib.resources.files("ns.portion").joinpath("deep.txt").read_text())
    print(importlib.metadata.version("app"), inspect.getsource(ns.portion.mod).strip())
    print(sys.modules["ns.portion.mod"].__loader__.__class__.__name__, ns.portion.mod.__file__)
""",
    "app-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: app\nVersion: 1.0\n",
}


def interpreter(*, standalone: bool) -> tuple[str, ...]:
    """Return the command of an interpreter, without bundleimp where the program does not need it."""
    return BARE if standalone else (sys.executable,)


def program(path: Path, entry_point: str = "app.cli:main", tree: Tree = APP, **options: Any) -> Path:
    return make_bundle(path, tree, entry_point=entry_point, **options)


@in_each_layout
@alone_or_not
def test_a_program_needs_no_suffix(tmp_path: Path, layout: str, standalone: bool) -> None:
    path = program(tmp_path / "greet", layout=layout, standalone=standalone)
    for given, folder in ((path, tmp_path), ("greet", tmp_path), (os.path.join(os.pardir, "greet"), tmp_path / "sub")):
        folder.mkdir(exist_ok=True)
        result = run_file(*interpreter(standalone=standalone), "-W", "error", given, "three", status=3, cwd=folder)
        assert (result.stdout, result.stderr) == ("main ['three']\n", "")
    assert bundleimp.open_bundle(path).verify() == []


@on_posix
@in_each_layout
@alone_or_not
@pytest.mark.parametrize("name", ["greet", "greet.pyz", "greet.pybundle.old", "größe x"])
def test_a_program_may_be_renamed_and_linked(tmp_path: Path, layout: str, standalone: bool, name: str) -> None:
    executable = f"{sys.executable} -IS" if standalone else sys.executable  # the system passes one option
    path = program(tmp_path / "a.pybundle", layout=layout, standalone=standalone, shebang=executable)
    path = path.rename(tmp_path / name)
    (tmp_path / "link").symlink_to(name)
    for given in (path, tmp_path / "link"):
        assert run_file(given, "three", status=3).stdout == "main ['three']\n"


@on_posix
@pytest.mark.parametrize("command", ["./greet", "greet", "./link", "link"])
def test_its_paths_lead_to_the_file_wherever_the_program_goes(tmp_path: Path, command: str) -> None:
    path = program(tmp_path / "greet", "app.cli:where", layout="nested", shebang=sys.executable)
    (tmp_path / "link").symlink_to(path)
    search = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    result = run_file("/bin/sh", "-c", f"exec {command}", cwd=tmp_path, PATH=search)
    first, spec, package, *paths = result.stdout.split()
    assert first == (command if "/" in command else str(tmp_path / command))
    assert (spec, package) == ("None", "None")
    assert paths == [str(path), str(path / "app" / "later.py"), str(path)]


@in_each_layout
@alone_or_not
def test_data_metadata_and_sources_are_found(tmp_path: Path, layout: str, standalone: bool) -> None:
    path = program(tmp_path / "greet", "pkg.main:main", DATA, layout=layout, standalone=standalone)
    result = run_file(*interpreter(standalone=standalone), "-W", "error", path)
    *lines, last = result.stdout.splitlines()
    assert lines == ["text of pkg", "text of ns", "1.0 VALUE = 1"]
    assert last.startswith("BundleLoader ")
    assert last.endswith(os.path.join("ns", "portion", "mod.py"))


@alone_or_not
def test_tracebacks_have_source_lines(tmp_path: Path, standalone: bool) -> None:
    path = program(tmp_path / "greet", "app.cli:fail", layout="nested", standalone=standalone)
    lines = run_file(*interpreter(standalone=standalone), path, status=1).stderr.splitlines()
    assert f'  File "{path / "app" / "cli.py"}", line 17, in fail' in lines
    assert '    raise ValueError("wrong")' in lines


@pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc")
@in_each_layout
@alone_or_not
def test_extension_modules_and_their_files_are_placed(tmp_path: Path, layout: str, standalone: bool) -> None:
    tree: Tree = {
        "pkg/__init__.py": "",
        "pkg/fast.abi3.so": extension(tmp_path, "fast", "7"),
        "pkg/main.py": "import os, pkg, pkg.fast\n\ndef main():\n"
        "    print(pkg.fast.value(), os.path.isfile(pkg.fast.__file__))\n",
    }
    path = program(tmp_path / "greet", "pkg.main:main", tree, layout=layout, standalone=standalone)
    assert run_file(*interpreter(standalone=standalone), path).stdout == "7 True\n"


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("entry_point", ["work.cli:main", "work.cli"])
@in_each_layout
@alone_or_not
def test_children_of_multiprocessing_import_from_it(
    tmp_path: Path, method: str, entry_point: str, layout: str, standalone: bool
) -> None:
    program(tmp_path / "work", entry_point, PARALLEL, layout=layout, standalone=standalone)
    command = interpreter(standalone=standalone)
    result = run_file(*command, "-W", "error", "work", method, cwd=tmp_path)
    assert (result.stdout, result.stderr) == ("[2] [3]\n8\n", "")


def test_all_of_it_can_be_unpacked(tmp_path: Path) -> None:
    tree = APP | {"app/cli.py": "import os\n\ndef main():\n    print(os.path.isfile(__file__), __file__)\n"}
    path = program(tmp_path / "greet", tree=tree, layout="nested")
    result = run_file(sys.executable, path, BUNDLEIMP_UNPACK="1", BUNDLEIMP_CACHE_DIR=str(tmp_path / "cache"))
    there, file = result.stdout.split()
    assert there == "True"
    assert file.startswith(str(tmp_path / "cache"))


@needs_ssh_keygen
@alone_or_not
def test_where_bundles_must_be_signed_so_must_programs_of_any_name(tmp_path: Path, standalone: bool) -> None:
    key = make_key(tmp_path / "key")
    signers = str(allow(tmp_path / "signers", {"release": key}))
    path = program(tmp_path / "greet", standalone=standalone)
    unsigned = run_file(sys.executable, path, "three", status=1, BUNDLEIMP_ALLOWED_SIGNERS=signers)
    assert (unsigned.stdout, unsigned.stderr) == (
        "",
        f"greet: {path}: is not signed: there is no signature at {signature_of(path)}\n",
    )
    sign(path, key)
    run_file(sys.executable, path, "three", status=3, BUNDLEIMP_ALLOWED_SIGNERS=signers)
    with path.open("r+b") as stream:
        stream.seek(100)
        stream.write(b"x")
    assert run_file(sys.executable, path, "three", status=1, BUNDLEIMP_ALLOWED_SIGNERS=signers).stdout == ""


def test_the_command_run_runs_it(tmp_path: Path) -> None:
    path = program(tmp_path / "greet", layout="nested")
    result = run_file(sys.executable, "-W", "error", "-m", "bundleimp", "run", path, "three", status=3)
    assert (result.stdout, result.stderr) == ("main ['three']\n", "")
    assert bundleimp_command("run", path, "-m", "app.names").stdout == "[]\n"


def test_another_bundle_on_the_path_is_not_disturbed(tmp_path: Path) -> None:
    """Also one whose path begins with that of the program."""
    tree = APP | {"app/cli.py": "import other\n\ndef main():\n    print(other.__file__)\n"}
    path = program(tmp_path / "greet", tree=tree, layout="nested")
    other = make_bundle(tmp_path / "greet.pybundle", {"other.py": ""}, layout="nested")
    folder = make_tree(tmp_path / "greet-folder", {"other.py": ""})
    for entry in (other, folder):
        result = run_file(sys.executable, path, PYTHONPATH=str(entry))
        assert result.stdout == f"{entry / 'other.py'}\n"


def test_only_programs_may_have_another_name(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"a.py": ""})
    message = "the name of a bundle must end in .pybundle; to make a program of any name, give -e NAME or --standalone"
    assert error_of("pack", source, tmp_path / "greet") == f"{tmp_path / 'greet'}: {message}"
    own = make_tree(tmp_path / "own", {"__main__.py": ""})
    assert error_of("pack", own, tmp_path / "greet", "--shebang") == (
        f"{tmp_path / 'greet'}: the name must end in .pybundle, because the program is the sources' own __main__ module"
    )
    assert not (tmp_path / "greet").exists()


@pytest.mark.parametrize("content", ["", "print('a script')\n", "x" * 10_000])
def test_a_program_replaces_no_file_but_a_bundle(tmp_path: Path, content: str) -> None:
    source = make_tree(tmp_path / "src", APP)
    present = tmp_path / "tool.py"
    present.write_text(content)
    message = error_of("pack", source, present, "-e", "app.cli:main")
    assert message.startswith(f"{present}: exists and is no bundle: remove it")
    assert present.read_text() == content
    present.unlink()
    for _ in range(2):
        bundleimp_command("pack", source, present, "-e", "app.cli:main")


def test_the_environment_of_the_user_is_kept(tmp_path: Path) -> None:
    tree = APP | {"app/cli.py": "import sys\nimport extra\n\ndef main():\n    print(extra.NAME, sys.path[1])\n"}
    path = program(tmp_path / "greet", tree=tree)
    folder = make_tree(tmp_path / "extra", {"extra.py": "NAME = 'extra'\n"})
    assert run_file(sys.executable, path, PYTHONPATH=str(folder)).stdout == f"extra {folder}\n"
    refused = run_python("-E", str(path), path=[folder], check=False)
    assert refused.stderr.endswith("ModuleNotFoundError: No module named 'extra'\n")
    assert "PYTHONPATH" not in clean_environment()


@in_each_layout
@alone_or_not
@pytest.mark.parametrize("options", [["-I"], ["-E", "-s"], ["-P"], ["-O"], ["-OO"], ["-X", "dev"], ["-B"]])
def test_options_of_the_interpreter(tmp_path: Path, layout: str, standalone: bool, options: list[str]) -> None:
    path = program(tmp_path / "greet", layout=layout, standalone=standalone)
    assert run_file(sys.executable, *options, "-W", "error", path, "three", status=3).stderr == ""
