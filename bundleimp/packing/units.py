"""Which members need real files, and which of them together.  Facts in, units and flags out; no I/O.

The unit is a distribution, as its RECORD lists it, else a top-level package; what stands loose at the top is one unit.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..distinfo import normalized, record_rows
from ..runtime.format import FLAG_REACHED, FLAG_REAL
from ..runtime.site.units import Unit, digest
from .errors import PackError
from .locations import NONE, Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOOSE = "top-level-files"
_EXTENSION = re.compile(r"[^/.]+(\.[\w-]+)?\.(so|pyd)$")
_INERT = (".pyi", "/py.typed")


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known of one member.

    Attributes:
        member: its name.
        digest: the SHA-256 of its content.
        size: its size in bytes.
        executable: whether it is.
        question: what it asks about its location, where it is a module.
        script: whether its content begins with ``#!``.

    """

    member: str
    digest: bytes
    size: int
    executable: bool
    question: Question = NONE
    script: bool = False

    @property
    def folder(self) -> str:
        """The folder that it is in, "" at the top."""
        return posixpath.dirname(self.member)

    @property
    def is_module(self) -> bool:
        """Whether it is Python code."""
        return self.member.endswith((".py", ".pyc"))

    @property
    def is_package(self) -> bool:
        """Whether it is a package's own module."""
        return posixpath.basename(self.member).partition(".")[0] == "__init__"

    @property
    def is_extension(self) -> bool:
        """Whether it is an extension module, for whatever platform."""
        return _EXTENSION.match(posixpath.basename(self.member)) is not None

    @property
    def is_metadata(self) -> bool:
        """Whether it describes a distribution, to be read by ``importlib.metadata``."""
        return self.member.partition("/")[0].endswith((".dist-info", ".egg-info"))

    @property
    def is_data(self) -> bool:
        """Whether a program may want to open it."""
        # A command is for people to start; a program that is compiled may be started by its package.
        command = self.script and self.member.startswith(("bin/", "Scripts/"))
        inert = self.is_module or self.is_extension or self.is_metadata or command
        return not inert and not f"/{self.member}".endswith(_INERT)


@dataclass(frozen=True)
class Mirrored:
    """A unit for the manifest: what may be written to the cache, and why."""

    name: str
    files: int
    size: int
    reason: str


@dataclass
class Plan:
    """Which real files a bundle needs.

    Attributes:
        units: for the bundle's table, by name.
        flags: those of the modules that have any, by member.
        mirrored: the units for people.

    """

    units: list[Unit] = field(default_factory=list)
    flags: dict[str, int] = field(default_factory=dict)
    mirrored: list[Mirrored] = field(default_factory=list)


def _recorded(record: bytes) -> list[str]:
    """Return the members that a distribution's RECORD lists; scripts and data lie beside its packages in a bundle."""
    try:
        rows = record_rows(record.decode("utf-8", "replace"))
    except ValueError:
        return []
    return [re.sub(r"^(\.\./)+", "", posixpath.normpath(row.name.replace("\\", "/"))) for row in rows]


def _grouped(facts: Iterable[Fact], records: dict[str, bytes]) -> dict[str, list[Fact]]:
    """Return the members of each unit, by the unit's name."""
    owners: dict[str, str] = {}
    for member, record in sorted(records.items()):
        folder = posixpath.dirname(member)
        if "/" in folder:  # what a package carries along is its own
            continue
        name = folder.partition("-")[0]
        for file in _recorded(record):
            owners.setdefault(file, name)
    known = [fact for fact in facts if not fact.is_metadata]
    packages = {fact.member.partition("/")[0] for fact in known if "/" in fact.member and fact.is_module}
    packages |= {fact.member.partition("/")[0] for fact in known if "/" in fact.member and fact.is_extension}
    groups: dict[str, list[Fact]] = defaultdict(list)
    for fact in known:
        top = fact.member.partition("/")[0]
        # A module that was packed without its source is recorded as the source.
        owner = owners.get(fact.member) or (owners.get(fact.member[:-1]) if fact.member.endswith(".pyc") else None)
        groups[owner or (top if top in packages else LOOSE)].append(fact)
    return groups


