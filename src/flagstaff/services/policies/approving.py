"""Is this person's yes to an approval one that its plan takes?"""

from __future__ import annotations

from flagstaff.commands.model import ApproveStep, SkipStep
from flagstaff.commands.roles import Role
from flagstaff.errors import UsageError
from flagstaff.rollouts.plan import Approve, Step
from flagstaff.services.permissions import require
from flagstaff.services.policies import judging
from flagstaff.services.policies.four_eyes import FourEyes
from flagstaff.services.policies.judging import Objection
from flagstaff.services.unit import Unit
from flagstaff.store.rollouts import RolloutRecord


def check_approver(
    unit: Unit, record: RolloutRecord, command: ApproveStep | SkipStep, step: Step
) -> None:
    """Let a yes to an approval, or its being skipped, pass if its plan takes it from the asker.

    Raises:
        Forbidden: they lack the role that the step names.
        Refused: it takes a second pair of eyes, and the rollout is the asker's own.
        UsageError: the plan names a role that there is not.
    """
    action = step.action
    if not isinstance(action, Approve):
        return
    plan = record.rollout.plan
    if action.role:
        require(unit.by, _role(action.role), plan.changed_environments or plan.production)
    if not action.four_eyes:
        return
    for own in (record.rollout.started_by, record.created_by):
        refusal = FourEyes().refusal(approver=unit.by.name, starter=own)
        if refusal is None:
            continue
        objection = Objection(refusal=refusal, override=FourEyes.override)
        if FourEyes.override not in command.overrides:
            raise judging.refused([objection])
        judging.note(unit, plan.flag, "", [objection], command.reason)


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError as exc:
        raise UsageError(
            f"the plan wants the role {name[:60]!r}, which there is not",
            hint=f"there are {', '.join(Role)}; abort, and import a plan with one of them",
        ) from exc
