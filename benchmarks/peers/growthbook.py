"""GrowthBook: one instance with its attributes set, as its documentation has it for a request."""

from __future__ import annotations

from growthbook import GrowthBook

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


def calls(flags: int):
    share = {"force": True, "coverage": 0.25, "hashAttribute": "id"}
    features = {
        BOOLEAN: {"defaultValue": True},
        PERCENTAGE: {"defaultValue": False, "rules": [share]},
        LISTED: {
            "defaultValue": False,
            "rules": [{"force": True, "condition": {"id": {"$in": ACTORS}}}],
        },
        RULE: {
            "defaultValue": False,
            "rules": [{"force": True, "condition": {"plan": "gold"}}, share],
        },
        **{name: {"defaultValue": True} for name in fillers(flags)},
    }
    one = GrowthBook(attributes={"id": ASKED, "plan": "silver"}, features=features)
    listed = GrowthBook(attributes={"id": LISTED_ACTOR}, features=features)
    return {
        "boolean": (one.is_on, (BOOLEAN,)),
        "percentage of actors": (one.is_on, (PERCENTAGE,)),
        "list of 1,000 actors": (listed.is_on, (LISTED,)),
        "rule and percentage": (one.is_on, (RULE,)),
    }
