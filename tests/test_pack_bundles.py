"""Bundles as sources of ``pack``: their members are merged, and bytecode for the same Python is not made again."""

from __future__ import annotations

import re
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

import bundleimp
from bundleimp.packing.compiler import Compiler
from bundleimp.packing.errors import PackError
from bundleimp.runtime import format as bundle_format

from .archives import RawEntry, forge, index_of, raw_zip
from .builders import Tree, make_bundle, make_tree, make_zip, run_python
from .command_line import bundleimp_command, error_of
from .platforms import needs_processes
from .test_finder_broken import BREAKINGS
from .test_pack_bytecode import OWN_TAG, code_members, other_pythons
from .test_pack_inputs import inputs_of, needs_posix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ONE: Tree = {"one/__init__.py": "from two import x\n", "one/data.txt": "data\n" * 50, "shared.py": "s = 1\n"}
TWO: Tree = {"two.py": "x = 2\n", "shared.py": "s = 1\n"}


def distribution(name: str, version: str = "1.0") -> dict[str, str]:
    """Return a distribution of one module."""
    info = f"{name}-{version}.dist-info"
    record = f"{name}.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    return {f"{name}.py": f"version = {version!r}\n", f"{info}/METADATA": metadata, f"{info}/RECORD": record}


def pair(
    folder: Path, *, one: Mapping[str, str | bytes] = ONE, two: Mapping[str, str | bytes] = TWO, **options: Any
) -> list[Path]:
    """Make two bundles, and return their paths."""
    trees = {"one.pybundle": one, "two.pybundle": two}
    return [make_bundle(folder / name, tree, **options) for name, tree in trees.items()]


def contents(bundle: Path) -> dict[str, bytes]:
    opened = bundleimp.open_bundle(bundle)
    assert opened.verify() == []
    return {member.name: opened.read(member.name) for member in opened.members}


