"""Whether a bundle is for the running Python, by its manifest."""

from __future__ import annotations

from .. import runson
from ..runtime.faults.kinds import BundleError
from ..runtime.interpreter.foreign import here
from .bundle import open_bundle


def misfit(path: str) -> str:
    """Return why the bundle at *path* is not for this Python, or "" if it is."""
    try:
        runs_on = runson.decode(open_bundle(path).manifest)
    except BundleError:  # what imports do not need is damaged; `verify` says so
        return ""
    if runson.fits(runs_on):
        return ""
    return f"runs on {runson.words(runs_on)}, and this is {here()}; use such a Python, or pack it for this one"
