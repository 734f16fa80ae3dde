"""Does a message of Dramatiq hold a name, and how does it read under another one?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dramatiq.common import q_name

from flagstaff.workers.adapters.protocol import HEADER, Renames
from flagstaff.workers.migration import Migration

MESSAGE = {"queue_name", "actor_name", "args", "kwargs", "options", "message_id"}
"""What every message has; other mappings with an `actor_name` are somebody's arguments."""

FOLLOWERS = ("pipe_target", "group_completion_callbacks")
"""Options of a message with those that are to follow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What becomes of one message.

    Attributes:
        raw: as it is to be; None where it stays as it is.
        own: whether it is a message of the old name.
        left: whether the old name is, or may be, in it afterwards.
    """

    raw: bytes | None = None
    own: bool = False
    left: bool = False


def leads_to(message: Mapping[str, Any], name: str) -> bool:
    """Say whether messages that follow this one, in a pipeline or a group, have the name."""
    return any(_holds(message.get(each), name) for each in ("options", "args", "kwargs"))


def ahead(options: Mapping[str, Any], renames: Renames) -> dict[str, Any]:
    """Return those of a message's options that change, so that what follows has the name it may.

    Whoever runs the message publishes what follows, as it stands there: a worker of the deployment
    before knows one of two names only.
    """
    there = {each: options[each] for each in FOLLOWERS if each in options}
    changed = {each: _ahead(value, renames) for each, value in there.items()}
    return {each: value for each, value in changed.items() if value != there[each]}


def _ahead(value: Any, renames: Renames) -> Any:
    if isinstance(value, list):
        return [_ahead(each, renames) for each in value]
    if not isinstance(value, dict) or not value.keys() >= MESSAGE:
        return value
    new = {**value, "options": {**value["options"], **ahead(value["options"], renames)}}
    found = renames.ahead(value["actor_name"], value["message_id"])
    if found is not None:
        rename, variant = found
        new["actor_name"] = rename.name(variant)
        if new["queue_name"] in {rename.old_queue, rename.new_queue}:
            new["queue_name"] = rename.queue(variant)
    return new


def made(raw: bytes, migration: Migration) -> Made:
    """Return what becomes of a message."""
    try:
        message = json.loads(raw)
        own = message["actor_name"] == migration.old
        if not own and not leads_to(message, migration.old):
            return Made()
        new = _in_value(message, migration)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Made(left=True)
    if migration.old == migration.new:
        return Made(raw=_packed(new) if new != message else None, own=own)
    left = new["actor_name"] == migration.old or leads_to(new, migration.old)
    return Made(raw=_packed(new) if new != message else None, own=own, left=left)


def target(queue: str, migration: Migration) -> str:
    """Return where messages of a queue are to wait; `shop.DQ` and `shop.XQ` belong to `shop`."""
    base = q_name(queue)
    return migration.target(base) + queue.removeprefix(base)


def _packed(message: Any) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()  # as Dramatiq does


def _holds(value: Any, name: str) -> bool:
    if isinstance(value, dict):
        return value.get("actor_name") == name or any(_holds(each, name) for each in value.values())
    return isinstance(value, list) and any(_holds(each, name) for each in value)


def _in_value(value: Any, migration: Migration) -> Any:
    if isinstance(value, list):
        return [_in_value(each, migration) for each in value]
    if not isinstance(value, dict):
        return value
    new = {key: _in_value(each, migration) for key, each in value.items()}
    if new.keys() >= MESSAGE and new["actor_name"] == migration.old:
        new["actor_name"] = migration.new
        new["queue_name"] = target(new["queue_name"], migration)
        header = new["options"].get(HEADER)
        if isinstance(header, dict):
            new["options"][HEADER] = migration.noted(header, new["queue_name"])
    return new
