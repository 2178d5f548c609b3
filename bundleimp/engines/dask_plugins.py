"""What runs on the scheduler and on the workers of Dask.

The scheduler has all parcels, and sends them to the workers in one plugin.  So a worker that joins later, or a plugin
of the user that comes from a bundle, finds all of them at once.

Functions that the client has run here return what is wrong.  Dask would log a traceback of an exception.
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
from .parcel import Parcel, clash
from .receiving import VERSION, Received, Sent, State, process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distributed import Scheduler, Worker

NAME = "bundleimp"
"""The name of both plugins."""
_ATTEMPTS = 5
_received: dict[str, Received] = {}  # by the id of the worker
_log = logging.getLogger("distributed.worker")


class OnScheduler(SchedulerPlugin):  # type: ignore[misc,unused-ignore] # Any where Dask is not installed
    """The parcels of a cluster.

    Attributes:
        parcels: those that workers get, by name, in the order of ``sys.path``.

    """

    name = NAME
    idempotent = True  # the first one stays

    def __init__(self, client: str) -> None:
        """Make the plugin that *client*, a process, registers."""
        self._client = client
        self.parcels: dict[str, Parcel] = {}

    async def start(self, scheduler: Scheduler) -> None:
        """Keep the parcels in the folder of the *scheduler*."""
        self.received = Received(scheduler.local_directory, own=process() != self._client)

    def restart(self, scheduler: Scheduler) -> None:  # noqa: ARG002 (the signature of Dask)
        """Switch to the parcels of now: no task is left, and the workers are about to end."""
        self.received.switch(list(self.parcels), forget=True)

    async def close(self) -> None:
        """Take the path entries away, since the process may be the client's and go on."""
        self.received.close()

    async def register(self, scheduler: Scheduler, parcels: Mapping[str, Parcel]) -> None:
        """Send *parcels*, whose files are here, to the workers of now and later.

        Raises:
            OSError: a worker cannot be reached.
            BundleError: it has failed in another way than by `Received.fault`.

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
            except OSError:  # a worker has ended, and the answers of others are lost
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(0.2 * attempt)  # until the scheduler has noticed it
            else:
                _check(answers)
                return


class OnWorker(WorkerPlugin):  # type: ignore[misc,unused-ignore] # as above
    """The parcels for a worker."""

    name = NAME

    def __init__(self, sent: Sequence[Sent], present: frozenset[str], folder: str) -> None:
        """Make the plugin that sends the parcels *sent*.

        Arguments:
            sent: the parcels.
            present: the ids of the workers that wait until they are told to switch.
            folder: where they are on the scheduler.

        """
        self._sent = sent
        self._present = present
        self._folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the plugin so that a worker without bundleimp says so, and Dask does not log all of the content."""
        content = pickle.dumps((self._sent, self._present, self._folder), protocol=5)
        source = f"from __future__ import annotations\n{inspect.getsource(load)}"
        text = f"(exec(source, globals()), load(content, {VERSION}, wanted))[-1]"
        return eval, (text, {"source": source, "content": content, "wanted": __version__})

    def setup(self, worker: Worker) -> None:
        """Write the parcels.  A new worker uses them from now on.

        This is no coroutine: plugins of the user that are set up after this one may come from a parcel.
        """
        received = _received.setdefault(worker.id, Received(worker.local_directory, own=True))
        # The child process of a LocalCluster begins with the path of the process that has the scheduler.
        sys.path[:] = [entry for entry in sys.path if os.path.dirname(str(entry)) != self._folder]
        received.take(self._sent)
        if worker.id in self._present:
            return
        if not received.fault:
            received.switch([each.parcel.name for each in self._sent])
        if received.fault:  # a worker without the bundles would take tasks, and fail them
            _log.error("%s: %s", worker.address, received.fault)
            worker.loop.add_callback(worker.close, reason=received.fault)


def load(content: bytes, version: str | None, wanted: str) -> WorkerPlugin:
    """Return the plugin that was pickled to *content*, or one that closes the worker.

    Workers get the text of this function, which uses nothing of this module.

    Arguments:
        content: the arguments of `OnWorker`.
        version: the version of bundleimp on this worker, or None.
        wanted: that of the client.

    """
    import distributed  # noqa: PLC0415

    class Closing(distributed.WorkerPlugin):  # type: ignore[misc,unused-ignore]
        def setup(self, worker: Worker) -> None:
            import logging  # noqa: PLC0415

            has = f"bundleimp {version}" if version else "no bundleimp"
            reason = f"has {has}: run `pip install bundleimp=={wanted}` there"
            logging.getLogger("distributed.worker").error("%s: %s", worker.address, reason)
            worker.loop.add_callback(worker.close, reason=reason)

    if version != wanted:
        return Closing()
    import pickle  # noqa: PLC0415

    from bundleimp.engines.dask_plugins import OnWorker  # noqa: PLC0415

    return OnWorker(*pickle.loads(content))  # noqa: S301 (from our scheduler, as the plugin)


def plan(parcels: Sequence[Parcel], dask_scheduler: Scheduler) -> tuple[dict[str, Parcel], dict[str, Parcel]]:
    """Return the parcels that the cluster has, and those that it is to have when it gets *parcels*.

    New ones come first: workers that have the others put them before these (`Received.switch`), and those that start
    later have the same order.
    """
    before = _ours(dask_scheduler).parcels
    clashing = {name for name, each in before.items() if any(clash(each, other) for other in parcels)}
    kept = {name: each for name, each in before.items() if name not in clashing}
    return before, {each.name: each for each in parcels if each.name not in kept} | kept


async def send(sent: Sequence[Sent], wanted: Mapping[str, Parcel], dask_scheduler: Scheduler) -> BundleError | None:
    """Write the parcels *sent* on the scheduler, and send those that are *wanted* to the workers."""
    plugin = _ours(dask_scheduler)
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


def look(
    wanted: Sequence[str], dask_worker: Worker | None = None, dask_scheduler: Scheduler | None = None
) -> State | None:
    """Return what the worker or scheduler has, if the parcels *wanted* are to be used.  None: it has no plugin yet."""
    received = _received_of(dask_worker or dask_scheduler)
    return received.state(wanted) if received is not None else None


def switch(
    wanted: Sequence[str], dask_worker: Worker | None = None, dask_scheduler: Scheduler | None = None
) -> State | None:
    """Make the parcels *wanted* the path entries of the worker or scheduler, and return what it has then."""
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


def _ours(scheduler: Scheduler) -> OnScheduler:
    plugin: Any = scheduler.plugins[NAME]
    return plugin  # type: ignore[no-any-return]


def _received_of(server: Any) -> Received | None:
    on_scheduler = getattr(server, "plugins", {}).get(NAME)
    return on_scheduler.received if isinstance(on_scheduler, OnScheduler) else _received.get(server.id)
