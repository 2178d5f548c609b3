"""``pack`` from what people have: wheels, projects, requirements, lock files and virtual environments; no network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.inspection.extract import extract
from bundleimp.packing import installer
from bundleimp.packing.errors import PackError
from bundleimp.packing.inputs import sort_inputs

from .builders import Tree, clean_environment, make_tree, run_python
from .command_line import bundleimp_command, error_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions, links and programs")

# A build back end that lies in its project (PEP 517), so that nothing has to be downloaded to build it.
BACK_END = """
import os, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "proj-2.0-py3-none-any.whl"
    info = "proj-2.0.dist-info"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.writestr("proj/__init__.py", "built = True\\n")
        headers = "Metadata-Version: 2.1\\nName: proj\\nVersion: 2.0\\nRequires-Dist: dep\\n"
        wheel.writestr(f"{info}/METADATA", headers)
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        names = ["proj/__init__.py", *(f"{info}/{file}" for file in ("METADATA", "WHEEL", "RECORD"))]
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\\n" for name in names))
    return name
"""
PROJECT: Tree = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "back_end"\nbackend-path = ["."]\n',
    "back_end.py": BACK_END,
    "proj/__init__.py": "built = False\n",
    "notes.txt": "not in the wheel",
}


def make_wheel(
    folder: Path,
    name: str,
    tree: Mapping[str, str],
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    python: str = ">=3",
) -> Path:
    """Write a wheel of *tree*, with the ``dist-info`` that it needs, and return it."""
    info = f"{name}-{version}.dist-info"
    headers = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Requires-Python: {python}"]
    files = {
        **tree,
        f"{info}/METADATA": "\n".join([*headers, *(f"Requires-Dist: {other}" for other in requires), ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{member},,\n" for member in [*files, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
    return path


@pytest.fixture(name="index")
def _index(tmp_path: Path) -> Path:
    """Return a folder of wheels: ``app`` needs ``dep``, and has a program, data, and an entry point."""
    folder = tmp_path / "wheels"
    make_wheel(folder, "dep", {"dep/__init__.py": "name = 'dep'\n"})
    app = {
        "app/__init__.py": "import dep\n",
        "app/data.txt": "data\n",
        "app-1.0.data/data/share/app/page.html": "page\n",
        "app-1.0.data/scripts/app-tool": "#!python\nprint('tool')\n",
        "app-1.0.data/scripts/app-shell": "#!/bin/sh\necho shell\n",
        "app-1.0.dist-info/entry_points.txt": "[console_scripts]\napp = app:main\n[gui_scripts]\napp-win = app:main\n",
    }
    make_wheel(folder, "app", app, requires=["dep"])
    return folder


APP_MEMBERS = [
    *("app-1.0.dist-info/METADATA", "app-1.0.dist-info/RECORD", "app-1.0.dist-info/WHEEL"),
    *("app-1.0.dist-info/entry_points.txt", "app/__init__.py", "app/data.txt", "bin/app-shell", "bin/app-tool"),
    "share/app/page.html",
]
DEP_MEMBERS = [
    *("dep-1.0.dist-info/METADATA", "dep-1.0.dist-info/RECORD", "dep-1.0.dist-info/WHEEL", "dep/__init__.py"),
]


def offline(index: Path) -> list[str]:
    return ["--no-index", "--find-links", str(index)]


def packed(output: Path, sources: Sequence[Path] = (), **options: Any) -> dict[str, bytes]:
    """Pack, check the bundle, and return its members."""
    bundleimp.pack(sources, output, jobs=1, **options)
    bundle = bundleimp.open_bundle(output)
    assert bundle.verify() == []
    return {member.name: bundle.read(member.name) for member in bundle.members}


def recorded(record: bytes) -> list[str]:
    return [line.partition(",")[0] for line in record.decode().splitlines()]


def inputs_of(output: Path) -> list[str]:
    manifest = bundleimp.open_bundle(output).manifest
    assert manifest is not None
    names: list[str] = manifest["inputs"]
    return names


def test_a_wheel_gives_what_an_installer_lays_out_and_nothing_else(index: Path, tmp_path: Path) -> None:
    members = packed(tmp_path / "out.pybundle", [index / "app-1.0-py3-none-any.whl"])
    assert sorted(members) == APP_MEMBERS
    # RECORD names what is in the bundle: no generated program, no note of the installer's.
    assert recorded(members["app-1.0.dist-info/RECORD"]) == APP_MEMBERS
    assert inputs_of(tmp_path / "out.pybundle") == ["app-1.0-py3-none-any.whl"]


def test_programs_of_a_wheel_run_on_any_machine_and_may_be_executed(index: Path, tmp_path: Path) -> None:
    members = packed(tmp_path / "out.pybundle", [index / "app-1.0-py3-none-any.whl"])
    assert members["bin/app-tool"].splitlines() == [b"#!/usr/bin/env python3", b"print('tool')"]
    assert members["bin/app-shell"] == b"#!/bin/sh\necho shell\n"
    entries = bundleimp.open_bundle(tmp_path / "out.pybundle").entries()
    assert [entry.member.name for entry in entries if entry.mode & 0o100] == ["bin/app-shell", "bin/app-tool"]


def test_no_member_names_the_machine(index: Path, tmp_path: Path) -> None:
    members = packed(tmp_path / "out.pybundle", [index / "app-1.0-py3-none-any.whl"])
    for trace in (str(tmp_path), sys.executable, sys.prefix):
        assert [name for name, content in members.items() if trace.encode() in content] == []


def test_a_requirement_comes_with_what_it_needs(index: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.pybundle"
    bundleimp_command("pack", "--with", "app>=1", output, "--", *offline(index))
    assert [member.name for member in bundleimp.open_bundle(output).members] == sorted([*APP_MEMBERS, *DEP_MEMBERS])
    assert run_python("-c", "import app; print(app.dep.name)", path=[output]).stdout == "dep\n"
    assert inputs_of(output) == ["app>=1"]


def test_requirements_files_and_requirements_are_resolved_together(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "dep", {"dep/__init__.py": "name = 'newer'\n"}, version="2.0")
    make_tree(tmp_path, {"requirements.txt": "# ours\ndep<2\n", "more.txt": "app\n"})
    output = tmp_path / "out.pybundle"
    files = ["-r", "requirements.txt", "--requirement", "more.txt"]
    bundleimp_command("pack", *files, "--with", "app", output, "--", *offline(index), cwd=tmp_path)
    assert bundleimp.open_bundle(output).read("dep/__init__.py") == b"name = 'dep'\n"
    assert inputs_of(output) == ["app", "requirements.txt", "more.txt"]


def test_options_stand_anywhere_and_directories_beside_them(index: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, {"src/own.py": "", "two/other.py": ""})
    words = [*("src", "--with", "dep", "two", "--quiet", "out.pybundle"), "--", *offline(index)]
    bundleimp_command("pack", *words, cwd=tmp_path)
    names = [member.name for member in bundleimp.open_bundle(tmp_path / "out.pybundle").members]
    assert names == sorted([*DEP_MEMBERS, "own.py", "other.py"])


def test_words_after_the_dashes_go_to_the_installer(index: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.pybundle"
    bundleimp_command("pack", "--with", "app", output, "--", *offline(index), "--no-deps")
    assert [member.name for member in bundleimp.open_bundle(output).members] == APP_MEMBERS


def test_json_is_all_of_standard_output(index: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.pybundle"
    result = bundleimp_command("pack", "--json", "--with", "app", output, "--", *offline(index))
    assert json.loads(result.stdout)["members"] == len(APP_MEMBERS + DEP_MEMBERS)
    assert result.stderr == ""


def test_the_same_wheels_give_the_same_bytes(index: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.pybundle", tmp_path / "two.pybundle"
    words = ["--with", "app", "--", *offline(index)]
    bundleimp_command("pack", one, *words)
    bundleimp_command("pack", two, *words, cwd=index, TMPDIR=str(index), PYTHONHASHSEED="7")
    assert one.read_bytes() == two.read_bytes()


def test_a_wheel_and_the_same_from_an_index_give_the_same_members(index: Path, tmp_path: Path) -> None:
    wheels = packed(tmp_path / "one.pybundle", sorted(index.glob("*.whl")))
    resolved = packed(tmp_path / "two.pybundle", requirements=["app"], installer_options=offline(index))
    assert wheels == resolved


@needs_posix
def test_a_wheel_a_directory_of_the_same_files_and_an_environment_give_the_same_bytes(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "dep", {"dep/__init__.py": "name = 'dep'\n", "dep/data.txt": "data\n" * 50})
    bundles = {name: tmp_path / f"{name}.pybundle" for name in ("wheel", "directory", "environment")}
    bundleimp.pack([wheel], bundles["wheel"], jobs=1)
    # The manifest names each input: these two have the wheel's name.
    directory = tmp_path / "directory" / wheel.name
    extract(bundleimp.open_bundle(bundles["wheel"]), directory)
    bundleimp.pack([directory], bundles["directory"], jobs=1)
    environment = tmp_path / "environment" / wheel.name
    make_environment(environment, {})
    site = next(environment.glob("lib/*/site-packages"))
    pip = [*("-m", "pip", "install", "--quiet", "--no-index", "--no-deps"), "--disable-pip-version-check"]
    run_python(*pip, "--target", str(site), str(wheel))
    bundleimp.pack([], bundles["environment"], from_venv=environment, jobs=1)
    assert len({bundle.read_bytes() for bundle in bundles.values()}) == 1


def test_a_project_is_built_by_its_back_end_and_comes_alone(tmp_path: Path) -> None:
    project = make_tree(tmp_path / "project", PROJECT)
    # The bundle may lie in the project: its files are not read as they are.
    members = packed(project / "out.pybundle", [project])
    info = [f"proj-2.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")]
    assert sorted(members) == [*info, "proj/__init__.py"]
    assert members["proj/__init__.py"] == b"built = True\n"
    assert inputs_of(project / "out.pybundle") == ["project"]


def test_a_project_as_a_requirement_comes_with_what_it_needs(index: Path, tmp_path: Path) -> None:
    project = make_tree(tmp_path / "project", PROJECT)
    bundleimp_command("pack", "--with", ".", "out.pybundle", "--", *offline(index), cwd=project)
    names = {member.name for member in bundleimp.open_bundle(project / "out.pybundle").members}
    assert {"proj/__init__.py", "dep/__init__.py"} < names
    assert inputs_of(project / "out.pybundle") == ["project"]


def test_a_folder_whose_pyproject_names_no_project_gives_its_contents(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"pyproject.toml": "[tool.ruff]\n", "mod.py": ""})
    assert sorted(packed(tmp_path / "out.pybundle", [source])) == ["mod.py", "pyproject.toml"]


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("rich>=13; python_version > '3'", "rich>=13; python_version > '3'"),
        ("rich[jupyter]", "rich[jupyter]"),
        ("rich @ file:///home/somebody/rich-1.0-py3-none-any.whl", "rich @ rich-1.0-py3-none-any.whl"),
        ("rich[x] @ https://me:secret@host.example/a/rich-1.whl?token=secret#sha256=0", "rich[x] @ rich-1.whl"),
        ("git+https://me:secret@host.example/a/rich.git@v1", "rich.git@v1"),
        ("/home/somebody/rich-1.0-py3-none-any.whl", "rich-1.0-py3-none-any.whl"),
        ("./wheels/rich-1.0-py3-none-any.whl", "rich-1.0-py3-none-any.whl"),
        ("../rich/", "rich"),
    ],
)
def test_the_manifest_names_requirements_without_machines_and_people(requirement: str, name: str) -> None:
    assert sort_inputs([], [requirement], [], None, []).names == [name]


def make_environment(folder: Path, tree: Tree) -> Path:
    """Make a virtual environment without pip, and write *tree* into its site-packages folder; return it."""
    venv.create(folder, symlinks=os.name != "nt")
    (site,) = folder.glob("Lib/site-packages" if os.name == "nt" else "lib/*/site-packages")
    make_tree(site, tree)
    return folder


def installed(name: str, *files: str, direct_url: Mapping[str, Any] | None = None) -> Tree:
    """Return the ``dist-info`` folder that pip leaves for a distribution of these files."""
    info = f"{name}-1.0.dist-info"
    tree: Tree = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/INSTALLER": "pip\n",
    }
    if direct_url is not None:
        tree[f"{info}/direct_url.json"] = json.dumps(direct_url)
    record = "".join(f"{file},,\n" for file in [*files, *tree, f"{info}/RECORD"])
    return {**tree, f"{info}/RECORD": record}


def editable(name: str, folder: Path, *files: str) -> Tree:
    return installed(name, *files, direct_url={"url": folder.as_uri(), "dir_info": {"editable": True}})


@needs_posix
def test_an_environment_gives_what_is_installed_in_it(tmp_path: Path) -> None:
    lib = ["lib/__init__.py", "lib/__pycache__/__init__.cpython-311.pyc", "../../../bin/lib-tool", "../../../bin/lib"]
    tree: Tree = {
        "lib/__init__.py": "x = 'lib'\n",
        "single.py": "",
        "lib/__pycache__/__init__.cpython-311.pyc": b"",
        **installed("lib", *lib, "../../../share/lib/page.html"),
        "lib-1.0.dist-info/entry_points.txt": "[console_scripts]\nlib = lib:main\n",
    }
    environment = make_environment(tmp_path / "env", tree)
    interpreter = environment / "bin/python"
    for name in ("lib", "lib-tool"):
        make_tree(environment, {f"bin/{name}": f"#!{interpreter}\nimport lib\n", "share/lib/page.html": "page"})
        (environment / "bin" / name).chmod(0o755)
    members = packed(tmp_path / "out.pybundle", from_venv=environment)
    metadata = [f"lib-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "entry_points.txt")]
    assert sorted(members) == ["bin/lib-tool", *metadata, "lib/__init__.py", "share/lib/page.html", "single.py"]
    assert members["bin/lib-tool"] == b"#!/usr/bin/env python3\nimport lib\n"
    assert recorded(members["lib-1.0.dist-info/RECORD"]) == [
        *("bin/lib-tool", *metadata[:2], "lib/__init__.py", "share/lib/page.html"),
    ]
    assert inputs_of(tmp_path / "out.pybundle") == ["env"]
    assert run_python("-c", "import lib; print(lib.x)", path=[tmp_path / "out.pybundle"]).stdout == "lib\n"


def test_an_environment_of_windows_is_read_anywhere(tmp_path: Path) -> None:
    tree: Tree = {
        "Lib/site-packages/lib/__init__.py": "",
        **{f"Lib/site-packages/{name}": text for name, text in installed("lib", "../../Scripts/tool.exe").items()},
        "Lib/site-packages/lib-1.0.dist-info/entry_points.txt": "[console_scripts]\nlib = lib:main\n",
        "Scripts/tool.exe": b"MZ",
        "Scripts/lib.exe": b"MZ",
        "pyvenv.cfg": "home = C:\\Python311\nversion = 3.11.7\n",
    }
    members = packed(tmp_path / "out.pybundle", from_venv=make_tree(tmp_path / "env", tree))
    assert [name for name in members if ".dist-info" not in name] == ["bin/tool.exe", "lib/__init__.py"]


def test_an_environment_that_was_upgraded_gives_what_its_python_sees(tmp_path: Path) -> None:
    tree: Tree = {f"lib/python3.{minor}/site-packages/mod{minor}.py": "" for minor in (9, 11, 12)}
    environment = make_tree(tmp_path / "env", {**tree, "pyvenv.cfg": "version_info = 3.11.7.final.0\n"})
    assert sorted(packed(tmp_path / "out.pybundle", from_venv=environment)) == ["mod11.py"]


def test_editable_installs_are_followed(tmp_path: Path) -> None:
    project = {
        *("pkg/__init__.py", "pkg/mod.py", "tool.py", "README.md", "my-notes/a.txt", ".venv/pyvenv.cfg"),
        *("venv/pyvenv.cfg", "venv/lib/x.py", "pkg.egg-info/PKG-INFO"),
    }
    folder = make_tree(tmp_path / "project", dict.fromkeys(project, ""))
    tree: Tree = {"_pkg.pth": f"{folder}\n", "tool.py": "first = True\n", **editable("pkg", folder, "_pkg.pth")}
    environment = make_environment(tmp_path / "env", tree)
    report = bundleimp.pack([], tmp_path / "out.pybundle", from_venv=environment, jobs=1)
    assert report.warnings == []
    bundle = bundleimp.open_bundle(tmp_path / "out.pybundle")
    assert [member.name for member in bundle.members if ".dist-info" not in member.name] == [
        *("pkg/__init__.py", "pkg/mod.py", "tool.py"),
    ]
    # As on the environment's path, where site-packages comes first.
    assert bundle.read("tool.py") == b"first = True\n"
    assert not [name for name in (m.name for m in bundle.members) if str(tmp_path).encode() in bundle.read(name)]


def test_an_editable_install_that_runs_code_is_one_warning_that_names_the_file(tmp_path: Path) -> None:
    files = {"__editable__pkg.pth": "import _pkg_finder; _pkg_finder.install()\n", "_pkg_finder.py": "MAPPING = {}\n"}
    tree: Tree = {**files, "kept.py": "", **editable("pkg", tmp_path, *files)}
    environment = make_environment(tmp_path / "env", tree)
    report = bundleimp.pack([], tmp_path / "out.pybundle", from_venv=environment, jobs=1)
    (warning,) = report.warnings
    assert Path(warning.member).name == "__editable__pkg.pth"
    assert "editable install" in warning.message
    names = [member.name for member in bundleimp.open_bundle(tmp_path / "out.pybundle").members]
    assert [name for name in names if ".dist-info" not in name] == ["kept.py"]


def test_a_path_file_that_names_its_own_folder_adds_nothing(tmp_path: Path) -> None:
    tree: Tree = {"self.pth": ".\n", "lib.py": "", **installed("lib", "lib.py", direct_url={"url": "file:///x.whl"})}
    members = packed(tmp_path / "out.pybundle", from_venv=make_environment(tmp_path / "env", tree))
    assert sorted(members) == ["lib-1.0.dist-info/METADATA", "lib-1.0.dist-info/RECORD", "lib.py"]


def test_a_reference_to_a_folder_that_is_gone_is_a_warning(tmp_path: Path) -> None:
    tree: Tree = {"old.pth": f"{tmp_path / 'gone'}\n", "lib.py": ""}
    environment = make_environment(tmp_path / "env", tree)
    report = bundleimp.pack([], tmp_path / "out.pybundle", from_venv=environment, jobs=1)
    (warning,) = report.warnings
    assert warning.message == f"names {tmp_path / 'gone'}, which is not a directory; the line is left out"


def test_what_belongs_to_the_environment_itself_is_left_out_without_a_word(tmp_path: Path) -> None:
    tree: Tree = {
        "_virtualenv.pth": "import _virtualenv",
        "_virtualenv.py": "",
        "gone.pth": "# a comment\n\n",
        "lib.py": "",
        **installed("lib", "lib.py"),
    }
    environment = make_environment(tmp_path / "env", tree)
    report = bundleimp.pack([], tmp_path / "out.pybundle", from_venv=environment, jobs=1)
    assert report.warnings == []
    names = [member.name for member in bundleimp.open_bundle(tmp_path / "out.pybundle").members]
    assert [name for name in names if ".dist-info" not in name] == ["lib.py"]


def test_an_environment_and_its_copy_give_the_same_bytes(tmp_path: Path) -> None:
    outputs = [tmp_path / "one.pybundle", tmp_path / "two.pybundle"]
    for output, folder in zip(outputs, ("a", "b"), strict=True):
        make_environment(tmp_path / folder / "env", {"lib.py": "", **installed("lib", "lib.py")})
        packed(output, from_venv=tmp_path / folder / "env")
    assert outputs[0].read_bytes() == outputs[1].read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.whl", "out.pybundle"], "gone.whl: this source cannot be read"),
        (["-r", "gone.txt", "out.pybundle"], "gone.txt: this requirements file cannot be read"),
        (["--with", "", "out.pybundle"], "is not a requirement"),
        (["--with=-e.", "out.pybundle"], "is not a requirement; give options of the installer after --"),
        (["--from-venv", "src", "out.pybundle"], "src: is not a virtual environment: there is no pyvenv.cfg in it"),
        (["--from-venv", "empty", "out.pybundle"], "empty: has no site-packages folder"),
        (["bad", "out.pybundle"], "pyproject.toml: is not valid TOML"),
        (["src", "out.pybundle", "--", "--no-index"], "there is nothing to install"),
        (["--with", "dep", "--python", "no-such-python", "out.pybundle"], "no-such-python: this interpreter cannot"),
        (["out.pybundle"], "give a SOURCE, -r, --with or --from-venv"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_and_leaves_the_output_untouched(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    files = {"src/mod.py": "", "bad/pyproject.toml": "[project", "empty/pyvenv.cfg": "", "out.pybundle": "before"}
    make_tree(tmp_path, dict(files))
    assert message in error_of("pack", *arguments, cwd=tmp_path)
    assert (tmp_path / "out.pybundle").read_text() == "before"


@pytest.mark.parametrize(
    ("word", "said"),
    [("--with=nothing-of-that-name", "nothing-of-that-name"), ("broken-1.0-py3-none-any.whl", "broken")],
)
def test_what_the_installer_says_reaches_the_user_in_one_line(
    index: Path, tmp_path: Path, word: str, said: str
) -> None:
    make_tree(tmp_path, {"broken-1.0-py3-none-any.whl": "this is no wheel", "out.pybundle": "before"})
    folder = make_tree(tmp_path / "tmp", {})
    options = ["pack", word, "--installer", "pip", "out.pybundle", "--", *offline(index)]
    error = error_of(*options, cwd=tmp_path, TMPDIR=str(folder))
    assert error.startswith("pip failed: ")
    assert said in error
    assert (tmp_path / "out.pybundle").read_text() == "before"
    assert os.listdir(folder) == []


def test_two_versions_of_one_distribution_are_an_error_that_names_both(index: Path, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "dep", {"dep/__init__.py": ""}, version="3.0")
    with pytest.raises(PackError, match=r"dep: .* version 3\.0, and .* version 1\.0"):
        packed(tmp_path / "out.pybundle", [wheel], requirements=["app"], installer_options=offline(index))


def test_a_clash_with_what_was_installed_names_no_folder_that_is_gone(index: Path, tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"dep/__init__.py": "mine = True\n"})
    wheel = index / "dep-1.0-py3-none-any.whl"
    with pytest.raises(PackError) as caught:
        packed(tmp_path / "out.pybundle", [wheel, source])
    assert str(caught.value).startswith("dep/__init__.py: dep/__init__.py of the sources and ")
    members = packed(tmp_path / "out.pybundle", [wheel, source], on_conflict="last")
    assert members["dep/__init__.py"] == b"mine = True\n"


@pytest.mark.parametrize("number", [1, 2])
def test_on_conflict_goes_by_the_order_of_the_sources(index: Path, tmp_path: Path, number: int) -> None:
    source = make_tree(tmp_path / "src", {"dep/__init__.py": "mine = True\n"})
    wheel = index / "dep-1.0-py3-none-any.whl"
    sources = [wheel, source, wheel][number - 1 : number + 1]
    members = packed(tmp_path / "out.pybundle", sources, on_conflict="first")
    assert members["dep/__init__.py"] == [b"name = 'dep'\n", b"mine = True\n"][number - 1]


@pytest.fixture(name="bare", scope="module")
def _bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment without pip."""
    folder = tmp_path_factory.mktemp("bare") / "env"
    venv.create(folder, symlinks=os.name != "nt")
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test_an_interpreter_without_pip_is_served_by_ours(bare: Path, index: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.pybundle"
    members = packed(output, requirements=["app"], python=[str(bare)], installer_options=offline(index))
    assert sorted(members) == sorted([*APP_MEMBERS, *DEP_MEMBERS])


def pack_without_pip(bare: Path, *arguments: str | Path, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run ``pack`` with an interpreter that has no pip, and *path* for what else may be found."""
    return subprocess.run(
        [bare, "-m", "bundleimp", "pack", *arguments],
        env=clean_environment(PYTHONPATH=str(Path(bundleimp.__file__).parent.parent), PATH=path),
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_installer_at_all_is_an_error_that_says_what_to_do(bare: Path, tmp_path: Path) -> None:
    result = pack_without_pip(bare, "--with", "app", tmp_path / "out.pybundle")
    assert result.returncode == 2
    assert result.stderr.startswith("bundleimp: error: ")
    assert result.stderr.endswith("has no pip, and there is no uv: run `python -m ensurepip` with it, or install uv\n")


LOCK = 'lock-version = "1.0"\ncreated-by = "a test"\npackages = []\n'
# Says what it was asked, and lays a module out.
UV = """#!{python}
import pathlib, sys
print(*sys.argv[1:], file=sys.stderr)
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
target.mkdir()
(target / f"mod_{{len(sys.argv)}}.py").touch()
(target / ".lock").touch()
"""


@needs_posix
@pytest.mark.parametrize("name", ["pylock.toml", "pylock.dev.toml"])
def test_a_lock_file_goes_to_an_installer_that_can_read_it_in_a_call_of_its_own(
    bare: Path, tmp_path: Path, name: str
) -> None:
    make_tree(tmp_path, {name: LOCK, "bin/uv": UV.format(python=sys.executable)})
    (tmp_path / "bin/uv").chmod(0o755)
    output = tmp_path / "out.pybundle"
    words = ["--with", "app", "-r", str(tmp_path / name), str(output), "--", "--offline"]
    result = pack_without_pip(bare, *words, path=str(tmp_path / "bin"))
    assert result.returncode == 0, result.stderr
    calls = [line.split() for line in result.stderr.splitlines()]
    assert [call[:3] for call in calls] == [["pip", "install", "--python"]] * 2
    assert [call[6:] for call in calls] == [
        ["--quiet", "app", "--offline"],
        ["--quiet", "--requirement", str(tmp_path / name), "--offline"],
    ]
    assert inputs_of(output) == ["app", name]
    # uv's own lock, in the folder that it installs into, is not packed.
    assert all(member.name.startswith("mod_") for member in bundleimp.open_bundle(output).members)


def test_a_lock_file_that_no_installer_can_read_is_an_error_that_says_what_to_do(bare: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, {"pylock.toml": LOCK})
    result = pack_without_pip(bare, "-r", tmp_path / "pylock.toml", tmp_path / "out.pybundle")
    assert result.returncode == 2
    message = "a lock file needs pip 26.1 or newer, or uv: install one of them\n"
    assert result.stderr == f"bundleimp: error: {tmp_path / 'pylock.toml'}: {message}"


@pytest.mark.skipif(installer.find_uv(sys.executable) is None, reason="uv is not installed")
def test_a_real_lock_file_is_installed_by_uv(index: Path, tmp_path: Path) -> None:
    package = '[[packages]]\nname = "dep"\nversion = "1.0"\n[[packages.wheels]]\nname = "dep-1.0-py3-none-any.whl"\n'
    text = LOCK.replace("packages = []\n", "") + package + f'path = "{index.as_posix()}/dep-1.0-py3-none-any.whl"\n'
    make_tree(tmp_path, {"pylock.toml": text + "hashes = {}\n"})
    members = packed(tmp_path / "out.pybundle", requirement_files=[tmp_path / "pylock.toml"])
    assert sorted(members) == DEP_MEMBERS


def test_a_wheel_loses_nothing_that_would_be_litter_elsewhere(tmp_path: Path) -> None:
    tree = {"template/__init__.py": "", "template/new/.gitignore": "*.log\n", "template/new/CVS/notes": "x"}
    members = packed(tmp_path / "out.pybundle", [make_wheel(tmp_path / "wheels", "template", tree)])
    assert set(tree) <= set(members)


def test_the_manifest_has_no_secrets_of_addresses() -> None:
    assert sort_inputs([], [], ["https://host/list.txt?token=secret#x"], None, []).names == ["list.txt"]
