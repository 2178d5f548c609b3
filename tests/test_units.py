"""Units of real files: which members are placed together, which modules need them, and the table of units."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundleimp.packing.errors import PackError
from bundleimp.packing.units import Fact, Plan, plan_units
from bundleimp.runtime.faults.kinds import BundleFormatError
from bundleimp.runtime.format import FLAG_DATA, FLAG_WHOLE
from bundleimp.runtime.site.planning import UNRECORDED, resolved
from bundleimp.runtime.site.questions import Question
from bundleimp.runtime.site.units import DATA_PART, LETTERS, Unit, decode_units, digest, encode_units

from .strategies import examples, names, parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

NOTHING = Question()
ASKS = Question(own=True)
ASKS_FOR_CODE = Question(own=True, code=True)
EXTENSION = "_fast.cpython-311-x86_64-linux-gnu.so"

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
folders = st.from_regex(r"[A-Za-z0-9_.+-]{1,60}", fullmatch=True)
files_of_a_unit = st.dictionaries(names, st.sampled_from(LETTERS), max_size=6)
units = st.builds(Unit, folders, digests, digests, files_of_a_unit)


@st.composite
def tables(draw: st.DrawFn, least: int = 0) -> list[Unit]:
    """Draw a table of units, some of which bring others along."""
    table = draw(st.lists(units, min_size=least, max_size=4))
    numbers: SearchStrategy[list[int]] = st.lists(st.sampled_from(range(max(len(table), 1))), max_size=3)
    for unit in table:
        unit.brings = tuple(draw(numbers))
    return table


def fact(member: str, question: Question = NOTHING, content: bytes = b"", **more: Any) -> Fact:
    executable = bool(more.pop("executable", False))
    return Fact(member, hashlib.sha256(content).digest(), len(content), executable, question, **more)


def native(member: str, *run_paths: str) -> Fact:
    """Return a native file whose linker looks for libraries in *run_paths*."""
    return fact(member, run_paths=run_paths)


def planned(*members: str | Fact, records: Mapping[str, str] | None = None, **options: Any) -> Plan:
    """Return the plan for *members*, of which those given by name ask for nothing."""
    facts = [member if isinstance(member, Fact) else fact(member) for member in members]
    recorded = {f"{name}.dist-info/RECORD": text.encode() for name, text in (records or {}).items()}
    facts += [fact(name) for name in recorded]
    return plan_units(facts, recorded, **options)


def distributions(**members: Sequence[str | Fact]) -> Plan:
    """Return the plan for distributions that record their *members*, given by name; "own" ones are not recorded."""
    records = {
        f"{name}-1": "".join(f"{member.member if isinstance(member, Fact) else member},,\n" for member in own)
        for name, own in members.items()
        if name != "own"
    }
    return planned(*dict.fromkeys(member for own in members.values() for member in own), records=records)


def files(result: Plan) -> dict[str, list[str]]:
    """Return the members of each unit, by the unit's name."""
    return {unit.name: list(unit.files) for unit in result.units}


def brings(result: Plan) -> dict[str, list[str]]:
    """Return the names of the units that each unit brings along."""
    return {unit.name: [result.units[number].name for number in unit.brings] for unit in result.units}


def described(table: list[Unit]) -> list[tuple[str, str, str, tuple[int, ...], dict[str, str]]]:
    return [(unit.name, unit.digest, unit.data_digest, unit.brings, unit.files) for unit in table]


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
        [fact("pkg/__init__.py", ASKS), "pkg-1.dist-info/METADATA", "pkg-1.dist-info/entry_points.txt"],
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
        "asks, beside metadata",
        "nothing",
    ],
)
def test_what_has_nothing_to_open_needs_no_real_files(members: list[str | Fact]) -> None:
    result = planned(*members)
    assert (result.units, result.flags, result.placed) == ([], {}, [])


def test_modules_near_data_and_the_packages_above_need_the_data_part() -> None:
    result = planned("pkg/__init__.py", "pkg/mod.py", "pkg/sub/__init__.py", "pkg/sub/near.py", "pkg/sub/table.txt")
    part = ["pkg/__init__.py", "pkg/sub/__init__.py", "pkg/sub/near.py"]
    assert result.flags == dict.fromkeys(part, FLAG_DATA)
    assert files(result) == {"pkg": [*part, "pkg/sub/table.txt"]}
    assert result.placed[0].reason == "pkg/sub/table.txt is data near modules"


