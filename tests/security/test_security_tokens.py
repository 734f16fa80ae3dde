"""A token is good as it was made, for what it was made and as long as it was, or not at all."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from asking import wired
from expected import COMMAND
from worlds import ROOT

from flagstaff.commands.access_model import RemovePerson, RevokeToken, SetRoles
from flagstaff.server.access import LONGEST_TOKEN, Access
from flagstaff.server.app import build
from flagstaff.server.settings import Settings
from flagstaff.services.secret import hashed

FLAGS = "/api/v1/flags"
FLIPPER = "/flipper/api/features"
HELD = "/api/client/features"
"""Is answered without the database."""


def status(wire, token, path=FLAGS):
    return wire.ask("GET", path, {"authorization": f"Bearer {token}"}).status


def forgeries(token, owner):
    flipped = "B" if token[-2] != "B" else "C"
    yield token[:-2] + flipped + token[-1]
    yield token[:-1]
    yield token + "A"
    yield token.upper()
    yield token.removeprefix("fst_")
    yield "fst_"
    yield hashed(token)
    yield hashed(token)[:12]
    yield "fst_" + owner
    yield owner[:-1]
    yield hashed(owner)
    yield f"{token} {token}"
    yield f"{token},{token}"
    yield f"%66{token[1:]}"
    yield f"{token}\x00"
    yield f"{token}é"
    yield "\udcff\udcfe"
    yield "é" * 40
    yield "a" * (LONGEST_TOKEN + 1)
    yield "a" * 100_000
    yield "*"
    yield "' or '1'='1"


def test_forged_tokens_by_every_protocol(application, wire, world):
    token = world.token("admin")
    assert status(wire, token) == 200
    for forged in forgeries(token, application.token):
        basic = base64.b64encode(f"u:{forged}".encode("utf-8", "replace")).decode()
        for path, headers in (
            (FLAGS, {"authorization": f"Bearer {forged}"}),
            ("/api/v4/features", {"private-token": forged}),
            ("/api/client/features", {"authorization": forged}),
            ("/api/client/features", {"authorization": f"default:production.{forged}"}),
            ("/api/v4/feature_flags/unleash/1/features", {"unleash-instanceid": forged}),
            (FLIPPER, {"authorization": f"Basic {basic}"}),
        ):
            answer = wire.ask("GET", path, headers)
            assert answer.status == 401, (path, forged[:60])
            assert "new_navigation" not in answer.text


def test_the_token_of_another_server(wire, world, tmp_path):
    root = tmp_path / "other"
    root.mkdir()
    other = build(Settings(root=root, engine=False))
    try:
        assert status(wire, other.token) == 401
        token = world.token("admin")
        with wired(other.asgi) as theirs:
            assert status(theirs, token) == 401
            assert status(theirs, other.token) == 200
    finally:
        other.close()


def test_expired_to_the_second(application, wire, world, monkeypatch):
    token, clock = world.token("viewer", expires="1h"), type(application.services.clock)
    wall = clock.wall
    assert status(wire, token) == 200
    late = timedelta(hours=1)
    with monkeypatch.context() as later:
        later.setattr(clock, "wall", lambda self, now: wall(self, now) + late)
        assert status(wire, token) == 401
    early = timedelta(minutes=59)
    with monkeypatch.context() as later:
        later.setattr(clock, "wall", lambda self, now: wall(self, now) + early)
        assert status(wire, token) == 200


def test_revoked_demoted_and_removed_count_from_the_next_request_on(application, wire, world):
    world.person("ada", "operator")
    services = application.services
    mine, machine = world.token("operator", person="ada"), world.token("operator")
    body = json.dumps(COMMAND).replace("{environment}", "production").encode()

    def change(token):
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return wire.ask("POST", "/api/v1/commands", headers, body).status

    assert (change(mine), change(machine)) == (200, 200)
    services.execute(SetRoles(name="ada", roles=("viewer", "operator@staging")), ROOT)
    assert (change(mine), status(wire, mine), change(machine)) == (403, 200, 200)
    services.execute(RevokeToken(token=hashed(machine)[:12]), ROOT)
    assert (change(mine), change(machine), status(wire, machine)) == (403, 401, 401)
    cookie = world.session("ada")
    assert wire.ask("GET", "/", cookie).status == 200
    services.execute(RemovePerson(name="ada"), ROOT)
    assert status(wire, mine) == 401
    assert wire.ask("GET", "/", cookie).status == 303
    world.person("ada", "admin")
    assert status(wire, mine) == 401
    assert wire.ask("GET", "/", cookie).status == 303


def test_revoked_while_it_is_looked_up(application, world, monkeypatch):
    """What was read before the end is not remembered after it."""
    token = world.token("viewer")
    access = Access(application.services, "owner")
    from flagstaff.server import access as module  # noqa: PLC0415

    ask = module.token_owner

    def slowly(services, secret):
        found = ask(services, secret)
        services.execute(RevokeToken(token=hashed(token)[:12]), ROOT)
        return found

    with monkeypatch.context() as slow:
        slow.setattr(module, "token_owner", slowly)
        assert access._looked_up(token) is not None
    assert access._again(token) is None


def test_wrong_tokens_push_no_good_one_out(application, wire, world, monkeypatch):
    monkeypatch.setattr("flagstaff.server.access.MOST_KNOWN", 20)
    token = world.token("viewer")
    assert status(wire, token, HELD) == 200
    for at in range(50):
        assert status(wire, f"fst_{at}") == 401
    monkeypatch.setattr(application.services.database, "read", _away)
    assert status(wire, token, HELD) == 200
    assert status(wire, "fst_1000", HELD) == 503


def _away():
    from flagstaff.errors import Unavailable  # noqa: PLC0415

    raise Unavailable("the database does not answer")


@pytest.mark.parametrize(
    "claim",
    [
        {"x-flagstaff-person": "root"},
        {"x-flagstaff-source": "chat"},
        {"x-flagstaff-source": "engine", "x-flagstaff-person": "flagstaff"},
        {"x-flagstaff-source": "web", "x-flagstaff-channel": "production"},
    ],
)
def test_what_a_token_says_about_itself_counts_for_nothing(wire, world, claim, bearing):
    world.person("ada", "operator")
    token = bearing(world.token("operator", person="ada"))
    body = json.dumps(COMMAND).replace("{environment}", "staging").encode()
    headers = {**token, **claim, "content-type": "application/json"}
    assert wire.ask("POST", "/api/v1/commands", headers, body).status == 200
    entry = wire.ask("GET", "/api/v1/audit?action=flag", token).json()[0]
    assert (entry["who"], entry["source"]) == ("ada", "api")


def test_a_token_makes_no_tokens_except_an_admins(wire, world, bearing):
    world.person("ada", "operator")
    world.person("eve", "admin")
    make = {"kind": "CreateToken", "label": "more", "roles": ["viewer"]}
    body = json.dumps(make).encode()
    for person, expected in (("ada", 403), ("eve", 200)):
        role = "operator" if person == "ada" else "admin"
        token = bearing(world.token(role, person=person))
        headers = {**token, "content-type": "application/json", "x-flagstaff-source": "web"}
        assert wire.ask("POST", "/api/v1/commands", headers, body).status == expected
    form = {"label": "mine", "roles": "operator", "for": "me", "expires": ""}
    assert wire.post("/settings/create-token", form, world.session("ada")).status == 200
    more = {**form, "roles": "maintainer"}
    assert wire.post("/settings/create-token", more, world.session("ada")).status == 403


def test_addresses_of_people_are_for_admins(wire, world, bearing, application):
    from flagstaff.commands.access_model import AddPerson  # noqa: PLC0415

    world.person("ada", "admin")
    command = AddPerson(name="bob", roles=("viewer",), email="bob@example.com")
    application.services.execute(command, ROOT)
    body = b'{"kind": "ListPeople"}'
    for role, sees in (("maintainer", False), ("admin", True)):
        headers = {**bearing(world.token(role)), "content-type": "application/json"}
        answer = wire.ask("POST", "/api/v1/commands", headers, body)
        assert ("bob@example.com" in answer.text) is sees
