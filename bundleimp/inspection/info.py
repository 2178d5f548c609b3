"""Describe a bundle: distributions with their sizes, Pythons, entry points."""

from __future__ import annotations

import email.parser
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import runson
from ..distinfo import EntryPoint, entry_points, record_rows
from ..runtime import format as bundle_format
from ..runtime.content.targets import split_name
from ..runtime.sources.signatures import SUFFIX
from .sizes import Part, Share, Sizes, measure, rest, runtime_sizes, shares
from .views import TargetFiles

if TYPE_CHECKING:
    from .reader import BundleReader

_METADATA = ".dist-info/METADATA"


@dataclass(frozen=True)
class PlacedUnit:
    """Members that the runtime places in the cache if a module needs them as files (see `packing.units.Placed`)."""

    name: str
    files: int
    size: int
    data_files: int
    data_size: int
    reason: str
    brings: list[str]


@dataclass
class Info:
    """The description that `bundleimp info` prints."""

    path: str
    size: int
    layout: str
    members: int
    manifest: dict[str, Any] | None
    code_tags: list[str]
    signature: str | None = None
    targets: list[str] = field(default_factory=list)
    runtimes: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    runtime: Sizes | None = None
    rest: int = 0
    entry_points: list[EntryPoint] = field(default_factory=list)
    placed: list[PlacedUnit] | dict[str, list[PlacedUnit]] = field(default_factory=list)
    runs_on: list[runson.RunsOn] = field(default_factory=list)


@dataclass(frozen=True)
class Survey:
    """The description of a bundle, with the sizes of its members.

    Attributes:
        info: the description.
        parts: the distributions, by their metadata folder with a slash at the end.
        shares: the sizes of each member.

    """

    info: Info
    parts: dict[str, Part]
    shares: list[Share]


def describe(bundle: BundleReader) -> Info:
    """Return the description of *bundle*.

    Raises:
        BundleFormatError: a member that has to be read is damaged.

    """
    return survey(bundle).info


def survey(bundle: BundleReader) -> Survey:
    """Return the description of *bundle*, with the sizes of its members.

    Raises:
        BundleFormatError: a member that has to be read is damaged.

    """
    names = [entry.member.name for entry in bundle.outer.entries]
    tags = [name.removeprefix(bundle_format.CODE) for name in names if name.startswith(bundle_format.CODE)]
    members = bundle.members
    info = Info(bundle.path, bundle.size, bundle.layout, len(members), bundle.manifest, tags)
    targets = TargetFiles(bundle)
    info.targets = targets.names
    views = targets.stored or [{member.name: member.name for member in members}]
    info.signature = bundle.path + SUFFIX if os.path.isfile(bundle.path + SUFFIX) else None
    placed = (info.manifest or {}).get("placed")
    info.placed = _placed(placed)
    if isinstance(placed, dict):
        info.placed = {str(target): _placed(units) for target, units in placed.items()}
    info.runs_on = runson.decode(info.manifest)
    info.runtimes = [
        name.removeprefix(bundle_format.RUNTIME) for name in names if name.startswith(bundle_format.RUNTIME)
    ]
    parts: dict[str, Part] = {}
    owners: dict[str, str] = {}
    for name in [member.name for member in members if member.name.endswith(_METADATA)]:
        own = name.removesuffix("METADATA")
        folder = split_name(own)[1]
        headers = email.parser.BytesParser().parsebytes(bundle.read_note(name), headersonly=True)
        parts[folder] = Part(name=str(headers.get("Name", folder)), version=str(headers.get("Version", "")))
        for stored in reversed(views):
            names_there = _recorded(bundle, stored.get(folder + "RECORD", ""))
            owners |= {stored.get(each, each): folder for each in names_there}
        points = _entry_points(bundle, own + "entry_points.txt") or _entry_points(bundle, folder + "entry_points.txt")
        info.entry_points += [point for point in points if not info.targets or point not in info.entry_points]
    taken = shares(bundle, owners)
    unowned = measure(taken, parts)
    info.parts = sorted(parts.values(), key=lambda part: part.name.lower()) + [unowned] * bool(unowned.members)
    info.runtime = runtime_sizes(bundle)
    info.rest = rest(bundle.size, [*info.parts, info.runtime or Sizes()])
    return Survey(info, parts, taken)


def placed_units(info: Info) -> list[tuple[PlacedUnit, list[str]]]:
    """Return each unit that is placed, with the names of its targets; with no names if all targets place it."""
    groups = info.placed if isinstance(info.placed, dict) else {"": info.placed}
    found: dict[str, tuple[PlacedUnit, list[str]]] = {}
    for target, units in groups.items():
        for unit in units:
            found.setdefault(repr(unit), (unit, []))[1].append(target)
    return [(unit, targets if len(targets) < len(groups) else []) for unit, targets in found.values()]


def _placed(units: object) -> list[PlacedUnit]:
    """Return the *units* in a manifest, without those that are not as `pack` writes them."""
    numbers = ("files", "size", "data_files", "data_size")
    return [
        PlacedUnit(
            str(unit["name"]),
            **{name: unit[name] for name in numbers},
            reason=str(unit.get("reason", "")),
            brings=[str(name) for name in unit.get("brings") or ()],
        )
        for unit in (units if isinstance(units, list) else [])
        if isinstance(unit, dict) and "name" in unit and all(isinstance(unit.get(name), int) for name in numbers)
    ]


def _text(bundle: BundleReader, name: str) -> str:
    try:
        return bundle.read_note(name).decode("utf-8", "replace")
    except KeyError:
        return ""


def _recorded(bundle: BundleReader, name: str) -> list[str]:
    try:
        return [row.name for row in record_rows(_text(bundle, name))]
    except ValueError:
        return []


def _entry_points(bundle: BundleReader, name: str) -> list[EntryPoint]:
    try:
        return entry_points(_text(bundle, name))
    except ValueError:
        return []
