"""A command with a key is carried out once a day, whoever asks at the same time."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from flagstaff.commands.grammar import parse_line
from flagstaff.errors import KeyReused, Refused, UsageError
from flagstaff.services.idempotency import KEPT_FOR
from flagstaff.services.views import audit
from flagstaff.store.tables import request_key

ON = parse_line("feature set new_navigation true --dev")
OFF = parse_line("feature set new_navigation false --dev")


def entries(services, ada):
    return len(services.ask(audit, ada))


def keys(services):
    with services.database.read() as connection:
        return connection.execute(select(func.count()).select_from(request_key)).scalar()


def test_a_repeat_gets_the_first_answer_until_a_day_is_over(services, ada, clock):
    first = services.execute(ON, ada, key="k")
    assert first.replayed is False
    services.execute(OFF, ada)
    clock.moment += KEPT_FOR
    assert services.execute(ON, ada, key="k") == replace(first, replayed=True)
    assert entries(services, ada) == 2
    clock.advance(seconds=1)
    assert services.execute(ON, ada, key="k").replayed is False
    assert entries(services, ada) == 3


def test_an_expired_key_may_come_back_with_another_command_and_the_others_are_swept_up(
    services, ada, clock
):
    for number in range(3):
        services.execute(ON, ada, key=f"k{number}")
    with pytest.raises(KeyReused):
        services.execute(OFF, ada, key="k0")
    clock.moment += KEPT_FOR
    clock.advance(seconds=1)
    assert services.execute(OFF, ada, key="k0").replayed is False
    assert keys(services) == 1


def test_several_commands_are_one_request(services, ada):
    first = services.execute_all([ON, OFF], ada, key="k")
    again = services.execute_all([ON, OFF], ada, key="k")
    assert again == [replace(each, replayed=True) for each in first]
    with pytest.raises(KeyReused):
        services.execute(ON, ada, key="k")


def test_what_is_refused_takes_no_key(services, ada):
    services.execute(parse_line("lock dev --reason upgrade"), ada)
    with pytest.raises(Refused):
        services.execute(ON, ada, key="k")
    assert keys(services) == 0
    services.execute(parse_line("unlock dev"), ada)
    assert services.execute(ON, ada, key="k").replayed is False


def test_a_question_takes_no_key_and_a_key_is_plain_text(services, ada):
    services.execute(parse_line("feature get new_navigation --dev"), ada, key="k")
    assert keys(services) == 0
    for key in ("k" * 256, "a\nb", "ü"):
        with pytest.raises(UsageError, match="is no idempotency key"):
            services.execute(ON, ada, key=key)


def test_of_many_at_the_same_time_one_is_carried_out_and_the_others_hear_of_it(services, ada):
    found, start = [], threading.Barrier(6)

    def ask():
        start.wait()
        found.append(services.execute(ON, ada, key="k").replayed)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(found) == [False] + [True] * 5
    assert entries(services, ada) == 1
