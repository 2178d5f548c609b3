"""``pack --project``: what a project needs, by its lock file or its metadata; and the installer that is taken."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.packing import installer
from bundleimp.packing.errors import PackError
from bundleimp.packing.project import read_project

from .builders import Tree, make_tree, run_python
from .command_line import bundleimp_command, error_of
from .test_pack_inputs import BACK_END, inputs_of, make_wheel, needs_posix, offline

if TYPE_CHECKING:
    from pathlib import Path

needs_uv = pytest.mark.skipif(installer.find_uv(sys.executable) is None, reason="uv is not installed")

PYPROJECT = """
[build-system]
requires = []
build-backend = "back_end"
backend-path = ["."]

[project]
name = "proj"
version = "2.0"
dependencies = ["dep"]
requires-python = ">=3.11"

[project.optional-dependencies]
all = ["Proj[one]", "other"]
one = ["single"]

[dependency-groups]
web = ["other", {include-group = "base"}]
base = ["single"]
dev = ["nothing-that-there-is"]
"""
# An editable wheel (PEP 660) is a reference to the project.
EDITABLE = """
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = build_wheel(wheel_directory)
    with zipfile.ZipFile(os.path.join(wheel_directory, name)) as wheel:
        files = {file: wheel.read(file) for file in wheel.namelist()}
    del files["proj/__init__.py"]
    files["proj.pth"] = os.getcwd().encode()
    files["proj-2.0.dist-info/RECORD"] = "".join(f"{file},,\\n" for file in files).encode()
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for file, content in files.items():
            wheel.writestr(file, content)
    return name
