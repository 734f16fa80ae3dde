"""May a rollout take its next step now, and may this person say yes to it?"""

from __future__ import annotations

from datetime import UTC

from flagstaff.commands.model import ApproveStep, SkipStep
from flagstaff.commands.overrides import check_overrides, option_of
from flagstaff.errors import UsageError
from flagstaff.rollouts.event import Answer
from flagstaff.rollouts.plan import AskPerson, DeleteFlag, SetGate, Step
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.flags import changed_gates
from flagstaff.services.policies import judging
from flagstaff.services.policies.approving import check_approver
from flagstaff.services.policies.change import PRODUCTION
from flagstaff.services.policies.four_eyes import FourEyes
from flagstaff.services.policies.judging import Objection, Request
from flagstaff.services.unit import Unit
from flagstaff.store import audit
from flagstaff.store.rollouts import RolloutRecord

IN_THE_ISSUE = "the rollout issue says so"
"""The reason of an override that a command of the issue names."""


def allowed(unit: Unit, rollout: Rollout) -> Answer:
    """Return whether policies let the rollout change its flag now; a no says how to go on."""
    request = _request(unit, rollout)
    objections = judging.judge(unit, request) if request else []
    if not objections:
        return Answer(yes=True, text="")
    step = rollout.current
    options = " ".join(dict.fromkeys(option_of(each.override) for each in objections))
    moments = [each.refusal.until for each in objections]
    known = [each for each in moments if each is not None]
    until = max(known) if len(known) == len(moments) else None
    when = f"at {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if until else "when that is over"
    return Answer(
        yes=False,
        until=until,
        text="held by policy: "
        + "; ".join(each.refusal.what for each in objections)
        + f". It goes on by itself {when}; {objections[0].refusal.remedy}, or overrule it: "
        f"flagstaff rollout approve {rollout.id} --step {step.id if step else ''} {options} "
        "--reason WHY",
    )


def _request(unit: Unit, rollout: Rollout) -> Request | None:
    step = rollout.current
    match step:
        case Step(action=SetGate(environments=environments, change=change) as action):
            try:
                after = changed_gates(unit, rollout.plan.flag, environments, change)
            except UsageError:
                return None  # impossible in any case; to try it says why
            named = action.overrides
        case Step(action=DeleteFlag(environments=environments)):
            after = dict.fromkeys(environments)
            named = ()
        case _:
            return None
    state = rollout.state(step.id)
    return Request(
        flag=rollout.plan.flag,
        after=after,
        overrides=(*named, *state.overrides),
        reason=state.approval_note or IN_THE_ISSUE,
        cleanup=isinstance(step.action, DeleteFlag) and _deleted_everywhere(rollout),
    )


def _deleted_everywhere(rollout: Rollout) -> bool:
    """Return whether the rollout removes the flag in production too, in whatever order."""
    deletes = [each.action for each in rollout.plan.steps if isinstance(each.action, DeleteFlag)]
    return any(PRODUCTION in each.environments for each in deletes)


def check_word(
    unit: Unit, record: RolloutRecord, command: ApproveStep | SkipStep, step: Step
) -> None:
    """Let a yes to a step count only from those who may give it.

    Raises:
        Refused: the rollout is the asker's own.
        UsageError: an override is unknown, or has no reason.
    """
    check_overrides(command.overrides)
    if command.overrides and not command.reason.strip():
        raise UsageError(
            f"to overrule a policy ({', '.join(command.overrides)}) needs a reason",
            hint='others will read it in the audit log: add --reason "…"',
        )
    check_approver(unit, record, command, step)
    if not unit.context.project.policies.four_eyes or isinstance(step.action, AskPerson):
        return
    starter = audit.first_who(unit.connection, record.rollout.id, "rollout.running")
    refusal = FourEyes().refusal(approver=unit.by.name, starter=starter)
    if refusal is None:
        return
    objection = Objection(refusal=refusal, override=FourEyes.override)
    if FourEyes.override not in command.overrides:
        raise judging.refused([objection])
    judging.note(unit, record.rollout.plan.flag, "", [objection], command.reason)
