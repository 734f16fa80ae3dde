"""Flagstaff: an installed client with exposure counting, as every client has it."""

from __future__ import annotations

import time
from decimal import Decimal

from flagstaff import Actor, Client
from flagstaff.flags.gates import Gates
from flagstaff.sdk.sources.memory import MemorySource

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

__all__ = ["EXPECTED", "calls", "extra"]

GOLD = {"Equal": [{"Property": ["plan"]}, "gold"]}
_kept: list[tuple[Client, MemorySource]] = []


def calls(flags: int):
    source = MemorySource(
        {
            BOOLEAN: True,
            PERCENTAGE: Decimal(25),
            LISTED: Gates(actors=frozenset(ACTORS)),
            RULE: Gates(expression=GOLD, percentage_of_actors=Decimal(25)),
            **dict.fromkeys(fillers(flags), True),
        }
    )
    client = Client.memory(source)
    _kept.append((client, source))
    ask = client.is_enabled
    someone = Actor(ASKED, {"plan": "silver"})
    return {
        "boolean": (ask, (BOOLEAN, ASKED)),
        "percentage of actors": (ask, (PERCENTAGE, ASKED)),
        "list of 1,000 actors": (ask, (LISTED, LISTED_ACTOR)),
        "rule and percentage": (ask, (RULE, someone)),
    }


def extra():
    _client, source = _kept[0]
    began = time.perf_counter()
    source.set(BOOLEAN, False)
    return {"one_change_milliseconds": round((time.perf_counter() - began) * 1000, 3)}