"""
TREE: Tree = {"pyproject.toml": PYPROJECT, "back_end.py": BACK_END + EDITABLE, "proj/__init__.py": "built = False\n"}


@pytest.fixture(name="index")
def _index(tmp_path: Path) -> Path:
    """Return a folder of wheels: dep, other and single."""
    folder = tmp_path / "wheels"
    for name in ("dep", "other", "single"):
        make_wheel(folder, name, {f"{name}/__init__.py": f"name = {name!r}\n"})
    return folder


def tops(bundle: Path) -> list[str]:
    """Return the packages in a bundle."""
    names = {member.name.partition("/")[0] for member in bundleimp.open_bundle(bundle).members}
    return sorted(name for name in names if ".dist-info" not in name)


def pack_project(project: Path, index: Path, *words: str) -> Path:
    output = project / "out.pybundle"
    bundleimp_command("pack", "--project", ".", *words, "out.pybundle", "--", *offline(index), cwd=project)
    return output


def test_a_project_without_a_lock_file_comes_with_what_its_metadata_says(index: Path, tmp_path: Path) -> None:
    output = pack_project(make_tree(tmp_path / "proj", TREE), index)
    assert tops(output) == ["dep", "proj"]
    assert run_python("-c", "import proj, dep; print(proj.built)", path=[output]).stdout == "True\n"
    assert inputs_of(output) == ["proj"]


def test_the_project_may_be_named_by_its_file_and_the_output_left_out(index: Path, tmp_path: Path) -> None:
    project = make_tree(tmp_path / "proj", TREE)
    bundleimp_command("pack", "--project", project / "pyproject.toml", "--", *offline(index), cwd=tmp_path)
    assert tops(project / "dist/proj.pybundle") == ["dep", "proj"]


def test_groups_come_only_if_they_are_named(index: Path, tmp_path: Path) -> None:
    output = pack_project(make_tree(tmp_path / "proj", TREE), index, "--group", "web")
    assert tops(output) == ["dep", "other", "proj", "single"]


def test_sources_take_the_place_of_a_build(index: Path, tmp_path: Path) -> None:
    project = make_tree(tmp_path / "proj", {**TREE, "src/mod.py": ""})
    settings = f"{PYPROJECT}\n[tool.bundleimp]\nsources = ['src', 'proj']\nextras = ['all']\n"
    output = pack_project(make_tree(project, {"pyproject.toml": settings}), index)
    assert tops(output) == ["dep", "mod.py", "other", "proj", "single"]
    assert bundleimp.open_bundle(output).read("proj/__init__.py") == b"built = False\n"


def test_pack_as_a_function_takes_a_project_too(index: Path, tmp_path: Path) -> None:
    project = make_tree(tmp_path / "proj", {**TREE, "pyproject.toml": PYPROJECT + "\n[tool.bundleimp]\nwrong = 1\n"})
    options = offline(index)
    bundleimp.pack([], tmp_path / "out.pybundle", project=project, groups=["base"], installer_options=options, jobs=1)
    assert tops(tmp_path / "out.pybundle") == ["dep", "proj", "single"]


def test_extras_that_name_the_project_itself_are_followed() -> None:
    project = read_project(PYPROJECT.encode(), "pyproject.toml")
    assert project.requirements(["ALL"]) == ["dep", "single", "other"]
    assert project.group("Web") == ["other", "single"]


def test_markers_of_an_extra_hold_for_what_it_brings() -> None:
    table = "[project]\nname = 'a'\n[project.optional-dependencies]\nx = [\"a[y]; os_name == 'nt'\", 'a[x]']\n"
    project = read_project(f"{table}y = ['b', \"c; python_version > '3'\"]\n".encode(), "")
    assert project.requirements(["x"]) == [
        "b ; os_name == 'nt'",
        "c ; (python_version > '3') and (os_name == 'nt')",
    ]


@pytest.mark.parametrize(
    ("words", "changed", "message"),
    [
        (["--extra", "on"], {}, "proj/pyproject.toml: the project has no extra 'on'; did you mean one?"),
        (["--group", "wob"], {}, "proj/pyproject.toml: the project has no dependency group 'wob'; did you mean web?"),
        (
            ["--group", "g"],
            {"pyproject.toml": "[project]\nname = 'a'\n[dependency-groups]\ng = [{include-group = 'g'}]\n"},
            "the dependency group 'g' includes itself",
        ),
        (
            ["--group", "g"],
            {"pyproject.toml": "[project]\nname = 'a'\n[dependency-groups]\ng = [3]\n"},
            "the dependency group 'g' has an item that is no requirement and no include-group",
        ),
        (
            [],
            {"pyproject.toml": "[project]\nname = 'a'\n[tool.uv]\npackage = false\n"},
            "there is nothing to build here: name the code in [tool.bundleimp], sources = [...], or as SOURCE",
        ),
        (
            ["proj"],
            {"pyproject.toml": "[project]\nname = 'a'\ndynamic = ['dependencies']\n"},
            "its dependencies are dynamic, so only a build knows them",
        ),
    ],
)
def test_what_a_project_lacks_is_one_line(tmp_path: Path, words: list[str], changed: Tree, message: str) -> None:
    make_tree(tmp_path / "proj", {**TREE, **changed})
    make_tree(tmp_path, {"out.pybundle": "before"})
    assert message in error_of("pack", "--project", "proj", *words, "out.pybundle", cwd=tmp_path)
    assert (tmp_path / "out.pybundle").read_text() == "before"


def test_a_project_that_cannot_be_built_without_a_build_system_is_told_what_to_do(tmp_path: Path) -> None:
    tree: Tree = {"pyproject.toml": "[project]\nname = 'a'\nversion = '1'\n", "one/x.py": "", "two/x.py": ""}
    make_tree(tmp_path, tree)
    words = ["pack", "--project", ".", "out.pybundle", "--", "--no-index"]
    last = bundleimp_command(*words, status=2, cwd=tmp_path).stderr.splitlines()[-1]
    assert last.endswith("there is no [build-system]: name the code in [tool.bundleimp], sources = [...], or as SOURCE")


# What uv writes of its calls.
FAKE_UV = """#!{python}
import os, pathlib, sys
words = sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    print(*words, file=calls)
if words[0] == "export":
    pathlib.Path(words[words.index("--output-file") + 1]).write_text('lock-version = "1.0"')
else:
    target = pathlib.Path(words[words.index("--target") + 1])
    target.mkdir()
    (target / f"mod{{len(words)}}.py").touch()
"""


@pytest.fixture(name="fake_uv")
def _fake_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a uv on PATH that writes what it is asked to the file that this returns."""
    make_tree(tmp_path / "bin", {"uv": FAKE_UV.format(python=sys.executable)})
    (tmp_path / "bin/uv").chmod(0o755)
    which = shutil.which

    def found(name: str, mode: int = os.F_OK | os.X_OK, path: str | None = None) -> str | None:
        return str(tmp_path / "bin/uv") if name == "uv" else which(name, mode, path)

    monkeypatch.setattr("shutil.which", found)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("UV_FROZEN", raising=False)
    return tmp_path / "calls"


