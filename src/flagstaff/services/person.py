"""Who asks, and by which way in?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """The way in."""

    TERMINAL = "terminal"
    WEB = "web"
    CHAT = "chat"
    API = "api"
    ENGINE = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A human or a machine that asks for something; from chat, `channel` is where they wrote."""

    name: str
    source: Source
    channel: str = ""


ENGINE = Person(name="flagstaff", source=Source.ENGINE)
"""The rollout engine itself."""
