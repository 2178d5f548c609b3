"""``bundleimp diff``: members added, removed and changed, and what bundles say about themselves."""

from __future__ import annotations

import itertools
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from bundleimp import open_bundle
from bundleimp.inspection.diff import Content, Contents, MemberChange, compare, diff
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.bundlefile import BundleFile

from .archives import RawEntry, flipped, raw_zip
from .builders import Tree, make_bundle, make_zip
from .command_line import APP, bundleimp_command, error_of

if TYPE_CHECKING:
    from pathlib import Path

OWN_TAG = f"cpython-{sys.version_info[0]}{sys.version_info[1]}"
OTHER: Tree = {name: content for name, content in APP.items() if name != "single.py"} | {
    "app/new.py": "",
    "app/table.txt": "wor\n" * 50,
    "app/__init__.py": "NAME = 'another'\n",
}


def printed_json(*arguments: str | Path, status: int) -> Any:
    return json.loads(bundleimp_command("diff", *arguments, "--json", status=status).stdout)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("one") / "app.pybundle", APP)


@pytest.fixture(scope="module", params=["flat", "nested"])
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("two") / "app.pybundle", OTHER, layout=request.param)


def test_a_bundle_does_not_differ_from_itself_and_the_exit_status_is_0(bundle: Path) -> None:
    assert bundleimp_command("diff", bundle, bundle).stdout == "no difference: 8 members\n"
    assert bundleimp_command("diff", "--quiet", bundle, bundle).stdout == ""
    assert printed_json(bundle, bundle, status=0) == {
        "same": True,
        "added": [],
        "removed": [],
        "changed": [],
        "facts": [],
    }


def test_members_added_removed_and_changed_and_the_exit_status_is_1(bundle: Path, other: Path) -> None:
    lines = bundleimp_command("diff", bundle, other, status=1).stdout.splitlines()
    assert lines[:4] == [
        "added    app/new.py",
        "removed  single.py",
        "changed  app/__init__.py (13 -> 17 bytes)",
        "changed  app/table.txt (200 bytes, as before)",
    ]
    assert bundleimp_command("diff", "--quiet", bundle, other, status=1).stdout.splitlines() == lines


def test_the_other_way_round(bundle: Path, other: Path) -> None:
    found = printed_json(other, bundle, status=1)
    assert (found["same"], found["added"], found["removed"]) == (False, ["single.py"], ["app/new.py"])
    assert found["changed"] == [
        {"name": "app/__init__.py", "before": 17, "after": 13},
        {"name": "app/table.txt", "before": 200, "after": 200},
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"layout": "nested"}, {"layout": ("flat", "nested")}),
        ({"compress": "none"}, {"compress": ("deflate", "none")}),
        ({"bytecode": False}, {f"bytecode for {OWN_TAG}": (..., None), f"Python of {OWN_TAG}": (..., None)}),
        ({"optimize": 1}, {f"bytecode for {OWN_TAG}.opt-1": (None, ...), f"bytecode for {OWN_TAG}": (..., None)}),
    ],
    ids=str,
)
def test_what_bundles_of_the_same_members_say_differently(
    bundle: Path, tmp_path: Path, options: dict[str, Any], expected: dict[str, tuple[Any, Any]]
) -> None:
    variant = make_bundle(tmp_path / "app.pybundle", APP, **options)
    found = printed_json(bundle, variant, status=1)
    assert (found["added"], found["removed"], found["changed"]) == ([], [], [])
    facts = {fact["name"]: (fact["before"], fact["after"]) for fact in found["facts"]}
    for name, values in expected.items():
        for value, seen in zip(values, facts.pop(name), strict=True):
            assert seen if value is ... else seen == value
    assert all(name.startswith("Python of ") for name in facts)
    first = bundleimp_command("diff", bundle, variant, status=1).stdout.splitlines()[0]
    assert " -> " in first


