"""Bundles with different files for several targets: what each Python sees, and what the commands say of them."""

from __future__ import annotations

import _imp
import json
import os
import shutil
import sys
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.encoding import CodeTag, IndexedMember, IndexedTarget, encode_index
from bundleimp.inspection.extract import extract
from bundleimp.inspection.views import IndexViews, stored_of
from bundleimp.packing import foreign, installer
from bundleimp.packing.errors import PackError
from bundleimp.packing.targets import Platform, ask_target, parse_target
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.archive import Archive
from bundleimp.runtime.content import files, targets
from bundleimp.runtime.content.member import Member
from bundleimp.runtime.faults.kinds import BundleFormatError
from bundleimp.runtime.format import Extent

from .archives import locator_of, with_index
from .builders import make_tree, run_python
from .command_line import bundleimp_command, error_of
from .platforms import needs_processes
from .test_pack_inputs import BACK_END, PROJECT, make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

pytestmark = needs_processes

MINOR = sys.version_info[1]
SAME_VERSION = f"cp3{MINOR}-win_arm64"
LATER = "cp399-manylinux_2_28_s390x"
KEYS = {SAME_VERSION: f"cp3{MINOR}-win_arm64", LATER: "cpython-399-s390x-linux-gnu"}
MAKE_IT = "import _imp; _imp.extension_suffixes = lambda: ['.{key}.so']\n"
SHOW = """
import importlib.metadata, importlib.resources, json, sys
import nat, nat.only, own
found = importlib.metadata.distribution("nat")
print(json.dumps({
    "platform": nat.PLATFORM,
    "file": nat.__file__,
    "only": nat.only.PLATFORM,
    "data": importlib.resources.files("nat").joinpath("data.txt").read_text(),
    "names": sorted(path.name for path in importlib.resources.files("nat").iterdir()),
    "wheel": found.read_text("WHEEL"),
    "record": sorted(str(file) for file in found.files),
    "same": [str(file) for file in found.files if file.read_text(encoding="latin-1") is None],
    "loader": type(nat.only.__loader__).__name__,
}))
"""


def make_platform_wheel(folder: Path, tag: str, *, name: str = "nat", version: str = "1.0") -> Path:
    """Write a wheel for a target: one module and the data differ between targets, the rest does not."""
    python, _, platform = tag.partition("-")
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}/__init__.py": "from .platform_ import PLATFORM\n",
        f"{name}/platform_.py": f"PLATFORM = {tag!r}\n",
        f"{name}/only.py": f"PLATFORM = {tag!r}\n",
        f"{name}/same.py": "same = True\n",
        f"{name}/_dummy.{platform}.so": f"not loaded: {tag}",
        f"{name}/data.txt": tag,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {python}-{python}-{platform}\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{member},,\n" for member in [*members, f"{info}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{python}-{python}-{platform}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def own_name() -> str:
    """Return the name of the target that this Python is."""
    return ask_target(sys.executable).name


@pytest.fixture(name="only_pip", autouse=True)
def _only_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "find_uv", lambda *_: None)


@pytest.fixture(name="wheels", scope="module")
def _wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for tag in (own_name(), SAME_VERSION, LATER.replace("2_28", "2_17")):
        make_platform_wheel(folder, tag)
    return folder


def pack(output: Path, wheels: Path, targets: Sequence[str], **options: object) -> bundleimp.PackReport:
    """Pack the wheel ``nat`` and a module of the user's for this Python and *targets*."""
    source = make_tree(output.parent / "source", {"own.py": "x = 1\n"})
    options = {
        "requirements": ["nat"],
        "python": [sys.executable],
        "installer_options": ["--no-index", "--find-links", str(wheels)],
        "jobs": 1,
    } | options
    return bundleimp.pack([source], output, target=targets, **options)  # type: ignore[arg-type]


