"""Platforms, as the tags of wheels name them (platform compatibility tags, PEP 425, 600, 656).  Pure functions.

``linux_x86_64``, ``manylinux_2_17_aarch64``, ``musllinux_1_2_x86_64``, ``macosx_11_0_arm64``, ``win_amd64``, ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .runtime.content.purposes import SYSTEMS, TRIPLETS

# The minor versions of glibc 2 behind the older names of manylinux.
LEGACY_GLIBC = {"1": 5, "2010": 12, "2014": 17}
_ALIASES = {f"manylinux{year}_": f"manylinux_2_{minor}_" for year, minor in LEGACY_GLIBC.items()}
_TAG = re.compile(r"(?P<system>manylinux|musllinux|macosx)_(?P<version>\d{1,9}_\d{1,9})_(?P<machine>\w+)")
_LIBRARIES = {"manylinux": "glibc", "musllinux": "musl"}
_UNIVERSAL = frozenset({"arm64", "x86_64"})
# The machines behind one name of macOS.
_FAT = {"universal2": _UNIVERSAL, "intel": frozenset({"i386", "x86_64"}), "universal": frozenset({"i386", "x86_64"})}
_WINDOWS = {"win32": "x86", "win_amd64": "amd64", "win_arm64": "arm64"}
# Every glibc for which a Python of today is made is newer.
_USUAL_GLIBC = (2, 17)


@dataclass(frozen=True)
class Platform:
    """A system with its machines.

    Attributes:
        system: "linux", "macosx", "win", or the beginning of another tag: "freebsd", "ios".
        machines: the names of the machines; empty if any will do.
        library: the C library of Linux: "glibc", "musl", or "" if the tag does not name it.
        version: the oldest version of the C library, or of macOS; () if the tag does not name it.

    """

    system: str
    machines: frozenset[str]
    library: str = ""
    version: tuple[int, ...] = ()

    @property
    def tag(self) -> str:
        """The tag of a wheel for it."""
        machine = "universal2" if self.machines == _UNIVERSAL else "_".join(sorted(self.machines))
        if self.system == "win":
            return next((tag for tag, known in _WINDOWS.items() if {known} == self.machines), "win")
        name = {"glibc": "manylinux", "musl": "musllinux"}.get(self.library, self.system)
        return "_".join(filter(None, [name, *map(str, self.version), machine]))

    @property
    def words(self) -> str:
        """The platform in words: "Linux x86_64, glibc 2.28 or newer"."""
        system = SYSTEMS.get(self.system, self.system)
        machines = " or ".join(sorted(self.machines))
        version = ".".join(map(str, self.version))
        if self.system == "macosx" and version:
            return f"{system} {version} or newer, {machines}"
        text = f"{system} {machines}".rstrip()
        return f"{text}, {self.library} {version} or newer" if version and self.library else text

    @property
    def facts(self) -> dict[str, tuple[str, ...]]:
        """The facts that identify it (`runtime.content.limits`), with the values that they may have."""
        machines = sorted(self.machines)
        facts: dict[str, tuple[str, ...]] = {
            "system": ({"macosx": "darwin", "win": "win32", "pyodide": "emscripten"}.get(self.system, self.system),)
        }
        if self.system == "linux":
            library = {"glibc": "gnu", "musl": "musl"}.get(self.library, "")
            facts["suffix"] = tuple(f"{TRIPLETS.get(name, name)}-linux-{library}" for name in machines)
            if self.library == "glibc" and self.version > _USUAL_GLIBC:
                facts["glibc"] = (".".join(map(str, self.version)),)
        elif self.system == "macosx":
            facts["machine"] = tuple(machines)
        elif self.system == "win":
            facts["suffix"] = tuple(map(_windows_tag, machines))
        return {fact: values for fact, values in facts.items() if values}


def _windows_tag(machine: str) -> str:
    return next(tag for tag, known in _WINDOWS.items() if known == machine)


def parse(tag: str) -> Platform | None:
    """Return the platform that the *tag* of a wheel names; None if that is any platform, or is not known."""
    if not tag.isidentifier():
        return None
    for alias, name in _ALIASES.items():
        if tag.startswith(alias):
            tag = name + tag.removeprefix(alias)
    if tag in _WINDOWS or tag == "win":
        return Platform("win", frozenset(filter(None, [_WINDOWS.get(tag)])))
    match = _TAG.fullmatch(tag)
    if match is not None:
        system, machine = match["system"], match["machine"]
        version = tuple(map(int, match["version"].split("_")))
        name = "macosx" if system == "macosx" else "linux"
        return Platform(name, _FAT.get(machine, frozenset({machine})), _LIBRARIES.get(system, ""), version)
    system, _, machine = tag.partition("_")
    if system in {"linux", "macosx"}:
        return Platform(system, _FAT.get(machine, frozenset(filter(None, [machine]))))
    # Of other systems, only the name counts.
    return Platform(system, frozenset()) if system.isalnum() and system != "any" else None


def both(first: Platform | None, second: Platform | None) -> Platform | None:
    """Return the platform that fulfils the demands of two; None stands for any.

    Raises:
        ValueError: there is none.

    """
    if first is None or second is None:
        return first or second
    machines = first.machines & second.machines if first.machines and second.machines else None
    libraries = {first.library, second.library} - {""}
    if first.system != second.system or machines == frozenset() or len(libraries) > 1:
        raise ValueError(first, second)
    if machines is None:
        machines = first.machines | second.machines
    return Platform(first.system, machines, "".join(libraries), max(first.version, second.version))