def test_a_zip_is_compared_with_a_bundle_by_its_members(bundle: Path, tmp_path: Path) -> None:
    same = make_zip(tmp_path / "app.zip", APP)
    assert bundleimp_command("diff", bundle, same).stdout == "no difference: 8 members\n"
    assert bundleimp_command("diff", same, bundle).stdout == "no difference: 8 members\n"
    with zipfile.ZipFile(same, "a") as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/added.py", "")
    assert bundleimp_command("diff", bundle, same, status=1).stdout == "added    folder/added.py\n"


def test_two_zips(tmp_path: Path) -> None:
    one = make_zip(tmp_path / "one.whl", APP, method=zipfile.ZIP_STORED)
    two = make_zip(tmp_path / "two.zip", OTHER)
    assert bundleimp_command("diff", one, two, status=1).stdout.count("\n") == 4


def test_names_that_must_not_be_used_are_compared_too(tmp_path: Path) -> None:
    paths = []
    for content in (b"1", b"2"):
        path = tmp_path / f"{content.decode()}.zip"
        path.write_bytes(raw_zip([RawEntry(b"../up.py", content), RawEntry(b"a.py", b"x"), RawEntry(b"a.py", content)]))
        paths.append(path)
    assert bundleimp_command("diff", *paths, status=1).stdout == (
        "changed  ../up.py (1 bytes, as before)\nchanged  a.py (2 bytes, as before)\n"
    )


def test_content_that_only_sha256_tells_apart_is_different() -> None:
    before, after = (Contents({"a.py": [Content(1, 2, digest)]}, None) for digest in ("sha256=a", "sha256=b"))
    assert compare(before, after).changed == [MemberChange("a.py", 1, 1)]
    assert not compare(before, Contents({"a.py": [Content(1, 2)]}, None))


def test_an_entry_point_added_removed_or_changed() -> None:
    values: tuple[dict[str, str], ...] = ({}, {"entry_point": "a:b"}, {"entry_point": "a:c"})
    for before, after in itertools.permutations(values, 2):
        (fact,) = compare(Contents({}, before), Contents({}, after)).facts
        assert (fact.name, fact.before, fact.after) == (
            "entry_point",
            before.get("entry_point"),
            after.get("entry_point"),
        )
    assert not compare(Contents({}, values[0]), Contents({}, None))


def test_of_zips_only_the_central_directories_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = (open_bundle(make_zip(tmp_path / f"{at}.zip", tree)) for at, tree in enumerate((APP, OTHER)))

    def read(_file: BundleFile, offset: int, size: int) -> bytes:
        message = f"{size} bytes are read at {offset}"
        raise AssertionError(message)

    monkeypatch.setattr(BundleFile, "read", read)
    assert diff(before, after).added == ["app/new.py"]


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("content", [None, b"", b"no zip"])
def test_what_is_no_zip_is_one_line_and_the_exit_status_is_2(
    bundle: Path, tmp_path: Path, position: int, content: bytes | None
) -> None:
    bad = tmp_path / "bad.pybundle"
    if content is not None:
        bad.write_bytes(content)
    arguments = [bundle, bundle]
    arguments[position] = bad
    assert error_of("diff", *arguments).startswith(f"{bad}: ")


@pytest.mark.parametrize("member", [bundle_format.RECORD, bundle_format.MANIFEST])
def test_a_damaged_statement_of_a_bundle_about_itself_is_one_line(bundle: Path, tmp_path: Path, member: str) -> None:
    damaged = tmp_path / "damaged.pybundle"
    with zipfile.ZipFile(bundle) as archive:
        start = archive.getinfo(member).header_offset + 30 + len(member)
    damaged.write_bytes(flipped(bundle.read_bytes(), 8 * (start + 20)))
    assert error_of("diff", bundle, damaged).startswith(f"{damaged}: {member}: ")


@pytest.mark.parametrize("arguments", [[], ["one"], ["one", "two", "three"]])
def test_two_files_are_needed(arguments: list[str]) -> None:
    assert "--help" in error_of("diff", *arguments)


def test_help_says_what_is_compared() -> None:
    assert "Exit status 1" in bundleimp_command("diff", "--help").stdout.replace("\n", " ")