@pytest.fixture(name="bundles", scope="module")
def _bundles(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Mapping[str, Path]:
    """Return a bundle for three targets in each layout."""
    folder = tmp_path_factory.mktemp("bundles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(foreign, "find_uv", lambda *_: None)
        found = {}
        for layout in ("flat", "nested"):
            found[layout] = folder / f"{layout}.pybundle"
            report = pack(found[layout], wheels, [SAME_VERSION, LATER], layout=layout)
            assert [warning.member for warning in report.warnings] == [SAME_VERSION, LATER]
            assert all("environment markers" in warning.message for warning in report.warnings)
    return found


def as_target(name: str) -> str:
    """Return a line of code that makes a Python think that it is one of the target *name*."""
    return MAKE_IT.format(key=KEYS[name]) if name in KEYS else ""


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("name", ["own", SAME_VERSION, LATER])
def test_each_python_sees_the_files_of_its_target(
    bundles: Mapping[str, Path], layout: str, name: str, cache: Path
) -> None:
    name = own_name() if name == "own" else name
    bundle = bundles[layout]
    shown = json.loads(run_python("-c", as_target(name) + SHOW, path=[bundle], BUNDLEIMP_CACHE_DIR=str(cache)).stdout)
    tag = name.replace("2_28", "2_17")
    python, _, platform = tag.partition("-")
    assert (shown["platform"], shown["only"], shown["data"]) == (tag, tag, tag)
    assert f"Tag: {python}-{python}-{platform}\n" in shown["wheel"]
    dummy = f"_dummy.{platform}.so"
    assert shown["names"] == sorted(["__init__.py", "platform_.py", "only.py", "same.py", dummy, "data.txt"])
    info = [f"nat-1.0.dist-info/{file}" for file in ("METADATA", "RECORD", "WHEEL")]
    assert shown["record"] == sorted([*(f"nat/{file}" for file in shown["names"]), *info])
    assert shown["same"] == []
    assert str(cache) in shown["file"], "the unit has an extension module, so its files are real"
    # The running Python makes the bytecode of all targets of its version.  No interpreter of the other is here.
    assert shown["loader"] == ("SourceBundleLoader" if name == LATER else "BundleLoader")


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_equal_files_are_there_once_and_others_for_their_targets(bundles: Mapping[str, Path], layout: str) -> None:
    bundle = bundleimp.open_bundle(bundles[layout])
    names = [member.name for member in bundle.members]
    assert [name for name in names if name.endswith(("same.py", "own.py", "nat/__init__.py", "METADATA"))] == [
        "nat-1.0.dist-info/METADATA",
        "nat/__init__.py",
        "nat/same.py",
        "own.py",
    ]
    for name in ("nat/data.txt", "nat-1.0.dist-info/RECORD", "nat-1.0.dist-info/WHEEL"):
        stored = [name, f"BUNDLE-INFO/targets/2/{name}", f"BUNDLE-INFO/targets/3/{name}"]
        assert sorted(each for each in names if each.endswith(name)) == sorted(stored)
    assert bundle.manifest is not None
    assert [target["name"] for target in bundle.manifest["targets"]] == [own_name(), SAME_VERSION, LATER]


def test_tools_for_plain_zips_see_the_first_target(bundles: Mapping[str, Path]) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import nat, own\n"
        "print(nat.PLATFORM, type(nat.__loader__).__name__)"
    )
    shown = run_python("-c", code, str(bundles["flat"]), BUNDLEIMP_DISABLE="1").stdout
    assert shown == f"{own_name()} zipimporter\n"


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_a_python_without_a_target_is_told_so(bundles: Mapping[str, Path], layout: str) -> None:
    code = "import _imp; _imp.extension_suffixes = lambda: ['.cpython-377-vax.so']\nimport nat"
    result = run_python("-c", code, path=[bundles[layout]], check=False)
    names = f"{own_name()}, {SAME_VERSION}, {LATER}"
    assert result.returncode == 1
    *_, last = result.stderr.splitlines()
    assert last.startswith("ModuleNotFoundError: No module named 'nat', unless it is in a bundle that cannot be used: ")
    assert f"{bundles[layout]}: has files for {names}, and none for this Python (cpython-377-vax): " in last
    assert result.stderr.count("BundleWarning") == 1


@pytest.mark.parametrize("standalone", [False, True], ids=["installed", "standalone"])
def test_a_program_without_a_target_for_its_python_is_one_line(
    tmp_path: Path, wheels: Path, *, standalone: bool
) -> None:
    bundle = tmp_path / "program.pybundle"
    pack(bundle, wheels, [SAME_VERSION], entry_point="own", standalone=standalone)
    assert run_python(str(bundle)).stderr == ""
    site = make_tree(tmp_path / "site", {"sitecustomize.py": MAKE_IT.format(key="cpython-377-vax")})
    result = run_python(str(bundle), path=[site], check=False)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"{bundle}: needs CPython 3.{sys.version_info[1]}, ")
    result = run_python(str(bundle), path=[site], check=False, BUNDLEIMP_SAME_PYTHON="1")
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"{bundle}: has files for {own_name()}, {SAME_VERSION}, and none for this Python" in result.stderr
    result = run_python("-m", "bundleimp", "run", str(bundle), path=[site], check=False)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith(f"bundleimp: error: {bundle}: has files for")


