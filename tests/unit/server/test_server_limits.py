"""Clients are told to come back later, each for itself, and nobody else is."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from flagstaff.server.app import build
from flagstaff.server.front import limits as limits_module
from flagstaff.server.front.limits import BURST, Limits
from flagstaff.server.settings import Settings


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def limits(clock, **settings):
    return Limits(Settings(**{"request_rate": 10, "address_rate": 2, **settings}), clock)


def asking(found, token=b"", address="192.0.2.1"):
    headers = {b"authorization": token} if token else {}
    return found.client({"client": (address, 1)}, headers)


def test_a_token_has_its_rate_and_others_are_not_slowed_down(clock):
    found = limits(clock)
    noisy, quiet = asking(found, b"Bearer a"), asking(found, b"Bearer b")
    for each in (noisy, quiet):
        found.note(each, 200)
    for _ in range(int(10 * BURST)):
        assert found.wait(noisy) == 0
    assert found.wait(noisy) == pytest.approx(0.1)
    assert found.wait(quiet) == 0
    clock.now += 0.1
    assert found.wait(noisy) == 0
    assert found.wait(noisy) > 0


def test_inventing_tokens_gets_nobody_around_the_limit_of_the_address(clock):
    found = limits(clock)
    waits = []
    for number in range(100):
        client = asking(found, b"Bearer %d" % number)
        waits.append(found.wait(client))
        if not waits[-1]:
            found.note(client, 401)
    assert waits.count(0.0) == 2 * BURST
    good = asking(found, b"Bearer good")
    found.note(good, 200)
    assert found.wait(good) == 0


def test_this_machine_is_not_counted_by_its_address(clock):
    found = limits(clock)
    client = asking(found, address="127.0.0.1")
    assert all(found.wait(client) == 0 for _ in range(1000))


def test_zero_is_any_number(clock):
    found = limits(clock, request_rate=0, address_rate=0)
    client = asking(found, b"Bearer a")
    found.note(client, 200)
    assert all(found.wait(client) == 0 for _ in range(1000))


def test_what_is_remembered_has_a_bound(clock, monkeypatch):
    monkeypatch.setattr(limits_module, "MOST_REMEMBERED", 10)
    found = limits(clock)
    for number in range(100):
        found.note(asking(found, b"Bearer %d" % number), 200)
    assert len(found._buckets) == 10


def test_streams_are_counted_by_client_and_in_all(clock):
    found = limits(clock, most_streams=3, most_streams_by_client=2)
    one, two = asking(found, b"Bearer a"), asking(found, b"Bearer b")
    assert [found.open_stream(one) for _ in range(3)] == ["", "", "most_streams_by_client"]
    assert [found.open_stream(two) for _ in range(2)] == ["", "most_streams"]
    found.close_stream(one)
    assert found.open_stream(two) == ""
    found.close_stream(one)
    for _ in range(2):
        found.close_stream(two)
    assert not found._streams


@pytest.fixture
def narrow(root):
    built = build(Settings(root=root, engine=False, request_rate=1, most_streams=1))
    with TestClient(built.asgi, base_url="http://localhost") as client:
        client.headers["authorization"] = f"Bearer {built.token}"
        yield client
    built.close()


def test_too_often_is_said_in_each_protocols_own_way(narrow):
    for _ in range(int(BURST) + 1):
        narrow.get("/api/v1/flags")
    ours = narrow.get("/api/v1/flags")
    assert (ours.status_code, ours.json()["code"]) == (429, "too_many_requests")
    assert ours.headers["content-type"] == "application/problem+json"
    assert int(ours.headers["retry-after"]) >= 1
    assert "x-content-type-options" in ours.headers
    theirs = narrow.post("/ofrep/v1/evaluate/flags")
    assert (theirs.status_code, list(theirs.json())) == (429, ["errorDetails"])
    assert int(theirs.headers["retry-after"]) >= 1
