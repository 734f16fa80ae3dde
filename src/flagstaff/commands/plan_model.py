"""What can be asked for about plans? Part of `commands.model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRollout:
    """Make a rollout of a plan in YAML, or of a template.

    `text` is the plan, `source` what messages call it. Without a text the plan is the `template`
    of that name; without that too, the template for the flag's team or type. `parameters` are
    values for the `<…>` of templates.
    """

    writes: ClassVar[bool] = True

    flag: str = ""
    text: str = ""
    template: str = ""
    source: str = "plan"
    parameters: dict[str, str] = field(default_factory=dict)
    start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPlan:
    """Show the plan of a rollout as YAML, and when its steps will be taken."""

    writes: ClassVar[bool] = False

    rollout: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRollout:
    """Give a rollout another plan; where it stands it stays.

    The new plan is the YAML in `plan`, or is read from the `issue`, which is its text or its
    address on a forge, whose placeholders are answered by `placeholders` and whose ways are chosen
    by `choices`. `tag` is that of the plan when it was looked at: if it has another one now,
    nothing is done.
    """

    writes: ClassVar[bool] = True

    rollout: int
    reason: str
    plan: str = ""
    issue: str = ""
    placeholders: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    source: str = "plan"
    tag: str = ""


PlanCommand = PlanRollout | ShowPlan | EditRollout
