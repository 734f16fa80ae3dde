"""Flagsmith's engine, which evaluates all flags of an identity at once."""

from __future__ import annotations

from flag_engine.engine import get_evaluation_result

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


def _segment(name, conditions, feature):
    return {
        "key": name,
        "name": name,
        "rules": [{"type": "ANY", "conditions": conditions}],
        "overrides": [{"key": "o", "name": feature, "enabled": True, "value": None}],
    }


def _context(names, enabled, identity, traits, segments):
    return {
        "environment": {"key": "env", "name": "test"},
        "identity": {"identifier": identity, "key": f"env_{identity}", "traits": traits},
        "features": {
            name: {"key": name, "name": name, "enabled": name in enabled, "value": None}
            for name in names
        },
        "segments": {segment["key"]: segment for segment in segments},
    }


def _ask(context, name):
    return get_evaluation_result(context)["flags"][name]["enabled"]


def calls(flags: int):
    others = fillers(flags)
    share = {"property": "", "operator": "PERCENTAGE_SPLIT", "value": "25"}
    gold = {"property": "plan", "operator": "EQUAL", "value": "gold"}
    listed = {"property": "$.identity.identifier", "operator": "IN", "value": ACTORS}

    def context(name, identity, conditions):
        segments = [_segment("s", conditions, name)] if conditions else []
        enabled = {BOOLEAN, *others}
        return _context([name, *others], enabled, identity, {"plan": "silver"}, segments)

    return {
        "boolean": (_ask, (context(BOOLEAN, ASKED, []), BOOLEAN)),
        "percentage of actors": (_ask, (context(PERCENTAGE, ASKED, [share]), PERCENTAGE)),
        "list of 1,000 actors": (_ask, (context(LISTED, LISTED_ACTOR, [listed]), LISTED)),
        "rule and percentage": (_ask, (context(RULE, ASKED, [gold, share]), RULE)),
    }
