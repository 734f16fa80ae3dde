"""OpenFeature's own in-memory provider, which knows neither shares nor lists."""

from __future__ import annotations

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

from peers.common import ASKED, BOOLEAN, fillers

EXPECTED = {"boolean": True}


def calls(flags: int):
    names = [BOOLEAN, *fillers(flags + 3)]
    api.set_provider(
        InMemoryProvider({name: InMemoryFlag("on", {"on": True, "off": False}) for name in names})
    )
    ask = api.get_client().get_boolean_value
    return {"boolean": (ask, (BOOLEAN, False, EvaluationContext(ASKED)))}
