"""What does LaunchDarkly itself answer?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from itertools import accumulate
from typing import Any

from flagstaff.flags.actor import Actor
from flagstaff.importers.hashing import launchdarkly
from flagstaff.importers.launchdarkly_checks import (
    Check,
    Unforeseeable,
    clauses_check,
    value_at,
)
from flagstaff.importers.launchdarkly_flag import WHOLE, LdFlag, Segment, bucketed_by, is_user
from flagstaff.importers.model import Answer
from flagstaff.importers.reading import At

Vary = Callable[[Actor], int | None]
"""Returns the number of the variation."""


class Answers:
    """What all flags of one environment answer, made ready once."""

    def __init__(self, flags: Mapping[str, LdFlag], segments: Mapping[str, Segment]) -> None:
        self._flags = flags
        self._segments = segments
        self._varied = cache(self._vary)

    def of(self, key: str) -> Answer:
        """Return what answers for a flag.

        Raises:
            UsageError: it is malformed.
        """
        flag, vary = self._flags[key], self._varied(key, frozenset())

        def answer(actor: Actor) -> float | None:
            try:
                number = vary(actor)
            except Unforeseeable:
                return None
            return number is not None and flag.values[number].value is True

        return answer

    def _vary(self, key: str, above: frozenset[str]) -> Vary:
        flag = self._flags[key]
        off = flag.number(flag.at["offVariation"])
        if not flag.on:
            return lambda _actor: off
        needed = [self._needed(each, above | {key}) for each in flag.at["prerequisites"].each()]
        steps = [*_targets(flag), *self._rules(flag)]
        last = _served(flag, flag.at["fallthrough"])

        def vary(actor: Actor) -> int | None:
            for met in needed:
                if not met(actor):
                    return off
            for matches, serve in steps:
                if matches(actor):
                    return serve(actor)
            return last(actor)

        return vary

    def _needed(self, at: At, above: frozenset[str]) -> Check:
        key, wanted = at["key"].text(), at["variation"].whole()
        if key in above:
            return _unforeseeable
        if key not in self._flags or not self._flags[key].on:
            return lambda _actor: False
        vary = self._varied(key, above)
        return lambda actor: vary(actor) == wanted

    def _rules(self, flag: LdFlag) -> list[tuple[Check, Vary]]:
        return [
            (clauses_check(each["clauses"], self._segments), _served(flag, each))
            for each in flag.at["rules"].each()
        ]


def _targets(flag: LdFlag) -> list[tuple[Check, Vary]]:
    found: list[tuple[Check, Vary]] = []
    for ids, _, at in flag.targets():
        number = flag.number(at["variation"])
        found.append((_one_of(ids) if is_user(at) else _never, _always(number)))
    return found


def _served(flag: LdFlag, at: At) -> Vary:
    if at.has("variation"):
        return _always(flag.number(at["variation"]))
    rollout = at["rollout"]
    listed = list(rollout["variations"].each())
    numbers = [flag.number(each["variation"]) for each in listed]
    if not numbers:
        raise at.wrong("a variation or a rollout")
    borders = list(accumulate(each["weight"].whole() / WHOLE for each in listed))
    if not is_user(rollout):
        return _always(numbers[0])
    way = bucketed_by(rollout)
    prefix = f"{flag.key}.{flag.salt}"
    if rollout.has("seed"):
        prefix = str(rollout["seed"].whole())

    def vary(actor: Actor) -> int | None:
        value = bucket(prefix, value_at(way, actor))
        for border, number in zip(borders, numbers, strict=True):
            if value < border:
                return number
        return numbers[-1]

    return vary


def bucket(prefix: str, value: Any) -> float:
    """Return where a value falls; one that is neither text nor whole number falls at 0."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return 0
    return launchdarkly(prefix, str(value))


def _one_of(ids: frozenset[str]) -> Check:
    return lambda actor: actor.flag_id in ids


def _always(number: int | None) -> Vary:
    return lambda _actor: number


def _never(_actor: Actor) -> bool:
    return False


def _unforeseeable(_actor: Actor) -> bool:
    raise Unforeseeable
