"""How does a message that waits under one name become one that waits under another?"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flagstaff.workers.headers import HEADER
from flagstaff.workers.messages import decoded, in_message, spellings, unpacked
from flagstaff.workers.migration import Migration

SIGNATURE = {"task", "args", "kwargs", "options"}
"""What every signature has; other mappings with a `task` are somebody's arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What becomes of one message.

    Attributes:
        message: as it is to be; None where it stays as it is.
        own: whether it is a job of the old name.
        embedded: whether it holds the old name for a job that is to follow.
        left: whether the old name is, or may be, in it afterwards. A job that only changes its
            queue keeps it, and is not left.
    """

    message: dict[str, Any] | None = None
    own: bool = False
    embedded: bool = False
    left: bool = False


def rewrite(message: Any, migration: Migration, queue: str) -> Rewrite:
    """Return what becomes of a message of Kombu's that waits in a queue.

    Only what is surely a name is changed: its own, and those of signatures in a body of JSON.
    """
    before = in_message(message, migration.old)
    if before.unreadable:
        return Rewrite(left=True)
    if not (before.own or before.embedded):
        return Rewrite()
    made = dict(message)
    headers = made["headers"] = dict(made.get("headers") or {})
    own = bool(before.own)
    if headers.get("task") == migration.old:
        headers["task"] = migration.new
    target = migration.target(queue) if own else queue
    if message.get("content-type") == "application/json":
        _rewrite_body(made, migration)
    if own and isinstance(headers.get(HEADER), dict):
        headers[HEADER] = migration.noted(headers[HEADER], target)
    if target != queue:
        # The exchange without a name knows every queue by its own.
        properties = made.get("properties") or {}
        info = properties.get("delivery_info") or {}
        info = {**info, "exchange": "", "routing_key": target}
        made["properties"] = {**properties, "delivery_info": info}
    after = in_message(made, migration.old)
    left = migration.old != migration.new and bool(after.own or after.embedded or after.unreadable)
    changed = made != message or target != queue
    return Rewrite(
        message=made if changed else None, own=own, embedded=bool(before.embedded), left=left
    )


def _rewrite_body(message: dict[str, Any], migration: Migration) -> None:
    headers = message.get("headers") or {}
    try:
        raw = unpacked(message, headers)
        # Most bodies hold no name at all.
        body = decoded(raw) if any(each in raw for each in spellings(migration.old)) else None
        made = _in_value(body, migration)
    except (ValueError, TypeError, RecursionError):
        return
    if isinstance(made, dict) and made.get("task") == migration.old:  # the first protocol
        made["task"] = migration.new
    if made == body:
        return
    raw = json.dumps(made).encode()
    if kind := headers.get("compression"):
        from kombu import compression  # noqa: PLC0415 - Celery is an extra

        compress: Any = compression.compress
        raw, _ = compress(raw, kind)
    encoded = (message.get("properties") or {}).get("body_encoding")
    if encoded == "base64":
        message["body"] = base64.b64encode(raw).decode()
    else:
        message["body"] = raw if isinstance(message["body"], bytes) else raw.decode()


def _in_value(value: Any, migration: Migration) -> Any:
    if isinstance(value, Mapping):
        made = {key: _in_value(each, migration) for key, each in value.items()}
        if made.keys() >= SIGNATURE and made["task"] == migration.old:
            made["task"] = migration.new
            _readdress(made["options"], migration)
        return made
    return [_in_value(each, migration) for each in value] if isinstance(value, list) else value


def _readdress(options: Any, migration: Migration) -> None:
    if not isinstance(options, dict) or not migration.old_queue:
        return
    if options.get("queue") == migration.old_queue:
        options["queue"] = migration.new_queue
    elif options.get("queue") is None and options.get("routing_key") == migration.old_queue:
        options |= {"exchange": "", "routing_key": migration.new_queue}