def test_of_many_modules_only_those_near_data_are_ever_written() -> None:
    far = [f"client/services/{number}/{name}.py" for number in range(50) for name in ("__init__", "api")]
    result = planned("client/__init__.py", *far, "client/services/7/endpoints.json", "client/services/__init__.py")
    (placed,) = result.placed
    assert (placed.files, placed.data_files) == (0, 5)
    assert files(result) == {
        "client": [
            "client/__init__.py",
            "client/services/7/__init__.py",
            "client/services/7/api.py",
            "client/services/7/endpoints.json",
            "client/services/__init__.py",
        ]
    }
    (unit,) = result.units
    assert set(unit.files.values()) == {"d"}
    assert unit.digest == unit.data_digest


def test_data_in_folders_without_code_belongs_to_the_nearest_folder_that_has_some() -> None:
    result = planned("pkg/__init__.py", "pkg/mod.py", "pkg/static/css/deep/a.css", "pkg/other/__init__.py")
    assert {name for name in result.flags if not name.endswith("/")} == {"pkg/__init__.py", "pkg/mod.py"}


def test_a_module_that_asks_for_its_location_needs_the_whole_unit_where_that_has_other_files() -> None:
    result = planned("pkg/__init__.py", fact("pkg/far/mod.py", ASKS), "pkg/table.txt", "pkg/far/other.py")
    assert result.flags == {"pkg/__init__.py": FLAG_DATA, "pkg/far/mod.py": FLAG_WHOLE}
    (unit,) = result.units
    assert unit.files == {"pkg/__init__.py": "d", "pkg/far/mod.py": "-", "pkg/far/other.py": "-", "pkg/table.txt": "d"}
    assert unit.digest != unit.data_digest
    (placed,) = result.placed
    assert (placed.files, placed.data_files) == (4, 2)
    assert placed.reason == "pkg/far/mod.py asks for its location, and may look for files beside it"


@pytest.mark.parametrize("other", ["pkg/mod.pyi", "pkg/py.typed", "pkg/deep/py.typed"])
def test_stubs_and_markers_are_files_for_one_that_asks_and_for_nobody_else(other: str) -> None:
    assert planned("pkg/__init__.py", "pkg/mod.py", other).units == []
    result = planned("pkg/__init__.py", fact("pkg/mod.py", ASKS), other)
    assert result.flags == {"pkg/mod.py": FLAG_WHOLE}
    (unit,) = result.units
    assert unit.files == dict.fromkeys(sorted(["pkg/__init__.py", "pkg/mod.py", other]), "-")
    assert unit.data_digest == hashlib.sha256().hexdigest()


def test_a_module_that_looks_for_code_needs_its_location_without_any_data() -> None:
    result = planned(fact("pkg/__init__.py", ASKS_FOR_CODE), "pkg/plugin.py")
    assert result.flags == {"pkg/__init__.py": FLAG_WHOLE}
    assert files(result) == {"pkg": ["pkg/__init__.py", "pkg/plugin.py"]}
    assert result.placed[0].reason == "pkg/__init__.py asks for its location, and may look for code beside it"


@pytest.mark.parametrize(
    ("members", "portions"),
    [
        (["data/table.txt"], ["data"]),
        (["space/data/table.txt", "space/code/mod.py"], ["space", "space/data"]),
        (["space/code/mod.py", "space/code/table.txt"], ["space", "space/code"]),
        (["pkg/__init__.py", "pkg/static/css/a.css"], ["pkg/static", "pkg/static/css"]),
        (["space/pkg/__init__.py", "space/pkg/table.txt"], []),
        (["space/pkg/__init__.py", "space/pkg/static/a.css"], ["space/pkg/static"]),
        (["space/pkg/__init__.pyc", "space/table.txt"], ["space"]),
        (["pkg/__init__.py", f"pkg/{EXTENSION}", "templates/index.html"], ["templates"]),
        ([fact("pkg/__init__.py", ASKS), "templates/index.html"], ["templates"]),
        (["pkg/__init__.py", "pkg/stubs/mod.pyi"], []),
    ],
    ids=[
        "data alone",
        "beside code",
        "with code",
        "in a package",
        "a package below",
        "in a package below",
        "data beside a package",
        "extension module",
        "asks",
        "stubs",
    ],
)
def test_folders_outside_packages_that_contain_data_are_flagged(members: list[str | Fact], portions: list[str]) -> None:
    flags = planned(*members).flags
    assert {name: flag for name, flag in flags.items() if name.endswith("/")} == {
        f"{portion}/": FLAG_DATA for portion in portions
    }


