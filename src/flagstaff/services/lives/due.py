"""Until when does a flag have to be gone, who has settled it, and may its issue be closed?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from flagstaff.commands.life_model import SetDue
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.definitions import Definition
from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.project_lifecycle import parse_day
from flagstaff.definitions.span import FOREVER, Span
from flagstaff.errors import UsageError
from flagstaff.rollouts.event import Answer
from flagstaff.rollouts.plan import AwaitMerge, Close, CloseTarget
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus
from flagstaff.services.lives.facts import UNDEFINED, introduced, midnight
from flagstaff.services.unit import Unit
from flagstaff.store import flags as flag_store
from flagstaff.store import lives as store
from flagstaff.store import rollouts as rollout_store
from flagstaff.store.flags import FlagState
from flagstaff.store.lives import Life

ALL: Final = 100.0
NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Until when a flag has to be gone, and why; `by` is empty where nobody has settled it."""

    at: datetime
    by: str = ""
    why: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        who = f"{self.by}: {self.why}" if self.by else self.why
        return f"to be gone by {self.at:%Y-%m-%d} ({who})"

    def to_json(self) -> dict[str, Json]:
        """Return it for programs."""
        return {"due": f"{self.at:%Y-%m-%d}", "by": self.by, "reason": self.why}


def due_of(unit: Unit, flag: str) -> Due | None:
    """Return until when a flag has to be gone, `None` for one that may stay or is gone."""
    definition = unit.context.definitions().get(flag)
    if definition is None:
        return None
    rows = flag_store.find(unit.connection, flag=flag)
    return settled(unit, definition, store.get(unit.connection, flag), rows)


def settled(
    unit: Unit, definition: Definition, life: Life | None, rows: Iterable[FlagState]
) -> Due | None:
    """Return the same from what is known of the flag.

    What a person has said counts; else what comes first, the end of its lifespan or the date that a
    rollout to everybody has set.
    """
    found = []
    if life is not None and life.due_at is not None:
        if life.due_by:
            return Due(at=life.due_at, by=life.due_by, why=life.due_reason)
        found.append(Due(at=life.due_at, why=life.due_reason))
    span = unit.context.project.lifecycle.lifespans[definition.type]
    ends_at = span.after(introduced(unit, definition, life, rows))
    if ends_at is not None:
        found.append(Due(at=ends_at, why=f"flags of type `{definition.type}` live {span}"))
    return min(found, key=lambda each: each.at, default=None)


def set_due(unit: Unit, command: SetDue) -> Outcome:
    """Settle the date, or take it back.

    Raises:
        NotFound: there is no such flag.
        UsageError: it is no date to come, or has no reason.
    """
    if not flag_store.find(unit.connection, flag=command.flag):
        unit.known_flag(command.flag)
    if not command.reason.strip():
        raise UsageError("a due date needs a reason", hint="others will read it: --reason WHY")
    due_at = _moment(command.due, unit.now)
    store.note(
        unit.connection,
        command.flag,
        unit.now,
        due_at=due_at,
        due_by=unit.by.name if due_at else "",
        due_reason=command.reason.strip() if due_at else "",
        due_rollout=None,
    )
    text = f"to be gone by {due_at:%Y-%m-%d}" if due_at else "has no due date of its own"
    unit.record("due.set", flag=command.flag, text=text, reason=command.reason.strip())
    for each in rollout_store.find(unit.connection, active=True, flag=command.flag):
        unit.changed.add(f"rollout:{each.rollout.id}")
    found = due_of(unit, command.flag)
    said = str(found) if found else "may stay"
    return Outcome(
        text=f"{command.flag}: {said}",
        data={"flag": command.flag, "due": found.to_json() if found else None},
        next=f"flagstaff feature get {command.flag}",
    )


