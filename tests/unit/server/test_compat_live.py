"""Snapshots are compiled once, and the last good one answers while a newer one is slow."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from flagstaff.errors import Unavailable
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.server.compat import live
from flagstaff.server.compat.live import Live
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import Channel


class FakeHub:
    """Serves what it is given; `slow` never answers, `renewals` counts the questions."""

    def __init__(self):
        self.channel = Channel("dev")
        self.coming = None
        self.slow = False
        self.renewals = 0

    def give(self, version, **flags):
        snapshot = Snapshot(environment="dev", version=version, flags=flags)
        body = json.dumps(snapshot.to_json()).encode()
        self.coming = Encoded(version=version, etag=f'"{version}"', body=body)
        self.channel.dirty = True

    @contextlib.contextmanager
    def follower(self, environment):
        assert environment == "dev"
        yield None, self.channel

    async def latest(self, channel):
        self.renewals += 1
        if self.slow:
            await asyncio.sleep(3600)
        channel.latest, channel.dirty = self.coming, False
        return channel.latest


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.setattr(live, "PATIENCE", 0.02)
    return FakeHub()


def flag(name, **gates):
    return Flag(name=name, gates=Gates(**gates))


def test_a_snapshot_is_compiled_once_and_unchanged_flags_are_kept(hub):
    async def story():
        holding = Live(hub)
        hub.give(1, a=flag("a", boolean=True), b=flag("b"))
        first = await holding.of("dev")
        assert await holding.of("dev") is first
        assert hub.renewals == 1
        hub.give(2, a=flag("a", boolean=True), b=flag("b", boolean=True))
        second = await holding.of("dev")
        assert second.snapshot.version == 2
        assert second.compiled.flags["a"] is first.compiled.flags["a"]
        assert second.compiled.flags["b"] is not first.compiled.flags["b"]

    asyncio.run(story())


def test_while_a_newer_snapshot_is_slow_the_last_good_one_answers_at_once(hub):
    async def story():
        holding = Live(hub)
        hub.give(1)
        first = await holding.of("dev")
        hub.give(2)
        hub.slow = True
        for _ in range(10):
            assert await holding.of("dev") is first
        assert hub.renewals == 2
        hub.slow = False
        await asyncio.sleep(live.PATIENCE * 2)
        assert (await holding.of("dev")).snapshot.version == 2

    asyncio.run(story())


def test_without_any_snapshot_it_is_unavailable(hub):
    async def story():
        hub.slow = True
        with pytest.raises(Unavailable, match="the flags of dev cannot be read yet"):
            await Live(hub).of("dev")

    asyncio.run(story())
