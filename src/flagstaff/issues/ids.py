"""Which id does each step of a plan get?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from flagstaff.issues.meaning import Draft
from flagstaff.rollouts.plan import Step

_LONGEST = 32
_FILLERS = frozenset(
    {"a", "an", "and", "any", "are", "as", "at", "be", "been", "by", "chatops", "ensure", "feature"}
    | {"flag", "for", "has", "have", "if", "in", "is", "it", "not", "of", "on", "or", "run", "that"}
    | {"the", "these", "this", "to", "with", "you", "your"}
)


def with_ids(drafts: Sequence[Draft]) -> tuple[Step, ...]:
    """Return the steps, each with a short id that no other step has."""
    taken: set[str] = set()
    steps = []
    for draft in drafts:
        step_id = _unused(draft.slug or slug(draft.title), taken)
        taken.add(step_id)
        steps.append(
            Step(
                id=step_id,
                stage=draft.stage,
                title=draft.title,
                action=draft.action,
                line=draft.line,
                anchor=draft.anchor,
                preset=draft.preset,
                reason=draft.reason,
            )
        )
    return tuple(steps)


def slug(text: str) -> str:
    """Return `text` as small letters, digits and hyphens, cut at a word."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", folded)
    kept = [word for word in words if word not in _FILLERS] or words
    found = ""
    for word in kept:
        longer = f"{found}-{word}" if found else word[:_LONGEST]
        if len(longer) > _LONGEST:
            break
        found = longer
    return found or "step"


def _unused(wanted: str, taken: set[str]) -> str:
    number, found = 1, wanted
    while found in taken:
        number += 1
        found = f"{wanted}-{number}"
    return found
