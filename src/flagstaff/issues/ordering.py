"""Which steps come before those that stand above them?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from flagstaff.flags.change import Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.issues.meaning import Draft
from flagstaff.issues.setting import PRODUCTION
from flagstaff.rollouts.plan import Preset, SetGate

_BEFORE = re.compile(
    r"(?:(?:steps|preparations?|checks) )?before (?:the |a )?(?:\w+ )?(?:rolling out|roll[ -]?out)"
    r"(?:$| (?:in|on|to|for)\b)",
    re.IGNORECASE,
)


def with_preparation(drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """Return the steps, those under "Before global rollout" before production is opened widely.

    Some issues list their commands first and what has to be true before them below.
    """
    first = next((at for at, draft in enumerate(drafts) if _opens_widely(draft)), None)
    if first is None:
        return tuple(drafts)
    late = [draft for draft in drafts[first + 1 :] if _BEFORE.match(draft.stage.strip("*_: "))]
    if not late or any(isinstance(draft.action, SetGate) for draft in late):
        return tuple(drafts)
    rest = [draft for draft in drafts[first:] if draft not in late]
    return (*drafts[:first], *late, *rest)


def _opens_widely(draft: Draft) -> bool:
    action = draft.action
    return (
        isinstance(action, SetGate)
        and draft.preset is Preset.OPEN
        and PRODUCTION in action.environments
        and isinstance(action.change, Boolean | PercentageOfActors | PercentageOfTime)
    )
