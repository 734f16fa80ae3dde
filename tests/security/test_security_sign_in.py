"""Nobody guesses their way in, and nobody keeps out those who belong here."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from asking import wired
from worlds import ROOT

from flagstaff.commands.access_model import AddPerson, InvitePerson, RemovePerson
from flagstaff.errors import Conflict, Throttled
from flagstaff.server.app import build
from flagstaff.server.auth import passwords
from flagstaff.server.auth.attempts import MOST_KEYS, WINDOW, Attempts
from flagstaff.server.auth.signing_in import MOST_FROM_ADDRESS, MOST_TRIES
from flagstaff.server.settings import Settings

PASSWORD = "a sentence is easy to remember"
HASHER, NOBODY = passwords._hasher, passwords._NOBODY
"""As they are, without what makes these tests quick."""
TWICE = {"password": PASSWORD, "again": PASSWORD}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Compare passwords without the time it takes; what takes it has tests of its own."""
    cheap = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", cheap)
    monkeypatch.setattr(passwords, "_NOBODY", cheap.hash("nobody"))


@pytest.fixture
def ada(wire, world):
    """Return the cookies of the browser in which ada has set a password."""
    answer = wire.post(f"/setup/{world.person('ada', 'viewer')}", TWICE, {})
    return cookies(answer)


def cookies(*answers):
    found = {}
    for answer in answers:
        for each in answer.headers.getlist("set-cookie"):
            name, _, value = each.partition(";")[0].partition("=")
            found[name] = value
    return {"cookie": "; ".join(f"{name}={value}" for name, value in found.items() if value)}


def sign_in(wire, name="ada", password=PASSWORD, headers=(), **more):
    return wire.post("/sign-in", {"name": name, "password": password}, dict(headers), **more)


def test_strangers_who_guess_are_stopped_by_name_and_by_address(wire, ada):
    del ada
    tries = [sign_in(wire, password="wrong", address=f"10.0.0.{at}") for at in range(MOST_TRIES)]
    assert {each.status for each in tries} == {403}
    assert sign_in(wire, address="10.0.1.1").status == 429
    names = [sign_in(wire, name=f"n{at}", address="10.9.9.9") for at in range(MOST_FROM_ADDRESS)]
    assert {each.status for each in names} == {403}
    assert sign_in(wire, name="another", address="10.9.9.9").status == 429
    assert sign_in(wire, name="another", address="10.9.9.8").status == 403


def test_strangers_keep_nobody_out_whose_browser_is_known(wire, ada):
    known = cookies(wire.ask("GET", "/", ada))
    assert known["cookie"].startswith("flagstaff_known=")
    for _ in range(MOST_FROM_ADDRESS + 1):
        sign_in(wire, password="wrong")
    assert sign_in(wire).status == 429
    assert sign_in(wire, headers=known).status == 303
    for _ in range(MOST_TRIES):
        assert sign_in(wire, password="wrong", headers=known).status == 403
    assert sign_in(wire, headers=known).status == 429


@pytest.mark.parametrize("value", ["", ".", "x.", "x.y", "é.é"])
def test_a_browser_is_not_known_by_saying_so(wire, ada, value):
    for _ in range(MOST_TRIES):
        sign_in(wire, password="wrong")
    assert sign_in(wire, headers={"cookie": f"flagstaff_known={value}"}).status == 429
    other = cookies(wire.ask("GET", "/", ada))
    assert sign_in(wire, name="first", headers=other, password="x").status == 403


def test_a_known_browser_is_let_in_nowhere(wire, ada):
    known = cookies(wire.ask("GET", "/", ada))
    assert wire.ask("GET", "/", known).status == 303


def test_many_tries_at_once_are_no_way_around(wire, ada, monkeypatch):
    del ada
    compared = []
    monkeypatch.setattr(
        "flagstaff.server.auth.signing_in.is_password", lambda *_: compared.append(1)
    )
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: sign_in(wire, password="wrong").status, range(40)))
    assert len(compared) == MOST_TRIES
    assert found.count(429) == 30


def test_only_a_few_wait_for_their_password_to_be_compared():
    with contextlib.ExitStack() as stack:
        for _ in range(10):
            assert passwords._IN_LINE.acquire(blocking=False)
            stack.callback(passwords._IN_LINE.release)
        with pytest.raises(Throttled, match="too many sign in"):
            passwords.is_password(PASSWORD, "")
    assert not passwords.is_password(PASSWORD, "")


def test_a_name_nobody_has_is_compared_as_well(wire, ada, monkeypatch):
    del ada
    verified = []
    hasher = passwords._hasher

    class Watched:
        def verify(self, kept, password):
            verified.append(kept)
            return hasher.verify(kept, password)

    monkeypatch.setattr(passwords, "_hasher", Watched())
    answers = [sign_in(wire, name=name, password="wrong") for name in ("ada", "nobody", "")]
    assert len(verified) == 3
    assert {each.status for each in answers} == {403}
    assert all("name or password is wrong" in each.text for each in answers)


def test_tries_are_forgotten_in_time_and_never_grow_without_end():
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(3):
        attempts.begin({"a": 3})
    with pytest.raises(Throttled):
        attempts.begin({"a": 3, "b": 3})
    attempts.succeeded("a", "b")
    attempts.begin({"a": 3})
    now[0] = WINDOW
    attempts.begin({"a": 3})
    for at in range(MOST_KEYS + 10):
        attempts.begin({f"k{at}": 3})
    assert len(attempts._tries) == MOST_KEYS


