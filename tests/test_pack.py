"""Which file becomes which member, and what happens where two want to be the same one."""

from __future__ import annotations

import compileall
import os
import py_compile
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.packing.errors import PackError
from bundleimp.runtime.archive import Archive

from .archives import read_all
from .builders import make_bundle, make_tree, run_python
from .platforms import needs_raw_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


def member_names(bundle: Path) -> list[str]:
    """Return the names of the payload members."""
    return [member.name for member in bundleimp.open_bundle(bundle).members]


def packed(folder: Path, *sources: Path, exclude: Sequence[str] = ()) -> list[str]:
    """Pack *sources* and return the names of the payload members."""
    output = folder / "out.pybundle"
    bundleimp.pack(sources, output, exclude=exclude, jobs=1)
    return member_names(output)


def content(bundle: Path, name: str) -> bytes:
    return bundleimp.open_bundle(bundle).read(name)


def test_a_directory_with_an_init_is_a_package_and_keeps_its_name(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "mypkg", {"__init__.py": "", "sub/mod.py": "", "data.txt": "x"})
    assert packed(tmp_path, source) == ["mypkg/__init__.py", "mypkg/data.txt", "mypkg/sub/mod.py"]


def test_any_other_directory_gives_its_contents(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mypkg/__init__.py": "", "single.py": "", "namespace/mod.py": ""})
    assert packed(tmp_path, source) == ["mypkg/__init__.py", "namespace/mod.py", "single.py"]


def test_a_module_is_a_top_level_module(tmp_path: Path) -> None:
    make_tree(tmp_path / "some/where", {"single.py": "x = 1"})
    assert packed(tmp_path, tmp_path / "some/where/single.py") == ["single.py"]


def test_sources_of_all_kinds_go_into_one_bundle(tmp_path: Path) -> None:
    make_tree(tmp_path, {"a/__init__.py": "", "src/b/__init__.py": "", "c.py": ""})
    assert packed(tmp_path, tmp_path / "a", tmp_path / "src", tmp_path / "c.py") == [
        *("a/__init__.py", "b/__init__.py", "c.py")
    ]


def test_a_package_keeps_its_name_when_it_is_named_by_a_relative_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_tree(tmp_path / "mypkg", {"__init__.py": "", "sub/__init__.py": ""})
    monkeypatch.chdir(source / "sub")
    for path in ("..", "../", "../../mypkg", "../sub/.."):
        bundleimp.pack([path], tmp_path / "out.pybundle", jobs=1)
        assert member_names(tmp_path / "out.pybundle") == ["mypkg/__init__.py", "mypkg/sub/__init__.py"]


@needs_links
def test_a_package_reached_through_a_link_keeps_the_name_that_it_is_imported_by(tmp_path: Path) -> None:
    make_tree(tmp_path / "store/mypkg-1.0", {"__init__.py": ""})
    (tmp_path / "mypkg").symlink_to(tmp_path / "store/mypkg-1.0")
    assert packed(tmp_path, tmp_path / "mypkg") == ["mypkg/__init__.py"]


def test_caches_version_control_and_litter_are_left_out(tmp_path: Path) -> None:
    source = make_tree(
        tmp_path / "src",
        {
            "pkg/__init__.py": "",
            "pkg/.hidden": "kept",
            "pkg/gitlab.py": "",
            "pkg/__pycache__/__init__.cpython-311.pyc": b"",
            "pkg/mod.py~": "",
            "pkg/.mod.py.swp": "",
            "pkg/#mod.py#": "",
            "pkg/.#mod.py": "",
            "pkg/.DS_Store": "",
            ".git/config": "",
            ".hg/store": "",
            ".svn/entries": "",
            ".idea/workspace.xml": "",
            "deep/.git": "gitdir: elsewhere",
        },
    )
    assert packed(tmp_path, source) == ["pkg/.hidden", "pkg/__init__.py", "pkg/gitlab.py"]


def test_bytecode_beside_its_source_is_left_out_and_bytecode_without_is_kept(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"both.py": "x = 1", "only.py": "value = 'from bytecode'"})
    for name in ("both", "only"):
        py_compile.compile(str(source / f"{name}.py"), str(source / f"{name}.pyc"))
    (source / "only.py").unlink()
    assert packed(tmp_path, source) == ["both.py", "only.pyc"]
    assert (
        run_python("-c", "import only; print(only.value)", path=[tmp_path / "out.pybundle"]).stdout == "from bytecode\n"
    )


