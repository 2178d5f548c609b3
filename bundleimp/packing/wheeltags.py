"""What tags of wheels and names of extension modules demand of a Python (PEP 425, PEP 3149).  Pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import platforms, pythons
from ..runtime.content.purposes import Purpose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..platforms import Platform
    from ..pythons import Spans

_PYTHON_TAG = re.compile(r"(?P<name>[a-z]+)(?P<major>\d)(?P<minor>\d*)")
_IMPLEMENTATIONS = {"cp": "cpython", "pp": "pypy", "graalpy": "graalpy"}
# The systems of extension modules' names, as wheels name them.
_SYSTEMS = {"darwin": "macosx"}
_ELF_MACHINES = {0x3E: "x86_64", 0xB7: "aarch64", 0x03: "i686", 0x28: "armv7l", 0x15: "ppc64le", 0x16: "s390x"}
_ELF_MACHINES[0xF3] = "riscv64"
_ELF_SYSTEMS = {0: "linux", 3: "linux"}  # others are BSDs and Solaris
_MACHO_MACHINES = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_PE_MACHINES = {0x8664: "win_amd64", 0xAA64: "win_arm64", 0x014C: "win32"}


@dataclass(frozen=True)
class Demand:
    """What one tag demands of a Python; the fields are as of `runson.RunsOn`."""

    implementation: str = ""
    spans: Spans = pythons.ALL
    free_threaded: bool | None = None
    platform: Platform | None = None

    def covers(self, other: Demand) -> bool:
        """Return whether every Python that fulfils *other* fulfils this demand, too."""
        return both(self, other) == other


def both(first: Demand, second: Demand) -> Demand | None:
    """Return what two demands have in common, or None if no Python fulfils both."""
    spans = pythons.both(first.spans, second.spans)
    threads = {first.free_threaded, second.free_threaded} - {None}
    implementations = {first.implementation, second.implementation} - {""}
    if not spans or len(threads) > 1 or len(implementations) > 1:
        return None
    try:
        platform = platforms.both(first.platform, second.platform)
    except ValueError:
        return None
    return Demand("".join(implementations), spans, next(iter(threads), None), platform)


def simplified(demands: Iterable[Demand]) -> list[Demand]:
    """Return *demands* as alternatives, without those that another one covers."""
    found = list(dict.fromkeys(demands))
    return [each for each in found if not any(other.covers(each) for other in found if other != each)]


def of_wheel(text: str) -> list[Demand]:
    """Return the alternatives of a wheel: the tags in its WHEEL file; nothing if there is none that can be used."""
    tags = [line.partition(":")[2].strip() for line in text.splitlines() if line.lower().startswith("tag:")]
    return simplified(demand for tag in tags for demand in of_tag(tag))


def of_tag(tag: str) -> Iterator[Demand]:
    """Yield the alternatives of a compatibility tag: ``cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64``."""
    try:
        names, abis, places = (part.split(".") for part in tag.split("-"))
    except ValueError:
        return
    for name in names:
        for abi in abis:
            python = _of_python(name, abi)
            for place in places if python is not None else ():
                platform = platforms.parse(place)
                if python is not None and (platform is not None or place == "any"):
                    yield Demand(python.implementation, python.spans, python.free_threaded, platform)


def _of_python(tag: str, abi: str) -> Demand | None:
    """Return what a Python tag with an ABI tag demands; None if no Python 3 is meant, or it is not known."""
    match = _PYTHON_TAG.fullmatch(tag)
    if match is None or match["major"] != "3":
        return None
    version = (3, int(match["minor"])) if match["minor"] else (3,)
    if match["name"] == "py":
        return Demand("", pythons.since(version))
    implementation = _IMPLEMENTATIONS.get(match["name"])
    if implementation is None or len(version) == 1:
        return Demand(implementation) if implementation is not None else None
    if abi in {"abi3", "abi3t"}:
        return Demand(implementation, pythons.since(version), abi == "abi3t")
    threads = None if abi == "none" or implementation != "cpython" else abi.rstrip("du").endswith("t")
    return Demand(implementation, pythons.minor(version), threads)


def of_file(name: str, header: bytes) -> Demand:
    """Return what an extension module demands that belongs to no wheel.

    Arguments:
        name: its name.
        header: its first bytes, which are asked if the name does not say for which platform it is.

    """
    purpose = Purpose(name)
    spans = pythons.ALL
    if purpose.version:
        spans = pythons.since(purpose.version) if purpose.newer else pythons.minor(purpose.version)
    platform = None
    if purpose.system:
        platform = platforms.parse(_platform_tag(purpose))
    if platform is None or not platform.machines:
        platform = platforms.parse(platform_of(header) or "any") or platform
    return Demand(purpose.implementation, spans, purpose.free_threaded, platform)


def _platform_tag(purpose: Purpose) -> str:
    if purpose.system == "win":
        return {"x86": "win32", "": "win"}.get(purpose.machine, f"win_{purpose.machine}")
    return "_".join(filter(None, [_SYSTEMS.get(purpose.system, purpose.system), purpose.machine]))


def platform_of(header: bytes) -> str:
    """Return the platform tag of a native file (ELF, Mach-O, PE), of which *header* is the beginning; "" if unknown."""
    if header[:4] == b"\x7fELF" and len(header) >= 20:  # noqa: PLR2004 (up to e_machine)
        order = "big" if header[5] == 2 else "little"  # noqa: PLR2004 (ELFDATA2MSB)
        machine = _ELF_MACHINES.get(int.from_bytes(header[18:20], order))  # type: ignore[arg-type]
        system = _ELF_SYSTEMS.get(header[7])
        return f"{system}_{machine}" if system and machine else ""
    if header[:4] == b"\xcf\xfa\xed\xfe":
        machine = _MACHO_MACHINES.get(int.from_bytes(header[4:8], "little"))
        return f"macosx_{machine}" if machine else ""
    if header[:4] == b"\xca\xfe\xba\xbe":
        return "macosx_universal2"
    if header[:2] == b"MZ":
        start = int.from_bytes(header[60:64], "little")
        return _PE_MACHINES.get(int.from_bytes(header[start + 4 : start + 6], "little"), "")
    return ""
