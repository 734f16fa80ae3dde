"""Are outcomes counted with the answers that were used?"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from flagstaff.contrib.outcomes import OutcomesMiddleware, OutcomesWsgi
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.sdk.client import Client
from flagstaff.sdk.outcomes import LIMIT, Outcomes


@pytest.fixture
def flags():
    return Client.memory({"checkout": Gates(actors=frozenset({"User:1"})), "other": True})


def totals(flags):
    return {
        (each.flag, each.kind): (each.on, each.on_bad, each.off, each.off_bad)
        for each in flags._outcomes.totals()
        if "over" not in each.kind
    }


def slow(flags):
    return {
        each.kind: (each.on, each.on_bad, each.off, each.off_bad)
        for each in flags._outcomes.totals()
        if "over" in each.kind
    }


def test_outcomes_are_counted_by_what_was_answered(flags):
    flags.outcome("checkout", True, True)
    flags.outcome("checkout", "blue", False)
    flags.outcome("checkout", "off", False)
    flags.outcome("checkout", False, True)
    assert totals(flags) == {("checkout", "outcomes"): (2, 1, 2, 1)}
    assert totals(flags) == {("checkout", "outcomes"): (2, 1, 2, 1)}


def test_names_that_are_made_up_do_not_fill_the_memory():
    outcomes = Outcomes()
    for number in range(LIMIT + 50):
        outcomes.count(f"flag_{number}", "outcomes", on=True, ok=True)
    assert len(outcomes.totals()) == LIMIT


def test_a_child_counts_for_itself(flags):
    flags.outcome("checkout", True, True)
    flags.after_fork()
    assert totals(flags) == {}


def answering(flags, ask):
    """Return an ASGI application that asks in a way of its own and answers with `?status`."""

    async def app(scope, receive, send):
        del receive
        ask(flags, scope["path"])
        if scope["query_string"] == b"fails":
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": int(scope["query_string"])})
        await send({"type": "http.response.body", "body": b""})

    return OutcomesMiddleware(app, client=flags, flags=["checkout"])


WAYS = {
    "is_enabled": lambda flags, user: flags.is_enabled("checkout", user),
    "handle": lambda flags, user: flags.flag("checkout")(user),
    "evaluate": lambda flags, user: flags.evaluate("checkout", user),
    "variant": lambda flags, user: flags.variant("checkout", user),
}


@pytest.mark.parametrize("way", WAYS)
def test_asgi_requests_are_counted_for_the_flags_they_asked(flags, way):
    app = answering(flags, WAYS[way])

    async def nothing(*_):
        pass

    async def request(user, query):
        scope = {"type": "http", "path": user, "query_string": query}
        await app(scope, nothing, nothing)

    async def run():
        await asyncio.gather(
            request("User:1", b"200"),
            request("User:1", b"503"),
            request("User:2", b"302"),
            request("User:2", b"404"),
        )
        with pytest.raises(RuntimeError):
            await request("User:2", b"fails")

    asyncio.run(run())
    assert totals(flags) == {
        ("checkout", "5xx"): (2, 1, 3, 1),
        ("checkout", "302"): (2, 0, 3, 1),
    }


def test_wsgi_requests_are_counted_and_others_are_not(flags):
    def app(environ, start_response):
        if environ["asks"]:
            flags.is_enabled(environ["asks"], "User:1")
        start_response(environ["status"], [])
        return [b""]

    wrapped = OutcomesWsgi(app, client=flags, flags=["checkout"])
    for asks, status in (
        ("checkout", "200 OK"),
        ("checkout", "500 Broken"),
        ("other", "500 Broken"),
        ("", "500 Broken"),
    ):
        wrapped({"asks": asks, "status": status}, lambda *_: None)
    assert totals(flags) == {
        ("checkout", "5xx"): (2, 1, 0, 0),
        ("checkout", "302"): (2, 0, 0, 0),
    }
    flags.is_enabled("checkout", "User:1")
    assert totals(flags)["checkout", "5xx"] == (2, 1, 0, 0)


def test_requests_are_counted_by_how_long_it_took_until_the_answer_began(flags, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("flagstaff.contrib.outcomes.time.monotonic", lambda: now[0])

    async def app(scope, receive, send):
        del receive
        flags.is_enabled("checkout", scope["user"])
        now[0] += scope["takes"]
        await send({"type": "http.response.start", "status": 200})
        now[0] += 1_000  # a stream that goes on
        await send({"type": "http.response.body", "body": b""})

    wrapped = OutcomesMiddleware(app, client=flags, flags=["checkout"], slower_than=[0.5, 2])

    async def nothing(*_):
        pass

    async def run():
        for user, takes in (("User:1", 0.4), ("User:1", 0.6), ("User:1", 9), ("User:2", 2)):
            await wrapped({"type": "http", "user": user, "takes": takes}, nothing, nothing)

    asyncio.run(run())
    assert slow(flags) == {
        "requests over 0.5 s": (3, 2, 1, 1),
        "requests over 2 s": (3, 1, 1, 0),
    }


def test_left_to_itself_middleware_counts_for_the_flags_in_a_rollout_at_the_time():
    on = {name: Flag(name=name, gates=Gates(boolean=True)) for name in ("checkout", "other")}
    client = Client.memory({"checkout": True, "other": True})
    handle = client.flag("checkout")

    def app(environ, start_response):
        del environ
        handle("User:1")
        client.is_enabled("other", "User:1")
        start_response("200 OK", [])
        return [b""]

    wrapped = OutcomesWsgi(app, client=client)

    def counted():
        wrapped({}, lambda *_: None)
        return {flag: found[0] for (flag, kind), found in totals(client).items() if kind == "5xx"}

    assert counted() == {}
    now = Snapshot(environment=client.holder.snapshot.environment, version=7, flags=on)
    client.holder.replace(replace(now, in_rollout=frozenset({"checkout", "unknown"})))
    assert counted() == {"checkout": 1}
    client.holder.replace(replace(now, version=8, in_rollout=frozenset({"other"})))
    assert counted() == {"checkout": 1, "other": 1}
    client.holder.replace(replace(now, version=9))
    assert counted() == {"checkout": 1, "other": 1}
    client.attend(["checkout"])
    assert counted() == {"checkout": 2, "other": 1}


def test_wsgi_requests_are_counted_by_how_long_they_took(flags, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("flagstaff.contrib.outcomes.time.monotonic", lambda: now[0])

    def app(environ, start_response):
        flags.is_enabled("checkout", "User:1")
        now[0] += environ["takes"]
        start_response("200 OK", [])
        return [b""]

    wrapped = OutcomesWsgi(app, client=flags, flags=["checkout"])
    for takes in (0.1, 0.5, 6):
        wrapped({"takes": takes}, lambda *_: None)
    assert slow(flags) == {
        "requests over 0.25 s": (3, 2, 0, 0),
        "requests over 1 s": (3, 1, 0, 0),
        "requests over 5 s": (3, 1, 0, 0),
    }
