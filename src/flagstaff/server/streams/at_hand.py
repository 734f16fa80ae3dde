"""Which flags does the server answer with while the database is away?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

from anyio.to_thread import run_sync

from flagstaff.errors import FlagstaffError
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import Channel, Hub

TRY_EVERY = 0.5
"""Seconds between looks whether a snapshot that could not be read can be read now."""


class AtHand:
    """Follows every environment from the start, so that the last good snapshot is never an old one.

    Args:
        hub: where snapshots come from.
        environments: all of them, whether somebody follows them or not.
        reach: fails with a `FlagstaffError` while the database is away.
    """

    def __init__(self, hub: Hub, environments: Iterable[str], reach: Callable[[], object]) -> None:
        self._hub = hub
        self._environments = tuple(environments)
        self._reach = reach
        self._channels: dict[str, Channel] = {}

    def last_good(self, environment: str) -> Encoded | None:
        """Return the latest snapshot that could be read, `None` when there is none yet."""
        channel = self._channels.get(environment)
        return channel.latest if channel is not None else None

    async def keep(self) -> None:
        """Follow them until this is cancelled."""
        with ExitStack() as stack:
            for each in self._environments:
                _, channel = stack.enter_context(self._hub.follower(each))
                self._channels[each] = channel
            while True:
                await self._renew()
                await asyncio.sleep(TRY_EVERY)

    async def _renew(self) -> None:
        behind = [each for each in self._channels.values() if each.dirty]
        with suppress(FlagstaffError):
            if behind:
                await run_sync(self._reach)
            for each in behind:
                await self._hub.latest(each)
