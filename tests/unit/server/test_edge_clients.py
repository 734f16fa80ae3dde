"""Whom the control plane lets in gets in, whom it does not does not, and it is asked rarely."""

from __future__ import annotations

import asyncio
import threading

import pytest
from starlette.datastructures import Headers

from flagstaff.commands.roles import Role
from flagstaff.errors import Unavailable
from flagstaff.server.edge import clients, remembered
from flagstaff.server.edge.clients import Clients
from flagstaff.server.edge.remembered import Remembered

PATIENCE = 20


class FakeFollower:
    """A control plane that knows some tokens; while it is away it never answers."""

    def __init__(self, *tokens):
        self.tokens = set(tokens)
        self.asked = []
        self.away = False
        self.exempt = None
        self.gate = threading.Event()
        self.gate.set()

    def accepts(self, token):
        self.asked.append(token)
        assert token == self.exempt or self.gate.wait(PATIENCE)
        if self.away:
            raise Unavailable("away")
        return token in self.tokens


@pytest.fixture
def production():
    return FakeFollower("good", "both")


@pytest.fixture
def staging():
    return FakeFollower("both")


@pytest.fixture
def admit(production, staging, tmp_path):
    kept = Clients({"production": production, "staging": staging}, Remembered(tmp_path), "secret")
    return lambda *tokens: kept.person(Headers(), tokens)


def places(person):
    return None if person is None else set(person.roles)


def test_a_token_opens_the_environments_it_may_read(admit):
    async def story():
        assert places(await admit("both")) == {"production", "staging"}
        assert places(await admit("good")) == {"production"}
        assert await admit("bad") is None
        assert await admit("", "x" * 201, "bä", "a\nb") is None
        person = await admit("good")
        assert person.may(Role.APPLICATION, "production")
        assert not person.may(Role.VIEWER, "production")
        assert not person.may(Role.APPLICATION, "staging")

    asyncio.run(story())


def test_answers_are_kept_and_known_tokens_come_before_guesses(admit, production):
    async def story():
        for _ in range(3):
            assert await admit("good")
            assert await admit("bad") is None
            assert await admit("another", "good")
        assert production.asked == ["good", "bad"]

    asyncio.run(story())


def test_many_requests_at_once_ask_once(admit, production):
    async def story():
        production.gate.clear()
        waiting = [asyncio.ensure_future(admit("good")) for _ in range(20)]
        await asyncio.sleep(0.05)
        production.gate.set()
        assert all(await asyncio.gather(*waiting))
        assert production.asked == ["good"]

    asyncio.run(story())


def test_while_the_control_plane_is_away_the_known_go_on_and_others_hear_why(
    admit, production, staging, monkeypatch
):
    async def story():
        assert await admit("both")
        monkeypatch.setattr(clients, "FRESH", 0.0)
        production.away = staging.away = True
        assert places(await admit("both")) == {"production", "staging"}
        with pytest.raises(Unavailable, match="cannot be told"):
            await admit("good")
        production.away = False
        assert places(await admit("good")) == {"production"}

    asyncio.run(story())


def test_a_control_plane_that_hangs_holds_up_the_known_once(admit, production, monkeypatch):
    async def story():
        assert await admit("good")
        monkeypatch.setattr(clients, "FRESH", 0.0)
        monkeypatch.setattr(clients, "PATIENCE", 0.2)
        monkeypatch.setattr(clients, "AGAIN", 0.0)
        production.gate.clear()
        assert await admit("good")
        monkeypatch.setattr(clients, "PATIENCE", 3_600.0)
        for _ in range(5):
            assert await asyncio.wait_for(admit("good"), PATIENCE)
        production.gate.set()

    asyncio.run(story())


def test_a_token_that_is_revoked_after_an_outage_is_refused(admit, production, monkeypatch):
    async def story():
        assert await admit("good")
        monkeypatch.setattr(clients, "FRESH", 0.0)
        monkeypatch.setattr(clients, "AGAIN", 0.0)
        production.away = True
        assert await admit("good")
        production.away = False
        production.tokens.clear()
        async with asyncio.timeout(PATIENCE):
            while await admit("good"):
                pass

    asyncio.run(story())


def test_one_environment_away_leaves_its_part_as_it_was(admit, production, staging, monkeypatch):
    async def story():
        assert places(await admit("both")) == {"production", "staging"}
        monkeypatch.setattr(clients, "FRESH", 0.0)
        staging.away = True
        assert places(await admit("both")) == {"production", "staging"}
        production.tokens.clear()
        assert places(await admit("both")) == {"staging"}

    asyncio.run(story())


def test_strangers_cannot_pile_up_questions(admit, production, monkeypatch):
    async def story():
        monkeypatch.setattr(clients, "MOST_WAITING", 3)
        assert await admit("good")
        production.gate.clear()
        guesses = [asyncio.ensure_future(admit(f"guess {number}")) for number in range(3)]
        await asyncio.sleep(0.05)
        with pytest.raises(Unavailable, match="too many unknown tokens"):
            await admit("one more")
        assert await admit("good")
        production.gate.set()
        assert await asyncio.gather(*guesses) == [None, None, None]

    asyncio.run(story())


def test_guesses_do_not_hold_up_the_question_about_a_known_token(admit, production, monkeypatch):
    async def story():
        assert await admit("good")
        monkeypatch.setattr(clients, "FRESH", 0.0)
        production.gate.clear()
        production.exempt = "good"
        production.tokens.clear()
        count = clients.AT_ONCE * 2
        guesses = [asyncio.ensure_future(admit(f"guess {number}")) for number in range(count)]
        await asyncio.sleep(0.05)
        assert await admit("good") is None
        production.gate.set()
        await asyncio.gather(*guesses)

    asyncio.run(story())


def test_seals_are_the_same_at_edges_with_the_same_token(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two, other = (
        Clients({}, Remembered(tmp_path / folder), secret).seal("words")
        for folder, secret in (("a", "secret"), ("b", "secret"), ("b", "another"))
    )
    assert one == two != other


def test_what_was_accepted_is_known_after_a_restart_and_what_was_refused_is_not(tmp_path):
    before = Remembered(tmp_path)
    good, bad = before.hashed("good"), before.hashed("bad")
    before.accept(good, {"production"})
    before.accept(bad, {"production"})
    before.refuse(bad)
    after = Remembered(tmp_path)
    assert after.hashed("good") == good
    assert after.get(good).environments == {"production"}
    assert after.get(bad) is None


def test_a_token_not_confirmed_for_long_is_forgotten_at_the_next_start(tmp_path, monkeypatch):
    before = Remembered(tmp_path)
    before.accept("key", {"production"})
    monkeypatch.setattr(remembered, "LONGEST", -1.0)
    assert Remembered(tmp_path).get("key") is None


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": [["x"], "soon"]}', "\x00"])
def test_a_broken_file_is_said_and_nobody_is_let_in_by_it(tmp_path, text, caplog):
    (tmp_path / "tokens.json").write_text(text)
    kept = Remembered(tmp_path)
    assert kept.get("a") is None
    assert "tokens have to be asked for" in caplog.text


def test_the_oldest_tokens_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "MOST", 2)
    kept = Remembered(tmp_path)
    for key in ("a", "b"):
        kept.accept(key, {"x"})
    kept.get("a")
    kept.accept("c", {"x"})
    assert [kept.get(key) is not None for key in "abc"] == [True, False, True]
