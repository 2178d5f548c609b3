"""Read a package's data files: ``resources.py KIND ENTRY PACKAGE ROUNDS FILES`` prints the cost and a digest.

All FILES files are read once before the clock starts, and ROUNDS times after.  Where ROUNDS is 0, the first of them is
read after the clock has started, and nothing before.  KIND is "entry", or "floor": then they are in memory, deflated,
before the clock starts, and are inflated and checked.
"""

import importlib.resources
import sys
import time
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def _read(package: str, number: int) -> bytes:
    return importlib.resources.files(package).joinpath(f"{number:03}.txt").read_bytes()


def _deflated(content: bytes) -> bytes:
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflating.compress(content) + deflating.flush()


class Floor:
    """The least that a read of a deflated member can do."""

    def __init__(self, package: str, numbers: "Iterable[int]") -> None:
        contents = [_read(package, number) for number in numbers]
        self._members = [(_deflated(content), zlib.crc32(content)) for content in contents]

    def __call__(self, _package: str, number: int) -> bytes:
        """Return what is in the member."""
        deflated, crc = self._members[number]
        content = zlib.decompress(deflated, -zlib.MAX_WBITS)
        if zlib.crc32(content) != crc:
            raise ValueError(number)
        return content


def main(kind: str, entry: str, package: str, rounds: str, files: str) -> None:
    """Read the *files* of *package* from *entry*, *rounds* times."""
    sys.path.insert(0, entry)
    __import__(package)
    numbers = range(int(files) if int(rounds) else 1)
    read = Floor(package, numbers) if kind == "floor" else _read
    warm = [read(package, number) for number in numbers if int(rounds)]
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(int(rounds) or 1):
        for number in numbers:
            read(package, number)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall

    import hashlib  # noqa: PLC0415 (after the clock has stopped)
    import json  # noqa: PLC0415

    digest = hashlib.sha256(b"".join([*warm, *(read(package, number) for number in numbers)])).hexdigest()
    print(json.dumps({"cpu": cpu, "wall": wall, "digest": digest}))


main(*sys.argv[1:])
