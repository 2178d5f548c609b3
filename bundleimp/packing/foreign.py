"""Install for a target whose interpreter is not here, by the installers' own options for that.

uv is preferred: it evaluates environment markers, such as ``sys_platform == 'win32'``, and Requires-Python for the
target.  pip evaluates them for the Python that runs it.  Only wheels are installed, because a build would be for this
machine.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..platforms import LEGACY_GLIBC
from .errors import PackError, PackWarning
from .installer import READS_LOCKS, Installer, candidates, find_uv
from .targets import Platform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .distribution import Distribution
    from .targets import Target

# The minor versions of glibc that uv has platforms for.
_UV_GLIBC = (17, 28, *range(31, 41))
_UV_PLATFORMS = {
    ("macosx", "arm64"): "aarch64-apple-darwin",
    ("macosx", "x86_64"): "x86_64-apple-darwin",
    ("musllinux", "aarch64"): "aarch64-unknown-linux-musl",
    ("musllinux", "x86_64"): "x86_64-unknown-linux-musl",
    ("win", "32"): "i686-pc-windows-msvc",
    ("win", "amd64"): "x86_64-pc-windows-msvc",
    ("win", "arm64"): "aarch64-pc-windows-msvc",
}
_LEGACY = {minor: year for year, minor in LEGACY_GLIBC.items()}
_OLDEST_GLIBC = 5
_PROJECT = re.compile(r"(?P<folder>[^\[]+)(?P<extras>\[[^\]]*\])?")
_TAGS = re.compile(r"^Tag: *\S+-(\S+)", re.MULTILINE)


def uv_platform(platform: Platform) -> str | None:
    """Return uv's name for a platform, or None if uv has none."""
    if platform.system == "manylinux":
        known = [minor for minor in _UV_GLIBC if (2, minor) <= platform.version]
        machine = platform.machine
        return f"{machine}-manylinux_2_{known[-1]}" if known and machine in {"x86_64", "aarch64"} else None
    if platform.system == "musllinux" and platform.version < (1, 2):
        return None
    return _UV_PLATFORMS.get((platform.system, platform.machine))


def pip_platforms(platform: Platform, tag: str) -> list[str]:
    """Return the platform tags of the wheels for a target with the platform *tag*, as pip takes them.

    pip itself adds those of older systems for macOS only.
    """
    if platform.system not in {"manylinux", "musllinux"}:
        return [tag]
    major, minor = platform.version
    tags = []
    for older in range(minor, (_OLDEST_GLIBC if platform.system == "manylinux" else 0) - 1, -1):
        tags.append(f"{platform.system}_{major}_{older}_{platform.machine}")
        if platform.system == "manylinux" and older in _LEGACY:
            tags.append(f"manylinux{_LEGACY[older]}_{platform.machine}")
    return tags


def find_foreign_installer(target: Target, *, lock: str = "", chosen: str | None = None) -> Installer:
    """Return an installer for a target whose interpreter is not here.

    Arguments:
        target: the target.
        lock: the lock file (PEP 751) that it must be able to read, if any.
        chosen: "uv" or "pip", if the user has chosen one.

    Raises:
        PackError: there is neither uv nor pip, or they cannot install for this target.

    """
    platform = Platform.parse(target.platform)
    assert platform is not None  # noqa: S101 (its tag was parsed)
    named = uv_platform(platform)
    uv = find_uv(sys.executable) if chosen != "pip" else None
    if uv and named and target.abi[-1] != "t":
        options = ("--python-platform", named, "--python-version", target.version, "--only-binary", ":all:")
        command = (*uv, "pip", "install", "--python", sys.executable, *options)
        variables = (("MACOSX_DEPLOYMENT_TARGET", ".".join(map(str, platform.version))),)
        is_mac = platform.system == "macosx"
        return Installer("uv", command, sys.executable, target.name, variables if is_mac else ())
    for version, installer in candidates(sys.executable):
        if installer.name == "pip" and chosen != "uv" and (not lock or version >= READS_LOCKS):
            words = [word for tag in pip_platforms(platform, target.platform) for word in ("--platform", tag)]
            words += ["--python-version", target.version, "--implementation", "cp", "--abi", target.abi]
            words.append("--only-binary=:all:")
            return Installer("pip", (*installer.command, *words), installer.interpreter, target.name)
    message = f"nothing here can install for {target}: install uv, or pip for {sys.executable}"
    raise PackError(message)


@dataclass(frozen=True)
class LocalProject:
    """A requirement that is a project on disk: its folder, and the extras, "[fast]" or ""."""

    folder: str
    extras: str


def local_project(requirement: str) -> LocalProject | None:
    """Return the project on disk that a *requirement* is, as pip understands it, or None."""
    match = _PROJECT.fullmatch(requirement)
    if match is None or not (os.sep in match["folder"] or match["folder"].startswith(".")):
        return None
    is_project = any(os.path.isfile(os.path.join(match["folder"], name)) for name in ("pyproject.toml", "setup.py"))
    return LocalProject(match["folder"], match["extras"] or "") if is_project else None


def check_wheel(wheel: Path, project: str, target: Target) -> None:
    """Raise PackError if a *wheel* that was built here, of a *project*, is not for every platform."""
    platform = wheel.stem.rpartition("-")[2]
    if platform != "any":
        raise _built_here(project, platform, target)


def _built_here(project: str, platform: str, target: Target) -> PackError:
    message = f"was built here, for {platform}, and not for {target}: give a wheel for that"
    return PackError(message, file=project)


def check_built(installed: Sequence[Distribution], target: Target) -> None:
    """Raise PackError if a distribution was built here, from source, and is not for every platform."""
    for one in installed:
        if not one.url.startswith("file:") or one.url.endswith(".whl"):
            continue
        wheel: Path = one.folder / "WHEEL"
        platforms = {tag for found in _TAGS.findall(wheel.read_text("utf-8")) for tag in found.split(".")}
        if "any" not in platforms:
            raise _built_here(one.name, " and ".join(sorted(platforms)), target)


def foreign_warnings(installer: Installer, target: Target) -> list[PackWarning]:
    """Return a warning if the *installer* may leave out or add distributions for a *target* that is not here."""
    if installer.name == "uv" or not installer.target:
        return []
    message = "pip evaluates environment markers for the Python that runs it, and not for this target; install uv"
    return [PackWarning(target.name, message)]
