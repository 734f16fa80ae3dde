"""Does a process note whom the lot was drawn for, once, and say so until it was heard?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from flagstaff.contrib.outcomes import OutcomesMiddleware, OutcomesWsgi
from flagstaff.errors import SnapshotError, Unavailable
from flagstaff.flags.actor import Actor
from flagstaff.flags.bucketing import bucket
from flagstaff.flags.draw import Draw, admits
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.sdk import crowds as crowds_module
from flagstaff.sdk.client import Client
from flagstaff.sdk.crowds import UNMARKED, sides
from flagstaff.sdk.overriding import override_flag
from flagstaff.sdk.telemetry import Identity, Telemetry
from flagstaff.sdk.transport import Address

HALF = Gates(percentage_of_actors=Decimal(50))
DRAW = Draw(rollout=7, salt="5a" * 16, number=100)


def snapshot(gates=HALF, draw=DRAW, version=1):
    return Snapshot(
        environment="production",
        version=version,
        flags={"checkout": Flag(name="checkout", gates=gates)},
        in_rollout=frozenset({"checkout"}),
        drawn={"checkout": draw},
    )


@pytest.fixture
def flags():
    client = Client.memory({}, environment="production")
    client.holder.replace(snapshot())
    return client


def several(count):
    """Return a snapshot of several flags whose actors are counted."""
    names = [f"checkout{number}" for number in range(count)]
    return replace(
        snapshot(version=2),
        flags={name: Flag(name=name, gates=HALF) for name in names},
        drawn=dict.fromkeys(names, DRAW),
    )


def user(*, on, number=0):
    found = (f"User:{each}" for each in range(1_000))
    return [each for each in found if (bucket("checkout", each) < 50_000) is on][number]


def said(client):
    """Return what the next report says of the flag."""
    (part,) = client.holder.crowds.take()
    return part.to_json()


WAYS = {
    "is_enabled": lambda flags, user: flags.is_enabled("checkout", user),
    "handle": lambda flags, user: flags.flag("checkout")(user),
    "evaluate": lambda flags, user: flags.evaluate("checkout", user),
    "object": lambda flags, user: flags.is_enabled("checkout", Actor(user)),
    "list": lambda flags, user: flags.is_enabled("checkout", [user]),
}


@pytest.mark.parametrize("way", WAYS)
def test_who_is_asked_about_is_noted_once_with_the_answer(flags, way):
    for _ in range(3):
        WAYS[way](flags, user(on=True))
        WAYS[way](flags, user(on=False))
    found = said(flags)
    assert (len(found["on"]), len(found["off"])) == (1, 1)
    assert (found["rollout"], found["draw"]) == (7, 100)
    assert {len(each) for each in found["on"] + found["off"]} == {16}
    assert user(on=True) not in str(found)


def test_all_ways_agree_on_the_hash_and_on_the_answer(flags):
    for ask in WAYS.values():
        ask(flags, user(on=True))
    assert len(flags.holder.crowds) == 1
    assert sum(each.count for each in flags.totals()) == len(WAYS)


@pytest.mark.parametrize(
    ("gates", "asked"),
    [
        (replace(HALF, actors=frozenset({user(on=True), user(on=False)})), user(on=False)),
        (replace(HALF, actors=frozenset({user(on=True) + ":opt_out"})), user(on=True)),
        (replace(HALF, actors=frozenset({user(on=False) + ":opt_out"})), user(on=False)),
        (replace(HALF, groups=frozenset({"staff"})), user(on=True)),
        (replace(HALF, percentage_of_time=Decimal(5)), user(on=True)),
        (Gates(actors=frozenset({user(on=True)})), user(on=True)),
        (Gates(), user(on=True)),
        (HALF, None),
    ],
)
def test_whom_no_lot_was_drawn_for_is_not_noted(flags, gates, asked):
    flags.holder.replace(snapshot(gates))
    flags.is_enabled("checkout", asked)
    assert len(flags.holder.crowds) == 0


def test_where_the_flag_is_on_for_everyone_all_are_on_one_side(flags):
    flags.holder.replace(snapshot(Gates(boolean=True)))
    flags.is_enabled("checkout", user(on=False))
    assert len(said(flags)["on"]) == 1
    assert sides(None) == {}


def test_a_failure_is_said_once_with_its_side_and_kind(flags):
    on, off = user(on=True), user(on=False)
    for each in (on, off):
        flags.is_enabled("checkout", each)
    for _ in range(5):
        flags.outcome("checkout", True, False, actor=on)
        flags.outcome("checkout", "off", True, actor=off)
        flags.count_outcome("checkout", "302", on=False, ok=False, actor=[off])
    found = said(flags)
    assert found["kinds"] == ["302", "outcomes"]
    assert found["failed"] == {
        "302": {"on": [], "off": found["off"]},
        "outcomes": {"on": found["on"], "off": []},
    }


def test_who_was_not_asked_about_or_was_answered_otherwise_has_not_failed(flags):
    on = user(on=True)
    flags.outcome("checkout", True, False, actor=on)
    flags.is_enabled("checkout", on)
    flags.outcome("checkout", False, False, actor=on)
    flags.outcome("unknown", True, False, actor=on)
    flags.count_outcome("checkout", "5xx", on=True, ok=False, actor=UNMARKED)
    found = said(flags)
    assert (found["failed"], found["kinds"]) == ({}, [])


@pytest.mark.parametrize("nobody", [None, [], object()])
def test_an_outcome_without_an_actor_is_told(flags, nobody):
    flags.outcome("checkout", True, True, actor=nobody)
    assert said(flags)["bare"] == ["outcomes"]


def test_a_new_draw_forgets_everybody_and_an_older_snapshot_notes_nobody(flags):
    on = user(on=True)
    flags.is_enabled("checkout", on)
    check = flags.holder.compiled.checks["checkout"]
    flags.holder.replace(snapshot(draw=replace(DRAW, number=101), version=2))
    assert len(flags.holder.crowds) == 0
    check((on,))
    assert len(flags.holder.crowds) == 0
    flags.is_enabled("checkout", on)
    assert said(flags)["draw"] == 101
    flags.holder.replace(replace(snapshot(), drawn={}, version=3))
    assert flags.holder.crowds.take() == []


def test_the_same_draw_in_a_newer_snapshot_forgets_nobody(flags):
    flags.is_enabled("checkout", user(on=True))
    flags.holder.replace(snapshot(version=2))
    assert len(said(flags)["on"]) == 1


def test_an_overridden_flag_draws_nobody(flags):
    with override_flag("checkout", client=flags):
        flags.is_enabled("checkout", user(on=True))
    assert len(flags.holder.crowds) == 0


def test_memory_is_bounded_and_who_comes_late_fails_nowhere(flags, monkeypatch):
    monkeypatch.setattr(crowds_module, "LIMIT", 3)
    for number in range(10):
        flags.is_enabled("checkout", user(on=True, number=number))
        flags.outcome("checkout", True, False, actor=user(on=True, number=number))
    found = said(flags)
    assert 3 <= len(found["on"]) < 10
    assert found["failed"]["outcomes"]["on"] == found["on"]


def test_the_share_of_those_who_are_kept_is_halved_again_and_again():
    kept, rng = 0, Random(5)
    at = {}
    for number in range(1, 100_001):
        kept += admits(f"{rng.getrandbits(64):016x}", kept, 1_000)
        at[number] = kept
    assert at[1_000] == 1_000
    assert at[2_000] == pytest.approx(1_500, abs=60)
    assert at[4_000] == pytest.approx(2_000, abs=120)
    assert at[100_000] < 5_000


def test_a_child_notes_for_itself(flags):
    flags.is_enabled("checkout", user(on=True))
    flags.after_fork()
    assert flags.holder.crowds.take() == []
    flags.is_enabled("checkout", user(on=True))
    assert len(said(flags)["on"]) == 1


class Line:
    """Stands for the way to the server, which may be down."""

    def __init__(self):
        self.down, self.heard = False, []

    def telemetry(self, body):
        if self.down:
            raise Unavailable("down")
        self.heard += body.get("actors", ())


def test_what_is_not_heard_is_said_again_and_what_was_heard_is_not(flags, monkeypatch):
    monkeypatch.setattr(crowds_module, "BATCH", 2)
    telemetry = Telemetry(
        Address(url="http://flags.example", environment="production"),
        Identity(application="shop", kind="web", version=""),
        flags.holder,
        flags._exposures,
        list,
        5.0,
    )
    line = telemetry._transport = Line()
    for number in range(5):
        flags.is_enabled("checkout", user(on=True, number=number))
    line.down = True
    telemetry._send()
    assert line.heard == []
    line.down = False
    telemetry._send()
    assert [len(each["on"]) for each in line.heard] == [2, 2, 1]
    line.heard.clear()
    telemetry._send()
    assert line.heard == []
    flags.holder.replace(several(3))
    for number in range(3):
        flags.is_enabled(f"checkout{number}", user(on=True))
    telemetry._send()
    assert sorted(each["flag"] for each in line.heard) == [f"checkout{each}" for each in range(3)]
    flags.holder.replace(snapshot(version=3))
    line.heard.clear()
    flags.is_enabled("checkout", user(on=True))
    flags.outcome("checkout", True, True, actor=user(on=True))
    telemetry._send()
    telemetry._send()
    assert [each["kinds"] for each in line.heard] == [["outcomes"]] * 2


def test_a_snapshot_keeps_its_draws_over_the_wire():
    found = snapshot()
    assert Snapshot.from_json(found.to_json()) == found
    changed = found.changed_by({"version": 2, "flags": {}})
    assert changed.drawn == found.drawn
    assert found.changed_by({"version": 2, "flags": {}, "drawn": {}}).drawn == {}


@pytest.mark.parametrize(
    "drawn",
    [[], {"a": 1}, {"a": {"rollout": 1, "salt": "x", "number": 1}}, {"a": {"salt": "aa"}}],
)
def test_a_malformed_draw_is_refused(drawn):
    with pytest.raises(SnapshotError, match="drawn"):
        Snapshot.from_json({**snapshot().to_json(), "drawn": drawn})


async def answering(scope, receive, send):
    """Ask about whoever the path names, one after the other, and fail."""
    del receive
    for each in scope["path"].split():
        scope["flags"].is_enabled("checkout", each)
    await send({"type": "http.response.start", "status": 500})
    await send({"type": "http.response.body", "body": b""})


def serve_asgi(flags, path):
    app = OutcomesMiddleware(answering, client=flags)
    scope = {"type": "http", "path": path, "flags": flags}

    async def send(message):
        del message

    asyncio.run(app(scope, None, send))


def serve_wsgi(flags, path):
    def answer(environ, start_response):
        for each in environ["PATH_INFO"].split():
            flags.evaluate("checkout", each)
        start_response("500 Oh dear", [])
        return [b""]

    OutcomesWsgi(answer, client=flags)({"PATH_INFO": path}, lambda *_: None)


@pytest.mark.parametrize("serve", [serve_asgi, serve_wsgi])
def test_middleware_says_whose_request_it_was(flags, serve):
    serve(flags, f"{user(on=False)} {user(on=True)}")
    found = said(flags)
    assert (len(found["on"]), len(found["off"])) == (1, 1)
    assert found["failed"]["5xx"] == {"on": found["on"], "off": []}
    assert "302" in found["kinds"]
    assert found["bare"] == []


@pytest.mark.parametrize("serve", [serve_asgi, serve_wsgi])
def test_a_request_that_asks_about_nobody_fails_for_nobody(flags, serve):
    flags.holder.replace(snapshot(replace(HALF, actors=frozenset({"User:vip"})), version=2))
    serve(flags, "User:vip")
    assert flags.holder.crowds.take() == []
