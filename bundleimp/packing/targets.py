"""The targets that a bundle is packed for: the interpreters that are here, and those that `--target` names.

A target is a version of CPython on a platform.  `foreign` installs for targets that are not here, `merging` puts the
files of all targets together, and `runtime.content.targets` chooses one when the bundle is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..platforms import LEGACY_GLIBC
from ..runtime.content.purposes import TRIPLETS
from ..runtime.content.targets import MOST
from .asking import ask, unfit
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Sequence

_OLDEST = 11
_TAG = re.compile(r"cp3(?P<minor>\d{1,3})(?P<free>t?)-(?P<platform>\w+)")
_PLATFORMS = (
    re.compile(r"(?P<system>manylinux)(?:_(?P<major>\d+)_(?P<minor>\d+)|(?P<year>1|2010|2014))_(?P<machine>\w+)"),
    re.compile(r"(?P<system>musllinux)_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>\w+)"),
    re.compile(r"(?P<system>macosx)_(?P<major>\d+)_(?P<minor>\d+)_(?P<machine>arm64|x86_64|universal2)"),
    re.compile(r"(?P<system>win)(?P<machine>32|_amd64|_arm64)"),
)
_EXAMPLES = "cp313-manylinux_2_28_x86_64, cp313-musllinux_1_2_aarch64, cp313-macosx_11_0_arm64 or cp313-win_amd64"
_EABI = {"arm": "eabihf"}
_QUESTION = """
import importlib.machinery, json, platform, sys, sysconfig
suffix = (importlib.machinery.EXTENSION_SUFFIXES or [""])[0]
print(json.dumps({
    "name": sys.implementation.name,
    "minor": sys.version_info[1],
    "free": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "platform": sysconfig.get_platform(),
    "key": suffix[1:].rpartition(".")[0] or sys.implementation.cache_tag,
    "machine": platform.machine(),
}))
"""


@dataclass(frozen=True)
class Platform:
    """A platform tag, taken apart.

    Attributes:
        system: "manylinux", "musllinux", "macosx" or "win".
        version: of glibc, musl or macOS, (2, 28); () for Windows.
        machine: "x86_64".

    """

    system: str
    version: tuple[int, ...]
    machine: str

    @classmethod
    def parse(cls, tag: str) -> Platform | None:
        """Return the platform that a platform *tag* names, or None if it names none."""
        for pattern in _PLATFORMS:
            match = pattern.fullmatch(tag)
            if match is not None:
                parts = match.groupdict()
                version = (2, LEGACY_GLIBC[parts["year"]]) if parts.get("year") else ()
                if parts.get("major"):
                    version = (int(parts["major"]), int(parts["minor"]))
                return cls(parts["system"], version, parts["machine"].strip("_"))
        return None

    def key(self, version: str) -> str:
        """Return the key of the target with this platform and a *version* of CPython: "313" or "313t"."""
        if self.system == "win":
            return f"cp{version}-win{'32' if self.machine == '32' else '_' + self.machine}"
        if self.system == "macosx":
            return f"cpython-{version}-darwin-{self.machine}"
        machine = TRIPLETS.get(self.machine, self.machine)
        library = "gnu" if self.system == "manylinux" else "musl"
        return f"cpython-{version}-{machine}-linux-{library}{_EABI.get(machine, '')}"


@dataclass(frozen=True)
class Target:
    """A kind of Python that a bundle has files for.

    Attributes:
        name: python tag and platform tag: "cp313-macosx_11_0_arm64".
        key: what distinguishes it when the bundle is opened (`runtime.content.targets`).
        version: the version of CPython, "3.13".
        abi: the ABI tag, "cp313".
        platform: the platform tag.
        executable: the interpreter; "" if it is not here.

    """

    name: str
    key: str
    version: str
    abi: str
    platform: str
    executable: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def is_here(self) -> bool:
        """Whether its interpreter is here."""
        return bool(self.executable)


def parse_target(tag: str) -> Target:
    """Return the target that a *tag* names: ``cp313-macosx_11_0_arm64``.

    Raises:
        PackError: the tag names none.

    """
    match = _TAG.fullmatch(tag)
    platform = Platform.parse(match["platform"]) if match is not None else None
    if match is None or platform is None:
        message = f"{tag!r} is not a target: give a python tag and a platform tag of wheels, such as {_EXAMPLES}"
        raise PackError(message)
    if int(match["minor"]) < _OLDEST:
        message = f"{tag!r} is not a target: CPython 3.{_OLDEST} or newer is needed"
        raise PackError(message)
    version = f"3{match['minor']}{match['free']}"
    return Target(tag, platform.key(version), f"3.{match['minor']}", f"cp{version}", match["platform"])


def ask_target(executable: str) -> Target:
    """Return the target that an interpreter is.

    Raises:
        PackError: it cannot be started, or is older than 3.11.

    """
    answer = ask(executable, ["-I"], _QUESTION)
    if answer.get("name") != "cpython" or answer["minor"] < _OLDEST:
        raise unfit(executable, "install")
    abi = f"cp3{answer['minor']}{'t' * answer['free']}"
    platform = re.sub(r"\W", "_", answer["platform"])
    key = answer["key"] + (f"-{answer['machine']}" if answer["key"].endswith("-darwin") else "")
    return Target(f"{abi}-{platform}", key, f"3.{answer['minor']}", abi, platform, executable)


def find_targets(pythons: Sequence[str], tags: Sequence[str]) -> list[Target]:
    """Return the targets that the user named, in this order: interpreters, then tags.

    Raises:
        PackError: one of them is none, or two are the same.

    """
    targets = [*map(ask_target, pythons), *map(parse_target, tags)]
    seen: dict[str, Target] = {}
    for target in targets:
        other = seen.setdefault(target.key, target)
        if other is not target:
            one, two = (each.executable or each.name for each in (other, target))
            same = f"{one} is named twice" if one == two else f"{two} is the same kind of Python as {one}"
            message = f"{same}: name each target once"
            raise PackError(message)
    if len(targets) > MOST:
        message = f"a bundle can have {MOST} targets, and not {len(targets)}"
        raise PackError(message)
    return targets
