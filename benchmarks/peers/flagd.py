"""flagd through OpenFeature, evaluated in the process from a file."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

from peers.common import (
    ACTORS,
    ASKED,
    BOOLEAN,
    EXPECTED,
    LISTED,
    LISTED_ACTOR,
    PERCENTAGE,
    RULE,
    fillers,
)

__all__ = ["EXPECTED", "calls"]


def _flag(default, targeting=None):
    found = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": default}
    return {**found, "targeting": targeting} if targeting else found


def calls(flags: int):
    share = {"fractional": [["on", 25], ["off", 75]]}
    gold = {"==": [{"var": "plan"}, "gold"]}
    found = {
        BOOLEAN: _flag("on"),
        PERCENTAGE: _flag("off", share),
        LISTED: _flag("off", {"if": [{"in": [{"var": "targetingKey"}, ACTORS]}, "on", "off"]}),
        RULE: _flag("off", {"if": [gold, "on", share]}),
        **{name: _flag("on") for name in fillers(flags)},
    }
    path = Path(tempfile.mkdtemp(), "flags.json")
    path.write_text(json.dumps({"flags": found}))
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(path))
    api.set_provider(provider)
    client = api.get_client()
    end = time.monotonic() + 20
    while not client.get_boolean_value(BOOLEAN, False) and time.monotonic() < end:
        time.sleep(0.05)
    ask = client.get_boolean_value
    someone = EvaluationContext(ASKED, {"plan": "silver"})
    return {
        "boolean": (ask, (BOOLEAN, False, someone)),
        "percentage of actors": (ask, (PERCENTAGE, False, someone)),
        "list of 1,000 actors": (ask, (LISTED, False, EvaluationContext(LISTED_ACTOR))),
        "rule and percentage": (ask, (RULE, False, someone)),
    }
