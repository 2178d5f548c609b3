"""Damage to real bundles, and what an importing process makes of it; `tests.test_damage` runs this in fresh processes.

Whatever the damage, all that is seen of the file must be as in the sound one, or an error that names the file and the
member or offset; what is missing must have been warned of.
"""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import random
import shutil
import sys
import warnings
import zipfile
import zipimport
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bundleimp.runtime import bundles, hook
from bundleimp.runtime import format as bundle_format
from bundleimp.runtime.cache.entries import MARK
from bundleimp.runtime.content import files
from bundleimp.runtime.faults.kinds import BundleFormatError, BundleWarning
from bundleimp.runtime.loaders import BundleLoader
from bundleimp.runtime.plain.sourceless import SourcelessBundleLoader
from bundleimp.runtime.site import sites
from bundleimp.runtime.site.extensions import BundleExtensionLoader
from bundleimp.waiting import TOP_LEVEL, waiting_finder

from .archives import decode_index, flipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Region:
    """A run of bytes in a bundle, and what it is."""

    kind: str
    start: int
    size: int


def regions(data: bytes, path: Path) -> list[Region]:
    """Return what the sound bundle *data* at *path* is made of."""
    found: list[Region] = []
    with zipfile.ZipFile(path) as archive:
        directory = archive.start_dir
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename.encode())
            kind = info.filename if info.filename.startswith(bundle_format.INFO) else "member"
            found += [Region("local header", info.header_offset, start - info.header_offset)]
            found += [Region(kind, start, info.compress_size)] if info.compress_size else []
            found += [Region("top-level", start, info.compress_size)] if info.filename == TOP_LEVEL else []
    end = data.rindex(b"PK\5\6")
    found += [Region("central directory", directory, end - directory), Region("end record", end, len(data) - end)]
    locator = bundle_format.decode_locator(data[-bundle_format.LOCATOR_SIZE :])
    if locator is None:
        return found
    start = locator.index_offset + locator.index_size - locator.head_size
    head = bundle_format.decode_head(data[start : start + locator.head_size])
    found += [
        Region("head", start, locator.head_size),
        Region("root block", head.root_offset, start - head.root_offset),
    ]
    for inner in [place for place in found if place.kind == bundle_format.PAYLOAD]:
        end = inner.start + inner.size - 22
        size = int.from_bytes(data[end + 12 : end + 16], "little")
        found += [Region("inner central directory", end - size, size), Region("inner end record", end, 22)]
    return found


def damaged(data: bytes, places: list[Region], chance: random.Random) -> tuple[str, bytes]:
    """Return what was done to *data*, and what became of it."""
    kind = chance.choice(sorted({place.kind for place in places}))
    place = chance.choice([place for place in places if place.kind == kind])
    at = place.start + chance.randrange(place.size)
    how = chance.choices(["flip", "smear", "cut off", "cut out", "doubled"], [12, 3, 1, 1, 1])[0]
    size = min(chance.choice([1, 2, 4, 16, 100]), len(data) - at)
    if how == "flip":
        bit = 8 * at + chance.randrange(8)
        return f"bit {bit} flipped, in {kind}", flipped(data, bit)
    if how == "smear":
        filling = chance.choice([bytes(size), b"\xff" * size, chance.randbytes(size)])
        return f"{size} bytes at {at} overwritten with {filling.hex()}, in {kind}", data[:at] + filling + data[
            at + size :
        ]
    if how == "cut off":
        return f"cut off at {at}, in {kind}", data[:at]
    if how == "cut out":
        return f"{size} bytes at {at} cut out, in {kind}", data[:at] + data[at + size :]
    return f"{size} bytes at {at} doubled, in {kind}", data[: at + size] + data[at:]


@dataclass
class Sight:
    """What an importing process sees of a bundle; each thing by a name.

    Attributes:
        seen: what it was, or None for what is not there.
        errors: the errors instead.
        warned: the text of the warnings.

    """

    seen: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, BaseException] = field(default_factory=dict)
    warned: list[str] = field(default_factory=list)

    def look(self, name: str, action: Callable[[], Any]) -> Any:
        """Note what *action* gives under *name*, and return it."""
        try:
            self.seen[name] = action()
        except Exception as error:  # noqa: BLE001 (which it may be is what is looked at)
            self.errors[name] = error
            return None
        return self.seen[name]


