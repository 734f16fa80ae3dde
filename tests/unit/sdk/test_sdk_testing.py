"""Do the helpers for tests change flags for a test alone?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from flagstaff import Client, Gate
from flagstaff.errors import UnknownFlag, UsageError
from flagstaff.flags.flag import Flag
from flagstaff.testing import MemorySource, as_flag, override_flag, source_contract


@pytest.fixture
def flags():
    return Client.memory({"a": False, "b": Flag(name="b", type="ops", default=True)})


def test_a_block_and_nested_blocks(flags):
    handle = flags.flag("a")
    with override_flag("a", client=flags):
        assert flags.is_enabled("a")
        assert handle()
        with override_flag("a", False, client=flags), override_flag("b", False, client=flags):
            assert flags.is_disabled("a")
            assert flags.is_disabled("b")
        assert flags.is_enabled("a")
        assert flags.is_enabled("b")
    assert flags.is_disabled("a")
    assert not handle()


def test_a_decorated_function_with_every_client(flags):
    other = Client.memory({"a": False})

    @override_flag("a", Decimal(100))
    def decorated():
        return flags.is_enabled("a", "User:1"), other.is_enabled("a", "User:1")

    assert decorated() == (True, True)
    assert decorated() == (True, True)
    assert flags.is_disabled("a", "User:1")


def test_an_exception_ends_the_override(flags):
    with pytest.raises(ZeroDivisionError), override_flag("a", client=flags):
        _ = 1 / 0
    assert flags.is_disabled("a")


def test_not_set_means_the_definitions_default(flags):
    with override_flag("b", False, client=flags), override_flag("b", None, client=flags):
        answer = flags.evaluate("b")
    assert (answer.value, answer.gate) == (True, Gate.DEFAULT)
    assert flags.flags()["b"] == "ops"


def test_an_override_outlives_a_change_of_the_source():
    source = MemorySource({"a": False, "c": False})
    flags = Client.memory(source)
    with override_flag("a", client=flags):
        source.set("c", True)
        assert flags.is_enabled("a")
        assert flags.is_enabled("c")
    assert flags.is_disabled("a")


def test_an_undefined_flag_fails_the_test(flags):
    with pytest.raises(UnknownFlag, match="typo"), override_flag("typo", client=flags):
        pass
    with pytest.raises(UsageError), override_flag("a", "yes", client=flags):
        pass
    assert flags.is_disabled("a")


def _make(given):
    source = MemorySource(given)

    def change(flags):
        for name in source._snapshot.flags.keys() - flags.keys():
            source.delete(name)
        for name, flag in flags.items():
            source.set(name, flag)

    return source, change


def _now(holds):
    assert holds()


def test_the_memory_source_keeps_the_contract():
    source_contract(_make, _now)


def test_the_contract_notices_a_source_that_never_changes():
    with pytest.raises(AssertionError):
        source_contract(lambda given: (MemorySource(given), lambda _flags: None), _now)


def test_the_contract_notices_a_version_that_stands_still():
    class Still(MemorySource):
        def _change(self, flags):
            self._snapshot = replace(self._snapshot, flags=flags)
            for holder in self._holders:
                holder.replace(self._snapshot)

    def make(given):
        source = Still(given)
        return source, lambda flags: source._change(dict(flags))

    with pytest.raises(AssertionError, match="version grow"):
        source_contract(make, _now)


def test_as_flag_keeps_a_flag_but_for_its_name():
    assert as_flag("x", Flag(name="y", type="ops")) == Flag(name="x", type="ops")