def test_a_sourceless_package_is_a_package(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "mypkg", {"__init__.py": "x = 1"})
    compileall.compile_dir(source, quiet=2, legacy=True)
    (source / "__init__.py").unlink()
    assert packed(tmp_path, source) == ["mypkg/__init__.pyc"]


@needs_links
def test_linked_files_and_directories_are_followed(tmp_path: Path) -> None:
    make_tree(tmp_path / "elsewhere", {"mod.py": "x = 1", "data/a.txt": "a"})
    source = make_tree(tmp_path / "src", {"pkg/__init__.py": ""})
    (source / "pkg/mod.py").symlink_to(tmp_path / "elsewhere/mod.py")
    (source / "pkg/data").symlink_to(tmp_path / "elsewhere/data")
    (source / "again").symlink_to(tmp_path / "elsewhere/data")
    assert packed(tmp_path, source) == ["again/a.txt", "pkg/__init__.py", "pkg/data/a.txt", "pkg/mod.py"]
    assert content(tmp_path / "out.pybundle", "pkg/mod.py") == b"x = 1"


@needs_links
def test_links_are_not_followed_in_circles(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"pkg/__init__.py": "", "pkg/sub/mod.py": ""})
    (source / "pkg/sub/up").symlink_to(source / "pkg")
    (source / "self").symlink_to(source)
    assert packed(tmp_path, source) == ["pkg/__init__.py", "pkg/sub/mod.py"]


