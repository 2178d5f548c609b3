"""Units of real files: which members stand together, which modules say so, and the table that keeps it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundleimp.packing.errors import PackError
from bundleimp.packing.locations import NONE, Question
from bundleimp.packing.units import LOOSE, Fact, Plan, plan_units
from bundleimp.runtime.faults.kinds import BundleFormatError
from bundleimp.runtime.format import FLAG_REACHED, FLAG_REAL
from bundleimp.runtime.site.units import Unit, decode_units, digest, encode_units

from .strategies import examples, names, parts

if TYPE_CHECKING:
    from collections.abc import Mapping

ASKS = Question(own=True)
ASKS_FOR_CODE = Question(own=True, code=True)
EXTENSION = "_fast.cpython-311-x86_64-linux-gnu.so"

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
folders = st.from_regex(r"[A-Za-z0-9_.-]{1,60}", fullmatch=True)
units = st.builds(Unit, folders, digests, st.dictionaries(names, st.booleans(), max_size=6))


def fact(member: str, question: Question = NONE, content: bytes = b"", *, executable: bool = False) -> Fact:
    return Fact(member, hashlib.sha256(content).digest(), len(content), executable, question)


def planned(*members: str | Fact, records: Mapping[str, str] | None = None, **options: Any) -> Plan:
    """Return the plan for *members*, of which those given by name ask for nothing."""
    facts = [member if isinstance(member, Fact) else fact(member) for member in members]
    recorded = {f"{name}.dist-info/RECORD": text.encode() for name, text in (records or {}).items()}
    facts += [fact(name) for name in recorded]
    return plan_units(facts, recorded, **options)


def files(result: Plan) -> dict[str, list[str]]:
    """Return the members of each unit, by the unit's name."""
    return {unit.name: list(unit.files) for unit in result.units}


def described(table: list[Unit]) -> list[tuple[str, str, dict[str, bool]]]:
    return [(unit.name, unit.digest, unit.files) for unit in table]


# Which modules need what.


@pytest.mark.parametrize(
    "members",
    [
        ["pkg/__init__.py", "pkg/mod.py"],
        ["mod.py"],
        ["pkg/__init__.py", "pkg/__init__.pyi", "pkg/py.typed"],
        [fact("pkg/__init__.py", ASKS), "pkg/mod.py"],
        ["pkg/__init__.pyc"],
        ["README", "mod.pyi"],
        ["pkg/__init__.py", "pkg-1.dist-info/METADATA", "pkg-1.dist-info/licenses/LICENSE", "old.egg-info/PKG-INFO"],
        [],
    ],
    ids=[
        "pure",
        "one module",
        "typed",
        "asks, but there is nothing to find",
        "bytecode",
        "no code",
        "metadata",
        "nothing",
    ],
)
def test_what_has_nothing_to_open_needs_no_real_files(members: list[str | Fact]) -> None:
    result = planned(*members)
    assert (result.units, result.flags, result.mirrored) == ([], {}, [])


def test_modules_beside_data_may_be_reached_and_their_packages_too() -> None:
    result = planned("pkg/__init__.py", "pkg/mod.py", "pkg/sub/__init__.py", "pkg/sub/near.py", "pkg/sub/table.txt")
    assert set(result.flags) == {"pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/near.py"}
    assert set(result.flags.values()) == {FLAG_REACHED}
    assert files(result) == {
        "pkg": ["pkg/__init__.py", "pkg/mod.py", "pkg/sub/__init__.py", "pkg/sub/near.py", "pkg/sub/table.txt"]
    }


def test_data_in_folders_without_code_belongs_to_the_nearest_folder_that_has_some() -> None:
    result = planned("pkg/__init__.py", "pkg/mod.py", "pkg/static/css/deep/a.css", "pkg/other/__init__.py")
    assert set(result.flags) == {"pkg/__init__.py", "pkg/mod.py"}


def test_a_module_that_asks_for_its_location_needs_it_where_its_unit_has_data() -> None:
    result = planned("pkg/__init__.py", fact("pkg/far/mod.py", ASKS), "pkg/table.txt", "pkg/far/other.py")
    assert result.flags == {"pkg/__init__.py": FLAG_REACHED, "pkg/far/mod.py": FLAG_REAL}
    assert result.mirrored[0].reason == "pkg/far/mod.py looks for files beside its __file__"


