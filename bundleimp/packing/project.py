"""A project as its ``pyproject.toml`` describes it: name, dependencies, extras and dependency groups.

Bytes in, values out; no I/O.  The formats are those of PEP 621 and PEP 735.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..distinfo import normalized
from ..runtime.faults.likeness import near
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_OWN_EXTRAS = re.compile(r"\s*(?P<name>[\w.-]+)\s*\[(?P<extras>[^\]]*)\]\s*(?:;(?P<marker>.*))?")


@dataclass(frozen=True)
class Project:
    """A project.

    Attributes:
        file: the file that describes it, for messages.
        name: its name; "" if the file has no ``project`` table.
        is_package: whether it can be built and installed.
        has_build_system: whether it says how; installers take setuptools if it does not.
        dependencies: its requirements; None if only its build back end knows them.
        extras: the requirements of each extra, by normalized name; None if only its build back end knows them.
        groups: the items of each dependency group, by normalized name.
        settings: the table ``tool.bundleimp``.

    """

    file: str
    name: str
    is_package: bool
    has_build_system: bool
    dependencies: Sequence[str] | None
    extras: Mapping[str, Sequence[str]] | None
    groups: Mapping[str, Sequence[Any]]
    settings: Mapping[str, Any]

    def requirements(self, extras: Iterable[str] = ()) -> list[str]:
        """Return what the project needs, with these extras, and without the project itself.

        Raises:
            PackError: only the build back end knows them.

        """
        if self.dependencies is None or (extras and self.extras is None):
            message = "its dependencies are dynamic, so only a build knows them: give no sources, or lock the project"
            raise PackError(message, file=self.file)
        found = list(self.dependencies)
        for extra in extras:
            found += self._extra(extra, ())
        return list(dict.fromkeys(found))

    def group(self, name: str) -> list[str]:
        """Return the requirements of a dependency group, with those of the groups that it includes.

        Raises:
            PackError: there is no such group, or it is not valid.

        """
        return list(self._group(name, ()))

    def check_extra(self, name: str) -> None:
        """Raise PackError if the project has no extra of this name."""
        if self.extras is not None and normalized(name) not in self.extras:
            message = f"the project has no extra {name!r}{near(normalized(name), self.extras)}"
            raise PackError(message, file=self.file)

    def _extra(self, name: str, above: tuple[str, ...]) -> Iterator[str]:
        self.check_extra(name)
        extra = normalized(name)
        for requirement in (self.extras or {})[extra] if extra not in above else ():
            own = _OWN_EXTRAS.fullmatch(requirement)
            if own is None or normalized(own["name"]) != normalized(self.name):
                yield requirement
                continue
            for other in own["extras"].split(","):
                for needed in self._extra(other.strip(), (*above, extra)):
                    yield _with_marker(needed, own["marker"])

    def _group(self, name: str, above: tuple[str, ...]) -> Iterator[str]:
        group = normalized(name)
        if group not in self.groups:
            message = f"the project has no dependency group {name!r}{near(group, self.groups)}"
            raise PackError(message, file=self.file)
        if group in above:
            message = f"the dependency group {name!r} includes itself"
            raise PackError(message, file=self.file)
        for item in self.groups[group]:
            if isinstance(item, str):
                yield item
            elif isinstance(item, dict) and list(item) == ["include-group"] and isinstance(item["include-group"], str):
                yield from self._group(item["include-group"], (*above, group))
            else:
                message = f"the dependency group {name!r} has an item that is no requirement and no include-group"
                raise PackError(message, file=self.file)


def _with_marker(requirement: str, marker: str | None) -> str:
    if not marker:
        return requirement
    needed, _, own = requirement.partition(";")
    both = f"({own.strip()}) and ({marker.strip()})" if own.strip() else marker.strip()
    # A URL ends at a space.
    return f"{needed.rstrip()} ; {both}"


def read_project(content: bytes, file: str) -> Project:
    """Return the project that the *content* of a ``pyproject.toml`` describes.

    Raises:
        PackError: the content is not valid.

    """
    table = parsed(content, file)
    project = _Table(table, "project", file)
    name = project.value("name", str) or ""
    if "project" in table and not name:
        message = "the [project] table has no name"
        raise PackError(message, file=file)
    uv = _Table(_Table(table, "tool", file).content, "uv", file)
    groups = {normalized(key): items for key, items in _Table(table, "dependency-groups", file).lists()}
    if "dev-dependencies" in uv.content:  # uv's own form, from before PEP 735
        groups.setdefault("dev", uv.strings("dev-dependencies"))
    optional = _Table(project.content, "optional-dependencies", file)
    dynamic = project.strings("dynamic")
    return Project(
        file,
        name,
        ("project" in table or "build-system" in table) and uv.content.get("package") is not False,
        "build-system" in table,
        None if "dependencies" in dynamic or not name else project.strings("dependencies"),
        None
        if "optional-dependencies" in dynamic or not name
        else {normalized(key): optional.strings(key) for key in optional.content},
        groups,
        settings_table(table, file),
    )


def parsed(content: bytes, file: str) -> dict[str, Any]:
    """Return the TOML in *content*.  Raise PackError if it is not valid."""
    try:
        return tomllib.loads(content.decode())
    except ValueError as error:
        message = f"is no valid TOML: {error}"
        raise PackError(message, file=file) from None


def settings_table(table: Mapping[str, Any], file: str) -> Mapping[str, Any]:
    """Return the table ``tool.bundleimp``, empty if there is none."""
    return _Table(_Table(table, "tool", file).content, "bundleimp", file).content


class _Table:
    """A table in a TOML file, empty if it is missing, and its values with their types checked."""

    def __init__(self, parent: Mapping[str, Any], name: str, file: str) -> None:
        self.content: Mapping[str, Any] = parent.get(name, {})
        self._name = name
        self._file = file
        if not isinstance(self.content, dict):
            message = f"{name} must be a table"
            raise PackError(message, file=file)

    def value(self, key: str, kind: type) -> Any:
        found = self.content.get(key)
        if found is not None and not isinstance(found, kind):
            message = f"{self._name}.{key} must be a {'string' if kind is str else kind.__name__}, not {found!r}"
            raise PackError(message, file=self._file)
        return found

    def strings(self, key: str) -> list[str]:
        found: list[Any] = self.value(key, list) or []
        for item in found:
            if not isinstance(item, str):
                message = f"{self._name}.{key} must be a list of strings, and has {item!r}"
                raise PackError(message, file=self._file)
        return found

    def lists(self) -> Iterator[tuple[str, list[Any]]]:
        for key in self.content:
            yield key, self.value(key, list)
