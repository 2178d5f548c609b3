"""Which members need real files, and which of them together.  Facts in, units and flags out; no I/O.

`runtime.site.planning` has the rules that hold for plain zips, too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..distinfo import normalized, record_rows
from ..runtime.format import FLAG_DATA, FLAG_WHOLE
from ..runtime.site import planning
from ..runtime.site.questions import Question
from ..runtime.site.units import Unit, digest
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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
        run_paths: where the linker looks for libraries that it needs, relative to its folder.
        targets: as of `SourceFile`.

    """

    member: str
    digest: bytes
    size: int
    executable: bool
    question: Question = Question()  # noqa: RUF009 (it is never changed)
    script: bool = False
    run_paths: tuple[str, ...] = ()
    targets: tuple[int, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A unit for the manifest: what is placed in the cache, when, and why.

    Attributes:
        name: its distributions, or its top-level package.
        files: how many files are placed as a whole; 0 if only the data part ever is.
        size: of these, in bytes.
        data_files: how many files the data part has.
        data_size: of these, in bytes.
        reason: why.
        brings: the names of the units that are placed with it.

    """

    name: str
    files: int
    size: int
    data_files: int
    data_size: int
    reason: str
    brings: tuple[str, ...] = ()


@dataclass
class Plan:
    """Which real files a bundle needs.

    Attributes:
        units: for the bundle's table, by name.
        flags: those of the modules that have any, by member; and of the folders that are namespace portions with data,
            by name with a slash at the end.
        placed: the units for people.

    """

    units: list[Unit] = field(default_factory=list)
    flags: dict[str, int] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)


def recorded(record: bytes) -> list[str]:
    """Return the members that a distribution's RECORD lists."""
    try:
        rows = record_rows(record.decode("utf-8", "replace"))
    except ValueError:
        return []
    return [planning.recorded(row.name) for row in rows]


@dataclass(frozen=True)
class _Need:
    """The flags of a unit's modules, and why they need real files; no reason if they need none."""

    flags: dict[str, int]
    reason: str = ""


def _need(group: planning.Group, facts: dict[str, Fact]) -> _Need:
    modules = [name for name in group.files if planning.is_module(name)]
    folders = [folder + "/" for folder in group.portions]
    flags = dict.fromkeys((*group.near, *folders), FLAG_DATA)
    if group.native:
        return _Need(flags | dict.fromkeys(modules, FLAG_WHOLE), f"{group.native} is an extension module")
    asking = [name for name in modules if facts[name].question.may_find(others=group.others)]
    if asking:
        beside = "code" if facts[asking[0]].question.code else "files"
        reason = f"{asking[0]} asks for its location, and may look for {beside} beside it"
        return _Need(flags | dict.fromkeys(asking, FLAG_WHOLE), reason)
    where = "near modules" if group.near else "in a folder that can be imported"
    return _Need(flags, f"{group.data[0]} is data {where}" if flags else "")


def _as_whole(need: _Need) -> _Need:
    return _Need(dict.fromkeys(need.flags, FLAG_WHOLE), need.reason)


def plan_units(
    facts: Iterable[Fact],
    records: dict[str, bytes],
    *,
    unpack: Sequence[str] = (),
    no_unpack: Sequence[str] = (),
    inherited: frozenset[str] = frozenset(),
) -> Plan:
    """Return which members need real files.

    Arguments:
        facts: all members.
        records: the content of each distribution's RECORD, by member.
        unpack: distributions or top-level packages that are placed as a whole when one of their modules is imported.
        no_unpack: those of which nothing is ever placed.
        inherited: names in *unpack* and *no_unpack* that may be unknown here, because they come from a bundle.

    Raises:
        PackError: there is no such distribution or package, or one is to be both.

    """
    known = {fact.member: fact for fact in sorted(facts, key=lambda fact: fact.member)}
    listed: dict[str, list[str]] = {}
    for member, record in sorted(records.items()):
        name = planning.record_owner(member)
        if name is not None:  # two versions of a distribution are one unit
            listed.setdefault(name, []).extend(recorded(record))
    groups = planning.grouped(known, listed, lambda name: known[name].script)
    wanted, unwanted = _overruled(_Names(groups, inherited), unpack, no_unpack)
    needs = []
    for group in groups:
        need = _need(group, known)
        if group in wanted:
            flags = dict.fromkeys((name for name in group.files if planning.is_module(name)), FLAG_WHOLE)
            need = _Need(need.flags | flags, "asked for with --unpack")
        needs.append(_Need({}) if group in unwanted else need)
    brought = [_brought(group, groups, known, unwanted) for group in groups]
    # A library in a data part needs the libraries that it points to.
    needs = [_as_whole(need) if brings else need for need, brings in zip(needs, brought, strict=True)]
    whole = [FLAG_WHOLE in need.flags.values() for need in needs]
    for at in [at for at, is_whole in enumerate(whole) if is_whole]:
        _mark_brought(at, brought, whole)
    numbers: dict[int, int] = {}
    for at, need in enumerate(needs):
        if whole[at] or need.reason:
            numbers[at] = len(numbers)
    result = Plan()
    for at in numbers:
        group, need = groups[at], needs[at]
        result.flags |= need.flags
        part = group.data_part
        files = {name: _letter(known[name], part) for name in group.files if whole[at] or name in part}
        contents = [(name, letter, known[name].digest) for name, letter in files.items()]
        in_part = [item for item in contents if item[0] in part]
        digests = digest(contents, hashlib.sha256), digest(in_part, hashlib.sha256)
        brings = tuple(numbers[other] for other in brought[at]) if whole[at] else ()
        result.units.append(Unit(group.short_name, *digests, files, brings))
        result.placed.append(
            Placed(
                group.name,
                len(files) if whole[at] else 0,
                sum(known[name].size for name in files) if whole[at] else 0,
                len(part),
                sum(known[name].size for name in part),
                need.reason or "a native file of another distribution needs it",
                tuple(groups[other].name for other in brought[at]) if whole[at] else (),
            )
        )
    return result


def _letter(fact: Fact, data_part: set[str]) -> str:
    return ("-x" if fact.member not in data_part else "de")[fact.executable]


def _brought(
    group: planning.Group, groups: list[planning.Group], facts: dict[str, Fact], unwanted: list[planning.Group]
) -> tuple[int, ...]:
    """Return the numbers of the other *groups* that the native files of *group* point to, without the *unwanted*."""
    targets = {planning.resolved(name, path) for name in group.files for path in facts[name].run_paths}
    return tuple(
        at
        for at, other in enumerate(groups)
        if other not in (group, *unwanted) and planning.has_below(other.files, targets)
    )


def _mark_brought(at: int, brought: Sequence[Sequence[int]], whole: list[bool]) -> None:
    """Mark the units that unit *at* brings along, and those that they bring."""
    for other in brought[at]:
        if not whole[other]:
            whole[other] = True
            _mark_brought(other, brought, whole)


def _overruled(
    names: _Names, unpack: Sequence[str], no_unpack: Sequence[str]
) -> tuple[list[planning.Group], list[planning.Group]]:
    """Return the groups that the user wants to be placed as a whole, and those never to be placed."""
    wanted, unwanted = ([group for name in given for group in names.find(name)] for given in (unpack, no_unpack))
    for name in unpack:
        if any(group in unwanted for group in names.find(name)):
            message = f"{name!r} is given to both --unpack and --no-unpack"
            raise PackError(message)
    return wanted, unwanted


class _Names:
    """The names that the user may give, compared as installers do."""

    def __init__(self, groups: list[planning.Group], inherited: frozenset[str]) -> None:
        self._inherited = inherited
        self._spelled: dict[str, str] = {}
        self._packages: dict[str, list[planning.Group]] = {}
        self._distributions: dict[str, list[planning.Group]] = {}
        for group in groups:
            tops = {name.partition("/")[0].partition(".")[0] for name in group.files if planning.is_module(name)}
            for names, known in ((tops, self._packages), (group.names, self._distributions)):
                for name in names:
                    known.setdefault(normalized(name), []).append(group)
                    self._spelled.setdefault(normalized(name), name)

    def find(self, name: str) -> list[planning.Group]:
        """Return the units of a distribution, or else of all distributions that have a top-level package."""
        key = normalized(name)
        found = self._distributions.get(key) or self._packages.get(key)
        if found is None and name in self._inherited:
            return []
        if found is None:
            known = ", ".join(sorted(self._spelled.values()))
            message = f"there is no distribution or top-level package {name!r}; there are {known}"
            raise PackError(message)
        return found
