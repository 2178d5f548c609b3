"""The format as code: what is encoded is decoded again, and nothing that was damaged is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundleimp.encoding import CodeTag, IndexedMember, encode_head, encode_locator, sealed
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.content.member import Member, name_fault
from bundleimp.runtime.faults.kinds import BundleFormatError
from bundleimp.runtime.format import Directory, Extent, Head, Locator

from .archives import decode_index, flipped, index_over
from .strategies import examples, names

if TYPE_CHECKING:
    import random

_U16 = st.integers(0, 2**16 - 1)
_U32 = st.integers(0, 2**32 - 1)
_U64 = st.integers(0, 2**64 - 1)

locators = st.builds(
    Locator,
    head_size=_U32,
    index_offset=_U64,
    index_size=_U64,
    index_checksum=_U32,
    directory_offset=_U64,
    directory_size=_U64,
    directory_count=_U64,
    directory_checksum=_U32,
)
tag_names = st.text(st.sampled_from("abcdefgcpythonl0123456789-."), min_size=1, max_size=30)
extents = st.builds(Extent, offset=_U64, size=st.integers(1, 2**32 - 1), checksum=_U32)
magics = st.binary(min_size=4, max_size=4)
tag_tables = st.dictionaries(tag_names, magics, max_size=4)
heads = st.builds(
    Head,
    record_digest=st.binary(min_size=32, max_size=32),
    root_offset=_U64,
    root_size=_U32,
    tags=tag_tables,
    units=st.none() | extents,
)


@st.composite
def indexed_members(draw: st.DrawFn, tags: int) -> list[IndexedMember]:
    """Draw members with distinct names, and code for some of them."""
    chosen = draw(st.lists(names, max_size=12, unique=True))
    return [
        IndexedMember(
            Member(name, draw(_U16), draw(_U64), draw(_U64), draw(_U64), draw(_U32), draw(_U32)),
            [draw(st.none() | extents) for _ in range(tags)],
        )
        for name in chosen
    ]


@st.composite
def indexes(draw: st.DrawFn) -> tuple[list[IndexedMember], list[CodeTag], bytes, int]:
    """Draw the arguments of `index_over`."""
    tags = [CodeTag(name, magic) for name, magic in draw(st.dictionaries(tag_names, magics, max_size=3)).items()]
    members = draw(indexed_members(len(tags)))
    return members, tags, draw(st.binary(min_size=32, max_size=32)), draw(st.integers(0, 2**40))


def fields(value: Locator | Member | Extent) -> dict[str, object]:
    """Return a record's fields by name."""
    if isinstance(value, Member):
        return {name: getattr(value, name) for name in Member.__slots__}
    return dict(vars(value))


def notes(members: list[IndexedMember]) -> dict[str, object]:
    """Return what is noted of each member, by name."""
    codes = {item.member.name: [code and fields(code) for code in item.codes] for item in members}
    return {item.member.name: (fields(item.member), codes[item.member.name]) for item in members}


def blocks(index: bytes, head_size: int) -> list[bytes]:
    """Return the blocks of an index, found by their checksums' places."""
    result = []
    start = 0
    while start < len(index) - head_size:
        names_size, count = (int.from_bytes(index[start + at : start + at + 4], "little") for at in (4, 8))
        tags = int.from_bytes(index[-head_size:][48:50], "little")
        size = 12 + names_size + count * (bundle_format.ENTRY_SIZE + tags * bundle_format.CODE_SIZE) + 4
        result.append(index[start : start + size])
        start += size
    return result


def block_path(block: bytes) -> str:
    """Return the path that a block gives for its directory."""
    return block[12 : 12 + int.from_bytes(block[4:8], "little")].split(b"\0")[0].decode("utf-8", "surrogateescape")


@examples(200)
@given(locators)
def test_a_locator_survives_the_round_trip(locator: Locator) -> None:
    encoded = encode_locator(locator)
    decoded = bundle_format.decode_locator(encoded)
    assert len(encoded) == bundle_format.LOCATOR_SIZE
    assert decoded is not None
    assert fields(decoded) == fields(locator)
    assert bundle_format.format_version(encoded) == bundle_format.VERSION


@examples(20)
@given(locators)
def test_no_truncated_or_extended_locator_is_taken(locator: Locator) -> None:
    encoded = encode_locator(locator)
    assert [end for end in range(len(encoded)) if bundle_format.decode_locator(encoded[:end]) is not None] == []
    assert bundle_format.decode_locator(encoded + b"\0") is None