def module_names(members: list[str]) -> list[str]:
    """Return the modules among the *members*, parents first."""
    sources = [name.removesuffix(".py").removesuffix("/__init__") for name in members if name.endswith(".py")]
    names = {name.replace("/", ".") for name in sources}
    return sorted(names | {name.rpartition(".")[0] for name in names if "." in name})


def see(path: str, members: list[str]) -> Sight:
    """Return what is seen of the bundle at *path*, which has those *members* when it is sound."""
    sight = Sight()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BundleWarning)
        finder = hook.path_hook(path)
        sight.look("modules", lambda: sorted(finder.iter_modules()))
        for name in module_names(members):
            _see_module(sight, path, name)
        for name in members:
            sight.look(f"data of {name}", functools.partial(_data, finder, name))
            sight.look(f"real file of {name}", functools.partial(_placed, path, name))
        sight.look("distributions", lambda: sorted(_distributions(path), key=repr))
    sight.warned = [str(warning.message) for warning in caught]
    return sight


def _data(finder: Any, name: str) -> bytes | None:
    try:
        return finder.get_data(name)  # type: ignore[no-any-return]
    except OSError:
        return None


def _see_module(sight: Sight, path: str, name: str) -> None:
    parent = name.rpartition(".")[0].replace(".", os.sep)
    spec = sight.look(f"spec of {name}", lambda: _spec(os.path.join(path, parent) if parent else path, name))
    if spec is None or spec.loader is None:
        return
    sight.look(f"code of {name}", lambda: spec.loader.get_code(name))
    # The reader is of the files of a unit that is placed now: their damage is an error.
    sight.look(f"resources of {name}", lambda: sorted(_resources(spec.loader.get_resource_reader(name).files())))


def _resources(folder: Any) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_file() and not item.name.startswith(MARK):  # the cache's own files are in the root of a site
            yield item.name, item.read_bytes()


class _Spec:
    """A spec that equals others which are the same for an importing program, with an index or without."""

    def __init__(self, spec: Any) -> None:
        self.loader = spec.loader
        kinds = (BundleLoader, SourcelessBundleLoader, BundleExtensionLoader)
        loader = next((kind for kind in kinds if isinstance(spec.loader, kind)), None)
        facts = vars(spec)  # a look at the attributes would place the module's files
        self._facts = [loader, facts["submodule_search_locations"] is not None, facts["origin"]]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Spec) and self._facts == other._facts

    __hash__ = None  # type: ignore[assignment]


def _spec(entry: str, name: str) -> _Spec | None:
    spec = hook.path_hook(entry).find_spec(name)
    return None if spec is None else _Spec(spec)


def _distributions(path: str) -> Iterator[Any]:
    for found in importlib.metadata.distributions(path=[path]):
        files = [(str(file), file.size) for file in found.files or ()]
        yield found.metadata["Name"], found.version, [tuple(point) for point in found.entry_points], files


def _placed(path: str, name: str) -> bytes | None:
    """Return the content of the member *name* in the site, else that which the bundle itself gives."""
    archive = bundles.open_bundle(path).archive
    if archive is None or files.find(archive, name) is None:
        return None
    real = sites.real_path(archive, name)
    return files.read(archive, files.member_named(archive, name, name)) if real is None else Path(real).read_bytes()


def faults(sound: Sight, sight: Sight, path: str) -> list[str]:
    """Return what must not be in *sight* of a damaged file."""
    result = []
    warned = any(path in text for text in sight.warned)
    for name, error in sight.errors.items():
        clear = isinstance(error, BundleFormatError) and (error.member is not None or error.offset is not None)
        if not clear or path not in str(error):
            result.append(f"{name}: {type(error).__name__}: {error}")
    for name, value in sound.seen.items():
        if name in sight.errors or sight.seen.get(name) == value:
            continue
        explained = warned or any(other in sight.errors for other in _causes(name))
        if not (explained and _is_lessened(sight.seen.get(name), value)):
            result.append(f"{name}: {str(sight.seen.get(name))[:100]}")
    return result


