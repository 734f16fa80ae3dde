"""What does Unleash itself answer?"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from flagstaff.flags.actor import Actor
from flagstaff.importers.hashing import murmur3
from flagstaff.importers.model import Answer
from flagstaff.importers.reading import At
from flagstaff.importers.unleash_checks import Check, Unforeseeable, check, value_of
from flagstaff.importers.unleash_strategies import (
    Segments,
    listed,
    percentage,
    strategy_name,
)

Likely = Callable[[Actor], float]
"""How likely the answer is "on".

Raises:
    Unforeseeable: it depends on something that an actor does not have.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature in one environment."""

    name: str
    enabled: bool
    strategies: Sequence[At]
    parents: Sequence[At]
    segments: Segments


class Answers:
    """What all features of one environment answer, made ready once."""

    def __init__(self, features: Mapping[str, Feature]) -> None:
        self._features = features
        self._own = cache(self._feature)

    def of(self, name: str) -> Answer:
        """Return what answers for a feature.

        Raises:
            UsageError: it is malformed.
        """
        likely = self._with_parents(self._features[name])

        def answer(actor: Actor) -> float | None:
            try:
                return likely(actor)
            except Unforeseeable:
                return None

        return answer

    def _with_parents(self, feature: Feature) -> Likely:
        wanted: list[tuple[Likely, bool]] = []
        for each in feature.parents:
            parent = self._features.get(each["feature"].text())
            if parent is None or parent.parents:
                return lambda _actor: 0
            wanted.append((self._own(parent.name), each["enabled"].truth(default=True)))
        own = self._own(feature.name)

        def likely(actor: Actor) -> float:
            if all((parent(actor) >= 1) is on for parent, on in wanted):
                return own(actor)
            return 0

        return likely

    def _feature(self, name: str) -> Likely:
        feature = self._features[name]
        if not feature.enabled:
            return lambda _actor: 0
        if not feature.strategies:
            return lambda _actor: 1
        active = [each for each in feature.strategies if not each["disabled"].truth(default=False)]
        if not active:
            return _unforeseeable
        ready = [_strategy(each, feature) for each in active]

        def likely(actor: Actor) -> float:
            closed = 1.0
            for each in ready:
                closed *= 1 - each(actor)
            return 1 - closed

        return likely


def _strategy(strategy: At, feature: Feature) -> Likely:
    segments = [found for _, found in feature.segments.of(strategy)]
    if None in segments:
        return _unforeseeable
    checks = [check(each) for each in strategy["constraints"].each()]
    checks += [check(each) for found in segments if found for each in found]
    itself = _itself(strategy, feature)
    if not checks:
        return itself

    def likely(actor: Actor) -> float:
        return itself(actor) if all(each(actor) for each in checks) else 0

    return likely


def _itself(strategy: At, feature: Feature) -> Likely:
    parameters = strategy["parameters"]
    if parameters.value is None:
        parameters = At({}, parameters.place)
    match strategy_name(strategy):
        case "default":
            return lambda _actor: 1
        case "userWithId":
            ids = frozenset(listed(parameters["userIds"].text("")))
            return lambda actor: actor.flag_id in ids
        case "flexibleRollout":
            stickiness = parameters["stickiness"].text("") or "default"
            return _share(parameters, "rollout", stickiness, feature)
        case "gradualRolloutUserId":
            return _share(parameters, "percentage", "userId", feature)
        case "gradualRolloutSessionId":
            return _share(parameters, "percentage", "sessionId", feature)
        case "gradualRolloutRandom":
            return _share(parameters, "percentage", "random", feature)
        case "remoteAddress":
            return _addresses(parameters["IPs"].text(""))
    return _unforeseeable


def _share(parameters: At, key: str, stickiness: str, feature: Feature) -> Likely:
    share = int(percentage(parameters, key))
    if stickiness == "random":
        return lambda _actor: share / 100
    field = "userId" if stickiness == "default" else stickiness
    group = (parameters["groupId"].text("") or feature.name) + ":"

    def likely(actor: Actor) -> float:
        identity = value_of(field, actor)
        return identity is not None and murmur3((group + identity).encode()) % 100 + 1 <= share

    return likely


def _addresses(ranges: str) -> Check:
    try:
        networks = [ipaddress.ip_network(each, strict=False) for each in listed(ranges)]
    except ValueError:
        return _unforeseeable

    def holds(actor: Actor) -> bool:
        try:
            address = ipaddress.ip_address(value_of("remoteAddress", actor) or "")
        except ValueError:
            return False
        return any(address in each for each in networks)

    return holds


def _unforeseeable(_actor: Actor) -> bool:
    raise Unforeseeable