@needs_links
def test_a_link_that_leads_nowhere_is_an_error_that_names_it(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    (source / "broken.txt").symlink_to(source / "gone.txt")
    with pytest.raises(PackError, match=r"broken\.txt: cannot be read"):
        packed(tmp_path, source)
    assert packed(tmp_path, source, exclude=["broken.txt"]) == ["mod.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_regular_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    os.mkfifo(source / "queue")
    with pytest.raises(PackError, match=r"queue: is neither a file nor a directory"):
        packed(tmp_path, source)
    assert packed(tmp_path, source, exclude=["queue"]) == ["mod.py"]


@pytest.mark.parametrize("name", ["pkg/back\\slash.py", "C:drive.py", "BUNDLE-INFO/index", "BUNDLE-INFO"])
@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_name_that_cannot_be_a_members_is_an_error(tmp_path: Path, name: str) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": "", name: ""})
    with pytest.raises(PackError, match="cannot become a member") as caught:
        packed(tmp_path, source)
    assert str(source / name) in str(caught.value)


@needs_raw_names
def test_a_name_that_is_no_utf8_is_an_error(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"mod.py": ""})
    (source / os.fsdecode(b"caf\xe9.py")).write_text("")
    with pytest.raises(PackError, match=r"caf.*\.py: its name is not valid UTF-8"):
        packed(tmp_path, source)


def test_two_sources_that_differ_are_an_error_that_names_both(tmp_path: Path) -> None:
    one = make_tree(tmp_path / "one", {"pkg/__init__.py": "", "pkg/mod.py": "x = 1"})
    two = make_tree(tmp_path / "two", {"pkg/__init__.py": "", "pkg/mod.py": "x = 2"})
    with pytest.raises(PackError, match="--on-conflict") as caught:
        packed(tmp_path, one, two)
    text = str(caught.value)
    assert text.startswith("pkg/mod.py: ")
    assert str(one / "pkg/mod.py") in text
    assert str(two / "pkg/mod.py") in text
    assert not (tmp_path / "out.pybundle").exists()


@pytest.mark.parametrize(("choice", "expected"), [("first", b"x = 1"), ("last", b"x = 2")])
def test_on_conflict_chooses(tmp_path: Path, choice: str, expected: bytes) -> None:
    one = make_tree(tmp_path / "one", {"mod.py": "x = 1", "a.txt": ""})
    two = make_tree(tmp_path / "two", {"mod.py": "x = 2", "b.txt": ""})
    output = tmp_path / "out.pybundle"
    bundleimp.pack([one, two], output, on_conflict=choice, jobs=1)  # type: ignore[arg-type]
    assert member_names(output) == ["a.txt", "b.txt", "mod.py"]
    assert content(output, "mod.py") == expected
    assert run_python("-c", "import mod; print(mod.x)", path=[output]).stdout.encode() == expected[-1:] + b"\n"


def test_two_sources_with_the_same_content_are_no_conflict(tmp_path: Path) -> None:
    one = make_tree(tmp_path / "one", {"mod.py": "x = 1"})
    two = make_tree(tmp_path / "two", {"mod.py": "x = 1", "other.py": ""})
    assert packed(tmp_path, one, two) == ["mod.py", "other.py"]


def test_one_source_named_twice_is_no_conflict(tmp_path: Path) -> None:
    one = make_tree(tmp_path / "one", {"mod.py": "x = 1"})
    assert packed(tmp_path, one, one) == ["mod.py"]


@pytest.mark.parametrize("choice", ["first", "last", "error"])
def test_a_name_that_is_a_file_and_a_directory_is_an_error(tmp_path: Path, choice: str) -> None:
    one = make_tree(tmp_path / "one", {"thing": "a file"})
    two = make_tree(tmp_path / "two", {"thing/mod.py": ""})
    with pytest.raises(PackError, match=r"thing: is a file .* and also a directory") as caught:
        bundleimp.pack([one, two], tmp_path / "out.pybundle", on_conflict=choice, jobs=1)  # type: ignore[arg-type]
    assert str(one / "thing") in str(caught.value)
    assert str(two / "thing/mod.py") in str(caught.value)


@pytest.mark.parametrize(
    ("one", "two"), [("Mod.py", "mod.py"), ("pkg/a.txt", "PKG/b.txt"), ("x/Straße.py", "x/STRASSE.py")]
)
def test_names_that_differ_in_case_alone_are_an_error(tmp_path: Path, one: str, two: str) -> None:
    sources = [make_tree(tmp_path / "one", {one: ""}), make_tree(tmp_path / "two", {two: ""})]
    with pytest.raises(PackError, match="only in case"):
        packed(tmp_path, *sources)


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("tests", ["README.md", "pkg/__init__.py", "pkg/mod.py", "pkg/test_mod.py"]),
        ("test*", ["README.md", "pkg/__init__.py", "pkg/mod.py"]),
        ("pkg/tests", ["README.md", "pkg/__init__.py", "pkg/mod.py", "pkg/test_mod.py", "tests/test_a.py"]),
        ("pkg/tests/*", ["README.md", "pkg/__init__.py", "pkg/mod.py", "pkg/test_mod.py", "tests/test_a.py"]),
        ("*.py", ["README.md", "pkg/tests/data.txt"]),
        ("*.md", [*("pkg/__init__.py", "pkg/mod.py", "pkg/test_mod.py", "pkg/tests/data.txt", "tests/test_a.py")]),
        ("pkg", ["README.md", "tests/test_a.py"]),
        ("mod.py", [*("README.md", "pkg/__init__.py", "pkg/test_mod.py", "pkg/tests/data.txt", "tests/test_a.py")]),
    ],
)
def test_exclude_matches_a_name_or_a_path(tmp_path: Path, pattern: str, left: list[str]) -> None:
    names = ["README.md", "pkg/__init__.py", "pkg/mod.py", "pkg/test_mod.py", "pkg/tests/data.txt", "tests/test_a.py"]
    source = make_tree(tmp_path / "src", dict.fromkeys(names, ""))
    assert packed(tmp_path, source, exclude=[pattern]) == left


