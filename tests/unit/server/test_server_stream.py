"""Streams tell everyone the latest, encode it once, and end when they are told to."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest

from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean
from flagstaff.server.access import Access
from flagstaff.server.streams import hub as hub_module
from flagstaff.server.streams import stream as stream_module
from flagstaff.server.streams.encoded import encoded_snapshot
from flagstaff.server.streams.hub import EVERYTHING, MOST_NAMES, Hub
from flagstaff.server.streams.stream import Names, Snapshots
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source

ME = Person(name="ada", source=Source.API, roles=ADMIN_EVERYWHERE)


class Reader:
    """One end of a stream: what has arrived, and a way to leave."""

    def __init__(self, *, slow: bool = False) -> None:
        self.frames: list[bytes] = []
        self.status = 0
        self.gone = asyncio.Event()
        self.may_read = asyncio.Event()
        self.arrived = asyncio.Event()
        self.slow = slow
        self.ended = False

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        if self.slow and len(self.frames) > 1:
            await self.may_read.wait()
        self.frames.append(message["body"])
        self.arrived.set()
        self.ended = not message.get("more_body", False)
        if self.ended:
            self.gone.set()  # as servers tell an application that goes on receiving

    def text(self) -> str:
        return b"".join(self.frames).decode()

    async def until(self, text: str) -> None:
        async with asyncio.timeout(60):
            while text not in self.text():
                self.arrived.clear()
                await self.arrived.wait()


def scope(token="secret", environment="dev"):  # noqa: S107
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "path_params": {"environment": environment},
    }


def set_flag(services, value=True):  # noqa: FBT002
    change = Boolean(value=value)
    services.execute(SetFlag(flag="new_navigation", environments=("dev",), change=change), ME)


@pytest.fixture
def services(application):
    return application.services


def running(services, scenario, *, read=None):
    async def run():
        hub = Hub(read or partial(encoded_snapshot, services))
        services.listen(hub.tell)
        hub.open()
        try:
            await scenario(hub)
        finally:
            hub.close()

    asyncio.run(run())


async def serving(app, reader, **details):
    task = asyncio.ensure_future(app(scope(**details), reader.receive, reader.send))
    await asyncio.sleep(0)
    return task


def test_the_present_snapshot_comes_first_then_every_change(services):
    async def scenario(hub):
        reader = Reader()
        await serving(
            Snapshots(hub, Access(services, "secret"), services.context, lambda: None), reader
        )
        await reader.until("id: 0\nevent: snapshot\ndata: ")
        await asyncio.to_thread(set_flag, services)
        await reader.until("id: 1\nevent: snapshot\n")
        data = reader.frames[-1].decode().split("data: ")[1]
        assert json.loads(data)["flags"]["new_navigation"]["gates"]["boolean"] is True

    running(services, scenario)


def test_a_change_elsewhere_says_nothing(services):
    async def scenario(hub):
        reader = Reader()
        app = Snapshots(hub, Access(services, "secret"), services.context, lambda: None)
        await serving(app, reader, environment="staging")
        await reader.until("event: snapshot")
        await asyncio.to_thread(set_flag, services)
        await asyncio.sleep(0.1)
        assert reader.text().count("event: snapshot") == 1

    running(services, scenario)


def test_many_listeners_cost_one_encoding_and_share_its_bytes(services):
    encodings = []

    def counted(environment):
        encodings.append(1)
        return encoded_snapshot(services, environment)

    async def scenario(hub):
        app = Snapshots(hub, Access(services, "secret"), services.context, lambda: None)
        readers = [Reader() for _ in range(50)]
        for reader in readers:
            await serving(app, reader)
        for reader in readers:
            await reader.until("id: 0\n")
        await asyncio.to_thread(set_flag, services)
        for reader in readers:
            await reader.until("id: 1\n")
        assert len(encodings) == 2

    running(services, scenario, read=counted)


def test_a_slow_reader_gets_the_latest_and_not_everything_between(services):
    async def scenario(hub):
        slow, quick = Reader(slow=True), Reader()
        app = Snapshots(hub, Access(services, "secret"), services.context, lambda: None)
        await serving(app, slow)
        await serving(app, quick)
        await quick.until("id: 0\n")
        for number in range(1, 9):
            await asyncio.to_thread(set_flag, services, number % 2 == 0)
            await quick.until(f"id: {number}\n")
        slow.may_read.set()
        await slow.until("id: 8\n")
        assert slow.text().count("event: snapshot") <= 2

    running(services, scenario)


def test_pages_hear_names_and_nothing_else(services):
    async def scenario(hub):
        reader = Reader()
        await serving(Names(hub, Access(services, "secret")), reader)
        await reader.until("event: connected\n")
        await asyncio.to_thread(set_flag, services)
        await reader.until("event: changed\ndata: flags:dev\n\n")
        assert "boolean" not in reader.text()

    running(services, scenario)


def test_who_missed_too_much_is_told_that_everything_changed(services):
    async def scenario(hub):
        with hub.reader() as listener:
            hub.tell(frozenset(f"rollout:{number}" for number in range(MOST_NAMES + 1)))
            await asyncio.wait_for(listener.bell.wait(), 60)
            assert listener.names == {EVERYTHING}

    running(services, scenario)


def test_silence_is_broken_by_comments(services, monkeypatch):
    monkeypatch.setattr(stream_module, "KEEP_ALIVE", 0.02)
    monkeypatch.setattr(hub_module, "KEEP_ALIVE", 0.02)

    async def scenario(hub):
        names, snapshots = Reader(), Reader()
        await serving(Names(hub, Access(services, "secret")), names)
        await serving(
            Snapshots(hub, Access(services, "secret"), services.context, lambda: None), snapshots
        )
        await names.until(": keep-alive\n\n")
        await snapshots.until(": keep-alive\n\n")

    running(services, scenario)


def test_a_reader_that_leaves_is_forgotten_and_the_end_ends_the_others(services):
    async def scenario(hub):
        leaver, stayer = Reader(), Reader()
        leaving = await serving(Names(hub, Access(services, "secret")), leaver)
        staying = await serving(Names(hub, Access(services, "secret")), stayer)
        await stayer.until("connected")
        leaver.gone.set()
        await asyncio.wait_for(leaving, 60)
        assert len(hub._readers) == 1
        hub.close()
        await asyncio.wait_for(staying, 60)
        assert stayer.ended
        late = Reader()
        await asyncio.wait_for(await serving(Names(hub, Access(services, "secret")), late), 60)
        assert late.ended

    running(services, scenario)


def test_a_stream_needs_the_token(services):
    async def scenario(hub):
        reader = Reader()
        app = Snapshots(hub, Access(services, "secret"), services.context, lambda: None)
        await (await serving(app, reader, token="guess"))
        assert reader.status == 401

    running(services, scenario)


def test_a_changed_definition_reaches_those_who_only_listen(application, root):
    services = application.services

    async def scenario(hub):
        services.context.definitions.listen(lambda: hub.tell(frozenset({"definitions"})))
        services.context.definitions._clock = lambda: 1e9
        reader = Reader()
        await serving(
            Snapshots(hub, Access(services, "secret"), services.context, lambda: None), reader
        )
        await reader.until("event: snapshot")
        path = root / "config/feature_flags/development/new_navigation.yml"
        (path.parent / "second_flag.yml").write_text(
            path.read_text().replace("new_navigation", "second_flag")
        )
        services.context.definitions._clock = lambda: 2e9
        await asyncio.to_thread(services.context.definitions)
        await reader.until("second_flag")

    running(services, scenario)
