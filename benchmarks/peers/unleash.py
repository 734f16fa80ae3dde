"""Unleash: its client with a cache filled at the start, and metrics off."""

from __future__ import annotations

import tempfile

from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache

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


def _feature(name, *strategies):
    return {"name": name, "enabled": True, "strategies": list(strategies), "type": "release"}


def _rollout(name, share, constraints=()):
    return {
        "name": "flexibleRollout",
        "parameters": {"rollout": str(share), "stickiness": "userId", "groupId": name},
        "constraints": list(constraints),
    }


def calls(flags: int):
    gold = {"contextName": "plan", "operator": "IN", "values": ["gold"]}
    features = [
        _feature(BOOLEAN, {"name": "default", "parameters": {}}),
        _feature(PERCENTAGE, _rollout(PERCENTAGE, 25)),
        _feature(LISTED, {"name": "userWithId", "parameters": {"userIds": ",".join(ACTORS)}}),
        _feature(RULE, _rollout(RULE, 100, [gold]), _rollout(RULE, 25)),
        *(_feature(name, {"name": "default", "parameters": {}}) for name in fillers(flags)),
    ]
    cache = FileCache("benchmark", directory=tempfile.mkdtemp())
    cache.bootstrap_from_dict({"version": 1, "features": features})
    client = UnleashClient(
        "http://127.0.0.1:1/api",
        "benchmark",
        disable_metrics=True,
        disable_registration=True,
        cache=cache,
        refresh_interval=86_400,
    )
    client.initialize_client(fetch_toggles=False)
    context = {"userId": ASKED, "properties": {"plan": "silver"}}
    ask = client.is_enabled
    return {
        "boolean": (ask, (BOOLEAN, context)),
        "percentage of actors": (ask, (PERCENTAGE, context)),
        "list of 1,000 actors": (ask, (LISTED, {"userId": LISTED_ACTOR})),
        "rule and percentage": (ask, (RULE, context)),
    }
