"""Does the client answer whatever happens, and tell why?"""

from __future__ import annotations

import logging
import threading
from decimal import Decimal

import pytest

from flagstaff import Actor, Client, ErrorCode, Gate, Mode, Reason
from flagstaff.errors import UnknownFlag, UsageError
from flagstaff.flags.gates import Gates
from flagstaff.sdk.sources.memory import MemorySource


def test_flags_of_all_shapes():
    flags = Client.memory(
        {
            "on": True,
            "off": False,
            "unset": None,
            "all": Decimal(100),
            "some": Gates(actors=frozenset({"User:1"})),
        }
    )
    assert flags.is_enabled("on")
    assert flags.is_disabled("off")
    assert flags.is_disabled("unset")
    assert flags.is_enabled("all", "User:1")
    assert flags.is_disabled("all")
    assert flags.is_enabled("some", Actor("User:1"), "User:2")
    assert not flags.is_enabled("some", "User:2")


def test_an_unknown_flag_is_off_counted_and_warned_about_once(caplog):
    flags = Client.memory({})
    with caplog.at_level(logging.WARNING, "flagstaff"):
        assert [flags.is_enabled("nope") for _ in range(3)] == [False] * 3
    assert len(caplog.records) == 1
    assert "nobody has defined the flag nope" in caplog.text
    assert flags.readiness().unanswered == {"nope": 3}


def test_the_given_default_answers_for_an_unknown_flag_only():
    flags = Client.memory({"off": False, "unset": None})
    assert flags.is_enabled("nope", default=True)
    assert flags.is_disabled("nope", default=False)
    assert not flags.is_enabled("off", default=True)
    assert not flags.is_enabled("unset", default=True)


def test_strict_raises_and_names_the_known_flags():
    flags = Client.memory({"known": True}, strict="raise")
    with pytest.raises(UnknownFlag, match="known are known"):
        flags.is_enabled("nope")
    with pytest.raises(UnknownFlag):
        flags.flag("nope")()
    with pytest.raises(UsageError):
        Client.memory({}, strict="yes")


class Broken:
    @property
    def flag_id(self):
        raise RuntimeError("no database")


@pytest.mark.parametrize("actor", [Broken(), 7, 3.5, b"User:1", "\ud800", object()])
def test_a_broken_actor_never_raises(actor, caplog):
    flags = Client.memory({"some": Decimal(50), "on": True})
    assert flags.is_enabled("some", actor) is False
    assert flags.is_enabled("some", actor, default=True) is True
    assert flags.is_enabled("on", actor) is True
    assert flags.flag("some")(actor) is False
    assert flags.evaluate("some", actor).reason is Reason.ERROR
    assert "the flag some cannot be evaluated" in caplog.text


@pytest.mark.parametrize("name", [None, 7, [], "x" * 10_000])
def test_a_name_that_is_none_never_raises(name):
    flags = Client.memory({})
    assert flags.is_enabled(name) is False
    assert flags.evaluate(name).error is ErrorCode.FLAG_NOT_FOUND


def test_an_actor_that_asks_the_same_flag_never_raises():
    class Circular:
        @property
        def flag_id(self):
            return f"User:{flags.is_enabled('some', self)}"

    flags = Client.memory({"some": Decimal(50)})
    assert flags.is_enabled("some", Circular()) in {True, False}


def test_made_up_names_do_not_fill_the_memory():
    flags = Client.memory({})
    for number in range(1_500):
        flags.is_enabled(f"nope{number}")
    assert len(flags.readiness().unanswered) == 1_000
    assert flags.readiness().dropped == 500


def test_evaluate_says_why():
    flags = Client.memory({"some": Gates(percentage_of_actors=Decimal(25)), "unset": None})
    answer = flags.evaluate("some", "User:1")
    assert answer.gate in {Gate.PERCENTAGE_OF_ACTORS, Gate.NONE}
    assert answer.version == 1
    assert flags.evaluate("unset").reason is Reason.DEFAULT
    missing = flags.evaluate("nope")
    assert (missing.reason, missing.error) == (Reason.ERROR, ErrorCode.FLAG_NOT_FOUND)
    assert missing.value is False


def test_a_handle_follows_changes_and_is_the_same_for_the_same_flag():
    source = MemorySource({"a": False})
    flags = Client.memory(source)
    handle = flags.flag("a")
    assert handle() is False
    source.set("a", True)
    assert handle("User:1") is True
    assert handle.is_enabled() is True
    assert handle.evaluate().gate is Gate.BOOLEAN
    assert handle.name == "a"
    assert flags.flag("a") is handle
    source.delete("a")
    assert handle() is False
    assert flags.flag("a", default=True)() is True


def test_a_handle_made_before_its_flag_is_defined():
    source = MemorySource({})
    handle = Client.memory(source).flag("later", default=True)
    assert handle() is True
    source.set("later", False)
    assert handle() is False


def test_groups():
    flags = Client.memory({"a": Gates(groups=frozenset({"staff"}))})
    flags.register_group("staff", lambda actor: actor == "User:1")
    assert flags.is_enabled("a", "User:1")
    assert not flags.is_enabled("a", "User:2")


def test_a_failing_group_never_raises():
    flags = Client.memory({"a": Gates(groups=frozenset({"staff"}))})
    flags.register_group("staff", lambda _actor: 1 / 0)
    assert flags.is_enabled("a", "User:1") is False
    assert flags.evaluate("a", "User:1").error is ErrorCode.GENERAL


def test_readiness_and_the_printed_chain():
    flags = Client.memory({"a": True}, environment="dev")
    found = flags.readiness()
    assert (found.ready, found.mode, found.environment, found.flags) == (True, Mode.FIXED, "dev", 1)
    assert repr(flags) == "<flagstaff.Client dev version 1, fixed: memory>"
    flags.close()
    flags.close()
    assert flags.readiness().mode is Mode.CLOSED
    assert flags.is_enabled("a")


def test_no_answer_is_lost_between_threads():
    flags = Client.memory({"a": True, "b": Decimal(50)})

    def ask():
        for number in range(20_000):
            flags.is_enabled("a")
            flags.is_enabled("b", f"User:{number}")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = flags._exposures.take({"a", "b"})
    assert sum(each.count for each in counted if each.flag == "a") == 80_000
    assert sum(each.count for each in counted if each.flag == "b") == 80_000


def test_flags_lists_what_is_defined():
    assert Client.memory({"a": True, "b": None}).flags() == {"a": "development", "b": "development"}


def test_a_client_without_a_flag_of_that_shape_is_refused():
    with pytest.raises(UsageError, match="a: 25 is no flag"):
        Client.memory({"a": 25})