def test_the_entry_point_is_checked_for_each_target(tmp_path: Path, wheels: Path) -> None:
    with pytest.raises(PackError, match=r"no module nat\.gone .*\(in the files for|no module nat\.gone"):
        pack(tmp_path / "out", wheels, [SAME_VERSION], entry_point="nat.gone:main", standalone=True)


def test_a_bundle_for_several_targets_is_no_source(bundles: Mapping[str, Path], tmp_path: Path) -> None:
    with pytest.raises(PackError, match="has files for several targets, which cannot be merged"):
        bundleimp.pack([bundles["flat"]], tmp_path / "out.pybundle")


def test_what_is_the_same_for_all_targets_is_an_ordinary_bundle(tmp_path: Path, wheels: Path) -> None:
    folder = tmp_path / "wheels"
    shutil.copytree(wheels, folder)
    path = make_platform_wheel(folder, SAME_VERSION, name="pure")
    path.rename(folder / "pure-1.0-py3-none-any.whl")
    one, two = tmp_path / "one.pybundle", tmp_path / "two.pybundle"
    pack(one, folder, [], requirements=["pure"])
    pack(two, folder, [SAME_VERSION, LATER], requirements=["pure"])
    assert one.read_bytes() == two.read_bytes()


def test_the_same_inputs_give_the_same_bytes(bundles: Mapping[str, Path], tmp_path: Path, wheels: Path) -> None:
    pack(tmp_path / "again.pybundle", wheels, [SAME_VERSION, LATER], layout="flat", jobs=3)
    assert (tmp_path / "again.pybundle").read_bytes() == bundles["flat"].read_bytes()


def test_a_bundle_may_be_for_other_pythons_alone(tmp_path: Path, wheels: Path) -> None:
    bundle = tmp_path / "out.pybundle"
    report = pack(bundle, wheels, [LATER], python=[])
    assert report.code_tags == []
    opened = bundleimp.open_bundle(bundle)
    assert opened.read("nat/data.txt").decode() == LATER.replace("2_28", "2_17")
    assert opened.verify() == []
    report = pack(bundle, wheels, [SAME_VERSION], python=[])
    assert report.code_tags == [sys.implementation.cache_tag], "this Python has the version of the target"


def test_each_target_has_a_key_of_its_own_in_the_cache(
    bundles: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = set()
    for key in [*KEYS.values(), *targets.own_keys()[:1]]:
        monkeypatch.setattr(targets, "own_keys", lambda key=key: [key])
        archive = Archive(str(bundles["flat"]))
        keys.add(archive.key)
        assert files.find(archive, "own.py") is not None
    assert len(keys) == len(KEYS) + 1


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_verify_covers_the_files_of_all_targets(bundles: Mapping[str, Path], layout: str, tmp_path: Path) -> None:
    assert bundleimp.open_bundle(bundles[layout]).verify() == []
    data = bundles[layout].read_bytes()
    opened = bundleimp.open_bundle(bundles[layout])
    for name in ("BUNDLE-INFO/targets/2/nat/only.py", "BUNDLE-INFO/targets/3/nat/data.txt"):
        offset = opened.data_offsets()[name]
        damaged = tmp_path / "damaged.pybundle"
        damaged.write_bytes(data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :])
        assert name in {finding.member for finding in bundleimp.open_bundle(damaged).verify()}