def test_a_folder_of_data_without_modules_is_placed_for_those_who_import_it() -> None:
    result = planned("data/table.txt", "pkg/__init__.py")
    assert result.flags == {"data/": FLAG_DATA}
    assert files(result) == {UNRECORDED: ["data/table.txt"]}
    assert result.placed[0].reason == "data/table.txt is data in a folder that can be imported"


@pytest.mark.parametrize(
    "name",
    [EXTENSION, "_fast.so", "_fast.abi3.so", "_fast.cp313-win_amd64.pyd", "_fast.pyd", "_fast.cpython-39-darwin.so"],
)
def test_all_modules_of_a_unit_with_an_extension_module_need_the_whole_unit(name: str) -> None:
    result = planned("pkg/__init__.py", f"pkg/deep/{name}", "pkg/mod.py", "pkg/table.txt")
    assert result.flags == dict.fromkeys(["pkg/__init__.py", f"pkg/deep/{name}", "pkg/mod.py"], FLAG_WHOLE)
    assert result.placed[0].reason == f"pkg/deep/{name} is an extension module"
    assert files(result) == {"pkg": sorted(["pkg/__init__.py", f"pkg/deep/{name}", "pkg/mod.py", "pkg/table.txt"])}


@pytest.mark.parametrize("name", ["libfast.so.1", "libfast.dylib", "fast.dll", "fast.soft", ".so"])
def test_a_shared_library_is_data_like_any_other(name: str) -> None:
    assert planned("pkg/__init__.py", f"pkg/{name}").flags == {"pkg/__init__.py": FLAG_DATA}


def test_a_command_is_no_data_and_a_compiled_program_is() -> None:
    records = {"pkg-1": "pkg/__init__.py,,\npkg/mod.py,,\n../../bin/pkg,,\n"}
    command = Fact("bin/pkg", b"", 0, executable=True, script=True)
    assert planned("pkg/__init__.py", fact("pkg/mod.py", ASKS), command, records=records).units == []
    program = Fact("bin/pkg", b"", 0, executable=True)
    assert [unit.name for unit in planned(fact("pkg/mod.py", ASKS), program, records=records).units] == ["pkg"]


# Which members are placed together.


def test_all_that_no_record_lists_is_one_unit() -> None:
    result = planned(
        *("app/__init__.py", fact("app/mod.py", ASKS), "other/__init__.py", "templates/index.html", "tool.py"),
        *("dist/__init__.py", "dist-1.dist-info/METADATA"),
        records={"dist-1": "dist/__init__.py,,\n"},
    )
    own = ["app/__init__.py", "app/mod.py", "other/__init__.py", "templates/index.html", "tool.py"]
    assert files(result) == {UNRECORDED: own}


@pytest.mark.parametrize(
    ("members", "name"),
    [
        (["app/__init__.py", "app/table.txt"], "app"),
        (["app/__init__.py", "app/table.txt", "app-1.dist-info/METADATA"], "app"),
        (["app/__init__.py", "app/table.txt", "app.py"], UNRECORDED),
        (["table.txt"], "table"),
        ([".hidden/table.txt"], UNRECORDED),
    ],
)
def test_a_unit_without_a_record_has_the_name_of_its_only_package(members: list[str], name: str) -> None:
    assert [unit.name for unit in planned(*members, unpack=[name]).units] == [name]


