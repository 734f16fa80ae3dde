"""Why does a flag answer somebody as it does, in every environment?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from flagstaff.errors import SnapshotError
from flagstaff.flags.compile import compile_snapshot
from flagstaff.flags.describe import percent
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.explain import evaluate, in_words
from flagstaff.flags.flag import Flag
from flagstaff.flags.murmur import murmur3
from flagstaff.flags.surroundings import Hit, Surroundings
from flagstaff.services.permissions import visible
from flagstaff.services.snapshots import snapshot
from flagstaff.services.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Somebody:
    """An actor as it is typed in: an id, and what expressions may ask about it."""

    flag_id: str
    flag_attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """The answer in one environment; `value` is none where it is another one at each question."""

    environment: str
    value: bool | None
    gate: Gate
    words: str


def explained(unit: Unit, name: str, actors: tuple[Somebody, ...]) -> list[Explained]:
    """Return what the flag answers these actors in each environment the asker may look into.

    Groups are known to applications alone, so nobody belongs to one here.
    """
    found = []
    for environment in visible(unit):
        taken = snapshot(unit, environment)
        if name in taken.flags:
            try:
                compiled = compile_snapshot(taken, _surroundings(unit.now)).flags[name]
            except SnapshotError as error:
                words = f"the flags of {environment} cannot be asked: {error.message}"
                found.append(
                    Explained(environment=environment, value=None, gate=Gate.NONE, words=words)
                )
                continue
            answer = evaluate(compiled, actors, taken.version)
            found.append(_one(environment, compiled.flag, actors, answer.gate, answer.value))
    return found


def _one(
    environment: str,
    flag: Flag,
    actors: tuple[Somebody, ...],
    gate: Gate,
    value: bool,  # noqa: FBT001 - it is what was answered
) -> Explained:
    share = flag.gates.percentage_of_time if flag.gates else Decimal()
    by_chance = gate is Gate.PERCENTAGE_OF_TIME or (gate is Gate.NONE and share)
    if not by_chance:
        words = in_words(flag, actors, gate)
        if flag.gates and flag.gates.groups and gate is Gate.NONE:
            words += "; only applications know who belongs to its groups"
        return Explained(environment=environment, value=value, gate=gate, words=words)
    words = f"on in {percent(share)} of all questions, whoever asks: each one draws again"
    return Explained(environment=environment, value=None, gate=Gate.PERCENTAGE_OF_TIME, words=words)


def _surroundings(now: datetime) -> Surroundings:
    return Surroundings(
        counter=lambda *_: _nothing(),
        groups={},
        draw=random.random,
        murmur3=murmur3,
        clock=lambda: now,
    )


def _nothing() -> Hit:
    return lambda: None