@needs_posix
def test_uv_comes_first(tmp_path: Path, fake_uv: Path) -> None:
    bundleimp.pack([], tmp_path / "out.pybundle", requirements=["dep"], installer_options=["--pre"], jobs=1)
    (call,) = [line.split() for line in fake_uv.read_text().splitlines()]
    assert call[:4] == ["pip", "install", "--python", sys.executable]
    assert call[6:] == ["--quiet", "dep", "--pre"]


def test_uv_may_be_a_module_of_either_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    make_tree(tmp_path, {"uv/__init__.py": ""})
    module = (sys.executable, "-P", "-m", "uv")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        assert installer.find_uv("no-such-python") == module
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert installer.find_uv(sys.executable) == module


def test_pip_may_be_chosen(index: Path, tmp_path: Path, fake_uv: Path) -> None:
    options = offline(index)
    bundleimp.pack(
        [], tmp_path / "out.pybundle", requirements=["dep"], installer="pip", installer_options=options, jobs=1
    )
    assert not fake_uv.exists()
    assert tops(tmp_path / "out.pybundle") == ["dep"]


@needs_posix
def test_a_uv_lock_is_exported_by_uv_for_what_is_wanted(tmp_path: Path, fake_uv: Path) -> None:
    project = make_tree(tmp_path / "proj", {**TREE, "uv.lock": "", "pylock.toml": ""})
    bundleimp.pack([], tmp_path / "out.pybundle", project=project, extras=["one"], groups=["web"], jobs=1)
    calls = [line.split() for line in fake_uv.read_text().splitlines()]
    build, export, install = calls
    assert build[-2:] == ["--no-deps", str(project)]
    wanted = ["--no-emit-project", "--extra", "one", "--group", "web"]
    words = ["export", "--locked", "--format", "pylock.toml", "--no-default-groups", "--no-editable", "--no-header"]
    assert export[:-1] == [*words, *wanted, "--quiet", "--python", sys.executable, "--output-file"]
    assert install[-2:] == ["--requirement", export[-1]]
    assert inputs_of(tmp_path / "out.pybundle") == ["proj", "uv.lock"]


@needs_posix
def test_sources_take_the_place_of_a_build_beside_a_lock_too(tmp_path: Path, fake_uv: Path) -> None:
    project = make_tree(tmp_path / "proj", {**TREE, "uv.lock": "", "src/own.py": ""})
    bundleimp.pack([project / "src"], tmp_path / "out.pybundle", project=project, jobs=1)
    assert [line.split()[0] for line in fake_uv.read_text().splitlines()] == ["export", "pip"]
    assert "own.py" in tops(tmp_path / "out.pybundle")


