"""A stream ends as soon as its reader is let in no more, and not a moment before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from worlds import ROOT

from flagstaff.commands.access_model import AddPerson, RemovePerson, RevokeToken, SetRoles
from flagstaff.server.streams import open_streams
from flagstaff.services.secret import hashed

SOON = 60.0
"""The server needs milliseconds; the machine of the tests may be busy."""

AWHILE = 0.3
STREAM = "/api/v1/environments/staging/stream"
NAMES = "/api/v1/events"


@pytest.mark.parametrize("target", [STREAM, NAMES])
def test_a_revoked_token(application, wire, world, bearing, target):
    token, other = world.token("viewer"), world.token("viewer")
    with (
        wire.streaming(target, bearing(token)) as revoked,
        wire.streaming(target, bearing(other)) as stays,
    ):
        assert (revoked.status, stays.status) == (200, 200)
        number = hashed(token)[:12]
        application.services.execute(RevokeToken(token=number), ROOT)
        assert wire.is_over(revoked, SOON)
        assert not wire.is_over(stays, AWHILE)
    assert wire.ask("GET", target, bearing(token)).status == 401


@pytest.mark.parametrize(
    "change", [RemovePerson(name="ada"), SetRoles(name="ada", roles=("viewer@dev",))]
)
def test_a_person_who_is_removed_or_may_no_more(application, wire, world, bearing, change):
    world.person("ada", "viewer")
    token = world.token("viewer", person="ada")
    with wire.streaming(STREAM, bearing(token)) as stream:
        application.services.execute(change, ROOT)
        assert wire.is_over(stream, SOON)
    assert wire.ask("GET", STREAM, bearing(token)).status in {401, 403}


def test_a_token_that_expires(application, wire, world, bearing, monkeypatch):
    monkeypatch.setattr(open_streams, "LOOK_EVERY", 0.05)
    clock = application.services.clock
    token = world.token("viewer", expires="1h")
    with wire.streaming(STREAM, bearing(token)) as stream:
        assert not wire.is_over(stream, AWHILE)
        later = timedelta(hours=1)
        monkeypatch.setattr(type(clock), "wall", lambda _, now: now + later)
        assert wire.is_over(stream, SOON)
    assert wire.ask("GET", STREAM, bearing(token)).status == 401


def test_a_session_that_ends(wire, world):
    world.person("ada", "viewer")
    cookie = world.session("ada")
    with wire.streaming("/events", cookie) as stream:
        assert stream.status == 200
        assert not wire.is_over(stream, AWHILE)
        assert wire.post("/sign-out", {}, cookie).status == 303
        assert wire.is_over(stream, SOON)
    assert wire.ask("GET", "/events", cookie).status == 401


def test_the_visitor_of_a_machine_without_accounts(application, wire):
    with wire.streaming("/events", {}) as stream:
        assert stream.status == 200
        application.services.execute(AddPerson(name="ada", roles=("admin",)), ROOT)
        assert wire.is_over(stream, SOON)
    assert wire.ask("GET", "/events").status == 401


def test_the_owner_of_the_folder_stays(application, wire, bearing):
    with wire.streaming(STREAM, bearing(application.token)) as stream:
        application.services.execute(AddPerson(name="ada", roles=("admin",)), ROOT)
        assert not wire.is_over(stream, AWHILE)


def test_streams_stay_while_the_database_is_away(application, wire, world, bearing, monkeypatch):
    monkeypatch.setattr(open_streams, "LOOK_EVERY", 0.05)
    with wire.streaming(STREAM, bearing(world.token("viewer"))) as stream:
        monkeypatch.setattr("flagstaff.server.access.FRESH", 0.0)
        monkeypatch.setattr(application.services.database, "read", _away)
        assert not wire.is_over(stream, AWHILE)


def _away():
    raise open_streams.Unavailable("the database does not answer")