def test_signing_in_ends_the_session_that_the_browser_had(wire, ada):
    again = cookies(sign_in(wire, headers=ada))
    assert wire.ask("GET", "/", ada).status == 303
    assert wire.ask("GET", "/", again).status == 200
    planted = {"cookie": "flagstaff_session=planted"}
    fresh = cookies(sign_in(wire, headers=planted))
    assert fresh != planted
    assert wire.ask("GET", "/", planted).status == 303


def test_cookies_of_others_do_not_hide_ours(wire, ada):
    odd = {"cookie": 'a={"b":1}; c[d]=e; =; ' + ada["cookie"]}
    assert wire.ask("GET", "/", odd).status == 200


def test_changing_the_password_signs_out_everywhere_else(wire, ada, world):
    other = world.session("ada")
    form = {"old": "wrong", "new": "another sentence!", "again": "another sentence!"}
    refused = wire.post("/settings/password", form, ada)
    assert (refused.status, "is wrong" in refused.text) == (403, True)
    short = {"old": PASSWORD, "new": "short", "again": "short"}
    assert wire.post("/settings/password", short, ada).status == 400
    answer = wire.post("/settings/password", {**form, "old": PASSWORD}, ada)
    assert (answer.status, answer.headers["location"]) == (303, "/settings")
    assert wire.ask("GET", "/", other).status == 303
    assert wire.ask("GET", "/", ada).status == 303
    assert wire.ask("GET", "/", cookies(answer)).status == 200
    assert sign_in(wire).status == 403
    assert sign_in(wire, password="another sentence!").status == 303


def test_signing_out_everywhere(wire, ada, world):
    other = world.session("ada")
    assert wire.post("/settings/sign-out-everywhere", {}, ada).status == 303
    assert {wire.ask("GET", "/", each).status for each in (ada, other)} == {303}


def test_a_link_works_once_and_until_it_ends(application, wire, world, monkeypatch):
    first = f"/setup/{world.person('ada', 'viewer')}"
    invited = application.services.execute(InvitePerson(name="ada"), ROOT)
    second = "/setup/" + str(invited.data["link"]).rpartition("/")[2]
    assert wire.post(first, TWICE, {}).status == 404
    wall = type(application.services.clock).wall
    with monkeypatch.context() as later:
        later.setattr(
            type(application.services.clock),
            "wall",
            lambda clock, now: wall(clock, now) + timedelta(days=2),
        )
        assert wire.ask("GET", second).status == 404
        assert wire.post(second, TWICE, {}).status == 404
    assert wire.post(second, TWICE, {}).status == 303
    assert wire.post(second, TWICE, {}).status == 404


def test_a_link_of_somebody_who_is_removed(application, wire, world):
    link = f"/setup/{world.person('ada', 'viewer')}"
    application.services.execute(RemovePerson(name="ada"), ROOT)
    assert wire.post(link, TWICE, {}).status == 404
    world.person("ada", "viewer")
    assert wire.post(link, TWICE, {}).status == 404


@pytest.fixture(params=["sqlite_url", "postgres_url"], ids=["sqlite", "postgresql"])
def either(request, root):
    url = request.getfixturevalue(request.param)
    built = build(Settings(root=root, engine=False, database=url))
    yield built
    built.close()


def test_of_two_who_use_a_link_at_once_one_wins(either):
    outcome = either.services.execute(AddPerson(name="ada", roles=("admin",)), ROOT)
    link = "/setup/" + str(outcome.data["link"]).rpartition("/")[2]
    with wired(either.asgi) as wire, ThreadPoolExecutor(4) as pool:
        forms = [{"password": f"{PASSWORD} {at}", "again": f"{PASSWORD} {at}"} for at in range(4)]
        answers = list(pool.map(lambda form: wire.post(link, form, {}), forms))
        assert sorted(each.status for each in answers) == [303, 404, 404, 404]
        winner = next(at for at, each in enumerate(answers) if each.status == 303)
        for at in range(4):
            found = sign_in(wire, password=f"{PASSWORD} {at}").status
            assert found == (303 if at == winner else 403)


def test_a_name_with_signs_that_a_database_does_not_keep(either):
    either.services.execute(AddPerson(name="ada", roles=("admin",)), ROOT)
    with wired(either.asgi) as wire:
        for name in ("a\x00b", "\x00", "é" * 500, "a" * 100_000, "' or 1=1 --"):
            assert sign_in(wire, name=name).status in {400, 403}


def test_the_last_admin_stays(application, wire, world):
    world.person("ada", "viewer")
    with pytest.raises(Conflict, match="only admin"):
        application.services.execute(RemovePerson(name="first"), ROOT)
    application.services.execute(RemovePerson(name="ada"), ROOT)
    application.services.execute(RemovePerson(name="first"), ROOT)
    assert wire.ask("GET", "/").status == 200


def test_pages_stay_closed_to_others_even_without_accounts(wire):
    for name in ("x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host"):
        assert wire.ask("GET", "/", {name: "for=10.0.0.1"}).status == 303
        form = {"label": "x", "roles": "admin", "for": "machine"}
        assert wire.post("/settings/create-token", form, {name: "10.0.0.1"}).status == 401


def test_a_stranger_waits_as_long_as_somebody_whose_password_is_kept():
    assert not HASHER.check_needs_rehash(NOBODY), "it is compared with other work than others are"
    assert not NOBODY.startswith("$argon2id$v=19$m=8,"), "these are the real ones"