def test_a_module_and_a_folder_beside_it_at_the_top_are_one_unit() -> None:
    result = planned(fact("app.py", ASKS), "templates/index.html", "logo.png", "pkg/__init__.py")
    assert files(result) == {UNRECORDED: ["app.py", "logo.png", "pkg/__init__.py", "templates/index.html"]}
    assert result.flags == {"app.py": FLAG_WHOLE, "templates/": FLAG_DATA}


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


def test_distributions_that_share_a_namespace_package_are_units_of_their_own() -> None:
    one, two = (["space/one/__init__.py", "space/one/table.txt"], ["space/two/__init__.py", "space/two/table.txt"])
    assert files(distributions(space_one=one, space_two=two)) == {"space_one": one, "space_two": two}


def test_distributions_that_both_record_a_package_are_units_of_their_own() -> None:
    """As in an old-style namespace package: which of them was installed last says nothing."""
    one = ["space/__init__.py", "space/one.py", "space/one.txt"]
    two = ["space/__init__.py", "space/two.py", "space/two.txt", "space/two/deep/table.txt"]
    result = distributions(space_one=one, space_two=two)
    assert [placed.name for placed in result.placed] == ["space_one", "space_two"]
    # A third one that has data there belongs to neither.
    result = distributions(space_one=one, space_two=two, three=["space/three.txt"], own=["space/four.txt"])
    assert [placed.name for placed in result.placed] == ["space", "space_one", "space_two", "three"]


def test_two_distributions_are_one_unit_if_one_has_data_in_a_package_of_the_other() -> None:
    code, data = ["qt/__init__.py", "qt/core.py"], ["qt/plugins/platforms/libxcb.so.1", "qt_libs/__init__.py"]
    result = distributions(Qt=code, Qt_libs=data)
    assert files(result) == {"Qt_+_Qt_libs": ["qt/__init__.py", "qt/core.py", "qt/plugins/platforms/libxcb.so.1"]}
    assert [placed.name for placed in result.placed] == ["Qt + Qt_libs"]
    # The same the other way round, and for what no RECORD lists.
    assert [placed.name for placed in distributions(A=data, B=code).placed] == ["A + B"]
    assert [placed.name for placed in distributions(Qt=code, own=data).placed] == [f"{UNRECORDED} + Qt"]


def test_an_extension_module_in_a_package_of_another_distribution_joins_them_and_code_does_not() -> None:
    code = ["pkg/__init__.py"]
    assert distributions(a=code, b=["pkg/plugin.py", "pkg/sub/__init__.py"]).units == []
    result = distributions(a=code, b=[f"pkg/{EXTENSION}"])
    assert files(result) == {"a_+_b": ["pkg/__init__.py", f"pkg/{EXTENSION}"]}
    assert result.flags == dict.fromkeys(["pkg/__init__.py", f"pkg/{EXTENSION}"], FLAG_WHOLE)


def test_the_nearest_package_counts() -> None:
    result = distributions(
        outer=["outer/__init__.py", "outer/outer.txt"],
        inner=["outer/inner/__init__.py", "outer/inner/inner.txt"],
        data=["outer/inner/deep/table.txt"],
    )
    assert files(result) == {
        "data_+_inner": ["outer/inner/__init__.py", "outer/inner/deep/table.txt", "outer/inner/inner.txt"],
        "outer": ["outer/__init__.py", "outer/outer.txt"],
    }


def test_units_that_are_joined_to_the_same_one_are_one() -> None:
    result = distributions(
        a=["a/__init__.py", "b/for_b.txt"],
        b=["b/__init__.py"],
        c=["c/__init__.py", "b/for_b_too.txt"],
        d=["d/__init__.py", "c/for_c.txt", "a/for_a.txt"],
        e=["e/__init__.py", "e/table.txt"],
    )
    assert [placed.name for placed in result.placed] == ["a + b + c + d", "e"]


def test_two_versions_of_a_distribution_are_one_unit() -> None:
    result = planned(
        *("pkg/__init__.py", "pkg/old.txt", "pkg/new.txt", "own.py"),
        records={"pkg-1": "pkg/__init__.py,,\npkg/old.txt,,\n", "pkg-2": "pkg/__init__.py,,\npkg/new.txt,,\n"},
    )
    assert files(result) == {"pkg": ["pkg/__init__.py", "pkg/new.txt", "pkg/old.txt"]}


