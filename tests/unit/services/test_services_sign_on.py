"""A half-done sign-on is ended once, and a person has one account, however many ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from flagstaff.commands.roles import Role
from flagstaff.services import sign_on
from flagstaff.services.person import ENGINE
from flagstaff.services.sign_on import HalfDone, SignedOn
from flagstaff.store import people

HALF_DONE = HalfDone(
    issuer="https://a.example",
    nonce="n",
    verifier="v",
    redirect_uri="https://flags.internal/sign-in/back",
    browser="b",
    then="/",
)
WHO = SignedOn(
    issuer="https://a.example",
    subject="4711",
    email="ada@example.com",
    user_name="ada",
    roles={"*": Role.VIEWER},
)


@pytest.fixture
def at_once(services):
    """Ask in as many units of work as there are questions, all begun before one goes on."""

    def asking(*questions):
        together = Barrier(len(questions))

        def ask(question):
            together.wait(30)
            with services.unit(ENGINE, write=True) as unit:
                return question(unit)

        with ThreadPoolExecutor(len(questions)) as pool:
            return list(pool.map(ask, questions))

    return asking


def accounts(services):
    return services.ask(lambda unit: people.find(unit.connection), ENGINE)


def begun(services):
    with services.unit(ENGINE, write=True) as unit:
        return sign_on.begin(unit, HALF_DONE)


def test_what_began_is_remembered_and_ended_once(services):
    state = begun(services)
    assert services.ask(lambda unit: sign_on.is_half_done(unit, state), ENGINE)
    with services.unit(ENGINE, write=True) as unit:
        assert sign_on.take(unit, state) == HALF_DONE
        assert sign_on.take(unit, state) is None
    assert not services.ask(lambda unit: sign_on.is_half_done(unit, state), ENGINE)


def test_of_two_who_end_it_at_once_one_gets_it(services, at_once):
    state = begun(services)
    found = at_once(*[lambda unit: sign_on.take(unit, state)] * 4)
    assert sorted(found, key=bool) == [None, None, None, HALF_DONE]


def test_signing_in_twice_at_once_makes_one_account(services, at_once):
    admitted = at_once(*[lambda unit: sign_on.admit(unit, WHO)] * 4)
    assert {each.name for each in admitted} == {"ada@example.com"}
    assert [each.name for each in accounts(services)] == ["ada@example.com"]


def test_two_people_of_one_name_get_two_accounts(services, at_once):
    same = replace(WHO, email="")
    others = [replace(same, subject=str(number)) for number in range(3)]
    admitted = at_once(*[lambda unit, who=who: sign_on.admit(unit, who) for who in others])
    names = {each.name for each in admitted}
    assert len(names) == 3
    assert names == {each.name for each in accounts(services)}
    for who, one in zip(others, admitted, strict=True):
        with services.unit(ENGINE, write=True) as unit:
            assert sign_on.admit(unit, who) == one


def test_two_accounts_of_one_address_open_for_nobody(services, ada):
    for name in ("ada", "eve"):
        account = people.Account(
            name=name,
            roles={"*": Role.VIEWER},
            email="ada@example.com",
            created_at=services.clock.now(),
            created_by="x",
        )
        with services.unit(ada, write=True) as unit:
            people.add(unit.connection, account)
    with services.unit(ENGINE, write=True) as unit:
        assert "the address of 2 accounts" in sign_on.admit(unit, WHO).refusal
