"""Where a bundle runs: worked out from the tags of its wheels, their Requires-Python, and extension modules.

`gather` reads what the answer depends on; `alternatives` is a pure function.  A distribution's WHEEL says what it
needs, and its extension modules are not looked at.  The name of an extension module counts if no distribution with a
WHEEL has it, and no other file is the same module.
"""

from __future__ import annotations

import email.parser
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .. import platforms, pythons
from ..runson import FREE_THREADED, OLDEST, RunsOn, words
from ..runtime.site import planning
from .errors import PackWarning
from .units import recorded
from .wheeltags import Demand, both, of_file, of_wheel, simplified

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .targets import Target

_METADATA = ".dist-info/METADATA"
# The name of what `--python` and `--target` ask for, which is no reason to name.
_TARGETS = "--target"
_UNTAGGED = ("abi3", "abi3t", "")
# The newest Python that a program looks for.
_LAST_MINOR = 20


@dataclass(frozen=True)
class Evidence:
    """What a part of a bundle needs, as alternatives.

    Attributes:
        name: the distribution, or the module.
        demands: the alternatives.

    """

    name: str
    demands: tuple[Demand, ...]


@dataclass
class Gathered:
    """What was found in the members.

    Attributes:
        evidence: what each part needs.
        warnings: what could not be understood.

    """

    evidence: list[Evidence] = field(default_factory=list)
    warnings: list[PackWarning] = field(default_factory=list)


def gather(members: Sequence[str], read: Callable[[str], bytes]) -> Gathered:
    """Return what the *members* say about where they run.

    Arguments:
        members: the names of all members.
        read: returns the content of a member.

    Raises:
        PackError: a member cannot be read.

    """
    found = Gathered()
    known = set(members)
    owned: set[str] = set()
    natives = [name for name in members if planning.is_extension(name)]
    folders = sorted(name.removesuffix("METADATA") for name in members if name.endswith(_METADATA))
    for folder in folders:
        headers = email.parser.BytesParser().parsebytes(read(f"{folder}METADATA"), headersonly=True)
        name = str(headers.get("Name") or folder.partition("-")[0])
        requires = headers.get("Requires-Python")
        if requires is not None:
            _add_requirement(found, f"{folder}METADATA", name, str(requires))
        wheel = f"{folder}WHEEL"
        demands = of_wheel(read(wheel).decode("utf-8", "replace")) if wheel in known else []
        if demands:
            found.evidence.append(Evidence(name, tuple(demands)))
            if natives and f"{folder}RECORD" in known:
                owned.update(recorded(read(f"{folder}RECORD")))
        elif wheel in known:
            message = "has no tag that says for which Python it is; its extension modules are asked"
            found.warnings.append(PackWarning(wheel, message))
    found.evidence += _of_modules([name for name in natives if name not in owned], known, read)
    return found


def _add_requirement(found: Gathered, member: str, name: str, requires: str) -> None:
    try:
        spans = pythons.parse(requires)
    except ValueError:
        message = f"Requires-Python is no version specifier: {requires!r}; it is not looked at"
        found.warnings.append(PackWarning(member, message))
    else:
        found.evidence.append(Evidence(name, (Demand(spans=spans),)))


def _of_modules(natives: Sequence[str], members: set[str], read: Callable[[str], bytes]) -> Iterator[Evidence]:
    """Yield what each extension module in *natives* needs; a module may have a file for each of several Pythons."""
    modules: dict[str, list[str]] = {}
    for name in natives:
        folder, _, file = name.rpartition("/")
        stem = file.partition(".")[0]
        modules.setdefault(f"{folder}/{stem}" if folder else stem, []).append(name)
    for module, names in sorted(modules.items()):
        fallbacks = (f"{module}.py", f"{module}.pyc", f"{module}/__init__.py", f"{module}/__init__.pyc")
        demands = [] if members.intersection(fallbacks) else [each for name in names for each in _of_native(name, read)]
        if demands:
            yield Evidence(module.replace("/", "."), tuple(simplified(demands)))


def _of_native(name: str, read: Callable[[str], bytes]) -> Iterator[Demand]:
    stem, _, tail = name.rpartition("/")[2].partition(".")
    content = b""
    if tail.rpartition(".")[0] in _UNTAGGED:
        # A library that is no module may be one of several, of which the program takes the right one.
        content = read(name)
        if f"PyInit_{stem}".encode() not in content:
            return
    yield of_file(name, content)


def alternatives(parts: Sequence[Evidence]) -> list[RunsOn]:
    """Return where a bundle of these *parts* runs; an empty list if no Python has all that they need."""
    found = [Demand()]
    for part in parts:
        pairs = (both(each, demand) for each in found for demand in part.demands)
        found = simplified(pair for pair in pairs if pair is not None)
    return [_runs_on(demand, parts) for demand in sorted(found, key=_newest_last)]


def _newest_last(demand: Demand) -> tuple[object, ...]:
    return demand.spans[0].low, demand.platform.tag if demand.platform is not None else ""