@examples(20)
@given(locators)
def test_no_locator_with_a_flipped_bit_is_taken(locator: Locator) -> None:
    encoded = encode_locator(locator)
    taken = [bit for bit in range(8 * len(encoded)) if bundle_format.decode_locator(flipped(encoded, bit)) is not None]
    assert taken == []


@examples(20)
@given(locators)
def test_a_flip_in_the_magic_makes_it_no_locator_and_one_in_the_version_another_version(locator: Locator) -> None:
    encoded = encode_locator(locator)
    versions = [bundle_format.format_version(flipped(encoded, bit)) for bit in range(80)]
    assert versions[:64] == [None] * 64
    assert versions[64:] == [bundle_format.VERSION ^ 1 << bit for bit in range(16)]


@pytest.mark.parametrize("comment", [b"", b"a comment", b"pybundle", b"pybundle\1", b"x" * bundle_format.LOCATOR_SIZE])
def test_another_comment_is_no_locator(comment: bytes) -> None:
    assert bundle_format.format_version(comment) is None
    assert bundle_format.decode_locator(comment) is None


@examples(200)
@given(heads)
def test_a_head_survives_the_round_trip(head: Head) -> None:
    decoded = bundle_format.decode_head(encode_head(head))
    assert decoded.record_digest == head.record_digest
    assert (decoded.root_offset, decoded.root_size) == (head.root_offset, head.root_size)
    assert list(decoded.tags.items()) == list(head.tags.items())
    assert (decoded.units and fields(decoded.units)) == (head.units and fields(head.units))


@examples(20)
@given(heads)
def test_a_truncated_head_is_refused(head: Head) -> None:
    encoded = encode_head(head)
    for end in range(len(encoded)):
        with pytest.raises(BundleFormatError, match="damaged"):
            bundle_format.decode_head(encoded[:end])


@examples(20)
@given(heads)
def test_a_head_with_a_flipped_bit_is_refused(head: Head) -> None:
    encoded = encode_head(head)
    for bit in range(8 * len(encoded)):
        with pytest.raises(BundleFormatError, match="damaged"):
            bundle_format.decode_head(flipped(encoded, bit))


@examples(150)
@given(indexes(), st.randoms(use_true_random=False))
def test_an_index_does_not_depend_on_the_order_of_the_members(
    arguments: tuple[list[IndexedMember], list[CodeTag], bytes, int], shuffler: random.Random
) -> None:
    members, tags, digest, offset = arguments
    encoded = index_over(members, tags, digest, offset)
    shuffled = list(members)
    shuffler.shuffle(shuffled)
    again = index_over(iter(shuffled), tags, digest, offset)
    assert (again.data, again.head_size) == (encoded.data, encoded.head_size)


@examples(300)
@given(indexes())
def test_every_member_and_every_code_extent_is_found_again(
    arguments: tuple[list[IndexedMember], list[CodeTag], bytes, int],
) -> None:
    members, tags, digest, offset = arguments
    encoded = index_over(members, tags, digest, offset)
    decoded = decode_index(encoded.data, encoded.head_size, offset)
    assert notes(decoded.members) == notes(members)
    assert len(decoded.members) == len(members)
    assert [(tag.name, tag.magic) for tag in decoded.tags] == [(tag.name, tag.magic) for tag in tags]
    assert decoded.record_digest == digest


@examples(50)
@given(indexes())
def test_the_blocks_and_the_head_are_all_that_an_index_holds(
    arguments: tuple[list[IndexedMember], list[CodeTag], bytes, int],
) -> None:
    members, tags, digest, offset = arguments
    encoded = index_over(members, tags, digest, offset)
    found = blocks(encoded.data, encoded.head_size)
    folders = {""} | {
        "/".join(parts[:end])
        for item in members
        for parts in [item.member.name.split("/")]
        for end in range(len(parts))
    }
    assert sorted(map(block_path, found)) == sorted(folders)
    assert sum(map(len, found)) + encoded.head_size == len(encoded.data)


@examples(50)
@given(indexes(), st.data())
def test_a_block_with_a_flipped_bit_or_a_missing_end_is_refused(
    arguments: tuple[list[IndexedMember], list[CodeTag], bytes, int], data: st.DataObject
) -> None:
    encoded = index_over(*arguments)
    block = data.draw(st.sampled_from(blocks(encoded.data, encoded.head_size)))
    path = block_path(block)
    Directory(block, path)
    for _ in range(20):
        with pytest.raises(BundleFormatError, match="the index is damaged"):
            Directory(flipped(block, data.draw(st.integers(0, 8 * len(block) - 1))), path)
        with pytest.raises(BundleFormatError, match="the index is damaged"):
            Directory(block[: data.draw(st.integers(0, len(block) - 1))], path)


