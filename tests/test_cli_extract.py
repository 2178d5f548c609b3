"""``extract``: back to a tree, inside its folder and nowhere else."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

import bundleimp
from bundleimp.inspection.zippart import stream

from .archives import SYMLINK, RawEntry, raw_zip
from .builders import make_bundle, make_tree
from .command_line import APP, bundleimp_command, error_of

if TYPE_CHECKING:
    from pathlib import Path

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@pytest.fixture(scope="module", params=["flat", "nested"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp(request.param) / "app.pybundle", APP, layout=request.param)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


EXPECTED = {name: text.encode() for name, text in APP.items() if isinstance(text, str)}


def test_a_bundle_comes_back_as_a_tree(bundle: Path, tmp_path: Path) -> None:
    result = bundleimp_command("extract", bundle, tmp_path / "new/folder")
    assert files(tmp_path / "new/folder") == EXPECTED
    assert (result.stdout, result.stderr) == (f"{tmp_path / 'new/folder'}: 8 files\n", "")


def test_quiet_and_json(bundle: Path, tmp_path: Path) -> None:
    assert bundleimp_command("extract", "--quiet", bundle, tmp_path / "a").stdout == ""
    assert json.loads(bundleimp_command("extract", "--json", bundle, tmp_path / "b").stdout) == sorted(APP)


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["single.py"], {"single.py"}),
        (["app/*.py"], {"app/__init__.py", "app/__main__.py", "app/deep/mod.py"}),
        (["*.txt", "single.*"], {"app/table.txt", "lib-1.2.dist-info/entry_points.txt", "single.py"}),
        (["*"], set(APP)),
    ],
)
def test_patterns_choose_members(bundle: Path, tmp_path: Path, patterns: list[str], names: set[str]) -> None:
    bundleimp_command("extract", bundle, tmp_path / "out", *patterns)
    assert set(files(tmp_path / "out")) == names


def test_a_pattern_that_matches_nothing_is_an_error(bundle: Path, tmp_path: Path) -> None:
    assert error_of("extract", bundle, tmp_path / "out", "*.rs") == f"{bundle}: no member matches *.rs"


def test_extracting_again_changes_nothing(bundle: Path, tmp_path: Path) -> None:
    for _ in range(2):
        bundleimp_command("extract", bundle, tmp_path / "out")
    assert files(tmp_path / "out") == EXPECTED


def test_a_file_with_other_content_is_an_error_unless_forced(bundle: Path, tmp_path: Path) -> None:
    make_tree(tmp_path / "out", {"single.py": "precious", "other.py": "left alone"})
    text = error_of("extract", bundle, tmp_path / "out")
    assert text.startswith(f"{tmp_path / 'out/single.py'}: already exists with different content")
    assert (tmp_path / "out/single.py").read_text() == "precious"
    bundleimp_command("extract", "--force", bundle, tmp_path / "out")
    assert files(tmp_path / "out") == EXPECTED | {"other.py": b"left alone"}


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_file_where_a_folder_must_be_is_an_error(bundle: Path, tmp_path: Path, options: list[str]) -> None:
    make_tree(tmp_path / "out", {"app": "a file"})
    assert "cannot be written" in error_of("extract", *options, bundle, tmp_path / "out")
    assert (tmp_path / "out/app").read_text() == "a file"


@pytest.mark.parametrize("options", [[], ["--force"]])
def test_a_folder_where_a_file_must_be_is_an_error(bundle: Path, tmp_path: Path, options: list[str]) -> None:
    make_tree(tmp_path / "out", {"single.py/inside.txt": "kept"})
    text = error_of("extract", *options, bundle, tmp_path / "out")
    assert text.startswith(str(tmp_path / "out/single.py"))
    assert (tmp_path / "out/single.py/inside.txt").read_text() == "kept"
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name.endswith(".tmp")] == []


@needs_links
@pytest.mark.parametrize("options", [[], ["--force"]])
@pytest.mark.parametrize("target", ["outside/precious.txt", "outside/missing.txt"])
def test_a_link_in_the_place_of_a_file_is_never_written_through(
    bundle: Path, tmp_path: Path, options: list[str], target: str
) -> None:
    outside = make_tree(tmp_path / "outside", {"precious.txt": "precious"})
    (tmp_path / "out").mkdir()
    link = tmp_path / "out/single.py"
    link.symlink_to(tmp_path / target)
    if options:
        bundleimp_command("extract", *options, bundle, tmp_path / "out")
        assert not link.is_symlink()
    else:
        error_of("extract", bundle, tmp_path / "out")
        assert link.is_symlink()
    assert files(outside) == {"precious.txt": b"precious"}


@needs_links
@pytest.mark.parametrize("options", [[], ["--force"]])
@pytest.mark.parametrize("link", ["app", "app/deep"])
def test_a_link_in_the_place_of_a_folder_is_never_written_through(
    bundle: Path, tmp_path: Path, options: list[str], link: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "out" / link).parent.mkdir(parents=True)
    (tmp_path / "out" / link).symlink_to(outside)
    text = error_of("extract", *options, bundle, tmp_path / "out")
    assert "leads somewhere else through a link" in text
    assert list(outside.rglob("*")) == []


@needs_links
def test_not_even_a_folder_is_made_through_a_link(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {"a/b/c/mod.py": ""})
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a").symlink_to(outside)
    error_of("extract", bundle, tmp_path / "out")
    assert list(outside.iterdir()) == []


@needs_links
def test_the_folder_itself_may_be_reached_through_a_link(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    bundleimp_command("extract", bundle, tmp_path / "link/sub")
    assert files(tmp_path / "real/sub") == EXPECTED


@pytest.mark.parametrize(
    "entry",
    [
        *(RawEntry(b"../evil.txt", b"x"), RawEntry(b"/evil.txt", b"x"), RawEntry(b"a/../../evil.txt", b"x")),
        *(RawEntry(b"C:/evil.txt", b"x"), RawEntry(b"a\\..\\evil.txt", b"x"), RawEntry(b"evil\0.txt", b"x")),
        *(RawEntry(b"evil.txt", b"/etc/passwd", mode=SYMLINK), RawEntry(b"evil.txt", b"x", flags=1)),
        *(RawEntry(b"evil.txt", b"a" * 10**6, method=8, size=10), RawEntry(b"evil.txt", b"x", crc=1)),
    ],
    ids=lambda entry: ascii(entry.name)[2:-1],
)
def test_a_hostile_member_is_an_error_and_leaves_nothing_behind(tmp_path: Path, entry: RawEntry) -> None:
    path = tmp_path / "hostile.pybundle"
    path.write_bytes(raw_zip([RawEntry(b"good.txt", b"good"), entry]))
    error_of("extract", path, tmp_path / "deep/out")
    written = {name for name in files(tmp_path) if name != "hostile.pybundle"}
    assert written <= {"deep/out/good.txt"}


def test_of_a_bomb_no_more_is_unpacked_than_it_announced(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pybundle"
    path.write_bytes(raw_zip([RawEntry(b"bomb.txt", bytes(50_000_000), method=8, size=1000)]))
    bundle = bundleimp.open_bundle(path)
    given = []
    with pytest.raises(bundleimp.BundleError, match="does not have the 1000 bytes that it announces"):  # noqa: PT012 (a loop is what a caller has)
        for chunk in stream(bundle.file, bundle.members[0]):
            given.append(len(chunk))  # noqa: PERF401 (what was given before the error counts)
    assert sum(given) <= 1000


def test_a_member_that_stands_there_twice_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "twice.pybundle"
    path.write_bytes(raw_zip([RawEntry(b"a.txt", b"1"), RawEntry(b"a.txt", b"2")]))
    assert "appears twice in the archive" in error_of("extract", path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["n" * 255, "ä" * 127])
@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="names are measured in other units there")
def test_the_longest_name_that_a_file_can_have_comes_back(tmp_path: Path, name: str) -> None:
    bundle = make_bundle(tmp_path / "out.pybundle", {name: "content"})
    bundleimp_command("extract", bundle, tmp_path / "out")
    assert files(tmp_path / "out") == {name: b"content"}


def test_a_directory_that_cannot_be_made_is_an_error(bundle: Path, tmp_path: Path) -> None:
    make_tree(tmp_path, {"file": ""})
    assert "cannot be written" in error_of("extract", bundle, tmp_path / "file/out")
