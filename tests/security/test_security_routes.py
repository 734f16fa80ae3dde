"""Every route lets in exactly those whom it should: each role, none, and those nobody knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
from expected import (
    ANY_ROLE,
    ANYBODY,
    EVERYWHERE,
    EXAMPLES,
    HERE,
    RANKS,
    ROUTES,
    Wanted,
)
from walking import addresses_of

PREFIX = "/environments/{environment}"
OWN = "/api/v1/environments/"
STRANGERS = {
    "no token": {},
    "an empty token": {"authorization": "Bearer "},
    "a wrong token": {"authorization": "Bearer fst_" + "a" * 43},
    "a wrong session": {"cookie": "flagstaff_session=" + "a" * 43},
    "a wrong session by https": {"cookie": "__Host-flagstaff=" + "a" * 43},
    "a name alone": {"x-flagstaff-person": "root", "x-flagstaff-source": "terminal"},
    "a forwarded address": {"x-forwarded-for": "127.0.0.1", "forwarded": "for=127.0.0.1"},
}
ROLES = (
    ("application@staging",),
    ("application@production",),
    ("application",),
    ("viewer@staging",),
    ("viewer",),
    ("operator@staging",),
    ("viewer", "operator@staging"),
    ("operator",),
    ("maintainer@production",),
    ("maintainer",),
    ("admin",),
)


@dataclass(slots=True)
class Asking:
    """One who asks, with the roles they have."""

    roles: tuple[str, ...]
    headers: dict[str, str]
    known: bool = True
    by: str = "token"
    again: Callable[[], dict[str, str]] | None = None
    ranks: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        split = [each.partition("@") for each in self.roles]
        self.ranks = {place or "*": RANKS.index(role) for role, _, place in split}

    def may(self, wanted: Wanted, environment: str) -> bool:
        if wanted.role == ANYBODY:
            return True
        if not self.known or wanted.door != self.by:
            return False
        if wanted.role == ANY_ROLE:
            return True
        least = RANKS.index(wanted.role)
        if wanted.where == EVERYWHERE:
            return self.ranks.get("*", -1) >= least
        if wanted.where == HERE:
            return max(self.ranks.get("*", -1), self.ranks.get(environment, -1)) >= least
        return max(self.ranks.values(), default=-1) >= least


def every_route(application):
    """Return each request once: method, address, environment that it is about, what it wants."""
    found = []
    for method, path in addresses_of(application.asgi):
        prefixed = path.startswith(PREFIX)
        bare = path.removeprefix(PREFIX)
        wanted = ROUTES.get((("GET" if method == "HEAD" else method), bare))
        found.append((method, path, "staging" if prefixed else "production", wanted))
    return found


def test_every_route_of_the_application_is_expected(application):
    raw = {("POST", bare) for method, bare in ROUTES if method == "GET"}
    missing = [
        (method, path)
        for method, path, _, wanted in every_route(application)
        if wanted is None and (method, path.removeprefix(PREFIX)) not in raw
    ]
    assert missing == []


def test_every_expected_route_is_there(application):
    found = addresses_of(application.asgi)
    there = {(method, path.removeprefix(PREFIX)) for method, path in found}
    assert set(ROUTES) - there == set()


def refused(answer, wanted) -> bool:
    if wanted.door == "page" and answer.status == 303:
        return answer.headers["location"].startswith("/sign-in?")
    return answer.status in {401, 403}


def send(wire, number, asking, route, environment):
    method, path, wanted = route
    address = wanted.address or path.removeprefix(PREFIX)
    for name, example in EXAMPLES.items():
        address = address.replace(name, example)
    if path.startswith(PREFIX) and not address.startswith(PREFIX):
        address = PREFIX + address
    address = address.replace("{environment}", environment)
    address = address.replace("{number}", str(number))
    body, kind = wanted.payload(environment) if method not in {"GET", "HEAD"} else (b"", "")
    headers = {"sec-fetch-site": "same-origin", "content-type": kind, **asking.headers}
    return wire.ask(method, address, headers, body)


@pytest.fixture
def number(rollout):
    return rollout("production")


@pytest.fixture
def closed(world):
    """Make an account, so that nobody is let in just for sitting at the machine."""
    world.person("somebody", "admin")


def check(application, wire, number, asking):
    wrong = []
    for method, path, environment, wanted in every_route(application):
        if wanted is None:
            continue
        for place in {environment, "staging"} if path.startswith(OWN) else {environment}:
            answer = send(wire, number, asking, (method, path, wanted), place)
            if asking.again is not None and "sign-out" in path:
                asking.headers = asking.again()  # that one has ended
            let_in = not refused(answer, wanted)
            if wanted.door == "seal":
                let_in = answer.status == 401
            if let_in != asking.may(wanted, place) or answer.status == 500:
                wrong.append((method, path, place, answer.status, answer.text[:200]))
            secret = re.search(r"fst_[\w-]{20,}", asking.headers.get("authorization", ""))
            if secret and secret[0] in answer.text:
                wrong.append((method, path, "the token is in the answer"))
    assert wrong == []


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("name", STRANGERS)
def test_strangers(application, wire, number, name):
    check(application, wire, number, Asking((), STRANGERS[name], known=False))


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("roles", ROLES, ids=" ".join)
def test_tokens_of_programs(application, wire, number, world, bearing, roles):
    check(application, wire, number, Asking(roles, bearing(world.token(*roles))))


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize("roles", ROLES, ids=" ".join)
def test_sessions(application, wire, number, world, roles):
    world.person("ada", *roles)
    session = partial(world.session, "ada")
    check(application, wire, number, Asking(roles, session(), by="page", again=session))


@pytest.mark.usefixtures("closed")
def test_the_owner_of_the_folder(application, wire, number, bearing):
    check(application, wire, number, Asking(("admin",), bearing(application.token)))


@pytest.mark.usefixtures("closed")
def test_a_token_whose_roles_nothing_is_left_of(application, wire, number, world, bearing):
    world.person("ada", "viewer@staging")
    token = world.token("viewer@production", person="ada")
    check(application, wire, number, Asking((), bearing(token)))