@needs_posix
def test_the_users_own_way_to_take_a_stale_uv_lock_is_followed(
    tmp_path: Path, fake_uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FROZEN", "1")
    project = make_tree(tmp_path / "proj", {**TREE, "uv.lock": ""})
    bundleimp.pack([], tmp_path / "out.pybundle", project=project, jobs=1)
    assert "--locked" not in fake_uv.read_text()


@needs_posix
def test_the_lock_of_a_workspace_is_that_of_its_members(tmp_path: Path, fake_uv: Path) -> None:
    make_tree(tmp_path, {"pyproject.toml": "[tool.uv.workspace]\nmembers = ['a/proj']\n", "uv.lock": ""})
    make_tree(tmp_path / "a", {"pyproject.toml": "not TOML"})
    project = make_tree(tmp_path / "a/proj", TREE)
    bundleimp.pack([], tmp_path / "out.pybundle", project=project, jobs=1)
    assert "export" in fake_uv.read_text()


def test_a_uv_lock_without_uv_is_one_line(tmp_path: Path) -> None:
    make_tree(tmp_path, {**TREE, "uv.lock": ""})
    error = error_of("pack", "--project", ".", "--installer", "pip", "out.pybundle", cwd=tmp_path)
    assert error == "uv.lock: only uv can read this file: install uv, or write a pylock.toml beside it"


@needs_posix
def test_a_pylock_is_installed_as_it_is_with_the_extras_that_it_offers(tmp_path: Path, fake_uv: Path) -> None:
    lock = 'lock-version = "1.0"\nextras = ["one"]\n'
    project = make_tree(tmp_path / "proj", {**TREE, "pylock.toml": lock})
    bundleimp.pack([], tmp_path / "out.pybundle", project=project, extras=["one"], jobs=1)
    install = fake_uv.read_text().splitlines()[-1].split()
    assert install[-4:] == ["--extra", "one", "--requirement", str(project / "pylock.toml")]
    message = "offers no choice of the dependency group 'web'; lock again with it, or leave out --group"
    with pytest.raises(PackError, match=message):
        bundleimp.pack([], tmp_path / "out.pybundle", project=project, groups=["web"], jobs=1)


def test_tables_of_another_kind_are_as_good_as_missing(tmp_path: Path) -> None:
    make_tree(tmp_path, {**{f"in/{name}": text for name, text in TREE.items()}, "pyproject.toml": "[tool]\nuv = 1\n"})
    make_tree(tmp_path / "in", {"pylock.toml": 'lock-version = "1.0"\nextras = 1\n'})
    error = error_of("pack", "--project", "in", "--extra", "one", "--installer", "pip", "out.pybundle", cwd=tmp_path)
    assert error.startswith("in/pylock.toml: offers no choice of the extra 'one'")


def test_extras_of_a_pylock_need_uv(tmp_path: Path) -> None:
    make_tree(tmp_path, {**TREE, "pylock.toml": 'lock-version = "1.0"\nextras = ["one"]\n'})
    error = error_of("pack", "--project", ".", "--extra", "one", "--installer", "pip", "o.pybundle", cwd=tmp_path)
    assert error == "pylock.toml: only uv can choose extras and dependency groups of this file: install uv"


EDITABLE_INSTALL = """
if "--requirement" in words:
    info = target / "ed-1.0.dist-info"
    info.mkdir()
    (target / "ed.pth").write_text(os.environ["ED"])
    (info / "METADATA").write_text("Name: ed\\nVersion: 1.0\\n")
    origin = '{{"url": "file://' + os.environ["ED"] + '", "dir_info": {{"editable": true}}}}'
    (info / "direct_url.json").write_text(origin)
    (info / "RECORD").write_text("ed.pth,,\\ned-1.0.dist-info/METADATA,,\\n" + os.environ["ED"] + "/kept.txt,,\\n")
"""


@needs_posix
def test_an_editable_install_is_replaced_by_a_build_and_nothing_else_is_removed(
    tmp_path: Path, fake_uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin/uv").write_text((FAKE_UV + EDITABLE_INSTALL).format(python=sys.executable))
    project = make_tree(tmp_path / "ed", {"kept.txt": ""})
    monkeypatch.setenv("ED", str(project))
    make_tree(tmp_path, {"pylock.toml": 'lock-version = "1.0"'})
    output = tmp_path / "out.pybundle"
    bundleimp.pack([], output, requirement_files=[tmp_path / "pylock.toml"], jobs=1)
    assert fake_uv.read_text().splitlines()[-1].endswith(f"--quiet --no-deps {project}")
    assert all(member.name.startswith("mod") for member in bundleimp.open_bundle(output).members)
    assert (project / "kept.txt").exists()


def test_uv_that_is_chosen_and_missing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bundleimp.packing.installer._uv_here", lambda: None)
    monkeypatch.setattr("bundleimp.packing.installer._uv_of", lambda _: None)
    with pytest.raises(PackError, match="uv is neither on PATH nor a module of"):
        bundleimp.pack([], tmp_path / "out.pybundle", requirements=["dep"], installer="uv")


def uv(*words: str | Path, cwd: Path) -> None:
    """Run uv without a network."""
    command = installer.find_uv(sys.executable)
    assert command is not None
    run_python("-c", f"import subprocess, sys; sys.exit(subprocess.call({[*command, *map(str, words)]!r}))", cwd=cwd)


@pytest.fixture(name="locked")
def _locked(index: Path, tmp_path: Path) -> Path:
    """Return a project that uv has locked, with wheels of a folder."""
    settings = f"\n[tool.uv]\nno-index = true\nfind-links = [{str(index)!r}]\ndefault-groups = []\n"
    pyproject = PYPROJECT.replace('dev = ["nothing-that-there-is"]\n', "")
    project = make_tree(tmp_path / "proj", {**TREE, "pyproject.toml": pyproject + settings})
    uv("lock", "--quiet", "--python", sys.executable, cwd=project)
    return project


@needs_uv
def test_a_locked_project_gets_the_versions_of_its_lock(locked: Path, index: Path) -> None:
    make_wheel(index, "dep", {"dep/__init__.py": "name = 'newer'\n"}, version="3.0")
    bundleimp_command("pack", "--project", ".", "--group", "base", "--extra", "all", "out.pybundle", cwd=locked)
    bundle = bundleimp.open_bundle(locked / "out.pybundle")
    assert tops(locked / "out.pybundle") == ["dep", "other", "proj", "single"]
    assert bundle.read("dep/__init__.py") == b"name = 'dep'\n"
    assert bundle.read("proj/__init__.py") == b"built = True\n"
    assert bundle.verify() == []


@needs_uv
def test_a_stale_lock_is_one_line_that_says_what_to_do(locked: Path) -> None:
    pyproject = (locked / "pyproject.toml").read_text()
    make_tree(locked, {"pyproject.toml": pyproject.replace('["dep"]', '["dep", "other"]'), "out.pybundle": "before"})
    error = error_of("pack", "--project", ".", "out.pybundle", cwd=locked)
    assert error.startswith("uv.lock: uv failed: The lockfile at `uv.lock` needs to be updated")
    assert "run `uv lock`" in error
    assert (locked / "out.pybundle").read_text() == "before"


@needs_uv
@pytest.mark.parametrize("editable", [[], ["--no-editable"]])
def test_a_pylock_that_has_the_project_itself_gives_it_once(locked: Path, editable: list[str]) -> None:
    words = ["--quiet", "--format", "pylock.toml", "--output-file", "pylock.toml", "--python", sys.executable]
    uv("export", *words, *editable, cwd=locked)
    (locked / "uv.lock").unlink()
    assert 'name = "proj"' in (locked / "pylock.toml").read_text()
    bundleimp_command("pack", "--project", ".", "out.pybundle", cwd=locked)
    assert tops(locked / "out.pybundle") == ["dep", "proj"]
    assert bundleimp.open_bundle(locked / "out.pybundle").read("proj/__init__.py") == b"built = True\n"


@needs_uv
def test_editable_installs_of_a_lock_are_built(locked: Path) -> None:
    lock = 'lock-version = "1.0"\ncreated-by = "a test"\n[[packages]]\nname = "proj"\n'
    make_tree(locked, {"own/pylock.toml": f'{lock}directory = {{ path = "..", editable = true }}\n'})
    bundleimp_command("pack", "-r", "own/pylock.toml", "out.pybundle", cwd=locked)
    assert tops(locked / "out.pybundle") == ["proj"]
    assert bundleimp.open_bundle(locked / "out.pybundle").read("proj/__init__.py") == b"built = True\n"


@needs_uv
def test_a_lock_for_another_platform_is_one_line(locked: Path) -> None:
    wheel = (
        '[[packages.wheels]]\nname = "dep-1.0-cp311-cp311-win_amd64.whl"\npath = "dep-1.0-cp311-cp311-win_amd64.whl"\n'
    )
    package = f'[[packages]]\nname = "dep"\nversion = "1.0"\n{wheel}hashes = {{ sha256 = "{64 * "0"}" }}\n'
    (locked / "uv.lock").unlink()
    make_tree(locked, {"pylock.toml": f'lock-version = "1.0"\ncreated-by = "a test"\n{package}'})
    error = error_of("pack", "--project", ".", "out.pybundle", cwd=locked)
    assert error.startswith("uv failed: ")
    assert "dep" in error


@needs_uv
def test_a_lock_for_another_python_is_one_line(locked: Path) -> None:
    pyproject = (locked / "pyproject.toml").read_text().replace('">=3.11"', '">=3.99"')
    make_tree(locked, {"pyproject.toml": pyproject})
    error = error_of("pack", "--project", ".", "out.pybundle", cwd=locked)
    assert error.startswith("uv failed: ")
    assert ">=3.99" in error