def test_the_record_of_what_a_package_carries_along_is_not_asked() -> None:
    """A vendored distribution lists its files from its own folder: they look like those of an installed one."""
    vendored = "carrier/_vendor/typed-1.dist-info/RECORD"
    facts = [fact(name) for name in ("carrier/__init__.py", "typed/__init__.py", "typed/table.txt", vendored)]
    record = b"typed/__init__.py,,\ntyped/table.txt,,\n"
    result = plan_units(facts, {vendored: record, "typed-2.dist-info/RECORD": record})
    assert files(result)["typed"] == ["typed/__init__.py", "typed/table.txt"]
    assert plan_units(facts, {vendored: record}).placed[0].name == UNRECORDED


def test_modules_without_source_belong_to_the_distribution_that_recorded_the_source() -> None:
    result = planned(
        *(fact("pkg/__init__.pyc", ASKS), "pkg/table.txt"), records={"Dist-1": "pkg/__init__.py,,\npkg/table.txt,,\n"}
    )
    assert files(result) == {"Dist": ["pkg/__init__.pyc", "pkg/table.txt"]}


def test_records_with_quotes_backslashes_and_nonsense_are_read() -> None:
    result = planned(
        *("pkg/__init__.py", "pkg/a,b.txt", "pkg/line\nbreak.txt"),
        records={
            "dist-1": 'pkg\\__init__.py,,\n"pkg/a,b.txt",,\n\n,,,,\n"pkg/line\nbreak.txt",,\n/abs/path,,\nx',
            "broken-1": "\udcff".encode("utf-8", "surrogatepass").decode("latin-1") + '"',
        },
    )
    assert files(result) == {"dist": ["pkg/__init__.py", "pkg/a,b.txt", "pkg/line\nbreak.txt"]}


def test_the_name_of_a_unit_is_usable_as_that_of_a_folder() -> None:
    long = "x" * 100
    result = planned(
        *("grüße €/__init__.py", "grüße €/table.txt", f"{long}/__init__.py", f"{long}/table.txt"),
        records={f"{long}-1": f"{long}/__init__.py,,\n{long}/table.txt,,\n"},
    )
    assert [unit.name for unit in result.units] == ["gr__e__", "x" * 60]
    assert [unit.name for unit in result.placed] == ["grüße €", long]


def test_a_unit_is_the_same_in_whatever_order_its_members_come() -> None:
    members = [fact("pkg/__init__.pyc", ASKS), fact("pkg/mod.py.txt"), fact("pkg/mod.pyc"), fact("pkg/b", content=b"b")]
    forth, back = planned(*members).units, planned(*reversed(members)).units
    assert described(forth) == described(back)
    contents = sorted((item.member, "d", item.digest) for item in members)
    assert forth[0].digest == forth[0].data_digest == digest(contents, hashlib.sha256)


def test_the_data_part_has_a_digest_of_its_own() -> None:
    part = [fact("pkg/__init__.py"), fact("pkg/table.txt", content=b"row"), fact("pkg/tool", executable=True)]
    far = fact("pkg/far/mod.py", ASKS)
    (unit,) = planned(*part, far).units
    assert unit.files == {"pkg/__init__.py": "d", "pkg/far/mod.py": "-", "pkg/table.txt": "d", "pkg/tool": "e"}
    assert unit.part(data=True) == [item.member for item in part]
    assert unit.part(data=False) == [*unit.files]
    contents = [(item.member, "e" if item.executable else "d", item.digest) for item in part]
    assert unit.data_digest == digest(contents, hashlib.sha256)
    (changed,) = planned(*part, fact("pkg/far/mod.py", ASKS, b"other")).units
    assert (changed.data_digest, changed.digest == unit.digest) == (unit.data_digest, False)


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
    assert unit.data_digest != changed.data_digest


# Which units are placed with another.


