"""Which types of flags are there, and what does each ask of its definition?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_SNAKE: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_WORKER: Final = re.compile(r"[A-Za-z0-9]+(?:(?:_|::)[A-Za-z0-9]+)*")
WORKER: Final = "worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagType:
    """The rules of one type, as GitLab has them.

    Attributes:
        name: As written under `type`, and the name of the folder.
        optional: A flag of this type may be used without any definition.
        rollout_issue: A definition should name the issue that rolls the flag out.
        may_default_on: `default_enabled: true` is allowed.
        lifespan_months: When the flag should be gone; None where there is no such time.
        advice: Why not to use the type any more, and what to use; empty for a good one.
    """

    name: str
    optional: bool = False
    rollout_issue: bool = False
    may_default_on: bool = False
    lifespan_months: int | None = None
    advice: str = ""


FLAG_TYPES: Final[Mapping[str, FlagType]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            FlagType(
                name="development", rollout_issue=True, may_default_on=True, lifespan_months=6
            ),
            FlagType(name="gitlab_com_derisk", rollout_issue=True, lifespan_months=2),
            FlagType(name="wip", lifespan_months=4),
            FlagType(name="beta", rollout_issue=True, may_default_on=True, lifespan_months=6),
            FlagType(name="ops", may_default_on=True),
            FlagType(name="experiment", optional=True, rollout_issue=True, lifespan_months=6),
            FlagType(name=WORKER, optional=True),
            FlagType(
                name="licensed",
                optional=True,
                may_default_on=True,
                advice="a licence decides better about licensed features; use `ops`",
            ),
            FlagType(name="undefined", optional=True, advice="use `development` or `ops`"),
        )
    }
)


def is_flag_name(name: str, *, type_name: str = "") -> bool:
    """Say whether `name` is snake_case; for workers, `::` and upper case are allowed as well."""
    pattern = _WORKER if type_name == WORKER else _SNAKE
    return pattern.fullmatch(name) is not None