def test_exclude_is_repeatable(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"a.py": "", "b.txt": "", "c.md": ""})
    assert packed(tmp_path, source, exclude=["*.txt", "*.md"]) == ["a.py"]


def test_exclude_also_leaves_out_what_is_named_as_a_source(tmp_path: Path) -> None:
    source = make_tree(tmp_path / "src", {"a.py": "", "b.py": ""})
    assert packed(tmp_path, source / "a.py", source / "b.py", exclude=["b.py"]) == ["a.py"]


@pytest.mark.parametrize("tree", [{}, {"__pycache__/x.pyc": b"", ".git/config": ""}])
def test_nothing_to_pack_is_an_error(tmp_path: Path, tree: dict[str, str | bytes]) -> None:
    source = make_tree(tmp_path / "src", tree)
    with pytest.raises(PackError, match="nothing to pack") as caught:
        packed(tmp_path, source)
    assert caught.value.file == str(source)


@pytest.mark.parametrize("name", ["missing", "missing.py", "notes.txt", "wheel.zip"])
def test_a_source_that_is_no_source_is_an_error(tmp_path: Path, name: str) -> None:
    make_tree(tmp_path, {"notes.txt": "", "wheel.zip": ""})
    with pytest.raises(PackError, match=r"cannot be (read|packed)") as caught:
        packed(tmp_path, tmp_path / name)
    assert caught.value.file == str(tmp_path / name)


def test_bytecode_and_source_from_two_sources_never_give_one_name_twice(tmp_path: Path) -> None:
    one = make_tree(tmp_path / "one", {"mod.py": "x = 1"})
    two = make_tree(tmp_path / "two", {"mod.py": "x = 2"})
    py_compile.compile(str(two / "mod.py"), str(two / "mod.pyc"))
    (two / "mod.py").unlink()
    output = tmp_path / "out.pybundle"
    try:
        bundleimp.pack([one, two], output, source=False, jobs=1)
    except PackError:
        return  # it names the clash; that is fine too
    names = [entry.member.name for entry in bundleimp.open_bundle(output).entries()]
    assert len(names) == len(set(names))


def test_names_and_contents_of_every_kind_come_back(tmp_path: Path) -> None:
    tree: dict[str, str | bytes] = {
        "пакет/__init__.py": "значение = 'да'\n",
        "pkg/a b, \"c\" 'd'.txt": "quotes",
        "pkg/line\nbreak\r.txt": "line break",
        "pkg/日本語.bin": bytes(range(256)) * 20,
        "pkg/" + "n" * 250 + ".txt": "long",
        "pkg/latin.py": "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"),
        "pkg/bom.py": b"\xef\xbb\xbfx = 1\r\n",
        "empty.txt": b"",
    }
    bundle = make_bundle(tmp_path / "out.pybundle", tree)
    expected = {name: text.encode() if isinstance(text, str) else text for name, text in tree.items()}
    opened = bundleimp.open_bundle(bundle)
    assert {member.name: opened.read(member.name) for member in opened.members} == expected
    assert read_all(Archive(str(bundle))) == expected
    odd = "the name has control characters or invisible characters"
    assert [(finding.member, finding.message) for finding in opened.verify()] == [("pkg/line\nbreak\r.txt", odd)]
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
    script = "import пакет, pkg.latin, pkg.bom; print(ascii((пакет.значение, pkg.latin.x, pkg.bom.x)))"
    assert run_python("-c", script, path=[bundle]).stdout.strip() == ascii(("да", "é", 1))
