"""What can be wrong with an installation: the hook, the bundles on the path, the cache."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import warnings
from dataclasses import dataclass

from ..runtime import finder  # which reads BUNDLEIMP_ALLOWED_SIGNERS
from ..runtime.archive import Archive
from ..runtime.bundlefile import is_regular, status_of
from ..runtime.bundles import OpenBundle, locate
from ..runtime.cache import folder as cachefolder
from ..runtime.data.modules import modules
from ..runtime.faults.kinds import BundleError, BundleFitError, BundleWarning
from ..runtime.format import SUFFIX, SUFFIXES
from ..runtime.sources.urls import is_url
from .bundle import open_bundle
from .cachecheck import check


@dataclass(frozen=True)
class Observation:
    """One thing that was looked at.

    Attributes:
        about: what.
        text: what was seen.
        fine: whether that is as it should be.

    """

    about: str
    text: str
    fine: bool = True


def examine() -> list[Observation]:
    """Return what was seen in this process, whose hook must not have been installed by hand."""
    return [_hook(), *_start_files(), *_signers(), *_bundles(), *_cache()]


def _hook() -> Observation:
    names = [getattr(hook, "claims_bundles", False) for hook in sys.path_hooks]
    if os.environ.get("BUNDLEIMP_DISABLE", "") not in {"", "0"}:
        return Observation("path hook", "BUNDLEIMP_DISABLE is set: bundles are not imported", fine=False)
    if not any(names):
        text = "not installed at start-up: bundles on the path are not imported by bundleimp"
        return Observation("path hook", text, fine=False)
    if not names[0]:
        return Observation("path hook", "another hook was put before ours, and is asked first", fine=False)
    return Observation("path hook", "installed at start-up, asked first")


def _start_files() -> list[Observation]:
    name = "bundleimp.pth"
    folders = dict.fromkeys([sysconfig.get_path("purelib"), *site.getsitepackages(), site.getusersitepackages()])
    # In a browser, there is no folder of the user's.
    found = [folder for folder in folders if folder is not None and os.path.isfile(os.path.join(folder, name))]
    if found:
        return [Observation(name, os.path.join(folder, name)) for folder in found]
    return [Observation(name, "in no site-packages folder of this Python: install bundleimp with pip", fine=False)]


def _signers() -> list[Observation]:
    if OpenBundle.signers is None:
        return []
    path, name = OpenBundle.signers.path, "allowed signers"
    if not os.access(path, os.R_OK):
        return [Observation(name, f"{path} is missing or cannot be read: no bundle is imported", fine=False)]
    return [Observation(name, f"BUNDLEIMP_ALLOWED_SIGNERS is set: only bundles signed by those in {path} are imported")]


def _bundles() -> list[Observation]:
    result = []
    for entry in sys.path:
        if SUFFIX not in entry:
            result += _unclaimed(entry)
        else:
            location = locate(entry)
            if location is None and is_url(entry):
                result.append(
                    Observation(f"{entry.partition('://')[0]}://…", "is a URL: it is fetched when it is first used")
                )
            elif location is None and os.path.isfile(entry):
                result += _unclaimed(entry)
            elif location is None and os.path.isdir(entry):
                result.append(Observation(entry, "is a folder, not a bundle: its files are imported"))
            elif location is None:
                missing = not os.path.exists(entry)
                text = "there is no such file" if missing else "is not a regular file, so it is not a bundle"
                result.append(Observation(entry, text, fine=False))
            else:
                result.append(_bundle(location.bundle))
    return [*(result or [Observation("bundles", "none on sys.path")]), *_doubles()]


def _unclaimed(entry: str) -> list[Observation]:
    """Look at a path entry that the path hook leaves to others: a bundle under another name."""
    try:
        bundle = open_bundle(entry) if os.path.isfile(entry) else None
    except BundleError:
        return []
    if bundle is None or bundle.manifest is None:
        return []
    what = "is a nested bundle, whose modules are found"
    if bundle.layout == "flat":
        what = "is a bundle, whose extension modules, signature and bytecode are used"
    text = f"{what} only if its name ends with {SUFFIX} or {SUFFIXES[1]}: rename it"
    return [Observation(entry, text, fine=False)]


def _doubles() -> list[Observation]:
    """Look for packages and modules that several bundles on the path have."""
    seen: dict[str, str] = {}
    result = []
    for entry in dict.fromkeys(entry for entry in sys.path if SUFFIX in entry):
        for name in _modules(entry):
            first = seen.setdefault(name, entry)
            if first != entry and name != "__main__":
                text = f"is in {first} and in {entry}: only the first is imported"
                result.append(Observation(name, text, fine=False))
    return result


def _modules(entry: str) -> list[str]:
    """Return the names of the modules in the path entry, or nothing if it is in no sound bundle."""
    location = locate(entry)
    if location is None or not is_regular(status_of(location.bundle)):
        return []
    try:
        archive = Archive(location.bundle, OpenBundle.signers)
        directory = archive.directory(location.inner)
    except BundleError:
        return []
    if directory is None:
        return []
    return [name for name, _ in modules(archive, directory, finder.SUFFIXES, "")]


def _bundle(path: str) -> Observation:
    if not is_regular(
        status_of(path)
    ):  # where bundles have to be signed, such a name is a bundle's whatever it leads to
        return Observation(path, "is not a regular file", fine=False)
    try:
        archive = Archive(path, OpenBundle.signers)
    except BundleError as error:
        return Observation(path, str(error).removeprefix(f"{path}: "), fine=False)
    if isinstance(archive.fault, BundleFitError):
        return Observation(path, archive.fault.message, fine=False)
    return _usable(path, archive)


def _usable(path: str, archive: Archive) -> Observation:
    if not archive.indexed:
        return Observation(
            path, "can be opened, but has no index: a plain zip, or changed by another tool after packing"
        )
    if not archive.column >= 0:
        tag = sys.implementation.cache_tag
        if sys.dont_write_bytecode:
            text = (
                f"can be opened; no bytecode for this Python ({tag}), and with PYTHONDONTWRITEBYTECODE or -B, none is"
            )
            return Observation(path, f"{text} cached: it is compiled in every process", fine=False)
        return Observation(path, f"can be opened; no bytecode for this Python ({tag}): it is compiled once and cached")
    return Observation(path, "can be opened, with bytecode for this Python")


def _cache() -> list[Observation]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BundleWarning)
        folder = cachefolder.folder(create=True)
    if folder is None:
        return [Observation("cache", str(caught[0].message) if caught else cachefolder.lack(), fine=False)]
    path = cachefolder.aside_of(os.path.join(folder, "trial"))
    try:
        cachefolder.write(path, b"trial")
    except OSError as error:
        text = f"{folder}: can be read, but not written: {error.strerror}"
        return [Observation("cache", text)]
    os.unlink(path)
    if not cachefolder.allows_code(folder):
        text = f"{folder}: its file system is mounted noexec: no extension module can be loaded from it"
        return [Observation("cache", text, fine=False)]
    faults = [fault for fault in check(folder) if fault.is_known]
    found = [Observation("cache", f"{fault.path}: {fault.text}", fine=False) for fault in faults]
    return [Observation("cache", f"{folder}: can be written"), *found]
