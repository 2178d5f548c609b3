"""Run paths of native files: the folders in which the dynamic linker looks for the libraries that a file needs.

Only folders relative to the file's own folder are read.  The formats are those of these documents:

- ELF: the System V ABI (gABI), chapters "Object Files" and "Dynamic Linking"; for ``$ORIGIN``, ld.so(8).
- Mach-O: Apple's ``mach-o/loader.h``, and ``mach-o/fat.h`` for universal files; for ``@loader_path``, dyld(1).

The files are not trusted.  Each read is checked against the end of the data.  A table or a string that is much larger
than those of real files counts as damage.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap
    from typing import Literal

    Order = Literal["little", "big"]

_MOST_ENTRIES = 4096  # in a table; real files have some hundred at most
_LONGEST_STRING = 65536

_ELF = b"\x7fELF"
_WORDS = {1: 4, 2: 8}  # EI_CLASS: the size of addresses and offsets
_ORDERS: "dict[int, Order]" = {1: "little", 2: "big"}  # EI_DATA
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_STRTAB, _DT_STRSZ, _DT_RPATH, _DT_RUNPATH = 0, 5, 10, 15, 29
_ORIGIN = (b"$ORIGIN", b"${ORIGIN}")

# The magic number of Mach-O files, and for each the order of bytes and the size of the header.
_MACHO: "dict[bytes, tuple[Order, int]]" = {
    b"\xfe\xed\xfa\xce": ("big", 28),
    b"\xfe\xed\xfa\xcf": ("big", 32),
    b"\xce\xfa\xed\xfe": ("little", 28),
    b"\xcf\xfa\xed\xfe": ("little", 32),
}
_LC_RPATH = 0x8000001C
_LC_DYLIBS = (0xC, 0x80000018, 0x8000001F)  # LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB
_LOADER_PATH = (b"@loader_path",)

# The magic number of universal files, and for each the size of an entry and of its numbers.
_FAT = {b"\xca\xfe\xba\xbe": (20, 4), b"\xca\xfe\xba\xbf": (32, 8)}
_MOST_SLICES = 42  # Java class files have the same magic number; in place of the count, they have a version from 45 on


def is_native(data: bytes) -> bool:
    """Return whether a file that begins with *data* may have run paths."""
    return data[:4] == _ELF or data[:4] in _MACHO or data[:4] in _FAT


def run_paths(data: "bytes | mmap") -> "list[str]":
    """Return the run paths of the native file *data* that are relative to the file's own folder.

    In an ELF file, these are the entries of ``DT_RUNPATH`` and ``DT_RPATH`` that begin with ``$ORIGIN``.  In a Mach-O
    file, these are the ``LC_RPATH`` entries that begin with ``@loader_path``, and the folders of the needed libraries
    whose names begin with it.  A universal file has the run paths of all its slices.

    Arguments:
        data: the content of the file.

    Returns:
        Paths with slashes, without repetition, in the order of the file (``DT_RUNPATH`` first).  ``$ORIGIN/../lib`` is
        returned as ``../lib``, and ``$ORIGIN`` as an empty string.  Other tokens, such as ``$LIB``, are not replaced.
        The list is empty if the file is damaged, or is neither ELF nor Mach-O.

    """
    magic = data[:4]
    read = _elf_paths if magic == _ELF else _fat_paths if magic in _FAT else _macho_paths
    try:
        return list(dict.fromkeys(read(memoryview(data))))
    except (LookupError, ValueError):  # damaged
        return []


def _elf_paths(data: memoryview) -> "Iterator[str]":
    word, order = _WORDS[data[4]], _ORDERS[data[5]]
    header = _number(data, 24 + word, word, order)
    size, count = (_number(data, offset + 3 * word, 2, order) for offset in (30, 32))
    fields = [(0, 4), *((place * word, word) for place in (1, 2, 4))]  # p_type, p_offset, p_vaddr, p_filesz
    segments = list(_rows(data, header, size, count, fields, order))
    loads = [segment for segment in segments if segment[0] == _PT_LOAD]
    values = {}
    for _, start, _, total in [segment for segment in segments if segment[0] == _PT_DYNAMIC][-1:]:
        for tag, value in _rows(data, start, 2 * word, total // (2 * word), [(0, word), (word, word)], order):
            if tag == _DT_NULL:
                break
            values[tag] = value  # the last one with this tag counts, as in ld.so
    for tag in (_DT_RUNPATH, _DT_RPATH):
        if tag in values:
            table = values[_DT_STRTAB]
            start, *_ = [at + table - low for _, at, low, size in loads if 0 <= table - low < size]
            for path in _string(_piece(data, start, values[_DT_STRSZ]), values[tag]).split(b":"):
                yield from _relative(path, _ORIGIN)


def _fat_paths(data: memoryview) -> "Iterator[str]":
    entry, word = _FAT[bytes(data[:4])]
    count = _number(data, 4, 4, "big")
    left = len(data)
    if count > _MOST_SLICES:
        raise ValueError
    for offset, size in _rows(data, 8, entry, count, [(8, word), (8 + word, word)], "big"):
        left -= size
        if left < 0:  # slices overlap
            raise ValueError
        yield from _macho_paths(_piece(data, offset, size))


def _macho_paths(data: memoryview) -> "Iterator[str]":
    magic = bytes(data[:4])
    if magic not in _MACHO:
        return
    order, header = _MACHO[magic]
    count, total = (_number(data, offset, 4, order) for offset in (16, 20))
    if count > _MOST_ENTRIES:
        raise ValueError
    commands = _piece(data, header, total)
    for _ in range(count):
        kind, size = (_number(commands, offset, 4, order) for offset in (0, 4))
        if size < 8:
            raise ValueError
        command, commands = _piece(commands, 0, size), commands[size:]
        if kind == _LC_RPATH or kind in _LC_DYLIBS:
            name = _string(command, _number(command, 8, 4, order))
            yield from _relative(name if kind == _LC_RPATH else name.rpartition(b"/")[0], _LOADER_PATH)


def _relative(path: bytes, origins: "tuple[bytes, ...]") -> "Iterator[str]":
    """Yield the rest of the *path* if its first part is one of the *origins*."""
    origin, _, rest = path.partition(b"/")
    if origin in origins:
        yield rest.strip(b"/").decode("utf-8", "surrogateescape")


def _rows(
    data: memoryview, start: int, size: int, count: int, fields: "list[tuple[int, int]]", order: "Order"
) -> "Iterator[list[int]]":
    """Yield the numbers at *fields* (offset and size) of each entry of a table, whose entries have the *size*."""
    if count > _MOST_ENTRIES:
        raise ValueError
    for at in range(count):
        yield [_number(data, start + at * size + offset, width, order) for offset, width in fields]


def _piece(data: memoryview, offset: int, size: int) -> memoryview:
    """Return *size* bytes of *data*.  Past the end of the data, this raises ValueError."""
    piece = data[offset : offset + size]
    if len(piece) != size:
        raise ValueError
    return piece


def _number(data: memoryview, offset: int, size: int, order: "Order") -> int:
    return int.from_bytes(_piece(data, offset, size), order)


def _string(data: memoryview, offset: int) -> bytes:
    """Return the string from *offset* to the next NUL."""
    text = bytes(data[offset : offset + _LONGEST_STRING])
    return text[: text.index(0)]
