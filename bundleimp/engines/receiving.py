"""The parcels of one process of Dask: their files, and which of them are path entries.

Only `Received.switch` changes what the process imports.  So `ship` can first send parcels to all processes, and switch
when each process has them.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..mounting import Mount, lasting, mount
from ..runtime.archive import Archive
from ..runtime.faults.kinds import BundleError
from ..runtime.sources.signatures import SUFFIX as SIGNATURE
from . import parcel as parcels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

VERSION_EXPRESSION = (
    "(lambda spec: spec and __import__('bundleimp').__version__)"
    "(__import__('importlib.util').util.find_spec('bundleimp'))"
)
"""A Python expression for the installed version of bundleimp, or None.

It is text, because a process without bundleimp, or with another version of Python, cannot unpickle our functions.
"""
_TOKEN = uuid.uuid4().hex


def process_id() -> str:
    """Return an identifier of this process that no process on any machine shares."""
    return f"{_TOKEN}-{os.getpid()}"  # a forked process has the same token


@dataclass(frozen=True)
class Sent:
    """A parcel with its content, as it is sent."""

    parcel: parcels.Parcel
    content: bytes = field(repr=False)
    signature: bytes | None = None

    @classmethod
    def read(cls, sent: parcels.Parcel, path: str) -> Sent:
        """Return the parcel *sent* with the content of the file at *path*."""
        with open(path, "rb") as file:
            content = file.read()
        try:
            with open(path + SIGNATURE, "rb") as file:
                return cls(sent, content, file.read())
        except FileNotFoundError:
            return cls(sent, content)


def from_elsewhere(modules: Mapping[str, str]) -> dict[str, list[str]]:
    """Return those of *modules* that this process has loaded from bundles with other files for them, by bundle.

    Arguments:
        modules: as of `Parcel.modules`.

    """
    known: dict[Archive, Mapping[str, str]] = {}
    found: dict[str, list[str]] = {}
    for name, files in modules.items():
        spec = getattr(sys.modules.get(name), "__spec__", None)
        archive = getattr(getattr(spec, "loader", None), "archive", None)
        if isinstance(archive, Archive):  # zipimport's loaders have a path of that name
            known[archive] = known.get(archive) or parcels.modules_of(archive)
            if known[archive].get(name) != files:
                found.setdefault(archive.path, []).append(name)
    return found


@dataclass(frozen=True)
class State:
    """The state of a process, if some parcels are to be its path entries.

    Attributes:
        process_id: as of `process_id`.
        names: the names of the parcels that are path entries.
        loaded: the names of the modules that were imported from other parcels than the wanted ones, by parcel.
        lasting: those of these modules that cannot be forgotten.
        fault: why the parcels that were sent last cannot be used, or "".

    """

    process_id: str
    names: Sequence[str]
    loaded: dict[str, list[str]]
    lasting: list[str]
    fault: str

    @property
    def reason(self) -> str:
        """Why this process cannot switch: which modules of which parcel are loaded, in words."""
        name, modules = next(iter(self.loaded.items()))
        others = len(modules) - 1
        more = f" and {others} other module{'s' if others > 1 else ''}" if others else ""
        return f"has loaded {modules[0]}{more} of {name}"


class Received:
    """The parcels that a process has received.

    Attributes:
        folder: the folder of their files.
        fault: why the parcels that were sent last cannot be used, or "".

    """

    def __init__(self, folder: str, *, own: bool) -> None:
        """Begin without parcels.

        Arguments:
            folder: the folder for their files.
            own: whether the process belongs to Dask.  Parcels are then the first path entries.  In a process of the
                user they are the last, and no module is forgotten.

        """
        self.folder = os.path.abspath(folder)
        self.fault = ""
        self._is_own = own
        self._names: list[str] = []
        self._mounts: dict[str, Mount] = {}  # by name: all that have been path entries

    def state(self, wanted: Iterable[str]) -> State:
        """Return the state of this process, if the parcels with the names *wanted* are to be its path entries."""
        unwanted = {name: self._mounts[name].modules() for name in sorted({*self._mounts}.difference(wanted))}
        loaded = {name: modules for name, modules in unwanted.items() if modules}
        modules = list(itertools.chain.from_iterable(loaded.values()))
        stay = lasting(modules) if self._is_own else modules
        return State(process_id(), list(self._names), loaded, stay, self.fault)

    def take(self, sent: Iterable[Sent]) -> None:
        """Write the parcels that this process lacks, and check them.  `fault` says why that failed."""
        self.fault = ""
        try:
            for each in sent:
                path = self.path_of(each.parcel.name)
                if not os.path.isfile(path):
                    self._write(path, each)
        except OSError as error:
            self.fault = f"{self.folder}: cannot be written: {error.strerror or error}"
        except BundleError as error:
            self.fault = str(error)

    def path_of(self, name: str) -> str:
        """Return the path of the parcel *name* in this process."""
        return os.path.join(self.folder, name)

    def switch(self, wanted: Sequence[str], *, forget: bool = False) -> None:
        """Make the parcels with the names *wanted* the path entries, and no others.  `fault` says why that failed.

        Arguments:
            wanted: the names, in the order of ``sys.path``.
            forget: whether to forget the loaded modules of other parcels.  If not, such modules are a fault, and
                nothing changes.

        """
        self.fault = ""
        state = self.state(wanted)
        if state.loaded and (state.lasting or not forget):
            self.fault = state.reason
            return
        try:
            # The new ones are added before the old ones are removed, so that each import finds one of them.
            for name in reversed(wanted) if self._is_own else wanted:
                if name not in self._names:
                    self._mounts[name] = mount(self.path_of(name), first=self._is_own)
                    self._names.append(name)
            for name in [name for name in self._names if name not in wanted]:
                self._names.remove(name)
                self._mounts[name].close(forget=name in state.loaded)
        except BundleError as error:
            self.fault = str(error)

    def close(self) -> None:
        """Remove all path entries.  Modules stay loaded."""
        for each in self._mounts.values():
            each.close()
        self._names.clear()

    def _write(self, path: str, sent: Sent) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".bundleimp-") as aside:
            copy = os.path.join(aside, os.path.basename(path))
            for suffix, content in ((SIGNATURE, sent.signature), ("", sent.content)):
                if content is not None:
                    with open(copy + suffix, "wb") as file:
                        file.write(content)
            received = parcels.read(copy, sent.parcel.bundle)
            for each in reversed(received.files):  # the signature first
                os.replace(each, path + each.removeprefix(copy))
