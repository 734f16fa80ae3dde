"""The client finds out whether a flag is asked for with an actor, and adds nothing to questions."""

from __future__ import annotations

from flagstaff.sdk.asking import Asked, Samples
from flagstaff.sdk.client import Client


def asked(flag, *, named=0, bare=0):
    return Asked(flag=flag, with_actor=named, without_actor=bare)


def test_one_question_is_looked_at_and_the_next_goes_the_usual_way():
    checks = {"a": bool, "b": bool}
    samples = Samples()
    samples.look(checks)
    samples.look(checks)
    assert checks["a"](("User:1",)) is True
    assert checks["a"] is bool
    assert checks["b"](()) is False
    assert checks["b"](()) is False
    assert samples.take({"a", "b"}) == [asked("a", named=1), asked("b", bare=1)]
    assert samples.take({"a"}) == []


def test_nobody_signed_in_is_no_actor_and_a_flag_that_is_gone_does_not_count():
    samples = Samples()
    samples.note("a", (None,))
    samples.note("gone", ())
    assert samples.take({"a"}) == [asked("a", bare=1)]


def test_a_client_looks_at_both_ways_to_ask_and_leaves_handles_alone():
    client = Client.memory({"jobs": False, "page": True, "quick": True})
    quick = client.flag("quick")
    assert client._look() == []
    usual = client.holder.compiled.flags["jobs"].check
    assert client._checks["jobs"] is not usual
    assert client.is_enabled("jobs") is False
    assert client._checks["jobs"] is usual
    client.evaluate("page", "User:1")
    quick("User:1")
    client.is_enabled("quick")
    assert client._look() == [asked("jobs", bare=1), asked("page", named=1)]
    assert {each.flag: each.count for each in client.totals()} == {"jobs": 1, "page": 1, "quick": 2}