def test_a_small_block_is_refused_whichever_bit_is_flipped() -> None:
    member = IndexedMember(
        Member("ä.py", 8, 100, 20, 40, 0x1234, 0), [Extent(offset=500, size=60, checksum=0x99), None]
    )
    tags = [CodeTag("cpython-311", b"abcd"), CodeTag("cpython-312", b"efgh")]
    encoded = index_over([member], tags, bytes(32), 0)
    (block,) = blocks(encoded.data, encoded.head_size)
    for bit in range(8 * len(block)):
        with pytest.raises(BundleFormatError):
            Directory(flipped(block, bit), "")


def test_a_block_of_another_directory_is_refused_by_its_name() -> None:
    member = IndexedMember(Member("pkg/mod.py", 0, 0, 0, 0, 0, 0), [])
    encoded = index_over([member], [], bytes(32), 0)
    inner, root = blocks(encoded.data, encoded.head_size)
    assert list(Directory(inner, "pkg").names) == ["mod.py"]
    assert list(Directory(root, "").names) == ["pkg/"]
    with pytest.raises(BundleFormatError, match="described as 'pkg'"):
        Directory(inner, "other")


def test_what_a_directory_does_not_hold_is_a_key_error() -> None:
    encoded = index_over([IndexedMember(Member("a", 0, 0, 0, 0, 0, 0), [])], [], bytes(32), 0)
    (block,) = blocks(encoded.data, encoded.head_size)
    directory = Directory(block, "")
    for lookup in (directory.member, directory.subdirectory):
        with pytest.raises(KeyError):
            lookup("b")


@examples(300)
@given(names)
def test_an_ordinary_name_has_no_fault(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "...",
        "..a",
        "a..",
        ".a",
        "a b",
        "pkg/..data/x",
        "ß/日本",
        "x" * 255,
        "ß" * 127,
        "/".join(["x" * 255] * 16),
        "-",
        "~",
    ],
)
def test_an_unusual_name_has_no_fault(name: str) -> None:
    assert name_fault(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            "/",
            "//",
            "/etc/passwd",
            "//host/share",
            "a/",
            "a//b",
            "./a",
            "a/.",
            "../a",
            "a/..",
            "a/../b",
        ),
        *("C:", "C:x", "c:/x", "C:\\x", "\\x", "\\\\host\\share", "a\\b", "..\\a", "a/..\\b"),
        *("\0", "a\0", "a/\0/b", "a.py\0.txt", "a/" * 2048 + "a", "a/" * 200 + "b", "x" * 256, "a/" + "ß" * 128 + "/b"),
        # os.path.join starts anew at a part with a drive, wherever it stands.
        *("pkg/C:/x", "pkg/C:x"),
    ],
)
def test_a_name_that_could_lead_outside_a_folder_has_a_fault(name: str) -> None:
    assert name_fault(name) is not None


@examples(200)
@given(names, st.sampled_from(["..", ".", "", "\0", "\\"]), st.data())
def test_one_bad_part_anywhere_is_a_fault(name: str, part: str, data: st.DataObject) -> None:
    parts = name.split("/")
    parts.insert(data.draw(st.integers(0, len(parts))), part)
    assert name_fault("/".join(parts)) is not None


def test_a_head_that_ends_within_its_tags_is_damaged() -> None:
    whole = encode_head(
        Head(record_digest=bytes(32), root_offset=0, root_size=0, tags={"cpython-311": b"mgc\0"}, units=None)
    )
    for size in range(50, len(whole) - 4):
        with pytest.raises(BundleFormatError, match="the index is damaged"):
            bundle_format.decode_head(sealed(whole[:size]))


@pytest.mark.parametrize("count", [2, 2**32 - 1])
def test_a_block_with_more_entries_than_room_is_damaged(count: int) -> None:
    names = b"\0a.py\0b.py"
    body = bundle_format.BLOCK_MAGIC + len(names).to_bytes(4, "little") + count.to_bytes(4, "little") + names
    with pytest.raises(BundleFormatError, match="the index is damaged"):
        Directory(sealed(body + bytes(36)), "")
