"""Whom does somebody ask about on a flag's page, and what does that say?"""

from __future__ import annotations

import json
from dataclasses import dataclass

from flagstaff.flags.actor import check_actor_id
from flagstaff.services.explaining import Somebody
from flagstaff.services.telemetry import Asked
from flagstaff.web.answers import answers

MOST_ACTORS = 20


def actors_of(typed: str, attributes: str) -> tuple[Somebody, ...]:
    """Return the actors whose ids were typed with commas between, each with the attributes.

    Raises:
        UsageError: an id is none, or a line is no attribute.
    """
    found = {name: _value(text) for name, text in answers(attributes, "attribute").items()}
    ids = [each for each in map(str.strip, typed.split(",")) if each]
    return tuple(
        Somebody(flag_id=check_actor_id(each), flag_attributes=found) for each in ids[:MOST_ACTORS]
    )


def _value(text: str) -> object:
    """Return what a person means: `3`, `true` and `["a"]` as such, all else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Of the questions that were looked at lately, how many a percentage of actors can reach."""

    asked: int
    share: float

    @classmethod
    def of(cls, asked: Asked) -> Reach | None:
        """Return it, or none where no question was looked at."""
        total = asked.with_actor + asked.without_actor
        return cls(asked=total, share=100 * asked.with_actor / total) if total else None
