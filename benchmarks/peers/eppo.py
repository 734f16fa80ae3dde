"""Eppo: its Rust core with a configuration given at the start."""

from __future__ import annotations

import json

import eppo_client
from eppo_client.assignment_logger import AssignmentLogger

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

WHOLE = 10_000


def _flag(key, allocations):
    return {
        "key": key,
        "enabled": True,
        "variationType": "BOOLEAN",
        "variations": {"on": {"key": "on", "value": True}, "off": {"key": "off", "value": False}},
        "allocations": allocations,
        "totalShards": WHOLE,
    }


def _allocation(key, variation, share=WHOLE, conditions=()):
    rules = [{"conditions": list(conditions)}] if conditions else []
    shards = [{"salt": key, "ranges": [{"start": 0, "end": share}]}] if share < WHOLE else []
    return {
        "key": key,
        "rules": rules,
        "splits": [{"variationKey": variation, "shards": shards}],
        "doLog": False,
    }


def _condition(attribute, operator, value):
    return {"attribute": attribute, "operator": operator, "value": value}


def calls(flags: int):
    quarter, rest = _allocation("quarter", "on", 2_500), _allocation("rest", "off")
    listed = _allocation("listed", "on", conditions=[_condition("id", "ONE_OF", ACTORS)])
    gold = _allocation("gold", "on", conditions=[_condition("plan", "ONE_OF", ["gold"])])
    everyone = [_allocation("all", "on")]
    found = {
        BOOLEAN: _flag(BOOLEAN, everyone),
        PERCENTAGE: _flag(PERCENTAGE, [quarter, rest]),
        LISTED: _flag(LISTED, [listed, rest]),
        RULE: _flag(RULE, [gold, quarter, rest]),
        **{name: _flag(name, everyone) for name in fillers(flags)},
    }
    body = {
        "createdAt": "2026-01-01T00:00:00.000Z",
        "format": "SERVER",
        "environment": {"name": "test"},
        "flags": found,
    }
    configuration = eppo_client.Configuration(flags_configuration=json.dumps(body).encode())
    client = eppo_client.init(
        eppo_client.ClientConfig(
            api_key="none",
            assignment_logger=AssignmentLogger(),
            poll_interval_seconds=None,
            initial_configuration=configuration,
        )
    )
    ask = client.get_boolean_assignment
    return {
        "boolean": (ask, (BOOLEAN, ASKED, {}, False)),
        "percentage of actors": (ask, (PERCENTAGE, ASKED, {}, False)),
        "list of 1,000 actors": (ask, (LISTED, LISTED_ACTOR, {}, False)),
        "rule and percentage": (ask, (RULE, ASKED, {"plan": "silver"}, False)),
    }