@pytest.fixture(name="compiled")
def _compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that gets the name of each member that is compiled."""
    names: list[str] = []
    submit = Compiler.submit

    def noted(self: Compiler, modules: Sequence[Any]) -> Any:
        names.extend(module.name for module in modules)
        return submit(self, modules)

    monkeypatch.setattr(Compiler, "submit", noted)
    return names


@pytest.mark.parametrize("layout", ["flat", "nested"])
def test_a_merged_bundle_is_as_one_that_was_packed_at_once(tmp_path: Path, layout: Any) -> None:
    bundles = pair(tmp_path, layout=layout)
    bundleimp.pack(bundles, tmp_path / "merged.pybundle", jobs=1)
    together = make_tree(tmp_path / "src", {**ONE, **TWO})
    bundleimp.pack([together], tmp_path / "together.pybundle", jobs=1)
    assert contents(tmp_path / "merged.pybundle") == contents(tmp_path / "together.pybundle")
    assert inputs_of(tmp_path / "merged.pybundle") == ["one.pybundle", "two.pybundle"]
    difference = bundleimp_command("diff", tmp_path / "merged.pybundle", tmp_path / "together.pybundle", status=1)
    assert difference.stdout == 'inputs: ["one.pybundle", "two.pybundle"] -> ["src"]\n'
    program = "import one, shared; print(one.x, shared.s)"
    assert run_python("-c", program, path=[tmp_path / "merged.pybundle"]).stdout == "2 1\n"


def test_bytecode_for_the_same_python_is_kept(tmp_path: Path, compiled: list[str]) -> None:
    bundles = pair(tmp_path)
    own = make_tree(tmp_path / "own", {"own.py": ""})
    compiled.clear()
    report = bundleimp.pack([*bundles, own], tmp_path / "merged.pybundle", jobs=1)
    assert compiled == ["own.py"]
    assert (report.modules, report.kept, report.warnings) == (4, 3, [])
    assert code_members(tmp_path / "merged.pybundle") == [OWN_TAG]
    opened = bundleimp.open_bundle(tmp_path / "merged.pybundle")
    assert opened.verify() == []


def test_the_command_says_what_is_kept(tmp_path: Path) -> None:
    bundles = pair(tmp_path)
    printed = bundleimp_command("pack", *bundles, "merged.pybundle", cwd=tmp_path).stdout
    assert f"3 modules compiled for {OWN_TAG} (3 of them kept from bundles)" in printed


@pytest.mark.parametrize("options", [{"optimize": 1}, {"bytecode": False}])
def test_bytecode_that_is_wanted_in_another_form_is_made(
    tmp_path: Path, options: dict[str, Any], compiled: list[str]
) -> None:
    bundles = pair(tmp_path, **options)
    compiled.clear()
    report = bundleimp.pack(bundles, tmp_path / "merged.pybundle", jobs=1)
    assert sorted(compiled) == ["one/__init__.py", "shared.py", "two.py"]
    assert report.kept == 0
    message = f"its bytecode for {OWN_TAG}.opt-1 is left out; --python for that Python keeps it"
    expected = [(str(bundle), message) for bundle in bundles] if options == {"optimize": 1} else []
    assert [(warning.member, warning.message) for warning in report.warnings] == expected


@needs_processes
def test_bytecode_of_each_python_is_kept_for_that_python(tmp_path: Path, compiled: list[str]) -> None:
    other = other_pythons()[0]
    source = make_tree(tmp_path / "src", ONE)
    bundleimp.pack([source], tmp_path / "one.pybundle", python=[other], jobs=1)
    compiled.clear()
    report = bundleimp.pack([tmp_path / "one.pybundle"], tmp_path / "merged.pybundle", python=[other], jobs=1)
    assert (compiled, report.kept) == ([], 2)
    assert code_members(tmp_path / "merged.pybundle") == code_members(tmp_path / "one.pybundle")


def test_bytecode_of_another_source_is_not_kept(tmp_path: Path, compiled: list[str]) -> None:
    """Another tool changed the source, so the index is not used, and the bytecode is that of the former source."""
    bundle = make_bundle(tmp_path / "one.pybundle", {"mod.py": "x = 'before'\n"})
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    make_zip(bundle, members | {"mod.py": b"x = 'changed'\n"})
    compiled.clear()
    bundleimp.pack([bundle], tmp_path / "merged.pybundle", jobs=1)
    assert compiled == ["mod.py"]
    assert run_python("-c", "import mod; print(mod.x)", path=[tmp_path / "merged.pybundle"]).stdout == "changed\n"


def test_records_of_distributions_are_kept(tmp_path: Path) -> None:
    bundles = pair(tmp_path, one=distribution("one"), two=distribution("two"))
    bundleimp.pack(bundles, tmp_path / "merged.pybundle", jobs=1)
    assert (
        contents(tmp_path / "merged.pybundle")["one-1.0.dist-info/RECORD"]
        == distribution("one")["one-1.0.dist-info/RECORD"].encode()
    )
    program = "import importlib.metadata as m; print(m.version('one'), m.version('two'))"
    assert run_python("-c", program, path=[tmp_path / "merged.pybundle"]).stdout == "1.0 1.0\n"


@pytest.mark.parametrize("choice", ["first", "last", "error"])
def test_conflicts_are_resolved_as_between_other_sources(tmp_path: Path, choice: Any) -> None:
    bundles = pair(tmp_path, two={"shared.py": "s = 2\n"})
    output = tmp_path / "merged.pybundle"
    if choice == "error":
        with pytest.raises(PackError) as caught:
            bundleimp.pack(bundles, output, jobs=1)
        one, two = (f"shared.py of {bundle}" for bundle in bundles)
        assert str(caught.value) == f"shared.py: {one} and {two} differ; choose with --on-conflict first or last"
        return
    bundleimp.pack(bundles, output, on_conflict=choice, jobs=1)
    expected = "1\n" if choice == "first" else "2\n"
    assert run_python("-c", "import shared; print(shared.s)", path=[output]).stdout == expected


@pytest.mark.parametrize("standalone", [False, True])
def test_the_program_of_a_bundle_is_not_that_of_the_merged_one(tmp_path: Path, *, standalone: bool) -> None:
    program: Tree = {"app.py": "def main(): return 3\n"}
    bundles = pair(tmp_path, one=program, entry_point="app:main", two={"app.py": "def main(): return 3\n"})
    bundleimp.pack([bundles[0]], bundles[1], entry_point="app:main", standalone=standalone, on_conflict="last")
    bundleimp.pack([bundles[1]], tmp_path / "merged.pybundle", jobs=1)
    assert sorted(contents(tmp_path / "merged.pybundle")) == ["app.py"]


def test_a_main_module_of_the_user_is_a_member_like_any_other(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one.pybundle", {"__main__.py": "print('own')\n"})
    bundleimp.pack([bundle], tmp_path / "merged.pybundle", jobs=1)
    assert contents(tmp_path / "merged.pybundle") == {"__main__.py": b"print('own')\n"}


@needs_posix
def test_permissions_are_kept(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"bin/tool": "#!/bin/sh\n", "mod.py": ""})
    (source / "bin/tool").chmod(0o755)
    bundleimp.pack([source], tmp_path / "one.pybundle", layout="nested", jobs=1)
    bundleimp.pack([tmp_path / "one.pybundle"], tmp_path / "merged.pybundle", jobs=1)
    entries = bundleimp.open_bundle(tmp_path / "merged.pybundle").entries()
    assert [entry.member.name for entry in entries if entry.mode & 0o100] == ["bin/tool"]


def test_a_bundle_may_have_any_name_and_a_plain_zip_the_suffix(tmp_path: Path) -> None:
    program = make_bundle(tmp_path / "one.pybundle", ONE).rename(tmp_path / "tool")
    plain = make_zip(tmp_path / "plain.pybundle", TWO)
    bundleimp.pack([program, plain], tmp_path / "merged.pybundle", jobs=1)
    assert sorted(contents(tmp_path / "merged.pybundle")) == sorted({**ONE, **TWO})


def test_members_of_a_bundle_are_excluded_as_others_are(tmp_path: Path) -> None:
    bundleimp.pack(pair(tmp_path), tmp_path / "merged.pybundle", exclude=["*.txt", "two.py"], jobs=1)
    assert sorted(contents(tmp_path / "merged.pybundle")) == ["one/__init__.py", "shared.py"]


def test_bundles_without_source_are_merged_as_they_are(tmp_path: Path) -> None:
    bundles = pair(tmp_path, source=False)
    bundleimp.pack(bundles, tmp_path / "merged.pybundle", jobs=1)
    assert sorted(contents(tmp_path / "merged.pybundle")) == [
        "one/__init__.pyc",
        "one/data.txt",
        "shared.pyc",
        "two.pyc",
    ]


def test_two_versions_of_one_distribution_are_one_line_that_names_both(tmp_path: Path) -> None:
    bundles = pair(tmp_path, one=distribution("dep"), two=distribution("dep", "2.0"))
    make_tree(tmp_path, {"out.pybundle": "before"})
    error = error_of("pack", *bundles, "out.pybundle", cwd=tmp_path)
    one, two = bundles
    assert error == f"dep: {one} give version 1.0, and {two} give version 2.0; require one version"
    assert (tmp_path / "out.pybundle").read_text() == "before"


def test_what_a_bundle_says_of_where_it_runs_is_kept(tmp_path: Path) -> None:
    one = make_bundle(tmp_path / "one.pybundle", {"a.py": ""}, source=False)
    report = bundleimp.pack([one], tmp_path / "two.pybundle")
    assert [each.implementation for each in report.runs_on] == [sys.implementation.name]
    assert report.runs_on[0].python == f">=3.{sys.version_info[1]},<3.{sys.version_info[1] + 1}"


def test_a_module_that_speaks_of_pack_is_the_users(tmp_path: Path) -> None:
    one = make_bundle(tmp_path / "one.pybundle", {"note.py": '"""Written by `bundleimp pack`, says the user."""\n'})
    bundleimp.pack([one], tmp_path / "two.pybundle")
    assert {member.name for member in bundleimp.open_bundle(tmp_path / "two.pybundle").members} == {"note.py"}


def test_the_output_cannot_be_one_of_the_sources(tmp_path: Path) -> None:
    one, two = pair(tmp_path)
    before = two.read_bytes()
    error = error_of("pack", one.name, two.name, two.name, cwd=tmp_path)
    assert error == f"{two.resolve()}: the bundle would replace its source {two.name}; write it somewhere else"
    assert two.read_bytes() == before


@pytest.mark.parametrize("kind", BREAKINGS)
def test_a_broken_bundle_is_one_line(tmp_path: Path, kind: str) -> None:
    broken, message = BREAKINGS[kind]
    bundle = make_bundle(tmp_path / "one.pybundle", ONE)
    bundle.write_bytes(broken(bundle.read_bytes()))
    make_tree(tmp_path, {"out.pybundle": "before"})
    error = error_of("pack", "one.pybundle", "out.pybundle", cwd=tmp_path)
    assert error.startswith("one.pybundle: ")
    assert re.search(message, error)
    assert (tmp_path / "out.pybundle").read_text() == "before"


@pytest.mark.parametrize("member", ["one/data.txt", "bytecode of one/__init__.py"])
def test_damage_in_a_bundle_is_one_line_that_names_the_member(tmp_path: Path, member: str) -> None:
    bundle = make_bundle(tmp_path / "one.pybundle", ONE, compress="none")
    data = bytearray(bundle.read_bytes())
    at = data.index(b"data\ndata\n") if member == "one/data.txt" else data.rindex(b"two") + 1
    data[at] ^= 1
    bundle.write_bytes(data)
    error = error_of("pack", "one.pybundle", "out.pybundle", cwd=tmp_path)
    assert error.startswith(f"one.pybundle: {member}: does not match its checksum")
    assert not (tmp_path / "out.pybundle").exists()


@pytest.mark.parametrize("entry", [RawEntry(b"../out.py"), RawEntry(b"link", b"/etc", mode=0o120777)])
def test_nothing_leads_out_of_the_scratch_folder(tmp_path: Path, entry: RawEntry) -> None:
    (tmp_path / "one.pybundle").write_bytes(raw_zip([RawEntry(b"mod.py"), entry]))
    scratch = make_tree(tmp_path / "tmp", {})
    result = run_python(
        *("-m", "bundleimp", "pack", "one.pybundle", "out.pybundle"),
        check=False,
        cwd=tmp_path,
        TMPDIR=str(scratch),
    )
    assert "Traceback" not in result.stderr
    assert list(scratch.iterdir()) == []
    if result.returncode == 0:
        assert sorted(contents(tmp_path / "out.pybundle")) == ["mod.py"]


def test_a_name_in_the_index_that_leads_out_is_one_line(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one.pybundle", {"mod.py": "x = 1\n"})
    index = index_of(bundle.read_bytes())
    index["mod.py"].member.name = "../../mod.py"
    forge(bundle, index)
    scratch = make_tree(tmp_path / "tmp", {})
    error = error_of("pack", bundle, tmp_path / "out.pybundle", TMPDIR=str(scratch))
    assert error == f"{bundle}: ../../mod.py: cannot be unpacked: its name has an empty part, '.' or '..'"
    assert list(scratch.iterdir()) == []


def test_bytecode_that_is_not_that_of_its_source_is_made_again(tmp_path: Path, compiled: list[str]) -> None:
    bundle = make_bundle(tmp_path / "one.pybundle", {"one.py": "x = 'one'\n", "two.py": "x = 'two'\n"})
    index = index_of(bundle.read_bytes())
    index["one.py"].codes, index["two.py"].codes = index["two.py"].codes, index["one.py"].codes
    forge(bundle, index)
    compiled.clear()
    bundleimp.pack([bundle], tmp_path / "merged.pybundle", jobs=1)
    assert sorted(compiled) == ["one.py", "two.py"]
    program = "import one, two; print(one.x, two.x)"
    assert run_python("-c", program, path=[tmp_path / "merged.pybundle"]).stdout == "one two\n"


def test_a_part_of_a_bundle_that_is_unknown_is_one_line(tmp_path: Path) -> None:
    bundle = make_zip(tmp_path / "one.pybundle", {"mod.py": "", f"{bundle_format.INFO}more/mod.py": ""})
    error = error_of("pack", bundle, tmp_path / "out.pybundle")
    assert (
        error
        == f"{bundle}: BUNDLE-INFO/more/mod.py: is a part that cannot be merged; pack the inputs of this bundle again"
    )


def test_another_zip_is_no_source(tmp_path: Path) -> None:
    make_zip(tmp_path / "one.zip", ONE)
    error = error_of("pack", "one.zip", "out.pybundle", cwd=tmp_path)
    assert error == "one.zip: is not a directory, a project, a wheel, a bundle or a .py module, so it cannot be packed"