def test_a_module_that_looks_for_code_needs_its_location_without_any_data() -> None:
    result = planned(fact("pkg/__init__.py", ASKS_FOR_CODE), "pkg/plugin.py")
    assert result.flags == {"pkg/__init__.py": FLAG_REAL}
    assert files(result) == {"pkg": ["pkg/__init__.py", "pkg/plugin.py"]}


@pytest.mark.parametrize("members", [["data/table.txt"], ["space/data/table.txt", "space/code/mod.py"]])
def test_a_folder_of_data_may_be_reached_as_a_namespace_package(members: list[str | Fact]) -> None:
    result = planned(*members)
    assert result.flags == {}
    assert [unit.reason for unit in result.mirrored] == ["it has data, should another module look for it"]


@pytest.mark.parametrize(
    "name",
    [EXTENSION, "_fast.so", "_fast.abi3.so", "_fast.cp313-win_amd64.pyd", "_fast.pyd", "_fast.cpython-39-darwin.so"],
)
def test_all_modules_of_a_unit_with_an_extension_module_are_real(name: str) -> None:
    result = planned("pkg/__init__.py", f"pkg/deep/{name}", "pkg/mod.py", "pkg/table.txt")
    assert result.flags == dict.fromkeys(["pkg/__init__.py", f"pkg/deep/{name}", "pkg/mod.py"], FLAG_REAL)
    assert result.mirrored[0].reason == f"pkg/deep/{name} is an extension module"


@pytest.mark.parametrize("name", ["libfast.so.1", "libfast.dylib", "fast.dll", "fast.soft", ".so"])
def test_a_shared_library_is_data_like_any_other(name: str) -> None:
    assert planned("pkg/__init__.py", f"pkg/{name}").flags == {"pkg/__init__.py": FLAG_REACHED}


# Which members stand together.


def test_a_distribution_owns_what_its_record_lists() -> None:
    result = planned(
        *("fast/__init__.py", f"fast/{EXTENSION}", "fast.libs/libfast-1a2b.so.1", "fast_extra.py", "other.py"),
        records={
            "Fast-1.0": f"fast/__init__.py,,\nfast/{EXTENSION},,\nfast.libs/libfast-1a2b.so.1,,\nfast_extra.py,,\n"
        },
    )
    assert files(result) == {
        "Fast": ["fast.libs/libfast-1a2b.so.1", "fast/__init__.py", f"fast/{EXTENSION}", "fast_extra.py"]
    }
    assert "other.py" not in result.flags


def test_scripts_and_shared_data_of_a_record_belong_to_it() -> None:
    result = planned(
        *("bin/tool", fact("pkg/__init__.py", ASKS), "share/man/tool.1"),
        records={"pkg-1": "../../bin/tool,,\npkg/__init__.py,,\n../../../share/man/tool.1,,\n../../../etc/passwd,,\n"},
    )
    assert files(result) == {"pkg": ["bin/tool", "pkg/__init__.py", "share/man/tool.1"]}


def test_distributions_that_share_a_namespace_package_own_their_parts_of_it() -> None:
    result = planned(
        *("space/one/__init__.py", "space/one/table.txt", "space/two/__init__.py", "space/two/table.txt"),
        records={
            "space_one-1": "space/one/__init__.py,,\nspace/one/table.txt,,\n",
            "space_two-1": "space/two/__init__.py,,\nspace/two/table.txt,,\n",
        },
    )
    assert files(result) == {
        "space_one": ["space/one/__init__.py", "space/one/table.txt"],
        "space_two": ["space/two/__init__.py", "space/two/table.txt"],
    }


def test_the_record_of_what_a_package_carries_along_is_not_asked() -> None:
    """A vendored distribution lists its files from its own folder: they look like those of an installed one."""
    vendored = "carrier/_vendor/typed-1.dist-info/RECORD"
    facts = [fact(name) for name in ("carrier/__init__.py", "typed/__init__.py", "typed/table.txt", vendored)]
    record = b"typed/__init__.py,,\ntyped/table.txt,,\n"
    result = plan_units(facts, {vendored: record, "typed-2.dist-info/RECORD": record})
    assert files(result)["typed"] == ["typed/__init__.py", "typed/table.txt"]


def test_modules_without_source_belong_to_the_distribution_that_recorded_the_source() -> None:
    result = planned(
        *(fact("pkg/__init__.pyc", ASKS), "pkg/table.txt"), records={"Dist-1": "pkg/__init__.py,,\npkg/table.txt,,\n"}
    )
    assert files(result) == {"Dist": ["pkg/__init__.pyc", "pkg/table.txt"]}


