"""The code of `bundleimp.dask` that runs on the scheduler and on the workers.

The scheduler has all parcels, and sends them to the workers in one plugin.  So a worker that joins later has all
parcels before it sets up other plugins, which may be classes of a bundle.

The client runs `plan`, `send`, `state` and `switch` here.  They return errors, because Dask logs a traceback of each
exception.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import pickle
import sys
from typing import TYPE_CHECKING, Any

from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin
from distributed.protocol.pickle import dumps

from .. import __version__
from ..runtime.faults.kinds import BundleError
from .parcel import Parcel, replaced
from .receiving import VERSION_EXPRESSION, Received, Sent, State, process_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distributed import Scheduler, Worker

NAME = "bundleimp"
"""The name of both plugins."""
_ATTEMPTS = 5
# By the id of the worker.  Not an attribute of the plugin, because each `ship` sends a new plugin.
_received: dict[str, Received] = {}
_log = logging.getLogger("distributed.worker")


class OnScheduler(SchedulerPlugin):  # type: ignore[misc,unused-ignore] # Any where Dask is not installed
    """Keeps the parcels of a cluster.

    Attributes:
        parcels: the parcels that workers get, by name, in the order of ``sys.path``.
        received: the parcels of the scheduler's own process.

    """

    name = NAME
    idempotent = True  # the first one stays

    def __init__(self, client: str) -> None:
        """Make the plugin that the process with the id *client* registers."""
        self._client = client
        self.parcels: dict[str, Parcel] = {}

    async def start(self, scheduler: Scheduler) -> None:
        """Keep the parcels in the folder of the *scheduler*."""
        self.received = Received(scheduler.local_directory, own=process_id() != self._client)

    def restart(self, scheduler: Scheduler) -> None:  # noqa: ARG002 (the signature of Dask)
        """Switch to the current parcels: no task is left, and the workers are about to end."""
        self.received.switch(list(self.parcels), forget=True)

    async def close(self) -> None:
        """Remove the path entries, because the process may be the client's, and continue."""
        self.received.close()

    async def register(self, scheduler: Scheduler, parcels: Mapping[str, Parcel]) -> None:
        """Send *parcels*, whose files the scheduler has, to current and later workers.

        Raises:
            OSError: a worker cannot be reached.
            BundleError: the plugin fails on a worker for another reason than `Received.fault`.

        """
        before, self.parcels = self.parcels, dict(parcels)
        if not parcels:
            if before:
                await scheduler.unregister_worker_plugin(comm=None, name=NAME)
            return
        present = frozenset(worker.server_id for worker in scheduler.workers.values())
        sent = [Sent.read(parcel, self.received.path_of(name)) for name, parcel in parcels.items()]
        plugin = dumps(OnWorker(sent, present, self.received.folder))  # type: ignore[no-untyped-call,unused-ignore]
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answers = await scheduler.register_worker_plugin(comm=None, plugin=plugin, name=NAME, idempotent=False)
            except OSError:  # a worker has ended, and Dask drops the answers of the others
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(0.2 * attempt)  # until the scheduler has noticed it
            else:
                _check(answers)
                return


