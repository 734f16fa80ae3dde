"""Does a page that asks again learn what has changed since?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.flags.gates import Gates
from flagstaff.services.lives import stale_memory
from flagstaff.services.lives.stale_memory import FRESH, OLD, StaleMemory
from flagstaff.services.person import ENGINE
from flagstaff.store import flags
from flagstaff.store.flags import FlagState


@pytest.fixture
def memory():
    return StaleMemory()


@pytest.fixture
def looks(monkeypatch):
    """Return a list with an item for each time that all flags were gone through."""
    found = []
    real = stale_memory.stale_flags
    monkeypatch.setattr(stale_memory, "stale_flags", lambda unit: found.append(1) or real(unit))
    return found


def orphan(services, name="old_one", *, record=True):
    with services.unit(ENGINE, write=True) as unit:
        state = FlagState(
            environment="staging",
            flag=name,
            gates=Gates(boolean=True),
            updated_at=unit.now,
            updated_by="ada",
        )
        flags.put(unit.connection, state)
        if record:
            unit.record("flag.set", flag=name, environment="staging")


def names(services, memory):
    return [each.name for each in services.ask(memory.flags, ENGINE)]


def test_what_anybody_did_is_seen_at_once(services, memory, looks):
    orphan(services)
    assert names(services, memory) == ["old_one"]
    assert names(services, memory) == ["old_one"]
    assert len(looks) == 1
    orphan(services, "old_two")
    assert names(services, memory) == ["old_one", "old_two"]


def test_what_nobody_did_is_seen_a_little_later(services, memory, clock):
    assert names(services, memory) == []
    orphan(services, record=False)
    assert names(services, memory) == []
    clock.moment += OLD
    assert names(services, memory) == ["old_one"]


def test_how_many_there_are_may_be_a_few_seconds_old(services, memory, clock, looks):
    orphan(services)
    assert services.ask(memory.count, ENGINE) == 1
    orphan(services, "old_two")
    assert services.ask(memory.count, ENGINE) == 1
    assert len(looks) == 1
    clock.moment += FRESH
    assert services.ask(memory.count, ENGINE) == 2


def test_a_clock_that_was_put_back_makes_no_answer_last(services, memory, clock):
    orphan(services)
    assert services.ask(memory.count, ENGINE) == 1
    orphan(services, "old_two")
    clock.moment -= timedelta(days=1)
    assert services.ask(memory.count, ENGINE) == 2
