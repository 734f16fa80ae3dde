"""Does the provider answer all of OpenFeature's questions, and tell of changes?"""

from __future__ import annotations

import asyncio
from time import monotonic, sleep

import pytest

pytest.importorskip("openfeature")

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.hook import Hook

from flagstaff import Client
from flagstaff.contrib.openfeature import FlagstaffProvider
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.variant import Variant
from flagstaff.sdk.readiness import Mode
from flagstaff.sdk.sources.memory import MemorySource

ON = Gates(boolean=True)


def carrying(payload):
    return Flag(name="x", gates=ON, variants=(Variant(name="only", payload=payload),))


@pytest.fixture
def source():
    return MemorySource(
        {
            "on": True,
            "off": False,
            "user": Gates(actors=frozenset({"User:1"})),
            "gold": Gates(expression={"Equal": [{"Property": ["plan"]}, "gold"]}),
            "text": carrying("blue"),
            "named": carrying(None),
            "whole": carrying(3),
            "half": carrying(0.5),
            "object": carrying({"a": [1]}),
            "truth": carrying(False),
        }
    )


@pytest.fixture
def provider(source):
    return FlagstaffProvider(Client.memory(source))


@pytest.fixture
def asking(provider):
    api.set_provider(provider)
    yield api.get_client()
    api.clear_providers()
    api.clear_hooks()


def test_booleans_with_reason_variant_and_metadata(asking):
    details = asking.get_boolean_details("on", False)
    assert (details.value, details.reason, details.variant) == (True, "STATIC", "on")
    assert details.flag_metadata == {"gate": "boolean", "version": "1", "flagSetId": "test"}
    off = asking.get_boolean_details("off", True)
    assert (off.value, off.reason, off.error_code) == (False, "DISABLED", None)


def test_the_targeting_key_is_the_actor_and_attributes_feed_expressions(asking):
    user = EvaluationContext("User:1", {"plan": "gold"})
    assert asking.get_boolean_value("user", False, user)
    assert asking.get_boolean_value("gold", False, user)
    assert not asking.get_boolean_value("gold", True, EvaluationContext("User:1"))
    assert not asking.get_boolean_value("user", True)


def test_all_types(asking):
    assert asking.get_string_value("text", "x") == "blue"
    assert asking.get_string_value("named", "x") == "only"
    assert asking.get_integer_value("whole", 0) == 3
    assert asking.get_float_value("half", 0.0) == 0.5
    assert asking.get_float_value("whole", 0.0) == 3.0
    assert asking.get_object_value("object", {}) == {"a": [1]}
    assert asking.get_boolean_value("truth", True) is False


def test_off_answers_the_callers_default(asking):
    details = asking.get_string_details("off", "mine")
    assert (details.value, details.reason, details.error_code) == ("mine", "DISABLED", None)


@pytest.mark.parametrize(
    ("method", "flag", "default"),
    [
        ("get_integer_details", "text", 7),
        ("get_integer_details", "half", 7),
        ("get_integer_details", "on", 7),
        ("get_float_details", "text", 7.5),
        ("get_string_details", "whole", "x"),
        ("get_object_details", "whole", {"x": 1}),
    ],
)
def test_another_type_is_a_mismatch(asking, method, flag, default):
    details = getattr(asking, method)(flag, default)
    assert details.value == default
    assert details.error_code is ErrorCode.TYPE_MISMATCH


def test_an_unknown_flag_is_not_found(asking):
    for details in (asking.get_boolean_details("no", True), asking.get_integer_details("no", 3)):
        assert details.error_code is ErrorCode.FLAG_NOT_FOUND
        assert details.value in {True, 3}


def test_async(asking):
    assert asyncio.run(asking.get_boolean_value_async("on", False)) is True


def test_changes_staleness_and_readiness_are_events(asking, source, provider):
    seen = []
    asking.add_handler(
        ProviderEvent.PROVIDER_CONFIGURATION_CHANGED,
        lambda details: seen.append(sorted(details.flags_changed)),
    )
    asking.add_handler(ProviderEvent.PROVIDER_STALE, lambda _details: seen.append("stale"))
    source.set("off", True)
    source.set("new", True)
    source.delete("new")
    holder = provider._client.holder
    holder.report(Mode.STALE, "away")
    assert _soon(seen, [["off"], ["new"], ["new"], "stale"])
    asking.add_handler(ProviderEvent.PROVIDER_READY, lambda _details: seen.append("ready"))
    holder.report(Mode.LIVE)
    assert _soon(seen, [["off"], ["new"], ["new"], "stale", "ready"])


def _soon(seen, expected):
    """Wait for events, which come from a thread."""
    end = monotonic() + 60
    while seen != expected and monotonic() < end:
        sleep(0.01)
    return seen == expected


def test_hooks_of_the_provider_run(source):
    class Counting(Hook):
        calls = 0

        def after(self, *_args, **_kwargs):
            self.calls += 1

    hook = Counting()
    api.set_provider(FlagstaffProvider(Client.memory(source), hooks=[hook]))
    try:
        api.get_client().get_boolean_value("on", False)
    finally:
        api.clear_providers()
    assert hook.calls == 1


def test_a_client_without_snapshot_is_not_ready():
    client = Client(MemorySource({}), environment="test")
    provider = FlagstaffProvider(client)
    details = provider.resolve_boolean_details("on", True)
    assert (details.value, details.error_code) == (True, ErrorCode.PROVIDER_NOT_READY)


def test_shutdown_forgets_the_listeners(source, provider):
    provider.initialize(EvaluationContext())
    provider.shutdown()
    source.set("off", True)
    assert provider._before is None