def test_a_module_and_a_folder_beside_it_at_the_top_are_one_unit() -> None:
    result = planned(fact("app.py", ASKS), "templates/index.html", "logo.png", "pkg/__init__.py")
    assert files(result) == {LOOSE: ["app.py", "logo.png", "templates/index.html"]}
    assert result.flags == {"app.py": FLAG_REAL}


def test_records_with_quotes_backslashes_and_nonsense_are_read() -> None:
    result = planned(
        *("pkg/__init__.py", "pkg/a,b.txt", "pkg/line\nbreak.txt"),
        records={
            "dist-1": 'pkg\\__init__.py,,\n"pkg/a,b.txt",,\n\n,,,,\n"pkg/line\nbreak.txt",,\n/abs/path,,\nx',
            "broken-1": "\udcff".encode("utf-8", "surrogatepass").decode("latin-1") + '"',
        },
    )
    assert files(result) == {"dist": ["pkg/__init__.py", "pkg/a,b.txt", "pkg/line\nbreak.txt"]}


def test_the_name_of_a_unit_is_fit_for_a_folder() -> None:
    result = planned("grüße €/__init__.py", "grüße €/table.txt", f"{'x' * 100}/__init__.py", f"{'x' * 100}/table.txt")
    assert [unit.name for unit in result.units] == ["gr__e__", "x" * 60]
    assert [unit.name for unit in result.mirrored] == ["grüße €", "x" * 100]


def test_a_unit_is_the_same_in_whatever_order_its_members_come() -> None:
    members = [fact("pkg/__init__.pyc", ASKS), fact("pkg/mod.py.txt"), fact("pkg/mod.pyc"), fact("pkg/b", content=b"b")]
    forth, back = planned(*members).units, planned(*reversed(members)).units
    assert described(forth) == described(back)
    contents = sorted((item.member, item.executable, item.digest) for item in members)
    assert forth[0].digest == digest(contents, hashlib.sha256)


@pytest.mark.parametrize(
    "other",
    [
        [fact("pkg/__init__.py"), fact("pkg/table.txt", content=b"other")],
        [fact("pkg/__init__.py"), fact("pkg/table.txt", executable=True)],
        [fact("pkg/__init__.py"), fact("pkg/table2.txt")],
        [fact("pkg/__init__.py"), fact("pkg/table.txt"), fact("pkg/more.txt")],
    ],
    ids=["content", "mode", "name", "one more"],
)
def test_whatever_differs_gives_another_digest(other: list[Fact]) -> None:
    (unit,) = planned("pkg/__init__.py", "pkg/table.txt").units
    (changed,) = planned(*other).units
    assert unit.name == changed.name
    assert unit.digest != changed.digest


# What the user decides.


def test_unpack_makes_all_modules_of_a_unit_real() -> None:
    result = planned("pkg/__init__.py", "pkg/mod.py", "other/__init__.py", unpack=["pkg"])
    assert result.flags == dict.fromkeys(["pkg/__init__.py", "pkg/mod.py"], FLAG_REAL)
    assert [(unit.name, unit.files, unit.reason) for unit in result.mirrored] == [("pkg", 2, "asked for with --unpack")]


def test_no_unpack_makes_none_real() -> None:
    members = ["pkg/__init__.py", f"pkg/{EXTENSION}", "pkg/table.txt"]
    assert planned(*members, no_unpack=["pkg"]).units == []
    assert planned(*members, no_unpack=["pkg"]).flags == {}


@pytest.mark.parametrize("name", ["My_Dist.x", "my-dist-x", "MY.DIST_X"])
def test_names_are_compared_as_installers_do(name: str) -> None:
    result = planned("pkg/__init__.py", records={"my_dist.x-1": "pkg/__init__.py,,\n"}, unpack=[name])
    assert set(result.flags) == {"pkg/__init__.py"}


@pytest.mark.parametrize("option", ["unpack", "no_unpack"])
def test_an_unknown_name_is_an_error_that_names_the_known_ones(option: str) -> None:
    options: dict[str, Any] = {option: ["nothing"]}
    with pytest.raises(PackError, match="no distribution or top-level package 'nothing'; there are a, b"):
        planned("a/__init__.py", "b/__init__.py", **options)