def test_a_unit_brings_those_that_its_native_files_point_to() -> None:
    result = distributions(
        torch=["torch/__init__.py", native(f"torch/lib/{EXTENSION}", "", "../../nvidia/blas/lib", "../../../../lib")],
        nvidia_blas=["nvidia/blas/lib/libblas.so.12", "nvidia/blas/__init__.py", "nvidia/blas/tool.py"],
        nvidia_fft=["nvidia/fft/lib/libfft.so.11", "nvidia/fft/__init__.py"],
        pure=["pure/__init__.py"],
    )
    assert brings(result) == {"nvidia_blas": [], "nvidia_fft": [], "torch": ["nvidia_blas"]}
    # What is brought is placed as a whole; its own modules need no more than without.
    placed = {unit.name: (unit.files, unit.data_files, unit.brings) for unit in result.placed}
    assert placed == {"nvidia_blas": (3, 3, ()), "nvidia_fft": (0, 2, ()), "torch": (2, 0, ("nvidia_blas",))}
    assert result.flags["nvidia/blas/__init__.py"] == FLAG_DATA


def test_a_unit_without_data_is_listed_if_another_brings_it() -> None:
    result = distributions(
        fast=["fast/__init__.py", native(f"fast/{EXTENSION}", "../plain")],
        plain=["plain/__init__.py", "plain/mod.py"],
    )
    assert brings(result) == {"fast": ["plain"], "plain": []}
    assert files(result)["plain"] == ["plain/__init__.py", "plain/mod.py"]
    assert not {"plain/__init__.py", "plain/mod.py"} & result.flags.keys()
    assert [unit.reason for unit in result.placed if unit.name == "plain"] == [
        "a native file of another distribution needs it"
    ]


def test_units_that_are_brought_bring_others() -> None:
    result = distributions(
        solver=["solver/__init__.py", native(f"solver/{EXTENSION}", "../blas/lib")],
        blas=["blas/__init__.py", native("blas/lib/libblas.so.1", "../../runtime/lib")],
        runtime=["runtime/__init__.py", native("runtime/lib/libruntime.so.1", "../../blas/lib", "")],
    )
    assert brings(result) == {"blas": ["runtime"], "runtime": ["blas"], "solver": ["blas"]}
    assert [unit.files for unit in result.placed] == [2, 2, 2]


def test_a_library_brings_what_it_needs_though_no_extension_module_does() -> None:
    """A module may load it, as `ctypes` does."""
    result = distributions(
        blas=["blas/__init__.py", native("blas/lib/libblas.so.1", "../../runtime/lib")],
        runtime=["runtime/__init__.py", "runtime/lib/libruntime.so.1"],
    )
    assert brings(result) == {"blas": ["runtime"], "runtime": []}
    assert {unit.files for unit in result.placed} == {2}


@pytest.mark.parametrize("path", ["", "../fast", "../../..", "../..", "../other/lib/deep", "../oth", "/../../other"])
def test_run_paths_within_the_unit_or_out_of_the_site_bring_nothing(path: str) -> None:
    result = distributions(
        fast=["fast/__init__.py", native(f"fast/{EXTENSION}", path)], other=["other/__init__.py", "other/lib/lib.so.1"]
    )
    assert brings(result) == {"fast": [], "other": []}


@pytest.mark.parametrize(
    ("member", "path", "folder"),
    [
        ("a/b/c.so", "", "a/b"),
        ("a/b/c.so", ".", "a/b"),
        ("a/b/c.so", "../lib", "a/lib"),
        ("a/b/c.so", "../../lib//x/", "lib/x"),
        ("a/b/c.so", "../..", ""),
        ("a/b/c.so", "../../..", None),
        ("a/b/c.so", "../../../a", None),
        ("c.so", "", ""),
        ("c.so", "lib", "lib"),
        ("c.so", "..", None),
        ("a/c.so", "x/../../lib", "lib"),
    ],
)
def test_run_paths_are_resolved_in_the_site(member: str, path: str, folder: str | None) -> None:
    assert resolved(member, path) == folder


# What the user decides.