def _runs_on(demand: Demand, parts: Iterable[Evidence]) -> RunsOn:
    because = dict.fromkeys(part.name for part in parts if any(_decides(each, demand) for each in part.demands))
    return RunsOn(
        demand.implementation,
        pythons.specifier(demand.spans),
        demand.free_threaded,
        demand.platform.tag if demand.platform is not None else "",
        tuple(sorted(because, key=str.lower)),
    )


def _decides(own: Demand, result: Demand) -> bool:
    """Return whether a part's *own* demand is a reason for the *result*."""
    if both(own, result) is None:
        return False
    low, high = own.spans[0].low, own.spans[-1].high
    return (
        bool(own.implementation or own.platform or own.free_threaded is not None)
        or (low > OLDEST and low == result.spans[0].low)
        or (high is not None and high == result.spans[-1].high)
    )


def of_bytecode(version: str) -> Evidence:
    """Return what bytecode without source needs: the minor *version* ("3.11.7") of the Python that has made it."""
    major, minor = version.split(".")[:2]
    return Evidence("--no-source", (Demand("cpython", pythons.minor((int(major), int(minor)))),))


def of_specifier(name: str, specifier: str) -> Evidence:
    """Return what a script needs whose metadata has this version *specifier*, which is valid."""
    return Evidence(name, (Demand(spans=pythons.parse(specifier)),))


def of_bundle(name: str, runs_on: Sequence[RunsOn]) -> Evidence:
    """Return what a bundle among the sources needs that says where it runs."""
    demands = [
        Demand(each.implementation, each.spans, each.free_threaded, platforms.parse(each.platform)) for each in runs_on
    ]
    return Evidence(name, tuple(demands))


def of_target(target: Target) -> Evidence:
    """Return what the files of a *target* need."""
    tag = f"cp{target.version.replace('.', '')}-{target.abi}-{target.platform}"
    return Evidence(_TARGETS, tuple(of_wheel(f"Tag: {tag}")))


def conflict(parts: Sequence[Evidence], versions: Sequence[str], runs_on: Sequence[RunsOn]) -> PackWarning | None:
    """Return the warning that a bundle runs nowhere, or not with the Pythons whose bytecode is embedded; else None.

    Arguments:
        parts: the parts of the bundle.
        versions: the versions of the Pythons whose bytecode is embedded.
        runs_on: where the bundle runs.

    """
    if not runs_on:
        return _nowhere(parts)
    known = [pythons.parse(f"=={version}") for version in versions]
    if not known or any(pythons.both(each.spans, spans) for each in runs_on for spans in known):
        return None
    reason = next((name for each in runs_on for name in each.because), "--python")
    message = f"is for {words(runs_on, reasons=False)}, and bytecode is embedded for Python {', '.join(versions)} only"
    return PackWarning(reason, f"{message}; give a Python that fits with --python")


def _nowhere(parts: Sequence[Evidence]) -> PackWarning:
    for at, part in enumerate(parts):
        rest = alternatives(parts[:at])
        if not alternatives(parts[: at + 1]):
            own = words(alternatives([part]), reasons=False) or "a Python that does not exist"
            others = f", and other parts need {words(rest)}" if at else ""
            message = f"needs {own}{others}: the bundle as a whole runs nowhere; pack parts for the same Python"
            break
    return PackWarning(part.name, message)


def judged(parts: Sequence[Sequence[Evidence]], versions: Sequence[str]) -> tuple[list[RunsOn], list[PackWarning]]:
    """Return where a bundle runs, and a warning for each reason why it does not.

    Arguments:
        parts: for each of its targets, the parts of the bundle.
        versions: as of `conflict`.

    """
    found = [alternatives(each) for each in parts]
    named = (replace(each, because=tuple(n for n in each.because if n != _TARGETS)) for own in found for each in own)
    runs_on = list(dict.fromkeys(named))
    reasons = [conflict(each, (), own) for each, own in zip(parts, found, strict=True)]
    reasons.append(conflict(parts[0], versions, runs_on))
    return runs_on, [reason for reason in dict.fromkeys(reasons) if reason is not None]


def pythons_to_try(runs_on: Sequence[RunsOn], preferred: Sequence[pythons.Version]) -> list[str]:
    """Return the names ("3.11", "3.13t") of the Pythons that may fit a program, the best first.

    Arguments:
        runs_on: where the program runs.
        preferred: the versions whose bytecode is embedded.

    """
    newest = range(_LAST_MINOR, OLDEST[1] - 1, -1)
    minors = [*(version[:2] for version in preferred), *((3, number) for number in newest)]
    names: dict[str, None] = {}
    for version in dict.fromkeys(minors):
        for each in runs_on or (RunsOn(),):
            if pythons.both(each.spans, pythons.minor(version)):
                threads = (False, True) if version >= FREE_THREADED else (False,)
                wanted = [thread for thread in threads if each.free_threaded in {None, thread}]
                names |= {f"{version[0]}.{version[1]}{'t' * thread}": None for thread in wanted}
    return list(names)
