"""What does GrowthBook itself answer?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from flagstaff.flags.actor import Actor
from flagstaff.importers.growthbook_checks import Unforeseeable, condition_check
from flagstaff.importers.growthbook_ranges import (
    hashed_by,
    is_experiment,
    ranges_of,
    seed_of,
    version_of,
)
from flagstaff.importers.hashing import growthbook
from flagstaff.importers.model import Answer
from flagstaff.importers.reading import At

Attributes = Mapping[str, Any]
Serve = Callable[[Attributes], tuple[bool, Any]]
"""Returns whether the rule decides, and what it serves."""


class Answers:
    """What all features answer, made ready once."""

    def __init__(self, features: Mapping[str, At], groups: Mapping[str, At]) -> None:
        self._features = features
        self._groups = groups
        self._ready = cache(self._feature)

    def of(self, key: str) -> Answer:
        """Return what answers for a feature.

        Raises:
            UsageError: it is malformed.
        """
        ready = self._ready(key, frozenset())

        def answer(actor: Actor) -> float | None:
            try:
                value = ready({**actor.flag_attributes, "id": actor.flag_id})
            except Unforeseeable:
                return None
            return value is True

        return answer

    def _feature(self, key: str, above: frozenset[str]) -> Callable[[Attributes], Any]:
        at = self._features[key]
        default = at["defaultValue"].value
        rules = [self._rule(key, each, above | {key}) for each in at["rules"].each()]

        def value(attributes: Attributes) -> Any:
            for each in rules:
                decides, served = each(attributes)
                if decides:
                    return served
            return default

        return value

    def _rule(self, key: str, rule: At, above: frozenset[str]) -> Serve:
        parents = [self._parent(each, above) for each in rule["parentConditions"].each()]
        holds = condition_check(rule["condition"], self._groups)
        unsure = any(rule.has(each) for each in ("filters", "namespace", "fallbackAttribute"))
        serve = _served(rule, key)

        def decide(attributes: Attributes) -> tuple[bool, Any]:
            for parent, gate in parents:
                if not parent(attributes):
                    return gate, None
            if not holds(attributes):
                return False, None
            if unsure:
                raise Unforeseeable
            return serve(attributes)

        return decide

    def _parent(self, at: At, above: frozenset[str]) -> tuple[Callable[[Attributes], bool], bool]:
        key, gate = at["id"].text(), at["gate"].truth(default=False)
        holds = condition_check(at["condition"], self._groups)
        if key in above:
            return _unforeseeable, gate
        if key not in self._features:
            return lambda _attributes: holds({"value": None}), gate
        value = self._ready(key, above)
        return lambda attributes: holds({"value": value(attributes)}), gate


def _served(rule: At, feature: str) -> Serve:
    ranges = ranges_of(rule)
    if rule.has("force"):
        values = [rule["force"].value]
    elif is_experiment(rule):
        values = [each.value for each in rule["variations"].each()]
    else:
        return lambda _attributes: (False, None)
    if any(each["passthrough"].truth(default=False) for each in rule["meta"].each()):
        return _unforeseeable
    if ranges is None:
        return lambda _attributes: (True, values[0])
    if is_experiment(rule) and len(values) < 2:  # noqa: PLR2004 - nothing to try
        return lambda _attributes: (False, None)
    seed, version, by = seed_of(rule, feature), version_of(rule), hashed_by(rule)

    def serve(attributes: Attributes) -> tuple[bool, Any]:
        identity = hashable(attributes.get(by))
        found = growthbook(seed, identity, version) if identity else None
        if found is not None:
            for (start, end), value in zip(ranges, values, strict=False):
                if start <= found < end:
                    return True, value
        return False, None

    return serve


def hashable(value: Any) -> str:
    """Return the text that is hashed for a value; empty where there is none.

    Raises:
        Unforeseeable: it is written as JavaScript writes it, which is not done here.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value else ""
    raise Unforeseeable


def _unforeseeable(_attributes: Attributes) -> Any:
    raise Unforeseeable
