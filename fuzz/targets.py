"""The targets: each takes any bytes, and may raise nothing; what is not sound must be a `BundleError` inside.

Checksums stand before most parsers, and no fuzzer gets past one.  Where a target would end there, it makes the checksum
fit first: what is behind it must hold against a file that was made to lie, too.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bundleimp
from bundleimp import waiting
from bundleimp.encoding import encode_locator, encode_top_level, sealed
from bundleimp.inspection.diff import diff
from bundleimp.inspection.extract import extract
from bundleimp.inspection.info import describe
from bundleimp.runtime import bundles as open_bundles
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.archive import Archive, code_tag
from bundleimp.runtime.cache import loading
from bundleimp.runtime.content import files
from bundleimp.runtime.content.decompression import crc32
from bundleimp.runtime.faults.kinds import BundleError, BundleFormatError
from bundleimp.runtime.finder import BundleFinder
from bundleimp.runtime.plain import zipdirectory
from bundleimp.runtime.site.listing import units_of
from bundleimp.runtime.site.units import decode_units

if TYPE_CHECKING:
    from collections.abc import Callable
    from zipimport import zipimporter

TREE = {
    "pkg/__init__.py": "from .mod import value\n",
    "pkg/mod.py": "import os\nHERE = os.path.dirname(__file__)\nvalue = 'value'\n",
    "pkg/table.txt": "row\n" * 30,
    "single.py": "x = [1, 2, 3]\n",
    "lib-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: lib\nVersion: 1\n",
    "lib-1.dist-info/RECORD": "single.py,,\nlib-1.dist-info/METADATA,,\n",
}


@functools.cache
def bundle(layout: str) -> bytes:
    """Return a small bundle of a *layout*, or a plain zip."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out.pybundle")
        if layout == "plain":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in TREE.items():
                    archive.writestr(name, text)
            return path.read_bytes()
        for name, text in TREE.items():
            file = Path(folder, "source", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        bundleimp.pack([Path(folder, "source")], path, jobs=1, layout=layout)  # type: ignore[arg-type]
        return path.read_bytes()


def bundles() -> list[bytes]:
    """Return a bundle of each kind."""
    return [bundle(layout) for layout in ("flat", "nested", "plain")]


def members(name: str) -> list[bytes]:
    """Return the member *name* of the bundles that have it."""
    found = []
    for data in bundles():
        with zipfile.ZipFile(io.BytesIO(data)) as archive, contextlib.suppress(KeyError):
            found.append(archive.read(name))
    return found


def head_and_block(data: bytes) -> tuple[bytes, bytes]:
    """Return the head of the index of the bundle *data*, and the block of its root."""
    locator = bundle_format.decode_locator(data[-bundle_format.LOCATOR_SIZE :])
    if locator is None:
        message = "no bundle"
        raise ValueError(message)
    end = locator.index_offset + locator.index_size
    encoded = data[end - locator.head_size : end]
    head = bundle_format.decode_head(encoded)
    return encoded, data[head.root_offset : head.root_offset + head.root_size]


def directory_of(data: bytes) -> bytes:
    """Return the central directory and what follows it in the zip *data*."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return data[archive.start_dir :]


@contextlib.contextmanager
def written(data: bytes):  # type: ignore[no-untyped-def] # noqa: ANN201 (a context manager)
    """Give a path where *data* is a bundle."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "fuzzed.pybundle")
        with open(path, "wb") as file:
            file.write(data)
        yield path


def run_end(data: bytes) -> None:
    """Find the end record and the locator."""
    with contextlib.suppress(BundleFormatError):
        end = bundle_format.find_end(data, 0, 0)
        if end is not None:
            assert 0 <= end.start <= end.directory_offset <= end.offset <= len(data)
            bundle_format.decode_locator(end.comment)
    bundle_format.format_version(data)
    whole = sealed(data[:-4])
    locator = bundle_format.decode_locator(whole)
    assert locator is None or encode_locator(locator) == whole


def run_head(data: bytes) -> None:
    """Decode the head of an index, whose checksum fits."""
    with contextlib.suppress(BundleFormatError):
        head = bundle_format.decode_head(sealed(data[:-4]))
        assert len(head.tags) <= len(data)


def run_block(data: bytes) -> None:
    """Decode a block of an index, whose checksum fits, and ask it for all that it has."""
    with contextlib.suppress(BundleFormatError):
        directory = bundle_format.Directory(sealed(data[:-4]), "")
        for name in directory.names:
            if name.endswith("/"):
                directory.subdirectory(name[:-1])
            else:
                directory.member(name)
                bundle_format.decode_extent(directory.code_entry(name, 0))
                directory.flags(name)


def run_directory(data: bytes) -> None:
    """List a central directory, with the end record behind it and no members before."""

    def read(offset: int, size: int) -> bytes:
        if offset + size > len(data):
            message = "points outside the file"
            raise BundleFormatError(message, offset=offset)
        return data[offset : offset + size]

    with contextlib.suppress(BundleFormatError):
        end = bundle_format.find_end(data, 0, 0)
        if end is not None:
            listing = zipdirectory.members(read(end.directory_offset, end.directory_size), end, read)
            zipdirectory.list_directories(listing.members.values())


def run_units(data: bytes) -> None:
    """Decode a table of units."""
    with contextlib.suppress(BundleFormatError):
        for unit in decode_units(data):
            assert all(name in unit for name in unit.files)


class Importer:
    """Stands in for `zipimport.zipimporter`: it has a list of top-level names, and no modules."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def get_data(self, _path: str) -> bytes:
        """Return the list."""
        return self.data

    def find_spec(self, _name: str) -> None:
        """Return None."""


def run_names(data: bytes) -> None:
    """Look for a module in a list of top-level names: only a list whose hash fits may say that there is none."""
    importer: zipimporter = Importer(data)  # type: ignore[assignment]
    lacks = waiting.lacks(importer, waiting.top_level(importer), "pkg")
    assert not lacks or data == encode_top_level([]) or data not in members(waiting.TOP_LEVEL)


def run_image(data: bytes) -> None:
    """Load modules of a bundle in which the bytecode was exchanged: the code is the original, or refused."""
    original = bundle("flat")
    tag = code_tag()
    with zipfile.ZipFile(io.BytesIO(original)) as archive:
        info = archive.getinfo(bundle_format.CODE + tag)
    start = info.header_offset + 30 + len(info.filename)
    fuzzed = original[:start] + data[: info.file_size].ljust(info.file_size, b"\0") + original[start + info.file_size :]
    with written(fuzzed) as path:
        for name in ("single", "pkg"):
            with contextlib.suppress(BundleFormatError):
                spec = BundleFinder(path).find_spec(name)
                assert spec is not None
                code = spec.loader.get_code(name)  # type: ignore[union-attr]
                assert code == _codes()[name]
    open_bundles.open_bundle(path).refresh()  # it is gone, and its descriptor is given back


@functools.cache
def _codes() -> dict[str, object]:
    with written(bundle("flat")) as path:
        specs = {name: BundleFinder(path).find_spec(name) for name in ("single", "pkg")}
        return {name: spec.loader.get_code(name) for name, spec in specs.items()}  # type: ignore[union-attr]


def run_archive(data: bytes) -> None:
    """Open a file, and read all that imports can see in it: each member has the checksum that is announced."""
    with written(data) as path, contextlib.suppress(BundleError):
        archive = Archive(path)
        with contextlib.suppress(BundleError):
            assert all(unit.files is not None for unit in units_of(archive))
        todo = [""]
        while todo:
            directory = archive.directory(todo.pop())
            if directory is None:
                continue
            for name in directory.names:
                if name.endswith("/"):
                    todo.append(f"{directory.prefix}{name[:-1]}")
                    continue
                with contextlib.suppress(BundleError):
                    member = directory.member(name)
                    assert crc32(files.read(archive, member)) == member.crc
                    loading.embedded(archive, directory, name)


def run_verify(data: bytes) -> None:
    """Judge a file, and say what it holds and what it differs in from a sound one."""
    with written(data) as path, written(bundle("flat")) as sound:
        for look in (lambda it: it.verify(), describe, lambda it: diff(it, bundleimp.open_bundle(sound))):
            with contextlib.suppress(BundleError):
                look(bundleimp.open_bundle(path))


def run_extract(data: bytes) -> None:
    """Extract a file: nothing is written outside the folder, and nothing beside what it says."""
    with written(data) as path:
        folder = os.path.join(os.path.dirname(path), "inside")
        with contextlib.suppress(BundleError):
            names = extract(bundleimp.open_bundle(path), folder)
            assert all(os.path.isfile(os.path.join(folder, name)) for name in names)
        assert set(os.listdir(os.path.dirname(path))) <= {"fuzzed.pybundle", "inside"}
        assert not any(name.endswith(".tmp") for _, _, files in os.walk(folder) for name in files)


@dataclass(frozen=True)
class Target:
    """A target, and the inputs that it starts from."""

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


def _tails() -> list[bytes]:
    return [directory_of(data) for data in bundles()]


def _images() -> list[bytes]:
    return members(bundle_format.CODE + code_tag())


TARGETS = {
    "end": Target(run_end, lambda: [*_tails(), *(data[-bundle_format.LOCATOR_SIZE :] for data in bundles())]),
    "head": Target(run_head, lambda: [head_and_block(bundle(layout))[0] for layout in ("flat", "nested")]),
    "block": Target(run_block, lambda: [head_and_block(bundle(layout))[1] for layout in ("flat", "nested")]),
    "directory": Target(run_directory, lambda: [*bundles(), *_tails()]),
    "units": Target(run_units, lambda: members(bundle_format.UNITS)),
    "names": Target(run_names, lambda: members(waiting.TOP_LEVEL)),
    "image": Target(run_image, _images),
    "archive": Target(run_archive, bundles),
    "verify": Target(run_verify, bundles),
    "extract": Target(run_extract, bundles),
}
