"""A member of an archive, and the rules for its name.  Values only; no I/O."""

import time

LONGEST_NAME = 4096
DEEPEST_NAME = 200
LONGEST_PART = 255  # in bytes, on most file systems


def name_fault(name: str) -> "str | None":  # noqa: PLR0911 (one for each rule)
    """Return why a member must not have the name *name*, or None if it may.

    A forbidden name could lead outside a folder, or means different things to different tools.
    """
    if not name:
        return "is empty"
    if len(name) > LONGEST_NAME:
        return f"is longer than {LONGEST_NAME} characters"
    if "\0" in name:
        return "has a NUL"
    if "\\" in name:
        return "has a backslash"
    if name[0] == "/":
        return "is absolute"
    parts = name.split("/")
    if any(part[1:2] == ":" for part in parts):
        return "has a drive letter"
    if len(parts) > DEEPEST_NAME:
        return f"has more than {DEEPEST_NAME} parts"
    if not {"", ".", ".."}.isdisjoint(parts):
        return "has an empty part, '.' or '..'"
    if (
        len(name) > LONGEST_PART // 4
        and max(len(part.encode("utf-8", "surrogatepass")) for part in parts) > LONGEST_PART
    ):
        return f"has a part of more than {LONGEST_PART} bytes"
    return None


class Member:
    """One member: its name in the bundle, the position of its data, and the expected size and checksum.

    If ``header`` is not None, it is the raw name that the member's local header must contain.  ``offset`` is then the
    offset of that header, because only the header says where the data begins.  If ``header`` is None, ``offset`` is the
    offset of the data.  ``stamp`` is the DOS date and time of the zip entry, as the file contains it.  ``refusal`` says
    why the member must not be read, or is None.
    """

    __slots__ = ("crc", "header", "method", "name", "offset", "packed_size", "refusal", "size", "stamp")

    def __init__(
        self,
        name: str,
        method: int,
        offset: int,
        packed_size: int,
        size: int,
        crc: int,
        stamp: int,
        *,
        header: "bytes | None" = None,
        refusal: "str | None" = None,
    ) -> None:
        self.name = name
        self.method = method
        self.offset = offset
        self.packed_size = packed_size
        self.size = size
        self.crc = crc
        self.stamp = stamp
        self.header = header
        self.refusal = refusal

    def stats(self) -> "dict[str, int]":
        """Return what a loader's ``path_stats`` returns: time in seconds since the epoch, and size in bytes."""
        return {"mtime": local_seconds(self.stamp), "size": self.size}


def local_seconds(stamp: int) -> int:
    """Return the seconds since the epoch for a DOS date and time in local time, or 0 if it is invalid."""
    date, clock = stamp >> 16, stamp & 0xFFFF
    moment = (1980 + (date >> 9), date >> 5 & 15, date & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2)
    try:
        return max(0, int(time.mktime((*moment, -1, -1, -1)))) & 0xFFFFFFFF
    except (ValueError, OverflowError):
        return 0


def decode_member(name: str, entry: bytes) -> Member:
    """Return the member *name* from its *entry* in the index (see `format`)."""

    def number(start: int, end: int) -> int:
        return int.from_bytes(entry[start:end], "little")

    return Member(name, number(6, 8), number(8, 16), number(16, 24), number(24, 32), number(0, 4), number(32, 36))
