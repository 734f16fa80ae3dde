"""Is a thing still as whoever asks for a change has seen it?

A tag is a short text that is another one whenever what is told of the thing is. A condition is
looked at inside the transaction of the change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from datetime import UTC

from flagstaff.commands.codec import encode
from flagstaff.errors import Changed
from flagstaff.services.finding import find_rollout
from flagstaff.services.policies import judging
from flagstaff.services.unit import Unit
from flagstaff.store import audit
from flagstaff.store import flags as flag_store
from flagstaff.store.audit import Search
from flagstaff.store.flags import FlagState
from flagstaff.store.rollouts import RolloutRecord

Condition = Callable[[Unit], None]
"""Raises `Changed` where it does not hold."""

ANY = "*"
_DIGITS = 16


def flag_tag(state: FlagState | None, *, default: bool) -> str:
    """Return the tag of a flag in an environment."""
    told: list[object] = [default]
    if state is not None:
        told += [state.gates.to_json(), state.updated_at.isoformat(), state.updated_by]
    return _digest(told)


def rollout_tag(record: RolloutRecord) -> str:
    """Return the tag of a rollout: its revision, then a digest of what its guards read."""
    return f"{record.revision}-{_digest([encode(each) for each in record.readings])}"


def flag_unchanged(flag: str, environment: str, tags: Collection[str]) -> Condition:
    """Return the condition that the flag there still has one of the tags."""

    def check(unit: Unit) -> None:
        unit.context.check_environments((environment,))
        judging.lock(unit, (environment,))
        state = flag_store.get(unit.connection, environment, flag)
        definition = unit.context.definitions().get(flag)
        default = definition.default_enabled if definition else False
        if state is None:
            unit.known_flag(flag)
        if ANY in tags or flag_tag(state, default=default) in tags:
            return
        search = Search(flag=flag, environment=environment, action="flag")
        raise _changed(unit, f"{flag} in {environment}", search)

    return check


def rollout_unchanged(number: int, tags: Collection[str]) -> Condition:
    """Return the condition that the rollout has not moved; what its guards read does not matter."""

    def check(unit: Unit) -> None:
        record = find_rollout(unit, number, lock=True)
        seen = {each.partition("-")[0] for each in tags}
        if ANY in seen or str(record.revision) in seen:
            return
        raise _changed(unit, f"rollout {number}", Search(rollout_id=number))

    return check


def _changed(unit: Unit, what: str, search: Search) -> Changed:
    last = audit.search(unit.connection, search, limit=1)
    if not last:
        told = "nobody has changed it yet, so the tag is from elsewhere"
    else:
        (entry,) = last
        when = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        told = f"last by {entry.who} at {when} (entry {entry.id}): {entry.text or entry.action}"
    return Changed(
        f"{what} is no longer as the tag says; {told}",
        hint="get it again, look at it, and ask with its new tag",
    )


def _digest(told: object) -> str:
    text = json.dumps(told, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
