"""What is a flag of LaunchDarkly in one environment, and what is a segment?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flagstaff.importers.reading import At

WHOLE = 100_000
"""The weights of a rollout add up to it."""

USER = "user"
"""The kind of context that stands for our actors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LdFlag:
    """A flag in one environment.

    Attributes:
        key: its name.
        at: what the environment has of it.
        values: its variations, in order.
        about: what the flag says about itself.
    """

    key: str
    at: At
    values: tuple[At, ...]
    about: At

    @property
    def on(self) -> bool:
        """Return whether rules are asked at all."""
        return self.at["on"].truth(default=False)

    @property
    def salt(self) -> str:
        """Return what is hashed with the key."""
        return self.at["salt"].text("")

    def serves(self, number: At) -> bool:
        """Return whether the variation with this number is on.

        No number means that code's own default answers; that is taken for off.

        Raises:
            UsageError: there is no such variation.
        """
        found = self.number(number)
        return found is not None and self.values[found].value is True

    def number(self, at: At) -> int | None:
        """Return the number of a variation, None if there is none.

        Raises:
            UsageError: there is no such variation.
        """
        if at.value is None:
            return None
        if not 0 <= at.whole() < len(self.values):
            raise at.wrong(f"the number of a variation: there are {len(self.values)}")
        return at.whole()

    def targets(self) -> list[tuple[frozenset[str], bool, At]]:
        """Return the actors that are listed, with what they get, in the order they are asked in."""
        plain = list(self.at["targets"].each())
        ordered = list(self.at["contextTargets"].each())
        found = []
        for each in ordered or plain:
            variation, listed = each["variation"], [each]
            if ordered and each["contextKind"].text(USER) == USER:
                same = variation.value
                listed = [one for one in plain if one["variation"].value == same][:1]
            for one in listed:
                ids = frozenset(one["values"].texts())
                found.append((ids, self.serves(variation), one))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment, as the file has it."""

    key: str
    at: At


def read_segment(at: At, key: str) -> Segment:
    """Return a segment."""
    return Segment(key=key, at=at)


def is_user(at: At) -> bool:
    """Return whether this is about the kind of context that stands for our actors."""
    return at["contextKind"].text(USER) in {"", USER}


def reference(at: At) -> tuple[str, ...] | None:
    """Return the steps of the way to an attribute; None if there is none."""
    text = at.text("")
    if not text:
        return None
    if not text.startswith("/"):
        return (text,)
    parts: Sequence[str] = text[1:].split("/")
    return tuple(each.replace("~1", "/").replace("~0", "~") for each in parts)


def bucketed_by(rollout: At) -> tuple[str, ...]:
    """Return the way to the attribute that picks actors; experiments go by the key."""
    if rollout["kind"].text("") == "experiment":
        return ("key",)
    return reference(rollout["bucketBy"]) or ("key",)


def shown(value: Any) -> str:
    """Return a value for a message, on one short line."""
    return repr(value)[:40]
