"""The parcels of one process of an engine: where they are, and which of them are path entries.

Only `Received.switch` changes what the process imports.  So an engine can send parcels to all processes first, and
switch when each has them.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..mounting import Mount, lasting, mount
from ..runtime.faults.kinds import BundleError
from ..runtime.sources.signatures import SUFFIX as SIGNATURE
from . import parcel as parcels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

VERSION = (
    "(lambda spec: spec and __import__('bundleimp').__version__)"
    "(__import__('importlib.util').util.find_spec('bundleimp'))"
)
"""An expression for the version of bundleimp, or None.

A process evaluates it that may have none, or another version of Python, which cannot load our functions.
"""
_TOKEN = uuid.uuid4().hex


def process() -> str:
    """Return what identifies this process among those of all machines."""
    return f"{_TOKEN}-{os.getpid()}"  # a fork has the same token


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


@dataclass(frozen=True)
class State:
    """What a process has of the parcels.

    Attributes:
        process: the process, as `process` identifies it.
        names: the parcels that are path entries.
        loaded: the modules that were imported from parcels that are no longer wanted, by parcel.
        lasting: those of them that cannot be forgotten.
        fault: why the parcels that were sent last cannot be used, or "".

    """

    process: str
    names: Sequence[str]
    loaded: dict[str, list[str]]
    lasting: list[str]
    fault: str

    @property
    def reason(self) -> str:
        """Why this process cannot switch: in words, which modules of which parcel are loaded."""
        name, modules = next(iter(self.loaded.items()))
        others = len(modules) - 1
        more = f" and {others} other module{'s' if others > 1 else ''}" if others else ""
        return f"has loaded {modules[0]}{more} of {name}"


class Received:
    """The parcels that a process has received.

    Attributes:
        folder: where they are.
        fault: why the ones that were sent last cannot be used, or "".

    """

    def __init__(self, folder: str, *, own: bool) -> None:
        """Have no parcels.

        Arguments:
            folder: where they are to be.
            own: whether the process is the engine's own, so that they come before all other path entries.  In a process
                of the user, they come last, and no module is forgotten.

        """
        self.folder = os.path.abspath(folder)
        self.fault = ""
        self._is_own = own
        self._names: list[str] = []
        self._mounts: dict[str, Mount] = {}  # by name: all that have been path entries

    def state(self, wanted: Iterable[str]) -> State:
        """Return what this process has, if the parcels with the names *wanted* are to be its path entries."""
        unwanted = {name: self._mounts[name].modules() for name in sorted({*self._mounts}.difference(wanted))}
        loaded = {name: modules for name, modules in unwanted.items() if modules}
        modules = list(itertools.chain.from_iterable(loaded.values()))
        stay = lasting(modules) if self._is_own else modules
        return State(process(), list(self._names), loaded, stay, self.fault)

    def take(self, sent: Iterable[Sent]) -> None:
        """Write those parcels that are not here yet, and check them.  `fault` says what is wrong with them."""
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
            forget: whether modules of the other parcels are forgotten.  Else nothing changes where there are any.

        """
        self.fault = ""
        state = self.state(wanted)
        if state.loaded and (state.lasting or not forget):
            self.fault = state.reason
            return
        try:
            # The new ones stand before the old ones until these are gone: no import finds neither.
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
        """Take all path entries away.  Modules stay loaded."""
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
