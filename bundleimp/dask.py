"""`ship`: bundles for the scheduler and the workers of a Dask cluster.

First, all processes get the parcels, without an effect on imports.  Then each process switches to them, or the workers
are restarted.  So a cluster that refuses a new version continues with the old one.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from . import __version__
from .engines import parcel
from .engines.receiving import VERSION_EXPRESSION, Sent, from_elsewhere, process_id
from .runtime.faults.kinds import BundleError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .engines.receiving import State


def ship(client: Any, *bundles: str | os.PathLike[str], restart: bool = False) -> Any:
    """Make the scheduler and the workers of a Dask cluster import from *bundles*.

    Workers that start later import from them, too.  bundleimp must be installed on all of them.  The bundles are added
    to those that were shipped before.  They replace bundles of the same name, and those that have other modules of the
    same names.

    Arguments:
        client: the ``distributed.Client``.
        bundles: the paths of the bundles.
        restart: whether to restart the workers (``client.restart()``) if a process has loaded modules of a replaced
            bundle.  All tasks and their results are then lost.

    Returns:
        None.  If the client is asynchronous: an awaitable.

    Raises:
        BundleError: a bundle cannot be read, is damaged, or does not run on the Python of a worker; two bundles have
            different modules of one name; a process has no bundleimp of this version, cannot write the bundle, or has
            loaded modules of a bundle that would be replaced.  Nothing has changed then.  Or the workers have not
            come back after the restart: workers that start later have the new bundles.
        TypeError: *client* is something else, or no bundle is given.

    """
    if not hasattr(client, "run_on_scheduler"):
        message = f"a distributed.Client is needed, and not {type(client).__name__}"
        raise TypeError(message)
    if client.status == "closed":
        message = "the client is closed: connect another one"
        raise BundleError(message)
    parcels = parcel.make(*bundles)
    return client.sync(_ship, client, parcels, restart=restart)


async def _ship(client: Any, parcels: Sequence[parcel.Parcel], *, restart: bool) -> None:
    from distributed import Lock  # noqa: PLC0415 (an engine)

    address, lock = _address(client), cast("Any", Lock)
    try:
        await _check_processes(client)
        async with lock("bundleimp", scheduler_rpc=client.scheduler, loop=client.loop):
            await _Shipment(client).run(parcels, restart=restart)
    except (OSError, AttributeError) as error:
        if isinstance(error, AttributeError) and client.status != "closed":
            raise
        # A client that has lost its scheduler closes itself, and loses the attributes that are used here.
        message = f"the scheduler cannot be reached: {error}"
        raise BundleError(message, file=address) from None


async def _check_processes(client: Any) -> None:
    """Raise a BundleError if a process lacks this version of bundleimp, or if a worker is in this process."""
    for address, version in (await _everywhere(client, eval, VERSION_EXPRESSION)).items():
        if version != __version__:
            has = f"has bundleimp {version}" if version else "has no bundleimp"
            message = f"{has}: run `pip install bundleimp=={__version__}` there"
            raise BundleError(message, file=address)
    for address, worker in (await client.run(process_id, on_error="ignore")).items():
        if worker == process_id():
            message = "this worker is in the process that calls ship: put the bundle on sys.path instead"
            raise BundleError(message, file=address)


async def _everywhere(client: Any, function: Any, argument: Any) -> dict[str, Any]:
    """Return the results of *function* on the scheduler, and on the workers that have not ended, by address."""
    results = {_address(client): await client.run_on_scheduler(function, argument)}
    for address, result in (await client.run(function, argument, on_error="return")).items():
        if isinstance(result, Exception) and not isinstance(result, OSError):
            raise result
        if not isinstance(result, OSError):
            results[address] = result
    return results


class _Shipment:
    """One call of `ship`."""

    def __init__(self, client: Any) -> None:
        from .engines import dask_plugins  # noqa: PLC0415 (imports the engine)

        self._client = client
        self._plugins = dask_plugins

    async def run(self, parcels: Sequence[parcel.Parcel], *, restart: bool) -> None:
        """Ship *parcels*."""
        plugins = self._plugins
        await self._client.register_plugin(plugins.OnScheduler(process_id()))
        before, wanted = await self._client.run_on_scheduler(plugins.plan, parcels)
        states = await self._states(plugins.state, wanted)
        await self._add_from_elsewhere(states, parcels)
        loaded = {address: state for address, state in states.items() if state.loaded}
        self._check_loaded(loaded, restart=restart)
        if list(wanted) != list(before):
            await self._send([each for each in parcels if each.name not in before], wanted, before)
        if loaded:
            await self._restart(wanted, parcels)
        elif any(set(state.names) != set(wanted) for state in states.values()):
            await self._switch(wanted, before)
        parcel.warn_of_lost(parcel.replaced(parcels, before.values()), wanted.values())

    def _check_loaded(self, loaded: Mapping[str, State], *, restart: bool) -> None:
        """Raise a BundleError if the *loaded* modules do not allow the new bundles."""
        scheduler = loaded.get(_address(self._client))
        if scheduler is not None and scheduler.process_id == process_id():
            message = f"this process, which runs the scheduler, {scheduler.reason}: start it again, and ship there"
            raise BundleError(message, file=_address(self._client))
        if scheduler is not None and scheduler.lasting:
            message = f"the scheduler {scheduler.reason}, and {scheduler.lasting[0]} stays loaded: start it again"
            raise BundleError(message, file=_address(self._client))
        if loaded and not restart:
            address, state = next(iter(loaded.items()))
            others = len(loaded) - 1
            more = f", and so has {others} other process{'es' if others > 1 else ''}" if others else ""
            message = f"{state.reason}{more}: restart the workers by ship(..., restart=True)"
            raise BundleError(message, file=address)

    async def _send(
        self,
        parcels: Sequence[parcel.Parcel],
        wanted: Mapping[str, parcel.Parcel],
        before: Mapping[str, parcel.Parcel],
    ) -> None:
        """Send the *parcels* that the scheduler lacks.  After a failure, the cluster keeps those of *before*."""
        sent = [Sent.read(each, each.path) for each in parcels]
        error = await self._client.run_on_scheduler(self._plugins.send, sent, wanted)
        if error is None:
            error = _fault(await self._states(self._plugins.state, wanted))
        if error is not None:
            await self._go_back(before, error)
            raise error

    async def _switch(self, wanted: Mapping[str, parcel.Parcel], before: Mapping[str, parcel.Parcel]) -> None:
        states = await self._states(self._plugins.switch, wanted)
        error = _fault(states)
        if error is not None:
            await self._go_back(before, error)
            # A task may have loaded a module since we looked.
            self._check_loaded({address: state for address, state in states.items() if state.loaded}, restart=False)
            raise error

    async def _go_back(self, before: Mapping[str, parcel.Parcel], error: BundleError) -> None:
        """Make the parcels of *before* those of all processes again, after an *error*.

        Raises:
            BundleError: a worker has imported from the others by now, and cannot go back.

        """
        await self._client.run_on_scheduler(self._plugins.send, [], before)
        # Also a worker that has started meanwhile.
        stuck = _fault(await self._states(self._plugins.switch, before))
        if stuck is not None:
            message = f"{error.message}; but {stuck.file} {stuck.message}: run client.restart() to have the old bundles"
            raise BundleError(message, file=error.file)

    async def _add_from_elsewhere(self, states: dict[str, State], parcels: Sequence[parcel.Parcel]) -> None:
        """Add to *states* the modules that processes have loaded from other bundles, with other files."""
        modules = {name: files for each in parcels for name, files in each.modules.items()}
        for address, found in (await _everywhere(self._client, from_elsewhere, modules)).items():
            own = states.get(address)
            if own is not None:
                shipped = {*own.names, *own.loaded}
                others = {path: names for path, names in found.items() if os.path.basename(path) not in shipped}
                # The scheduler forgets only modules of what was shipped.
                lasting = [*own.lasting, *itertools.chain.from_iterable(others.values())]
                states[address] = replace(own, loaded=own.loaded | others, lasting=lasting)

    async def _restart(self, wanted: Mapping[str, parcel.Parcel], parcels: Sequence[parcel.Parcel]) -> None:
        try:
            await self._client.restart()
        except TimeoutError as timeout:
            message = f"workers have not come back after the restart: {timeout}"
            raise BundleError(message, file=_address(self._client)) from None
        states = await self._states(self._plugins.state, wanted)
        error = _fault({_address(self._client): states[_address(self._client)]})
        if error is not None:
            raise error
        await self._add_from_elsewhere(states, parcels)
        for address, state in states.items():
            if state.loaded:
                message = f"{state.reason} when it starts, before it gets bundles: import it later, or replace it"
                raise BundleError(message, file=address)

    async def _states(self, function: Any, wanted: Mapping[str, parcel.Parcel]) -> dict[str, State]:
        """Return the states that *function* returns for *wanted*, without workers that are just starting."""
        states = await _everywhere(self._client, function, list(wanted))
        return {address: state for address, state in states.items() if state is not None}


def _address(client: Any) -> str:
    return str(client.scheduler.address)


def _fault(states: Mapping[str, State]) -> BundleError | None:
    """Return an error that names the first process with a fault."""
    found = next(((address, state.fault) for address, state in states.items() if state.fault), None)
    return BundleError(found[1], file=found[0]) if found is not None else None
