"""Bundles for Spark: `ship` makes them importable in its Python workers, and in the driver.

A task of Spark names the environment variables of its Python process, and an executor starts other processes for other
variables.  So `ship` puts the bundles on ``PYTHONPATH`` there, and no process imports from two versions of a bundle.
Workers need no bundleimp: if no bundle is standalone, `ship` adds one that contains only the runtime.

In Spark Connect, the environment of a session is fixed.  `ship` adds path entries to the running workers.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .engines import parcel, runtimeparcel
from .mounting import imported_from, mount
from .runtime.faults.kinds import BundleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .engines.parcel import Parcel
    from .mounting import Mount

_lock = threading.Lock()
# The parcels of each SparkContext or session of Spark Connect, and those on the path of this process; by name.
_shipped: WeakKeyDictionary[Any, dict[str, Parcel]] = WeakKeyDictionary()
_on_path: dict[str, tuple[Parcel, Mount]] = {}


def ship(session: Any, *bundles: str | os.PathLike[str]) -> None:
    """Make *bundles* importable in the Python workers of Spark, and in this process, the driver.

    Executors that start later get them, too.  A bundle replaces one that was shipped before if they have the same name,
    or different modules of one name.  A UDF that was used before, and an RDD that a job has computed, keep the old
    version.

    Arguments:
        session: a ``SparkContext`` or a ``SparkSession``, which may be one of Spark Connect.
        bundles: the paths of the bundles.

    Raises:
        BundleError: a bundle cannot be read, is damaged, or does not run on this Python; two of them have different
            modules of one name; this process has imported modules of a version that is to be replaced; the session is
            stopped, or Spark refuses the files.  With Spark Connect also: the session has another version, or the
            Python of the workers lacks bundleimp.
        TypeError: *session* is something else, or no bundle is given.

    """
    owner = _owner(session)
    parcels = parcel.make(*bundles)
    with _lock:
        _check_modules(parcels)
        before = _shipped.get(owner, {})
        replaced = parcel.replaced(parcels, before.values())
        stale = {old.name for old, _ in replaced}
        now = {name: old for name, old in before.items() if name not in stale} | {new.name: new for new in parcels}
        if hasattr(owner, "addFile"):
            _add_files(owner, before, now)
        else:
            _add_artifacts(owner, before, now, replaced)
        _shipped[owner] = now
        _put_on_path(parcels)
    parcel.warn_of_lost(replaced, now.values())


def _owner(session: Any) -> Any:
    """Return the SparkContext of *session*, or the session if it is one of Spark Connect.

    Raises:
        BundleError: the session is stopped.
        TypeError: *session* is neither of them.

    """
    if _is_instance(session, "pyspark.sql.session", "SparkSession"):
        session = session.sparkContext
    if _is_instance(session, "pyspark.core.context", "SparkContext"):
        java = session._jsc  # noqa: SLF001 (nothing public says whether it is stopped)
        is_stopped = java is None or java.sc().isStopped()
    elif _is_instance(session, "pyspark.sql.connect.session", "SparkSession"):
        is_stopped = session.is_stopped
    else:
        message = f"a SparkContext or a SparkSession is needed, and not {type(session).__name__}"
        raise TypeError(message)
    if is_stopped:
        message = "the Spark session is stopped: make a new one"
        raise BundleError(message)
    return session


def _is_instance(value: object, module: str, name: str) -> bool:
    """Return whether *value* is an instance of the class *name* of *module*, which may not be loaded."""
    return module in sys.modules and isinstance(value, getattr(sys.modules[module], name))


def _check_modules(parcels: list[Parcel]) -> None:
    """Raise BundleError if this process has imported modules of a bundle that *parcels* replace.

    Spark would send functions of these modules to workers that import the new modules.
    """
    for old, new in parcel.replaced(parcels, [each for each, _ in _on_path.values()]):
        names = imported_from(old.path)  # also from a copy that the user has put on the path
        if names:
            message = f"this process has imported {', '.join(names[:3])} of the version that it replaces: restart it"
            raise BundleError(message, file=new.bundle)


def _add_files(context: Any, before: dict[str, Parcel], now: dict[str, Parcel]) -> None:
    """Send what is *now* shipped to the executors, and put it into the environment of the workers."""
    from pyspark import SparkFiles  # noqa: PLC0415 (installed where this is called)

    now |= {runtime.name: runtime for runtime in runtimeparcel.needed(now.values())}
    for name, each in now.items():
        if name not in before:
            for file in each.files:
                _send(each, context.addFile, file)
    # Executors put files into their working directory.  In local mode, the driver is the executor, and uses *root*.
    root = SparkFiles.getRootDirectory()
    old, new = (_entries(each.values(), root) for each in (before, now))
    rest = [entry for entry in context.environment.get("PYTHONPATH", "").split(os.pathsep) if entry not in {"", *old}]
    context.environment["PYTHONPATH"] = os.pathsep.join(new + rest)


def _entries(parcels: Iterable[Parcel], root: str) -> list[str]:
    """Return the path entries for *parcels*: those with a runtime first."""
    first = sorted(parcels, key=lambda each: not each.standalone)
    names = [each.entry for each in first]
    return [*names, *(os.path.join(root, name) for name in names)]


def _add_artifacts(
    session: Any, before: dict[str, Parcel], now: dict[str, Parcel], replaced: list[tuple[Parcel, Parcel]]
) -> None:
    """Send what is *now* shipped to the workers of Spark Connect."""
    for _, new in replaced:
        message = "this session of Spark Connect has another version of it: make a new one"
        raise BundleError(message, file=new.bundle)
    added = [each for name, each in now.items() if name not in before]
    if not before and not _has_hook(session):
        message = "the Python of the workers lacks bundleimp, which Spark Connect needs: install it there"
        raise BundleError(message, file=added[0].bundle)
    for each in added:
        _send(each, session.addArtifacts, each.path, pyfile=True)


def _has_hook(session: Any) -> bool:
    """Return whether a worker of the *session* of Spark Connect has the path hook for bundles."""
    from pyspark.sql.connect.functions import udf  # noqa: PLC0415 (installed where this is called)

    def claims() -> bool:
        return any(hasattr(hook, "claims_bundles") for hook in sys.path_hooks)

    claims.__module__ = "__main__"  # so that it is sent as code, and not by its name
    function: Any = udf(claims, "boolean", useArrow=False)
    return bool(session.range(1).select(function()).first()[0])


def _send(sent: Parcel, send: Callable[..., object], *arguments: object, **options: object) -> None:
    try:
        send(*arguments, **options)
    except Exception as error:  # noqa: BLE001 (of Java, of a network)
        message = f"Spark refuses it: {' '.join(str(error).splitlines()[:2])}"
        raise BundleError(message, file=sent.bundle) from None


def _put_on_path(parcels: list[Parcel]) -> None:
    for old, _ in parcel.replaced(parcels, [each for each, _ in _on_path.values()]):
        _on_path.pop(old.name)[1].close()
    for new in parcels:
        if new.name not in _on_path:
            _on_path[new.name] = new, mount(new.path, first=True)
