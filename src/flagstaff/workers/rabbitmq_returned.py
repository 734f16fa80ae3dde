"""Which of the messages that were published together did RabbitMQ send back?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A message, what it is to be, and whether it is a job of the old name."""

    old: Any
    new: Any
    queue: str
    target: str
    own: bool


def identity(target: str, message: Any) -> tuple[Any, ...]:
    """Return what tells a message from others of its batch; those that it does not are the same."""
    body, properties = message.body, message.properties
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
    headers = properties.get("application_headers") or {}
    return target, raw, headers.get("id"), properties.get("correlation_id")


def pop(waiting: list[Replaced], told: tuple[Any, ...]) -> Replaced | None:
    """Take out the message that came back; at worst any that went there, but none twice."""
    mine = [each for each in waiting if each.target == told[0]]
    same = (each for each in mine if identity(each.target, each.new) == told)
    found = next(same, mine[0] if mine else None)
    if found is not None:
        waiting[:] = [each for each in waiting if each is not found]
    return found