def test_extract_writes_the_files_of_one_target(bundles: Mapping[str, Path], tmp_path: Path) -> None:
    opened = bundleimp.open_bundle(bundles["flat"])
    own = extract(opened, tmp_path / "own")
    assert "nat/data.txt" in own
    assert (tmp_path / "own/nat/data.txt").read_text() == own_name()
    assert not (tmp_path / "own/BUNDLE-INFO").exists()
    extract(opened, tmp_path / "other", ["nat/*"], target=SAME_VERSION)
    assert (tmp_path / "other/nat/data.txt").read_text() == SAME_VERSION
    assert not (tmp_path / "other/own.py").exists()
    assert sorted(path.name for path in (tmp_path / "other/nat").iterdir()) == [
        "__init__.py",
        "_dummy.win_arm64.so",
        *("data.txt", "only.py", "platform_.py", "same.py"),
    ]
    message = error_of("extract", bundles["flat"], tmp_path / "none", "--target", "cp1")
    assert message == f"{bundles['flat']}: has no target 'cp1'; it has {own_name()}, {SAME_VERSION}, {LATER}"


def test_extract_without_a_target_for_this_python_names_the_others(
    bundles: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "own_keys", lambda: ["cpython-377-vax"])
    with pytest.raises(bundleimp.BundleError, match=r"has no target for this Python; .*; choose one with --target"):
        extract(bundleimp.open_bundle(bundles["flat"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_list_and_info_name_the_targets(bundles: Mapping[str, Path], layout: str) -> None:
    lines = bundleimp_command("list", bundles[layout]).stdout.splitlines()
    assert "own.py" in lines
    assert "nat/same.py" in lines
    for name in (own_name(), SAME_VERSION, LATER):
        assert f"nat/only.py ({name})" in lines
    entries = json.loads(bundleimp_command("list", "--json", bundles[layout]).stdout)
    assert {
        entry["name"]: len(entry["targets"]) for entry in entries if entry["name"] in {"own.py", "nat/only.py"}
    } == {"own.py": 3, "nat/only.py": 1}
    info = json.loads(bundleimp_command("info", "--json", bundles[layout]).stdout)
    assert info["targets"] == [own_name(), SAME_VERSION, LATER]
    assert [(part["name"], part["version"]) for part in info["parts"]] == [("nat", "1.0"), ("own-files", "")]
    assert f"targets: {own_name()}, {SAME_VERSION}, {LATER}" in bundleimp_command("info", bundles[layout]).stdout


def test_diff_names_files_of_other_targets(bundles: Mapping[str, Path], tmp_path: Path, wheels: Path) -> None:
    pack(tmp_path / "fewer.pybundle", wheels, [SAME_VERSION])
    shown = bundleimp_command("diff", tmp_path / "fewer.pybundle", bundles["flat"], status=1).stdout
    assert "BUNDLE-INFO/targets/3/nat/only.py" in shown
    assert "BUNDLE-INFO/targets/2/nat/only.py" not in shown


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_of_a_bundle_that_another_tool_has_changed_the_first_target_is_used_with_a_warning(
    bundles: Mapping[str, Path], layout: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "changed.pybundle"
    shutil.copy(bundles[layout], bundle)
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("added.py", "x = 1\n")
    code = "import nat, added, importlib.util; print(nat.PLATFORM)"
    result = run_python("-c", code, path=[bundle])
    assert result.stdout == f"{own_name()}\n"
    assert result.stderr.count("BundleWarning") == 1
    assert "another tool has changed it, so only the files of its first target are found" in result.stderr
    assert "BUNDLE-INFO" not in " ".join(extract(bundleimp.open_bundle(bundle), tmp_path / "out"))


def test_of_several_wheels_of_a_distribution_each_target_gets_its_own(tmp_path: Path, wheels: Path) -> None:
    output = tmp_path / "out.pybundle"
    built = sorted(wheels.glob("*.whl"))
    assert len(built) == 3
    bundleimp.pack(built, output, python=[sys.executable], target=[SAME_VERSION, LATER], jobs=1)
    opened = bundleimp.open_bundle(output)
    names = ["nat/data.txt", "BUNDLE-INFO/targets/2/nat/data.txt", "BUNDLE-INFO/targets/3/nat/data.txt"]
    tags = [own_name(), SAME_VERSION, LATER.replace("2_28", "2_17")]
    assert [opened.read(name).decode() for name in names] == tags
    bundleimp.pack(built, output, jobs=1)
    assert bundleimp.open_bundle(output).read("nat/data.txt").decode() == own_name()


def test_versions_that_differ_are_named(tmp_path: Path, wheels: Path) -> None:
    folder = tmp_path / "wheels"
    shutil.copytree(wheels, folder)
    make_platform_wheel(folder, SAME_VERSION, version="2.0")
    report = pack(tmp_path / "out.pybundle", folder, [SAME_VERSION])
    message = f"has different versions: 1.0 for {own_name()}, 2.0 for {SAME_VERSION}"
    assert ("nat", message) in [(warning.member, warning.message) for warning in report.warnings]
    opened = bundleimp.open_bundle(tmp_path / "out.pybundle")
    assert opened.manifest is not None
    assert [item["version"] for item in opened.manifest["distributions"]] == ["1.0", "2.0"]
    assert opened.verify() == []


UNUSABLE = {
    "no tag": (["cp313"], "'cp313' is not a target: give a python tag and a platform tag"),
    "no platform": (["cp313-linux_x86_64"], "'cp313-linux_x86_64' is not a target"),
    "too old": (["cp310-win_amd64"], "CPython 3.11 or newer is needed"),
    "twice": ([LATER, LATER], f"{LATER} is named twice: name each target once"),
    "the same": ([LATER, LATER.replace("28", "17")], f"is the same kind of Python as {LATER}"),
}


@pytest.mark.parametrize(("tags", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_target_that_cannot_be_is_one_line(tmp_path: Path, tags: list[str], message: str) -> None:
    words = [word for tag in tags for word in ("--target", tag)]
    output = tmp_path / "out.pybundle"
    assert message in error_of("pack", *words, "--with", "nat", output)
    assert not output.exists()


def test_a_tag_is_checked_also_where_nothing_is_installed(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "source", {"own.py": "x = 1\n"})
    assert "'cp3' is not a target" in error_of("pack", "--target", "cp3", source, tmp_path / "out.pybundle")
    bundleimp_command("pack", "--target", LATER, source, tmp_path / "out.pybundle")
    assert bundleimp.open_bundle(tmp_path / "out.pybundle").verify() == []


def test_an_interpreter_that_is_a_target_is_named_once(tmp_path: Path) -> None:
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    with pytest.raises(PackError, match=r"is the same kind of Python as .*: name each target once"):
        pack(tmp_path / "out.pybundle", tmp_path, [], python=[sys.executable, str(link)])


def test_a_target_without_wheels_is_one_line_with_package_and_target(tmp_path: Path, wheels: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    shutil.copy(next(wheels.glob(f"*{own_name().partition('-')[2]}*")), folder)
    (tmp_path / "out.pybundle").write_bytes(b"as it was")
    with pytest.raises(PackError) as caught:
        pack(tmp_path / "out.pybundle", folder, [LATER])
    assert str(caught.value).startswith(f"pip cannot install wheels for {LATER}: ")
    assert "No matching distribution found for nat" in str(caught.value)
    assert (tmp_path / "out.pybundle").read_bytes() == b"as it was"


def test_where_pip_looks_at_its_own_python_the_error_says_what_to_do(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "nat", {"nat.py": ""}, python=">=3.99")
    with pytest.raises(PackError) as caught:
        pack(tmp_path / "out.pybundle", tmp_path / "wheels", [LATER], python=[])
    assert "different Python" in str(caught.value)
    assert ">=3.99" in str(caught.value)
    assert str(caught.value).endswith("; pip looks at the Python that runs it, and not at this target: install uv")


def test_without_source_or_from_an_environment_there_are_no_targets(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="drop --no-bytecode and --target"):
        pack(tmp_path / "out.pybundle", tmp_path, [LATER], source=False, python=[])
    with pytest.raises(PackError, match="a virtual environment has files for its own Python"):
        pack(tmp_path / "out.pybundle", tmp_path, [LATER], from_venv=tmp_path)


@pytest.mark.parametrize("how", ["source", "requirement"])
def test_a_project_is_built_here_and_taken_for_other_targets_if_it_is_pure(tmp_path: Path, how: str) -> None:
    project = make_tree(tmp_path / "project", PROJECT)
    make_wheel(tmp_path / "wheels", "dep", {"dep/__init__.py": "name = 'dep'\n"})
    output = tmp_path / "out.pybundle"
    options: dict[str, Any] = {"target": [LATER], "python": [sys.executable], "jobs": 1}
    options["installer_options"] = ["--no-index", "--find-links", str(tmp_path / "wheels"), "--no-build-isolation"]
    if how == "source":
        bundleimp.pack([project], output, **options)
    else:
        bundleimp.pack([], output, requirements=[str(project)], **options)
    names = [member.name for member in bundleimp.open_bundle(output).members]
    assert ("dep/__init__.py" in names) == (how == "requirement")
    assert "proj/__init__.py" in names
    (project / "back_end.py").write_text(BACK_END.replace("none-any", "none-plan9_vax"))
    with pytest.raises(PackError, match=f"was built here, for plan9_vax, and not for {LATER}: give a wheel for that"):
        bundleimp.pack([project], output, **options | {"python": []})


@pytest.mark.skipif(installer.find_uv(sys.executable) is None, reason="uv is not here")
def test_uv_evaluates_markers_for_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "find_uv", installer.find_uv)
    requires = ["winonly; sys_platform == 'win32'", "nowin; sys_platform != 'win32'"]
    make_wheel(tmp_path / "wheels", "app", {"app.py": "x = 1\n"}, requires=requires)
    make_wheel(tmp_path / "wheels", "winonly", {"winonly.py": "x = 1\n"})
    make_wheel(tmp_path / "wheels", "nowin", {"nowin.py": "x = 1\n"})
    report = pack(tmp_path / "out.pybundle", tmp_path / "wheels", ["cp313-win_amd64"], python=[], requirements=["app"])
    assert report.warnings == []
    names = [member.name for member in bundleimp.open_bundle(tmp_path / "out.pybundle").members]
    assert "winonly.py" in names
    assert "nowin.py" not in names


@pytest.mark.parametrize(
    "row",
    [
        "cp313-manylinux_2_28_x86_64 cpython-313-x86_64-linux-gnu x86_64-manylinux_2_28 manylinux2014_x86_64",
        "cp312-manylinux2014_aarch64 cpython-312-aarch64-linux-gnu aarch64-manylinux_2_17 manylinux_2_5_aarch64",
        "cp312-manylinux_2_28_i686 cpython-312-i386-linux-gnu - manylinux1_i686",
        "cp314t-manylinux_2_34_armv7l cpython-314t-arm-linux-gnueabihf - manylinux_2_17_armv7l",
        "cp313-musllinux_1_2_aarch64 cpython-313-aarch64-linux-musl aarch64-unknown-linux-musl musllinux_1_1_aarch64",
        "cp313-musllinux_1_1_x86_64 cpython-313-x86_64-linux-musl - musllinux_1_0_x86_64",
        "cp313-macosx_11_0_arm64 cpython-313-darwin-arm64 aarch64-apple-darwin macosx_11_0_arm64",
        "cp311-macosx_10_15_universal2 cpython-311-darwin-universal2 - macosx_10_15_universal2",
        "cp313-win_amd64 cp313-win_amd64 x86_64-pc-windows-msvc win_amd64",
        "cp313-win32 cp313-win32 i686-pc-windows-msvc win32",
    ],
)
def test_tags_mean_what_interpreters_and_installers_call_them(row: str) -> None:
    tag, key, uv, pip = row.split()
    target = parse_target(tag)
    platform = Platform.parse(target.platform)
    assert target.key == key
    assert platform is not None
    assert foreign.uv_platform(platform) == (None if uv == "-" else uv)
    tags = foreign.pip_platforms(platform, target.platform)
    assert tags[0] == target.platform.replace("2014", "_2_17")
    assert pip in tags


def test_a_universal_target_is_for_both_machines_of_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_imp, "extension_suffixes", lambda: [".cpython-313-darwin.so"])
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="arm64"), raising=False)
    root = Extent(offset=0, size=1, checksum=0)
    arm, universal, intel = (
        targets.Target(name, f"cpython-313-darwin-{name}", root, None) for name in ("arm64", "universal2", "x86_64")
    )
    assert targets.fitting([universal, arm]) is arm
    assert targets.fitting([intel, universal]) is universal
    assert targets.fitting([intel]) is None


def test_a_damaged_table_of_targets_is_an_error(bundles: Mapping[str, Path]) -> None:
    data = bundles["flat"].read_bytes()
    locator = locator_of(data)
    end = locator.index_offset + locator.index_size
    head = data[end - locator.head_size : end]
    found = targets.decode(head)
    assert [target.name for target in found] == [own_name(), SAME_VERSION, LATER]
    for size in range(50, len(head)):
        with pytest.raises(BundleFormatError, match="the index is damaged"):
            targets.decode(head[:size])
    table = len(head) - 6 - int.from_bytes(head[-6:-4], "little")
    for count in (0, 1, 2, 4, 33, 65535):
        with pytest.raises(BundleFormatError, match="the index is damaged"):
            targets.decode(head[:table] + count.to_bytes(2, "little") + head[table + 2 :])


def forged(bundle: Path, output: Path, change: Callable[[list[IndexedTarget]], None]) -> Path:
    """Write *bundle* with another index that fits in every checksum."""
    data = bundle.read_bytes()
    locator = locator_of(data)
    index = data[locator.index_offset : locator.index_offset + locator.index_size]
    head = bundle_format.decode_head(index[-locator.head_size :])
    opened = bundleimp.open_bundle(bundle)
    members = {member.name: member for member in opened.members}
    indexed = []
    views = IndexViews(index, locator.head_size, locator.index_offset).views()
    offsets = opened.data_offsets()
    for number, view in enumerate(views, 1):
        own = []
        for name, stored in stored_of(number, view, offsets).items():
            note, item = view.notes[name], members[stored]
            facts = (item.method, note.offset, item.packed_size, item.size, item.crc, item.stamp)
            own.append(IndexedMember(Member(name, *facts), note.codes, note.flags))
        target = view.target
        indexed.append(IndexedTarget(own, target.units, view.folder_flags, name=target.name, key=target.key))
    tags = [CodeTag(name, magic) for name, magic in head.tags.items()]
    same = encode_index(indexed, tags, head.record_digest, locator.index_offset)
    assert same.data == index
    change(indexed)
    encoded = encode_index(indexed, tags, head.record_digest, locator.index_offset)
    output.write_bytes(with_index(data, encoded.data, encoded.head_size))
    return output


def _drop(indexed: list[IndexedTarget]) -> None:
    indexed[1].members = [item for item in indexed[1].members if item.member.name != "nat/only.py"]


def _swap(indexed: list[IndexedTarget]) -> None:
    indexed[0].members, indexed[1].members = indexed[1].members, indexed[0].members


def _other_file(indexed: list[IndexedTarget]) -> None:
    first = next(item for item in indexed[0].members if item.member.name == "nat/only.py")
    indexed[1].members = [item if item.member.name != "nat/only.py" else first for item in indexed[1].members]


def _other_code(indexed: list[IndexedTarget]) -> None:
    for item in indexed[2].members:
        item.codes = [None for _ in item.codes]


def _other_units(indexed: list[IndexedTarget]) -> None:
    indexed[1].units = indexed[0].units


def _other_flags(indexed: list[IndexedTarget]) -> None:
    for item in indexed[2].members:
        item.flags = 0


LIES = {
    "a file less": _drop,
    "the files of another target": _swap,
    "a file of another target": _other_file,
    "no bytecode in one of them": _other_code,
    "the units of another target": _other_units,
    "no flags": _other_flags,
    "a target less": lambda indexed: indexed.pop(),
}


@pytest.mark.parametrize("layout", ["flat", "nested"])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_verify_finds_an_index_that_lies_about_one_target(
    bundles: Mapping[str, Path], layout: str, lie: Callable[[list[IndexedTarget]], None], tmp_path: Path
) -> None:
    changed = forged(bundles[layout], tmp_path / "changed.pybundle", lie)
    assert bundleimp.open_bundle(changed).verify() != []