def test_unpack_makes_all_modules_of_a_unit_need_it() -> None:
    result = planned(
        *("pkg/__init__.py", "pkg/mod.py", "pkg/table.txt", "other/__init__.py", "other/table.txt"),
        records={"other-1": "other/__init__.py,,\nother/table.txt,,\n"},
        unpack=["pkg"],
    )
    modules = ["pkg/__init__.py", "pkg/mod.py"]
    assert result.flags == dict.fromkeys(modules, FLAG_WHOLE) | {"other/__init__.py": FLAG_DATA}
    assert [(unit.name, unit.files, unit.reason) for unit in result.placed] == [
        ("other", 0, "other/table.txt is data near modules"),
        ("pkg", 3, "asked for with --unpack"),
    ]


def test_no_unpack_places_nothing() -> None:
    members = ["pkg/__init__.py", f"pkg/{EXTENSION}", "pkg/table.txt", "pkg/static/a.css"]
    result = planned(*members, no_unpack=["pkg"])
    assert (result.units, result.flags, result.placed) == ([], {}, [])


def test_no_unpack_places_nothing_though_another_unit_would_bring_it() -> None:
    records = {"fast-1": f"fast/__init__.py,,\nfast/{EXTENSION},,\n", "libs-1": "libs/__init__.py,,\nlibs/a.so.1,,\n"}
    library = native(f"fast/{EXTENSION}", "../libs")
    members: list[str | Fact] = ["fast/__init__.py", library, "libs/__init__.py", "libs/a.so.1"]
    assert brings(planned(*members, records=records)) == {"fast": ["libs"], "libs": []}
    result = planned(*members, records=records, no_unpack=["libs"])
    assert brings(result) == {"fast": []}
    assert result.placed[0].brings == ()


@pytest.mark.parametrize("name", ["My_Dist.x", "my-dist-x", "MY.DIST_X", "pkg", "PKG", "mod", "libfast"])
def test_a_unit_is_named_by_its_distribution_or_a_top_level_package_as_installers_compare_names(name: str) -> None:
    members = ["pkg/__init__.py", "mod.py", "libfast.abi3.so", "lib_fast.py", "other/__init__.py"]
    records = {"my_dist.x-1": "".join(f"{member},,\n" for member in members[:-1])}
    assert set(planned(*members, records=records, unpack=[name]).flags) == set(members[:-1])
    assert planned(*members, records=records, no_unpack=[name]).units == []


def test_a_package_that_several_distributions_have_names_them_all() -> None:
    members = ["space/one/__init__.py", "space/two/__init__.py", "three/__init__.py"]
    records = {
        f"{name}-1": f"{member},,\n" for name, member in zip(["One", "Two", "space_three"], members, strict=True)
    }
    assert set(planned(*members, records=records, unpack=["space"]).flags) == set(members[:2])
    # But a distribution's name is its own.
    records = {"space-1": f"{members[0]},,\n", "Two-1": f"{members[1]},,\n"}
    assert set(planned(*members, records=records, unpack=["space"]).flags) == {members[0]}


def test_what_no_record_lists_is_named_by_any_of_its_packages() -> None:
    members = ["app/__init__.py", "tool.py", "dist/__init__.py"]
    for name in ("app", "tool", UNRECORDED):
        flags = planned(*members, records={"dist-1": "dist/__init__.py,,\n"}, unpack=[name]).flags
        assert set(flags) == {"app/__init__.py", "tool.py"}


@pytest.mark.parametrize("option", ["unpack", "no_unpack"])
def test_an_unknown_name_is_an_error_that_names_the_known_ones(option: str) -> None:
    options: dict[str, Any] = {option: ["nothing"]}
    with pytest.raises(PackError, match=r"no distribution or top-level package 'nothing'; there are My\.Dist, a, b$"):
        planned("a/__init__.py", "b/__init__.py", records={"My.Dist-1": "a/__init__.py,,\nb/__init__.py"}, **options)


def test_one_name_for_both_is_an_error() -> None:
    with pytest.raises(PackError, match="'My-Dist' is given to both --unpack and --no-unpack"):
        planned("a/__init__.py", records={"my_dist-1": "a/__init__.py,,\n"}, unpack=["My-Dist"], no_unpack=["a"])


# The table.


