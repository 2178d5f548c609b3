"""The names given to ``--unpack`` and ``--no-unpack``: by the user, and earlier for bundles among the sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..distinfo import normalized
from .errors import PackError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEYS = ("unpack", "no_unpack")


@dataclass(frozen=True)
class Wishes:
    """Names of distributions or top-level packages.

    Attributes:
        unpack: those that are placed as a whole.
        no_unpack: those of which nothing is placed.
        inherited: names in both that come from a bundle; the new bundle may lack them.

    """

    unpack: tuple[str, ...] = ()
    no_unpack: tuple[str, ...] = ()
    inherited: frozenset[str] = frozenset()

    def record(self) -> dict[str, list[str]]:
        """Return the entries of the manifest for these names."""
        pairs = zip(KEYS, (self.unpack, self.no_unpack), strict=True)
        return {key: list(names) for key, names in pairs if names}


def decode(manifest: Mapping[str, Any]) -> Wishes:
    """Return the wishes in the *manifest* of a bundle."""
    lists = [manifest.get(key) for key in KEYS]
    unpack, no_unpack = (tuple(map(str, names)) if isinstance(names, list) else () for names in lists)
    return Wishes(unpack, no_unpack)


def merged(unpack: Sequence[str], no_unpack: Sequence[str], bundles: Mapping[str, Wishes]) -> Wishes:
    """Return the wishes of the user together with those of *bundles*.  For each name, the user has precedence.

    Arguments:
        unpack: what the user gives to ``--unpack``.
        no_unpack: what the user gives to ``--no-unpack``.
        bundles: the wishes of the bundles among the sources, by name.

    Raises:
        PackError: two bundles disagree.

    """
    own = set(map(normalized, (*unpack, *no_unpack)))
    found: tuple[dict[str, str], dict[str, str]] = {}, {}
    for bundle, wishes in bundles.items():
        for names, known in zip((wishes.unpack, wishes.no_unpack), found, strict=True):
            known |= {name: known.get(name, bundle) for name in names if normalized(name) not in own}
    wanted = {normalized(name): name for name in found[0]}
    for name, bundle in found[1].items():
        other = wanted.get(normalized(name))
        if other is not None:
            one = f"{found[0][other]} was packed with --unpack {other}"
            message = f"{one}, and {bundle} with --no-unpack {name}; give one of these options to choose"
            raise PackError(message)
    inherited = frozenset((*found[0], *found[1])).difference(unpack, no_unpack)
    return Wishes((*unpack, *found[0]), (*no_unpack, *found[1]), inherited)
