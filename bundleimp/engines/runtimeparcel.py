"""A parcel that contains only the runtime, for workers whose Python lacks bundleimp."""

from __future__ import annotations

import functools
import os
import tempfile
from typing import TYPE_CHECKING

from ..packing.pack import pack
from ..runtime.bundles import OpenBundle
from . import parcel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .parcel import Parcel

_NOTE = "The runtime of bundleimp, for the workers of an engine.\n"


def needed(parcels: Iterable[Parcel]) -> list[Parcel]:
    """Return the parcel with the runtime in a list, or an empty list if it is not to be sent with *parcels*.

    A standalone parcel contains the runtime already.  Where bundles must be signed, workers would refuse this one.
    """
    return [] if OpenBundle.signers is not None or any(each.standalone for each in parcels) else [make()]


@functools.cache
def make() -> Parcel:
    """Return the parcel with the runtime.  The first call in a process packs it."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "source")
        os.mkdir(source)
        with open(os.path.join(source, "bundleimp-runtime.txt"), "w", encoding="ascii") as note:
            note.write(_NOTE)  # an empty bundle cannot be packed
        path = os.path.join(folder, f"bundleimp-runtime{parcel.SUFFIX}")
        pack([source], path, standalone=True, jobs=1)
        (made,) = parcel.make(path)
    return made
