"""Executables: a bundle with an entry point runs as a program where bundleimp is installed."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.runson import TOO_OLD

from .builders import clean_environment, make_bundle, run_python
from .command_line import bundleimp_command, error_of
from .programs import APP, PARALLEL, run_file

if TYPE_CHECKING:
    from pathlib import Path

LAYOUTS = ("flat", "nested")
in_each_layout = pytest.mark.parametrize("layout", LAYOUTS)
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="the system starts no file by its first line")


def program(folder: Path, entry_point: str = "app.cli:main", **options: Any) -> Path:
    return make_bundle(folder / "app.pybundle", APP, entry_point=entry_point, **options)


@in_each_layout
@pytest.mark.parametrize(
    ("argument", "status", "stderr"), [("none", 0, ""), ("three", 3, ""), ("text", 1, "a last word\n"), ("true", 1, "")]
)
def test_what_the_function_returns_is_the_exit_status(
    tmp_path: Path, layout: str, argument: str, status: int, stderr: str
) -> None:
    result = run_file(sys.executable, "-W", "error", program(tmp_path, layout=layout), argument, "-x", status=status)
    assert (result.stdout, result.stderr) == (f"main ['{argument}', '-x']\n", stderr)


@in_each_layout
def test_an_exception_shows_the_lines_that_led_to_it(tmp_path: Path, layout: str) -> None:
    bundle = program(tmp_path, "app.cli:fail", layout=layout)
    result = run_file(sys.executable, bundle, status=1)
    lines = [line.strip() for line in result.stderr.splitlines()]
    assert lines[-1] == "ValueError: wrong"
    assert 'raise ValueError("wrong")' in lines
    files = [line.split('"')[1] for line in lines if line.startswith("File ")]
    assert files == [os.path.join(bundle, "app", "cli.py")]


@pytest.mark.parametrize(
    ("entry_point", "resolved", "stdout", "status"),
    [
        ("app.module", "app.module", "__main__ app app.module app/module.py ['x']\n", 4),
        ("app", "app.__main__", "__main__ ['{bundle}', 'x']\n", 0),
        ("app.names", "app.names", "[]\n", 0),
        ("app.cli:Commands.status", "app.cli:Commands.status", "", 5),
        (" app.cli : main ", "app.cli:main", "main ['x']\n", 1),
        ("show-app", "app.cli:main", "main ['x']\n", 1),
        ("app-extra", "app.cli:main", "main ['x']\n", 1),
        ("show-gui", "app.cli:Commands.status", "", 5),
    ],
)
def test_an_entry_point_is_a_function_a_module_or_a_script(
    tmp_path: Path, entry_point: str, resolved: str, stdout: str, status: int
) -> None:
    bundle = program(tmp_path, entry_point)
    assert (bundleimp.open_bundle(bundle).manifest or {})["entry_point"] == resolved
    result = run_python(str(bundle), "x", check=False)
    assert (result.returncode, result.stdout) == (status, stdout.format(bundle=bundle))


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        ("app.clj:main", "app.clj:main: no module app.clj is packed; did you mean app.cli?"),
        ("nothing:main", "nothing:main: no module nothing is packed"),
        ("os.path:join", "os.path:join: no module os.path is packed"),
        ("app.latter", "'app.latter' is neither a module nor a console script in the bundle; did you mean app.later?"),
        (
            "shw-app",
            "'shw-app' is no console script that is packed, and not PKG.MOD or PKG.MOD:FUNC; did you mean show-app?",
        ),
        ("app:", "'app:' is no console script that is packed, and not PKG.MOD or PKG.MOD:FUNC"),
        ("1:2", "'1:2' is no console script that is packed, and not PKG.MOD or PKG.MOD:FUNC"),
        ("", "'' is no console script that is packed, and not PKG.MOD or PKG.MOD:FUNC"),
    ],
)
def test_an_entry_point_that_is_not_there_is_an_error(tmp_path: Path, entry_point: str, message: str) -> None:
    with pytest.raises(bundleimp.BundleError) as caught:
        program(tmp_path, entry_point)
    assert str(caught.value) == f"entry point: {message}"
    assert not (tmp_path / "app.pybundle").exists()


def test_a_package_without_a_main_module_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(bundleimp.BundleError, match="pkg is a package without a __main__ module"):
        make_bundle(tmp_path / "app.pybundle", {"pkg/__init__.py": ""}, entry_point="pkg")


@pytest.mark.parametrize("name", ["__main__.py", "__main__/__init__.py", "__main__.pyc", "__MAIN__.py"])
def test_a_main_module_of_the_sources_and_an_entry_point_do_not_go_together(tmp_path: Path, name: str) -> None:
    with pytest.raises(bundleimp.BundleError) as caught:
        make_bundle(tmp_path / "app.pybundle", {"a.py": "", name: ""}, entry_point="a")
    assert str(caught.value).startswith(f"{name}: would be where the entry point's own __main__.py goes")


def test_an_interpreter_and_a_main_module_of_the_sources_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(bundleimp.BundleError, match=r"would be where the __main__\.py of --standalone goes"):
        make_bundle(tmp_path / "app.pybundle", {"a.py": "", "__main__.py": ""}, standalone=True)


@on_posix
@in_each_layout
def test_the_file_runs_by_itself(tmp_path: Path, layout: str) -> None:
    bundle = program(tmp_path, layout=layout, shebang=sys.executable)
    assert run_file(bundle, "three", status=3).stdout == "main ['three']\n"


@on_posix
@pytest.mark.parametrize("command", ["./app.pybundle", "app.pybundle", "./link", "link"])
def test_the_file_runs_by_every_name_and_wherever_it_goes(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    bundle = program(tmp_path, "app.cli:where", layout="nested", shebang=sys.executable)
    (folder / "app.pybundle").symlink_to(bundle)
    (folder / "link").symlink_to(bundle)
    result = run_file(
        *("/bin/sh", "-c", f"exec {command}"), cwd=folder, PATH=os.pathsep.join([str(folder), os.environ["PATH"]])
    )
    first, spec, package, file, later, entry = result.stdout.split()
    assert first == (command if "/" in command else str(folder / command))
    assert (spec, package) == ("None", "None")
    place = bundle if "link" in command else folder / "app.pybundle"
    assert os.path.normpath(file) == os.path.normpath(entry) == str(place)
    assert os.path.normpath(later) == str(place / "app" / "later.py")


@in_each_layout
@pytest.mark.parametrize("options", [["-P"], ["-I"], ["-O"], ["-s", "-E"]])
def test_options_of_the_interpreter(tmp_path: Path, layout: str, options: list[str]) -> None:
    assert run_file(sys.executable, *options, program(tmp_path, layout=layout), "three", status=3).stderr == ""


@in_each_layout
def test_run_goes_through_the_entry_point(tmp_path: Path, layout: str) -> None:
    bundle = program(tmp_path, layout=layout)
    result = run_python("-W", "error", "-m", "bundleimp", "run", str(bundle), "three", check=False)
    assert (result.returncode, result.stdout, result.stderr) == (3, "main ['three']\n", "")
    result = run_python("-W", "error", "-m", "bundleimp", "run", str(bundle), "-m", "app.module", "x", check=False)
    assert (result.returncode, result.stdout) == (4, "__main__ app app.module app/module.py ['x']\n")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("entry_point", ["work.cli:main", "work.cli"])
def test_child_processes_import_from_the_bundle(tmp_path: Path, layout: str, method: str, entry_point: str) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", PARALLEL, layout=layout, entry_point=entry_point)
    result = run_python("-W", "error", "app.pybundle", method, cwd=bundle.parent)
    assert (result.stdout, result.stderr) == ("[2] [3]\n8\n", "")


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@on_posix
@pytest.mark.parametrize(
    ("options", "mask", "mode"),
    [
        ({"entry_point": "app"}, 0o022, 0o755),
        ({"entry_point": "app"}, 0o077, 0o700),
        ({"shebang": "/bin/python"}, 0o027, 0o750),
        ({"entry_point": "app", "shebang": ""}, 0o022, 0o755),
        ({}, 0o022, 0o644),
        ({"shebang": ""}, 0o022, 0o644),
    ],
)
def test_who_may_read_a_program_may_run_it(tmp_path: Path, options: dict[str, Any], mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        bundle = make_bundle(tmp_path / "app.pybundle", APP, **options)
    finally:
        os.umask(before)
    assert permissions(bundle) == mode


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"entry_point": "app"}, b"#!/usr/bin/env python3\n" + TOO_OLD + b"PK"),
        ({"entry_point": "app", "shebang": "/opt/python -I"}, b"#!/opt/python -I\n" + TOO_OLD + b"PK"),
        ({"entry_point": "app", "shebang": ""}, b"PK"),
        ({"shebang": "/opt/größe"}, "#!/opt/größe\n".encode() + TOO_OLD + b"PK"),
        ({}, b"PK"),
    ],
)
@in_each_layout
def test_the_first_line(tmp_path: Path, layout: str, options: dict[str, Any], line: bytes) -> None:
    bundle = make_bundle(tmp_path / "app.pybundle", APP, layout=layout, **options)
    assert bundle.read_bytes().startswith(line)
    assert bundleimp.open_bundle(bundle).verify() == []
    assert run_python("-c", "import app.later", path=[bundle]).stderr == ""


def test_a_first_line_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(bundleimp.BundleError, match="a shebang is one line"):
        program(tmp_path, shebang="/bin/python\nrm")


@in_each_layout
@pytest.mark.parametrize("standalone", [False, True])
def test_other_tools_read_a_program(tmp_path: Path, layout: str, standalone: bool) -> None:
    bundle = program(tmp_path, layout=layout, standalone=standalone)
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "__main__.py"
    unzip = shutil.which("unzip")
    if unzip is not None:
        result = subprocess.run([unzip, "-t", bundle], capture_output=True, text=True, check=False)
        assert (result.returncode, "warning" in result.stdout + result.stderr) == (0, False)


@in_each_layout
@pytest.mark.parametrize("standalone", [False, True])
def test_the_same_program_gives_the_same_bytes(tmp_path: Path, layout: str, standalone: bool) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (
        program(folder, layout=layout, standalone=standalone, jobs=jobs) for jobs, folder in enumerate(folders, 1)
    )
    one_bytes, two_bytes = (path.read_bytes() for path in (one, two))
    assert one_bytes.replace(b"app.pybundle.source", b"") == two_bytes.replace(b"app.pybundle.source", b"")


def test_without_an_entry_point_the_manifest_names_none_of_this(tmp_path: Path) -> None:
    manifest = bundleimp.open_bundle(make_bundle(tmp_path / "out.pybundle", APP)).manifest or {}
    assert manifest["entry_point"] is None
    assert not {"standalone", "shebang"} & manifest.keys()


def test_info_tells_of_the_program(tmp_path: Path) -> None:
    tag = sys.implementation.cache_tag
    lines = bundleimp_command("info", program(tmp_path)).stdout.splitlines()
    assert "program: app.cli:main" in lines
    lines = bundleimp_command("info", program(tmp_path, standalone=True)).stdout.splitlines()
    assert f"program: app.cli:main, standalone (bytecode of the runtime: {tag})" in lines


def test_a_program_extracts_to_its_members(tmp_path: Path) -> None:
    bundle = program(tmp_path, layout="nested")
    bundleimp_command("extract", bundle, tmp_path / "out")
    result = run_file(sys.executable, tmp_path / "out", "three", status=3)
    assert result.stdout == "main ['three']\n"


@on_posix
def test_the_command_line_makes_programs(tmp_path: Path) -> None:
    program(tmp_path)
    source, output = tmp_path / "app.pybundle.source", tmp_path / "tool.pybundle"
    bundleimp_command("pack", source, output, "-e", "show-app", "--shebang", sys.executable, "--standalone")
    assert run_file(output, "three", status=3).stdout == "main ['three']\n"
    bundleimp_command("pack", source, output, "--entry-point", "show-app", "--shebang")
    assert output.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    message = "entry point: 'ap' is neither a module nor a console script in the bundle; did you mean app?"
    assert error_of("pack", source, output, "-e", "ap") == message


def test_the_program_is_in_the_environment_of_its_user(tmp_path: Path) -> None:
    bundle = program(tmp_path, "app.cli:runtime")
    environment = clean_environment(BUNDLEIMP_DISABLE="1")
    result = subprocess.run([sys.executable, bundle], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout == "bundleimp\n"
