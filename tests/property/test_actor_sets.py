"""Do reports of actors add up to the same, whatever arrives twice, late or not at all?"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine

from flagstaff.flags.draw import Draw
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.sdk.client import Client
from flagstaff.sdk.crowds import hashed
from flagstaff.server.edge.forwarding_actors import add, cut, written
from flagstaff.server.report_bodies import ActorsBody
from flagstaff.store import actors
from flagstaff.store.tables import metadata

FLAG, KINDS = "checkout", ("5xx", "302")
DRAW = Draw(rollout=1, salt="ab" * 16, number=5)
SNAPSHOT = Snapshot(
    environment="production",
    version=1,
    flags={FLAG: Flag(name=FLAG, gates=Gates(percentage_of_actors=Decimal(40)))},
    drawn={FLAG: DRAW},
)
ENGINE = create_engine("sqlite://")
metadata.create_all(ENGINE)
with ENGINE.begin() as connection:
    actors.begin(connection, 1, DRAW.salt)

users = st.integers(0, 12).map(lambda number: f"User:{number}")
calls = st.lists(st.tuples(users, st.sampled_from(KINDS), st.booleans()), max_size=8)
fates = st.sampled_from(["heard", "answer lost", "died before", "died after"])
histories = st.lists(st.lists(st.tuples(calls, fates), max_size=5), min_size=1, max_size=4)


def process():
    client = Client.memory({}, environment="production")
    client.holder.replace(SNAPSHOT)
    return client


def reports_of(history):
    """Return what one process after the other reports, and whom that is about."""
    client, reports, seen, failed = process(), [], {}, set()
    new_seen, new_failed = {}, set()
    for made, fate in history:
        for user, kind, ok in made:
            on = client.is_enabled(FLAG, user)
            client.count_outcome(FLAG, kind, on=on, ok=ok, actor=user)
            actor = hashed(DRAW, (user,))
            new_seen[actor] = on
            new_failed |= set() if ok else {(kind, actor)}
        if fate != "died before":
            parts = client.holder.crowds.take()
            reports += [ActorsBody.model_validate(each.to_json()).report() for each in parts]
            seen |= new_seen
            failed |= new_failed
            if fate == "heard":
                client.holder.crowds.taken(parts)
        if fate.startswith("died"):
            client = process()
        if fate != "answer lost":
            new_seen, new_failed = {}, set()
    return reports, seen, failed


def counted(reports):
    """Return what a table holds after the reports, by kind: both sides, asked about and failed."""
    with ENGINE.connect() as connection, connection.begin() as transaction:
        for each in reports:
            actors.take(connection, each)
        levels = {kind: actors.levels(connection, 1, kind, DRAW.number) for kind in KINDS}
        transaction.rollback()
    return {
        kind: tuple((found[on].people, found[on].failed) for on in (True, False))
        for kind, found in levels.items()
    }


def expected(seen, failed):
    return {
        kind: tuple(
            (
                sum(side is on for side in seen.values()),
                sum(side is on and (kind, actor) in failed for actor, side in seen.items()),
            )
            for on in (True, False)
        )
        for kind in KINDS
    }


@given(histories, st.randoms())
def test_reports_are_sets_whatever_becomes_of_processes_and_answers(histories, chance):
    reports, seen, failed = [], {}, set()
    for history in histories:
        told, its_seen, its_failed = reports_of(history)
        reports += told
        seen |= its_seen
        failed |= its_failed
    assert counted(reports) == expected(seen, failed)
    again = [*reports, *chance.choices(reports, k=3)] if reports else []
    chance.shuffle(again)
    assert counted(again) == expected(seen, failed)


@given(histories)
def test_an_edge_in_between_changes_nothing(histories):
    reports = [each for history in histories for each in reports_of(history)[0]]
    kept = {}
    add(kept, reports)
    add(kept, reports)
    passed_on = [ActorsBody.model_validate(written(piece)).report() for piece in cut(kept.values())]
    assert counted(passed_on) == counted(reports)
