"""Readers get what they miss and no more, and nobody waits for one that does not read."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.server.streams import reader as reader_module
from flagstaff.server.streams.encoded import Encoded, encoded
from flagstaff.server.streams.reader import Frames, Reader
from flagstaff.server.streams.stream import _change, _whole


def snapshot(version, *names, on=()):
    flags = {name: Flag(name=name, gates=Gates(boolean=name in on)) for name in names}
    return Snapshot(environment="dev", version=version, flags=flags)


MANY = tuple(f"flag_{number}" for number in range(50))


class Connection:
    """Takes what is pushed, or nothing while it is full."""

    def __init__(self):
        self.pushed = []
        self.full = False
        self.aborted = False
        self.drained = asyncio.Event()
        self.sent = []

    def push(self, data):
        if self.full:
            return False
        self.pushed.append(data)
        return True

    def writable(self):
        return -1

    def settle(self, stream):
        pass

    def abort(self):
        self.aborted = True

    async def send(self, message):
        if self.full:
            await self.drained.wait()
        self.sent.append(message)

    def drain(self):
        self.full = False
        self.drained.set()


def reading(connection, write=_change, dropped=lambda: None):
    return Reader(Frames(write), connection.send, connection, dropped)


def kinds(connection):
    return [
        b"change"
        if b"event: change" in each
        else b"snapshot"
        if b"event: snapshot" in each
        else b""
        for each in connection.pushed
    ]


def test_a_change_makes_the_same_snapshot_as_the_whole():
    before, after = snapshot(3, *MANY), snapshot(5, *MANY[1:], "another", on={"flag_7"})
    change = json.loads(encoded(after).change_since(encoded(before)))
    assert change["base"] == 3
    assert set(change["flags"]) == {"flag_0", "flag_7", "another"}
    assert before.changed_by(change) == after


@pytest.mark.parametrize("rollouts", [((), ("flag_3",)), (("flag_3",), ()), (("a",), ("b", "a"))])
def test_a_change_says_which_flags_are_in_a_rollout(rollouts):
    then, now = (frozenset(each) for each in rollouts)
    before = replace(snapshot(3, *MANY), in_rollout=then)
    after = replace(snapshot(5, *MANY), in_rollout=now)
    told = encoded(after)
    change = json.loads(told.change_since(encoded(before)))
    assert before.changed_by(change) == after
    # Whoever has only the bytes, as an edge does, tells the same.
    assert Encoded.of(5, told.body) == told
    assert json.loads(Encoded.of(5, told.body).change_since(encoded(before))) == change
    assert "in_rollout" not in json.loads(
        encoded(replace(after, version=6)).change_since(encoded(after))
    )


def test_the_body_is_the_wire_form():
    found = snapshot(3, *MANY, "ümlaut", on={"flag_7"})
    assert json.loads(encoded(found).body) == found.to_json()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (snapshot(3, *MANY), snapshot(3, *MANY, on=MANY)),  # a definition changed, no version
        (snapshot(4, *MANY), snapshot(3, *MANY)),  # the database was put back
        (snapshot(3, *MANY), snapshot(4, "one")),  # more is gone than stayed
    ],
)
def test_where_a_change_would_not_do_the_whole_is_sent(before, after):
    connection = Connection()
    reader = reading(connection)
    reader.hear(encoded(before))
    reader.hear(encoded(after))
    assert kinds(connection) == [b"snapshot", b"snapshot"]


def test_without_the_flags_no_change_can_be_told():
    plain = Encoded(version=1, etag='"1"', body=b"{}")
    assert encoded(snapshot(2, *MANY)).change_since(plain) == b""


def test_the_same_snapshot_is_sent_once():
    connection = Connection()
    reader = reading(connection)
    reader.hear(encoded(snapshot(1, *MANY)))
    reader.hear(encoded(snapshot(1, *MANY)))
    assert len(connection.pushed) == 1


def test_frames_are_made_once_for_all_who_need_them():
    made = []

    def write(had, latest):
        made.append((had, latest))
        return _whole(had, latest)

    frames = Frames(write)
    first, second = encoded(snapshot(1, *MANY)), encoded(snapshot(2, *MANY))
    assert frames(None, first) is frames(None, first)
    assert frames(first, second) is frames(first, second)
    assert len(made) == 2


def test_a_reader_that_fell_behind_gets_the_latest_as_a_whole():
    async def story():
        connection = Connection()
        reader = reading(connection)
        reader.hear(encoded(snapshot(1, *MANY)))
        connection.full = True
        for version in range(2, 9):
            reader.hear(encoded(snapshot(version, *MANY, on=MANY[:version])))
            reader.breathe()
        assert len(connection.pushed) == 1
        connection.drain()
        await asyncio.wait_for(reader.waiting, 60)
        assert kinds(connection) == [b"snapshot", b"snapshot"]
        assert b"id: 8\n" in connection.pushed[-1]
        reader.hear(encoded(snapshot(9, *MANY, on=MANY[:9])))
        assert kinds(connection)[-1] == b"change"

    asyncio.run(story())


def test_a_reader_that_never_reads_is_cut_off(monkeypatch):
    monkeypatch.setattr(reader_module, "SLOWEST", 0.02)
    dropped = []

    async def story():
        connection = Connection()
        reader = reading(connection, dropped=lambda: dropped.append(1))
        connection.full = True
        reader.hear(encoded(snapshot(1, *MANY)))
        await asyncio.wait_for(reader.waiting, 60)
        assert connection.aborted
        reader.hear(encoded(snapshot(2, *MANY)))
        assert reader.waiting is None

    asyncio.run(story())
    assert dropped == [1]


def test_the_end_does_not_wait_for_a_slow_reader():
    async def story():
        quick, slow = Connection(), Connection()
        slow.full = True
        for connection in (quick, slow):
            reader = reading(connection)
            reader.hear(encoded(snapshot(1, *MANY)))
            reader.end()
            reader.leave()
        assert quick.sent[-1]["more_body"] is False
        assert (quick.aborted, slow.aborted) == (False, True)

    asyncio.run(story())


def test_without_our_own_connection_everything_goes_through_asgi():
    async def story():
        connection = Connection()
        reader = Reader(Frames(_whole), connection.send, None, lambda: None)
        reader.hear(encoded(snapshot(1, *MANY)))
        connection.full = True
        reader.hear(encoded(snapshot(2, *MANY)))
        reader.hear(encoded(snapshot(3, *MANY)))
        connection.drain()
        await asyncio.wait_for(reader.waiting, 60)
        text = b"".join(each["body"] for each in connection.sent)
        assert text.count(b"event: snapshot") == 2
        assert text.count(b"id: 3\n") == 1

    asyncio.run(story())
