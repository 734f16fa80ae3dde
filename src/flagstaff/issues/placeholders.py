"""What stands in the place of a `<…>` in an issue?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_PLACEHOLDER = re.compile(r"<([A-Za-z][\w ./-]*)>")
FLAG: Final = frozenset({"feature-flag-name", "flag-name", "feature-flag", "flag", "ff-name"})
PERCENTAGE: Final = frozenset({"rollout-percentage", "percentage", "percent"})
"""Answered by the configured ramp."""
CLEANUP: Final = frozenset(
    {"merge-request-url", "mr-url", "merge-request-link", "mr-link", "cleanup-mr-url"}
)
"""Answered by the rollout's own cleanup request."""
_TEAM_CHANNEL = re.compile(r"(?:slack|team)-channel|team-name$")
_TEAM_NAMED = re.compile(r"#?(?:g|f|s)_TEAM_NAME\b|#<[\w -]*team[\w -]*>|#team[-_]name\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is known about placeholders: `resolve` comes first, then the project's own."""

    flag: str
    team: str
    resolve: Mapping[str, str] = field(default_factory=dict)
    placeholders: Mapping[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """Return `text` with every placeholder replaced that has an answer."""
        text = _TEAM_NAMED.sub(self.team, text) if self.team else text
        return _PLACEHOLDER.sub(lambda found: self._answer(found[1]) or found[0], text)

    def _answer(self, name: str) -> str:
        word = normal(name)
        for known in (self.resolve, self.placeholders):
            for key, value in known.items():
                if normal(key) == word:
                    return value
        if word in FLAG:
            return self.flag
        return self.team if _TEAM_CHANNEL.search(word) else ""


def left_in(text: str) -> tuple[str, ...]:
    """Return the names of the placeholders in `text`, as they are written."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def stand_in(text: str, names: frozenset[str], word: str) -> str:
    """Return `text` with the placeholders called `names` replaced by `word`."""
    return _PLACEHOLDER.sub(lambda found: word if normal(found[1]) in names else found[0], text)


def has(text: str, names: frozenset[str]) -> bool:
    """Return whether `text` has a placeholder of one of these names."""
    return any(normal(name) in names for name in left_in(text))


def normal(name: str) -> str:
    """Return a placeholder's name in the one spelling in which names are compared."""
    return re.sub(r"[\s_]+", "-", name.strip().strip("<>").lower())
