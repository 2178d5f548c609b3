"""A carrier: a parcel with nothing but the runtime, for workers whose Python lacks bundleimp."""

from __future__ import annotations

import functools
import os
import tempfile
from typing import TYPE_CHECKING

from ..packing.pack import pack
from . import parcel

if TYPE_CHECKING:
    from .parcel import Parcel

_NOTE = "The runtime of bundleimp, for the workers of an engine.\n"


@functools.cache
def make() -> Parcel:
    """Return the carrier of this process.  It is packed at the first call, which takes half a second."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "source")
        os.mkdir(source)
        with open(os.path.join(source, "bundleimp-runtime.txt"), "w", encoding="ascii") as note:
            note.write(_NOTE)  # an empty bundle cannot be packed
        path = os.path.join(folder, f"bundleimp-runtime{parcel.SUFFIX}")
        pack([source], path, standalone=True, jobs=1)
        (carrier,) = parcel.make(path)
    return carrier