def _near_data(members: Sequence[Fact]) -> set[str]:
    """Return the modules with data in their own folder, and the packages with data anywhere below."""
    code = {fact.folder for fact in members if fact.is_module}
    homes = set()
    for fact in members:
        home = fact.folder
        while fact.is_data and home and home not in code:
            home = posixpath.dirname(home)
        homes |= {home} if fact.is_data else set()
    below = {"/".join(parts[:end]) for parts in (home.split("/") for home in homes) for end in range(len(parts) + 1)}
    return {
        fact.member
        for fact in members
        if fact.is_module and (fact.folder in homes or (fact.is_package and fact.folder in below))
    }


@dataclass(frozen=True)
class _Need:
    flags: dict[str, int]
    reason: str = ""


def _need(members: Sequence[Fact]) -> _Need:
    """Return the flags of a unit's modules, and why they may need real files."""
    modules = [fact for fact in members if fact.is_module or fact.is_extension]
    extension = next((fact.member for fact in members if fact.is_extension), None)
    if extension is not None:
        return _Need({fact.member: FLAG_REAL for fact in modules}, f"{extension} is an extension module")
    data = any(fact.is_data for fact in members)
    asking = [fact.member for fact in modules if fact.question.own and (data or fact.question.code)]
    paths = [fact.member for fact in modules if fact.question.path and fact.is_package]
    programs = [fact.member for fact in modules if fact.question.program and data]
    flags = dict.fromkeys((*_near_data(members), *paths, *programs), FLAG_REACHED) | dict.fromkeys(asking, FLAG_REAL)
    if asking:
        return _Need(flags, f"{asking[0]} looks for {'files' if data else 'code'} beside its __file__")
    if paths:
        return _Need(flags, f"{paths[0]} uses its __path__")
    # A folder of data is a namespace package to importlib.resources, whether or not there is a module near it.
    found = flags or any(fact.is_data and fact.folder for fact in members)
    return _Need(flags, "it has data, should another module look for it" if found else "")


def plan_units(
    facts: Sequence[Fact], records: dict[str, bytes], *, unpack: Sequence[str] = (), no_unpack: Sequence[str] = ()
) -> Plan:
    """Return which members need real files.

    Arguments:
        facts: all members.
        records: the content of each distribution's RECORD, by member.
        unpack: distributions or top-level packages that are imported from real files as a whole.
        no_unpack: those of which none is ever written.

    Raises:
        PackError: there is no such distribution or package, or one is to be both.

    """
    groups = _grouped(sorted(facts, key=lambda fact: fact.member), records)
    names = {normalized(name): name for name in groups}
    wanted, unwanted = ({_find(names, name) for name in given} for given in (unpack, no_unpack))
    for name in sorted(wanted & unwanted):
        message = f"{name!r} is given to both --unpack and --no-unpack"
        raise PackError(message)
    result = Plan()
    for name in sorted(groups):
        members = groups[name]
        need = _need(members)
        if name in wanted:
            flags = {fact.member: FLAG_REAL for fact in members if fact.is_module or fact.is_extension}
            need = _Need(flags, "asked for with --unpack")
        if name in unwanted or not need.reason:
            continue
        result.flags |= need.flags
        files = {fact.member: fact.executable for fact in members}
        contents = ((fact.member, fact.executable, fact.digest) for fact in members)
        folder = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)[:60]
        result.units.append(Unit(folder, digest(contents, hashlib.sha256), files))
        size = sum(fact.size for fact in members)
        result.mirrored.append(Mirrored(name, len(members), size, need.reason))
    return result


def _find(names: dict[str, str], name: str) -> str:
    found = names.get(normalized(name))
    if found is None:
        message = (
            f"there is no distribution or top-level package {name!r}; there are {', '.join(sorted(names.values()))}"
        )
        raise PackError(message)
    return found