def _is_lessened(value: Any, sound: Any) -> bool:
    """Return whether *value* lacks something of the *sound* one, or has a name more: of two both may be there."""
    if value is None or not isinstance(sound, list):
        return value is None
    return all(item in sound for item in value) or all(item in value for item in sound)


def _causes(name: str) -> list[str]:
    """Return what must have been an error where *name* is missing."""
    about, _, module = name.partition(" of ")
    return [f"spec of {module}"] if about in {"code", "resources"} else []


def try_damages(original: Path, seed: int, count: int) -> dict[str, Any]:
    """Damage copies of the bundle at *original*; return how often that was noticed, and what went wrong."""
    data = original.read_bytes()
    places = regions(data, original)
    members = members_of(original)
    sound = see(_replaced(original, data), members)
    chance = random.Random(seed)  # noqa: S311 (the same in each run)
    outcomes: Counter[str] = Counter()
    wrong: list[str] = [f"sound: {name}: {error!r}" for name, error in sound.errors.items()]
    for _ in range(count):
        damage, content = damaged(data, places, chance)
        copy = _replaced(original, content)
        sight = see(copy, members)
        wrong += [f"{damage}: {fault}" for fault in faults(sound, sight, copy)]
        outcomes["error" if sight.errors else "warning" if sight.warned else "no effect"] += 1
    return {"outcomes": dict(outcomes), "wrong": wrong[:20]}


def try_waiting(original: Path, seed: int, count: int) -> dict[str, Any]:
    """Damage what a `waiting_finder` reads; return how often that was noticed, and what went wrong."""
    data = original.read_bytes()
    kinds = {"top-level", "central directory", "end record"}
    places = [place for place in regions(data, original) if place.kind in kinds]
    tops = {name.partition("/")[0].partition(".")[0] for name in members_of(original) if name.endswith(".py")}
    chance = random.Random(seed)  # noqa: S311 (the same in each run)
    outcomes: Counter[str] = Counter()
    wrong = []
    for _ in range(count):
        damage, content = damaged(data, places, chance)
        copy = _replaced(original, content)
        zipimport._zip_directory_cache.clear()  # type: ignore[attr-defined] # noqa: SLF001 (as in a fresh process)
        try:
            finder = waiting_finder(copy, zipimport.zipimporter(copy))
        except zipimport.ZipImportError:
            outcomes["refused"] += 1  # our hook is asked then, without a finder that waits
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", BundleWarning)
            for name in (*sorted(tops), "absent"):
                try:
                    found = finder.find_spec(name) is not None
                except BundleFormatError:
                    outcomes["error"] += 1
                except Exception as error:  # noqa: BLE001 (which it may be is what is looked at)
                    wrong.append(f"{damage}: {name}: {error!r}")
                else:
                    outcomes["warning" if caught else "no effect"] += 1
                    if found != (name in tops) and not caught:
                        wrong.append(f"{damage}: {name}: found is {found}")
    return {"outcomes": dict(outcomes), "wrong": wrong[:20]}


def _replaced(original: Path, content: bytes) -> str:
    """Put *content* beside *original*, as a file that the import system has not seen; return its path."""
    copy = str(original.with_name("copy.pybundle"))
    aside = original.with_name("aside")
    aside.write_bytes(content)
    aside.replace(copy)
    bundles.in_use.clear()  # as in a fresh process
    bundles.sites.clear()
    sys.path_importer_cache.clear()
    importlib.metadata.FastPath.__new__.cache_clear()  # type: ignore[attr-defined] # some versions keep it
    shutil.rmtree(os.path.join(os.environ["BUNDLEIMP_CACHE_DIR"], sites.FOLDER), ignore_errors=True)
    return copy


def members_of(path: Path) -> list[str]:
    """Return the names of the payload's members."""
    data = path.read_bytes()
    locator = bundle_format.decode_locator(data[-bundle_format.LOCATOR_SIZE :])
    if locator is None:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    index = data[locator.index_offset : locator.index_offset + locator.index_size]
    return [item.member.name for item in decode_index(index, locator.head_size, locator.index_offset).members]


if __name__ == "__main__":
    hook.install()
    attempt = {"imports": try_damages, "waiting": try_waiting}[sys.argv[1]]
    print(json.dumps(attempt(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))  # noqa: T201