class OnWorker(WorkerPlugin):  # type: ignore[misc,unused-ignore] # as above
    """Brings the parcels to a worker."""

    name = NAME

    def __init__(self, sent: Sequence[Sent], present: frozenset[str], folder: str) -> None:
        """Make the plugin that sends the parcels *sent*.

        Arguments:
            sent: the parcels.
            present: the ids of the current workers, which do not switch before `ship` runs `switch` there.
            folder: the folder of the parcels on the scheduler.

        """
        self._sent = sent
        self._present = present
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the plugin as text and bytes, so that a worker without bundleimp can report that it lacks it.

        If it cannot be unpickled, Dask logs all of its content.
        """
        content = pickle.dumps((self._sent, self._present, self._folder), protocol=5)
        source = f"from __future__ import annotations\n{inspect.getsource(load)}"
        text = f"(exec(source, globals()), load(content, {VERSION_EXPRESSION}, wanted))[-1]"
        return eval, (text, {"source": source, "content": content, "wanted": __version__})

    def setup(self, worker: Worker) -> None:
        """Write the parcels.  A new worker also switches to them.

        This is not a coroutine, because the plugins that are set up after this one may come from a parcel.
        """
        received = _received.setdefault(worker.id, Received(worker.local_directory, own=True))
        # A child process of a LocalCluster inherits the path of the process that has the scheduler.
        sys.path[:] = [entry for entry in sys.path if os.path.dirname(str(entry)) != self._folder]
        received.take(self._sent)
        if worker.id in self._present:
            return
        if not received.fault:
            received.switch([each.parcel.name for each in self._sent])
        if received.fault:  # without the bundles, tasks on this worker would fail
            _log.error("%s: %s", worker.address, received.fault)
            worker.loop.add_callback(worker.close, reason=received.fault)


def load(content: bytes, version: str | None, wanted: str) -> WorkerPlugin:
    """Return the plugin that was pickled to *content*, or one that closes the worker.

    Workers get this function as source text, so it uses nothing of this module.

    Arguments:
        content: the arguments of `OnWorker`.
        version: the version of bundleimp on this worker, or None.
        wanted: the version on the client.

    """
    import distributed  # noqa: PLC0415 (sent as text)

    class Closing(distributed.WorkerPlugin):  # type: ignore[misc,unused-ignore]
        def setup(self, worker: Worker) -> None:
            import logging  # noqa: PLC0415 (sent as text)

            has = f"bundleimp {version}" if version else "no bundleimp"
            reason = f"has {has}: run `pip install bundleimp=={wanted}` there"
            logging.getLogger("distributed.worker").error("%s: %s", worker.address, reason)
            worker.loop.add_callback(worker.close, reason=reason)

    if version != wanted:
        return Closing()
    import pickle  # noqa: PLC0415 (sent as text)

    from bundleimp.engines.dask_plugins import OnWorker  # noqa: PLC0415 (sent as text)

    return OnWorker(*pickle.loads(content))  # noqa: S301 (from our scheduler, as the plugin)


def plan(parcels: Sequence[Parcel], dask_scheduler: Scheduler) -> tuple[dict[str, Parcel], dict[str, Parcel]]:
    """Return the parcels that the cluster has, and those that it will have after *parcels* were shipped.

    New ones come first: workers that have the others put them before these (`Received.switch`), and workers that start
    later have the same order.
    """
    before = _scheduler_plugin(dask_scheduler).parcels
    stale = {old.name for old, _ in replaced(parcels, before.values())}
    kept = {name: each for name, each in before.items() if name not in stale}
    return before, {each.name: each for each in parcels if each.name not in kept} | kept


async def send(sent: Sequence[Sent], wanted: Mapping[str, Parcel], dask_scheduler: Scheduler) -> BundleError | None:
    """Write the parcels *sent* on the scheduler, and send the *wanted* parcels to the workers."""
    plugin = _scheduler_plugin(dask_scheduler)
    plugin.received.take(sent)
    if plugin.received.fault:
        return BundleError(plugin.received.fault, file=dask_scheduler.address)
    try:
        if list(wanted) != list(plugin.parcels):
            await plugin.register(dask_scheduler, wanted)
    except BundleError as error:
        return error
    except OSError as error:
        return BundleError(f"a worker cannot be reached: {error}", file=dask_scheduler.address)
    return None


def state(
    wanted: Sequence[str], dask_worker: Worker | None = None, dask_scheduler: Scheduler | None = None
) -> State | None:
    """Return the state of the worker or scheduler for the parcels *wanted*, or None if it has no plugin yet."""
    received = _received_of(dask_worker or dask_scheduler)
    return received.state(wanted) if received is not None else None


def switch(
    wanted: Sequence[str], dask_worker: Worker | None = None, dask_scheduler: Scheduler | None = None
) -> State | None:
    """Make the parcels *wanted* the path entries of the worker or scheduler, and return its state, or None."""
    received = _received_of(dask_worker or dask_scheduler)
    if received is None:
        return None
    received.switch(wanted)
    return received.state(wanted)


def _check(answers: Mapping[str, Mapping[str, Any]]) -> None:
    for address, answer in answers.items():
        if answer["status"] != "OK":
            message = f"cannot receive bundles: {answer.get('exception_text')}"
            raise BundleError(message, file=address)


def _scheduler_plugin(scheduler: Scheduler) -> OnScheduler:
    plugin: Any = scheduler.plugins[NAME]
    return plugin  # type: ignore[no-any-return]


def _received_of(server: Any) -> Received | None:
    on_scheduler = getattr(server, "plugins", {}).get(NAME)
    return on_scheduler.received if isinstance(on_scheduler, OnScheduler) else _received.get(server.id)
