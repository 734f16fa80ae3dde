"""LaunchDarkly: flags from a file, no events sent."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import ldclient
from ldclient import Context
from ldclient.config import Config
from ldclient.integrations import Files

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


def _flag(key, **more):
    return {
        "key": key,
        "on": True,
        "version": 1,
        "salt": "salt",
        "variations": [True, False],
        "fallthrough": {"variation": 1},
        "offVariation": 1,
        **more,
    }


def calls(flags: int):
    share = {
        "rollout": {
            "contextKind": "user",
            "variations": [{"variation": 0, "weight": 25_000}, {"variation": 1, "weight": 75_000}],
        }
    }
    gold = {
        "id": "gold",
        "variation": 0,
        "clauses": [{"attribute": "plan", "op": "in", "values": ["gold"], "contextKind": "user"}],
    }
    found = {
        BOOLEAN: _flag(BOOLEAN, fallthrough={"variation": 0}),
        PERCENTAGE: _flag(PERCENTAGE, fallthrough=share),
        LISTED: _flag(LISTED, targets=[{"variation": 0, "values": ACTORS}]),
        RULE: _flag(RULE, rules=[gold], fallthrough=share),
        **{name: _flag(name, fallthrough={"variation": 0}) for name in fillers(flags)},
    }
    path = Path(tempfile.mkdtemp(), "flags.json")
    path.write_text(json.dumps({"flags": found}))
    source = Files.new_data_source(paths=[str(path)])
    ldclient.set_config(Config("sdk-key", update_processor_class=source, send_events=False))
    client = ldclient.get()
    assert client.is_initialized()
    someone = Context.builder(ASKED).set("plan", "silver").build()
    listed = Context.create(LISTED_ACTOR)
    ask = client.variation
    return {
        "boolean": (ask, (BOOLEAN, someone, False)),
        "percentage of actors": (ask, (PERCENTAGE, someone, False)),
        "list of 1,000 actors": (ask, (LISTED, listed, False)),
        "rule and percentage": (ask, (RULE, someone, False)),
    }
