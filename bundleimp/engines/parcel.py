"""Parcels: copies of bundles that are sent to the workers of an engine, under names that the engine accepts.

The name of a parcel contains a digest of its content.  So two versions of a bundle never have the same path.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import itertools
import os
import re
import shutil
import tempfile
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..inspection.reader import BundleReader
from ..packing.collect import MODULE_SUFFIXES
from ..runtime.archive import Archive
from ..runtime.bundles import OpenBundle
from ..runtime.content.files import find
from ..runtime.content.limits import CHILDREN
from ..runtime.faults.kinds import BundleError, BundleWarning
from ..runtime.format import RUNTIME, SUFFIXES
from ..runtime.site.listing import members
from ..runtime.sources.signatures import SUFFIX as SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Path = str | os.PathLike[str]

SUFFIX = ".pybundle.zip"
"""The suffix of all parcels.  Every engine accepts such names, and so does the path hook."""
_DIGITS = 16  # of the SHA-256, in the name


@dataclass(frozen=True)
class Parcel:
    """A copy of a bundle, ready to be sent.

    Attributes:
        bundle: the path that the caller gave, for messages.
        path: the path of the copy.
        modules: the names of its topmost modules and packages, which may be in a namespace package, each with a digest
            of its files.
        standalone: whether it contains the runtime, so that the workers do not need bundleimp.

    """

    bundle: str
    path: str
    modules: Mapping[str, str]
    standalone: bool

    @property
    def name(self) -> str:
        """The name of the copy, such as "app-0f343b0931126a20.pybundle.zip"."""
        return os.path.basename(self.path)

    @property
    def entry(self) -> str:
        """The path entry for the copy, relative to its folder, in a Python that may lack bundleimp."""
        return f"{self.name}/{CHILDREN}".rstrip("/") if self.standalone else self.name

    @property
    def files(self) -> list[str]:
        """The paths of the copy, and of its signature if it has one."""
        return [path for path in (self.path, self.path + SIGNATURE) if os.path.isfile(path)]

    @property
    def stem(self) -> str:
        """The name without digest and suffix, such as "app"."""
        return self.name[: -len(SUFFIX)].rpartition("-")[0]


def make(*bundles: Path, folder: str | None = None) -> list[Parcel]:
    """Copy *bundles* for an engine, and check the copies.

    Arguments:
        bundles: the paths of the bundles.
        folder: the folder for the copies.  Default: a folder that is removed when this process ends.

    Raises:
        BundleError: a bundle cannot be read, is damaged, or does not run on this Python; or two of them have different
            modules of one name.
        TypeError: no bundle is given.

    """
    if not bundles:
        message = "no bundle was given"
        raise TypeError(message)
    parcels = [_make(bundle, folder or own_folder()) for bundle in dict.fromkeys(map(os.fsdecode, bundles))]
    for first, second in itertools.combinations(parcels, 2):
        module = clash(first, second)
        if module:
            message = f"has the module {module}, and {first.bundle} has another one of that name: ship one of them"
            raise BundleError(message, file=second.bundle)
    return list({parcel.path: parcel for parcel in parcels}.values())


def clash(first: Parcel, second: Parcel) -> str:
    """Return the name of a module that the two parcels have different files for, or ""."""
    for name, files in first.modules.items():
        if second.modules.get(name, files) != files:
            return name
    for one, other in ((first, second), (second, first)):
        for name in one.modules:
            parents = itertools.accumulate(name.split(".")[:-1], "{}.{}".format)
            inside = next((parent for parent in parents if parent in other.modules), "")
            if inside:  # a namespace package in one, a regular package in the other
                return inside
    return ""


def replaced(parcels: Iterable[Parcel], before: Iterable[Parcel]) -> list[tuple[Parcel, Parcel]]:
    """Return pairs of an old parcel, one of *before*, and the new one of *parcels* that replaces it.

    A bundle replaces another that has the same name, or different modules of one name.
    """
    new_ones = list(parcels)
    given = {each.name for each in new_ones}
    pairs = {
        old.name: (old, new)
        for old in before
        for new in new_ones
        if old.name not in given and (old.stem == new.stem or clash(old, new))
    }
    return list(pairs.values())


def warn_of_lost(pairs: Iterable[tuple[Parcel, Parcel]], now: Iterable[Parcel]) -> None:
    """Warn of modules that workers can no longer import.

    Arguments:
        pairs: what `replaced` returned.
        now: the parcels that the workers have now.

    """
    shipped = {module for each in now for module in each.modules}
    for old, new in pairs:
        lost = sorted(set(old.modules) - shipped)
        is_version = old.stem == new.stem and not old.modules.keys().isdisjoint(new.modules)
        if lost and not is_version:  # a new version may well have fewer modules
            text = f"{new.bundle}: replaces {old.bundle}, so {', '.join(lost[:3])} cannot be imported any more"
            warnings.warn(BundleWarning(text), stacklevel=3)


def read(path: str, bundle: str | None = None) -> Parcel:
    """Return the parcel at *path*.

    Arguments:
        path: the path of the copy.
        bundle: the path of the bundle, for messages.  Default: the path of the copy.

    Raises:
        BundleError: it is damaged, or does not run on this Python.

    """
    bundle = bundle or path
    try:
        archive = Archive(path, OpenBundle.signers)
        if archive.fault is not None:
            raise archive.fault
        entries = BundleReader(path).outer.entries
        standalone = any(entry.member.name.startswith(RUNTIME) for entry in entries)
        return Parcel(bundle, path, modules_of(archive), standalone)
    except BundleError as error:
        error.file = bundle
        raise


def modules_of(archive: Archive) -> dict[str, str]:
    """Return the topmost modules and packages of an open bundle, with what identifies their files.

    Raises:
        BundleFormatError: the index is damaged.

    """
    found = ((name, find(archive, name)) for name in members(archive))
    return _modules({name: f"{member.crc:08x}{member.size:x}" for name, member in found if member is not None})


@functools.cache
def own_folder() -> str:
    """Return a folder that is removed when this process ends."""
    folder = tempfile.mkdtemp(prefix="bundleimp-")
    process = os.getpid()
    atexit.register(_remove, folder, process)
    return folder


def _remove(folder: str, process: int) -> None:
    if os.getpid() == process:  # and not in a child process that was forked
        shutil.rmtree(folder, ignore_errors=True)


def _make(bundle: str, folder: str) -> Parcel:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".bundleimp-") as aside:
        copy = os.path.join(aside, f"copy{SUFFIX}")
        try:
            shutil.copyfile(bundle, copy)
            with open(copy, "rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(bundle + SIGNATURE, copy + SIGNATURE)
        except OSError as error:
            message = f"cannot be copied for the workers: {error.strerror or error}"
            raise BundleError(message, file=bundle) from None
        parcel = read(copy, bundle)
        path = os.path.join(folder, f"{_stem(bundle)}-{digest[:_DIGITS]}{SUFFIX}")
        for file in reversed(parcel.files):  # the signature first
            os.replace(file, path + file.removeprefix(copy))
    return replace(parcel, path=path)


def _stem(bundle: str) -> str:
    """Return the name of *bundle* without its suffix, and with only characters that are safe in a URL or on a path."""
    name = os.path.basename(bundle)
    stem = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
    return re.sub(r"[^A-Za-z0-9._+-]", "-", stem)


def _modules(files: Mapping[str, str]) -> dict[str, str]:
    """Return the names of the topmost modules and packages among *files*, each with a digest of its files."""
    packages = {folder for name in files for folder, _, file in [name.rpartition("/")] if file.startswith("__init__.")}
    found: dict[str, list[str]] = {}
    for name in sorted(files):
        folders = list(itertools.accumulate(name.split("/")[:-1], "{}/{}".format))
        package = next((folder for folder in folders if folder in packages), "")
        if package:
            root = package
        elif name.endswith(MODULE_SUFFIXES):
            head, _, file = name.rpartition("/")
            root = "/".join(filter(None, [head, file.partition(".")[0]]))
        else:
            continue
        if root == "__main__" or name.startswith(CHILDREN):  # for programs, and not for imports
            continue
        if "." in root:  # nothing can be imported from such a folder; "numpy.libs" has shared libraries
            continue
        found.setdefault(root.replace("/", "."), []).append(f"{name} {files[name]}")
    return {root: hashlib.sha256("\n".join(lines).encode()).hexdigest() for root, lines in found.items()}