@given(tables())
@examples(200)
def test_a_table_is_read_as_it_was_written(table: list[Unit]) -> None:
    read = decode_units(encode_units(table))
    for before, after in zip(table, read, strict=True):
        assert all(name in after for name in before.files)
    assert described(read) == described(table)
    assert encode_units(read) == encode_units(table)


@given(files_of_a_unit, names, parts)
@examples(200)
def test_a_unit_contains_its_files_and_nothing_else(members: dict[str, str], other: str, part: str) -> None:
    (unit,) = decode_units(encode_units([Unit("unit", "0" * 64, "0" * 64, members)]))
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
    assert set(unit.part(data=True)) == {name for name, letter in members.items() if letter in DATA_PART}


def test_a_unit_read_from_a_table_knows_whether_it_has_native_modules() -> None:
    members = {f"pkg/{EXTENSION}": True, "pkg/fast.pyd": True, "pkg/lib.so.1": False, "a.py": False}
    for member, is_native in members.items():
        (unit,) = decode_units(encode_units([Unit("unit", "0" * 64, "0" * 64, {member: "-"})]))
        assert unit.native is is_native


def table_of(*lines: str, lists: str = "") -> bytes:
    return "\n".join(["PBu1", *lines, "", lists]).encode()


def line_of(name: str = "name", digest: str = "0" * 64, data: str = "1" * 64, brings: str = "", size: str = "8") -> str:
    return f"{name}\t{digest}\t{data}\t{brings}\t{size}"


LIST = "-a/b.py\0"
SOUND = line_of()
DAMAGED = {
    "empty": b"",
    "another magic": table_of(SOUND, lists=LIST).replace(b"PBu1", b"PBu2"),
    "too short a list": table_of(SOUND, lists="-a.py\0"),
    "too long a list": table_of(SOUND, lists=f"{LIST}-c\0"),
    "a field is missing": table_of(f"name\t{'0' * 64}\t{'1' * 64}\t8", lists=LIST),
    "a field too many": table_of(f"{SOUND}\tx", lists=LIST),
    "no number": table_of(line_of(size="eight"), lists=LIST),
    "a number beyond all": table_of(line_of(size="9" * 5000), lists=LIST),
    "short digest": table_of(line_of(digest="0" * 62), lists=LIST),
    "no digest": table_of(line_of(digest="x" * 64), lists=LIST),
    "short digest of the data part": table_of(line_of(data="0" * 62), lists=LIST),
    "no digest of the data part": table_of(line_of(data="x" * 64), lists=LIST),
    "a digest that leads away": table_of(line_of(digest=f"/../../{'0' * 57}"), lists=LIST),
    "a name that leads away": table_of(line_of(name="../../name"), lists=LIST),
    "an absolute name": table_of(line_of(name="/name"), lists=LIST),
    "a name with a backslash": table_of(line_of(name="..\\name"), lists=LIST),
    "a name with a NUL": table_of(line_of(name="na\0me"), lists=LIST),
    "a name with a drive": table_of(line_of(name="c:name"), lists=LIST),
    "a unit that is not there is brought": table_of(line_of(brings="1"), lists=LIST),
    "a unit before the first is brought": table_of(line_of(brings="-1"), lists=LIST),
    "no number is brought": table_of(line_of(brings="0,x"), lists=LIST),
    "an empty number is brought": table_of(line_of(brings="0,"), lists=LIST),
    "an unknown letter": table_of(SOUND, lists="*a/b.py\0"),
    "not UTF-8": table_of(SOUND, lists=LIST).replace(b"b", b"\xff"),
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_table_is_an_error(data: bytes) -> None:
    expected = [("name", "0" * 64, "1" * 64, (0,), {"a/b.py": "-"})]
    assert described(decode_units(table_of(line_of(brings="0"), lists=LIST))) == expected
    with pytest.raises(BundleFormatError, match="the table of units is damaged"):
        decode_units(data)


@given(tables(least=1), st.data())
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
    assert all(set(unit.files.values()) <= set(LETTERS) for unit in read)
    assert all(0 <= number < len(read) for unit in read for number in unit.brings)


@given(st.binary(max_size=80))
@examples(200)
def test_arbitrary_bytes_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(BundleFormatError):
        decode_units(data)