def on_move(unit: Unit, before: Rollout, after: Rollout) -> Rollout:
    """Return the rollout after a move, with what it means for the flag's life noted in its steps.

    A rollout that has reached everybody sets the date; one that is rolled back takes it away.
    """
    if after.phase is Phase.ROLLED_BACK:
        _forget(unit, after)
        return after
    if before.percentage < ALL <= after.percentage:
        return _noted(after, after.production_changes[-1].id, _begin(unit, after))
    for step in after.plan.steps:
        closes = isinstance(step.action, Close) and step.action.target is CloseTarget.ROLLOUT_ISSUE
        if closes and _just_done(before, after, step.id):
            found = due_of(unit, after.plan.flag)
            return _noted(after, step.id, found if found and found.by else None)
    return after


def may_close(unit: Unit, rollout: Rollout) -> Answer:
    """Say whether the rollout's issue may be closed: the flag is gone, may stay, or will go."""
    flag = rollout.plan.flag
    definition = unit.context.definitions().get(flag)
    if definition is None:
        return Answer(yes=True, text=f"{flag} is no longer defined")
    merged = any(
        isinstance(step.action, AwaitMerge) and rollout.state(step.id).status is StepStatus.DONE
        for step in rollout.plan.steps
    )
    if rollout.merged or merged:
        return Answer(yes=True, text="the cleanup is merged")
    if _cleanup(unit, definition.type) == FOREVER:
        return Answer(yes=True, text=f"flags of type `{definition.type}` may stay")
    found = due_of(unit, flag)
    if found is not None and found.by and found.at > unit.now:
        return Answer(yes=True, text=str(found))
    return Answer(
        yes=False,
        text=f"{flag} is still in the code: merge its cleanup, or say until when it will be gone: "
        f"`feature due {flag} DATE --reason WHY`",
    )


def _begin(unit: Unit, rollout: Rollout) -> Due | None:
    flag = rollout.plan.flag
    definition = unit.context.definitions().get(flag)
    life = store.get(unit.connection, flag)
    if life is not None and life.due_by and life.due_at and life.due_at > unit.now:
        return due_of(unit, flag)
    ends_at = _cleanup(unit, definition.type if definition else UNDEFINED).after(unit.now)
    if ends_at is None:
        return None
    due = Due(
        at=midnight(ends_at.astimezone(UTC).date()),
        why=f"rollout {rollout.id} has reached everybody",
    )
    store.note(
        unit.connection,
        flag,
        unit.now,
        due_at=due.at,
        due_by="",
        due_reason=due.why,
        due_rollout=rollout.id,
    )
    text = f"to be gone by {due.at:%Y-%m-%d}"
    unit.record("due.set", flag=flag, rollout_id=rollout.id, text=text, reason=due.why)
    return due


def _forget(unit: Unit, rollout: Rollout) -> None:
    life = store.get(unit.connection, rollout.plan.flag)
    if life is None or life.due_rollout != rollout.id:
        return
    store.note(
        unit.connection,
        life.flag,
        unit.now,
        due_at=None,
        due_by="",
        due_reason="",
        due_rollout=None,
    )
    text = "has no due date of its own any more"
    unit.record("due.set", flag=life.flag, rollout_id=rollout.id, text=text, reason="rolled back")


def _noted(rollout: Rollout, step_id: str, due: Due | None) -> Rollout:
    if due is None:
        return rollout
    state = rollout.state(step_id)
    words = f"to be gone by {due.at:%Y-%m-%d}" if not due.by else str(due)
    return rollout.with_state(replace(state, note="; ".join(filter(None, (state.note, words)))))


def _just_done(before: Rollout, after: Rollout, step_id: str) -> bool:
    done = StepStatus.DONE
    return after.state(step_id).status is done and before.state(step_id).status is not done


def _cleanup(unit: Unit, type_name: str) -> Span:
    return unit.context.project.lifecycle.cleanup[type_name]


def _moment(text: str, now: datetime) -> datetime | None:
    word = text.strip().lower()
    if word == NONE:
        return None
    try:
        day = parse_day(word)
    except UsageError:
        try:
            day = (now + parse_duration(word)).astimezone(UTC).date()
        except UsageError as exc:
            raise UsageError(
                f"{text[:60]!r} is no date",
                hint="write a day such as 2026-03-31, a length of time such as 30d, or none",
            ) from exc
    due_at = midnight(day)
    if due_at <= now:
        raise UsageError(f"{day} is not to come", hint="write a later day")
    return due_at