# The table.


@given(st.lists(units, max_size=4))
@examples(200)
def test_a_table_is_read_as_it_was_written(table: list[Unit]) -> None:
    read = decode_units(encode_units(table))
    for before, after in zip(table, read, strict=True):
        assert all(name in after for name in before.files)
    assert described(read) == described(table)
    assert encode_units(read) == encode_units(table)


@given(st.dictionaries(names, st.booleans(), max_size=6), names, parts)
@examples(200)
def test_a_unit_holds_its_files_and_nothing_else(members: dict[str, bool], other: str, part: str) -> None:
    (unit,) = decode_units(encode_units([Unit("unit", "0" * 64, members)]))
    for name in (
        other,
        part,
        f"x{other}",
        f"-{other}",
        "",
        *(name[:-1] for name in members),
        *(name + part for name in members),
    ):
        assert (name in unit) == (name in members)


def table_of(*lines: str, lists: str = "") -> bytes:
    return "\n".join(["PBu1", *lines, "", lists]).encode()


SOUND = f"name\t{'0' * 64}\t8"
DAMAGED = {
    "empty": b"",
    "another magic": table_of(SOUND, lists="-a/b.py\0").replace(b"PBu1", b"PBu2"),
    "too short a list": table_of(SOUND, lists="-a.py\0"),
    "too long a list": table_of(SOUND, lists="-a/b.py\0-c\0"),
    "a field is missing": table_of(f"name\t{'0' * 64}", lists="-a/b.py\0"),
    "a field too many": table_of(f"{SOUND}\tx", lists="-a/b.py\0"),
    "no number": table_of(f"name\t{'0' * 64}\teight", lists="-a/b.py\0"),
    "a number beyond all": table_of(f"name\t{'0' * 64}\t{'9' * 5000}", lists="-a/b.py\0"),
    "short digest": table_of(f"name\t{'0' * 62}\t8", lists="-a/b.py\0"),
    "no digest": table_of(f"name\t{'x' * 64}\t8", lists="-a/b.py\0"),
    "a digest that leads away": table_of(f"name\t/../../{'0' * 57}\t8", lists="-a/b.py\0"),
    "a name that leads away": table_of(f"../../name\t{'0' * 64}\t8", lists="-a/b.py\0"),
    "an absolute name": table_of(f"/name\t{'0' * 64}\t8", lists="-a/b.py\0"),
    "a name with a backslash": table_of(f"..\\name\t{'0' * 64}\t8", lists="-a/b.py\0"),
    "a name with a NUL": table_of(f"na\0me\t{'0' * 64}\t8", lists="-a/b.py\0"),
    "a name with a drive": table_of(f"c:name\t{'0' * 64}\t8", lists="-a/b.py\0"),
    "not UTF-8": table_of(SOUND, lists="-a/b.py\0").replace(b"b", b"\xff"),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_table_is_an_error(data: bytes) -> None:
    assert described(decode_units(table_of(SOUND, lists="-a/b.py\0"))) == [("name", "0" * 64, {"a/b.py": False})]
    with pytest.raises(BundleFormatError, match="the table of units is damaged"):
        decode_units(data)


@given(st.lists(units, min_size=1, max_size=3), st.data())
@examples(300)
def test_a_damaged_table_never_raises_anything_else(table: list[Unit], data: st.DataObject) -> None:
    encoded = bytearray(encode_units(table))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        read = decode_units(bytes(encoded))
    except BundleFormatError:
        return
    assert all("/" not in unit.name and len(bytes.fromhex(unit.digest)) == 32 for unit in read)
    assert all(isinstance(unit.files, dict) for unit in read)


@given(st.binary(max_size=80))
@examples(200)
def test_arbitrary_bytes_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(BundleFormatError):
        decode_units(data)


def test_a_command_is_no_data_and_a_compiled_program_is() -> None:
    records = {"pkg-1": "pkg/__init__.py,,\npkg/mod.py,,\n../../bin/pkg,,\n"}
    command = Fact("bin/pkg", b"", 0, executable=True, script=True)
    assert planned("pkg/__init__.py", fact("pkg/mod.py", ASKS), command, records=records).units == []
    program = Fact("bin/pkg", b"", 0, executable=True)
    assert [unit.name for unit in planned(fact("pkg/mod.py", ASKS), program, records=records).units] == ["pkg"]
