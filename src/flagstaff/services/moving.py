"""How does a rollout move? One event, one transaction: state, gates, outbox and audit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import assert_never

from flagstaff.errors import Conflict
from flagstaff.rollouts.effect import (
    ChangeBroker,
    ChangeFlag,
    CloseIssue,
    Effect,
    Internal,
    InvokeCommand,
    OpenIssue,
    Post,
    RemoveFlag,
    RestoreFlag,
    WriteCleanup,
)
from flagstaff.rollouts.event import Event, Rejected, Skipped
from flagstaff.rollouts.expiring import expires_at
from flagstaff.rollouts.judging import judgements
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.rollout import Phase, Rollout, SavedGates, StepStatus
from flagstaff.services import actors, evidence
from flagstaff.services.flags import Place, change_gates, remove_state, restore_gates
from flagstaff.services.lives import due
from flagstaff.services.unit import Overruled, Unit
from flagstaff.store import flags as store_flags
from flagstaff.store import outbox
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

QUIET = {Phase.RUNNING, Phase.WAITING}
"""Going from one to the other is no news of its own: the steps say it."""


def move(
    unit: Unit, record: RolloutRecord, event: Event, *, reason: str = "", leased: bool = False
) -> RolloutRecord:
    """Return the rollout after `event`, written with everything that follows from it.

    Who has a lease on it goes on by themselves; any other wakes whoever runs rollouts.

    Raises:
        Conflict: somebody else moved it since `record` was read, or has the lease; nothing was
            changed.
    """
    before = record.rollout
    after, effects = advance(before, event, unit.now)
    if after == before and not effects:
        return record
    if after.phase is Phase.ROLLED_BACK:
        outbox.abandon(unit.connection, before.id, unit.now)
    for step in _given_up(before, after, event):
        outbox.abandon(unit.connection, before.id, unit.now, step=step)
    if isinstance(event, Rejected):
        _record_rejection(unit, after, event)
    _record_changes(unit, before, after, reason)
    after = due.on_move(unit, before, after)
    internal = [effect for effect in effects if isinstance(effect, Internal)]
    store_flags.lock(unit.connection, (effect.environment for effect in internal))
    after = _with_saved(unit, after, internal)
    for effect in effects:
        _apply(unit, after, effect)
    readings = record.readings
    if after.watches != before.watches:
        readings = judgements(after, unit.now)
    saved = store.save(unit.connection, replace(record, readings=readings), after, leased=leased)
    if saved is None:
        raise Conflict(
            f"rollout {before.id} was moved by somebody else at this moment", hint="try again"
        )
    actors.follow(unit, after)
    evidence.keep(unit, evidence.points_of_move(before, event, after, readings, unit.now))
    # A reading that moves nothing wakes nobody who would only read again.
    moves = replace(before, watches=after.watches) != after or effects
    unit.changed.add(f"rollout:{before.id}" if moves else f"readings:{before.id}")
    return saved


def _given_up(before: Rollout, after: Rollout, event: Event) -> list[str]:
    """Return the steps whose effects are no longer wanted: skipped, or undone."""
    skipped = [event.step] if isinstance(event, Skipped) else []
    undone = [
        new.id
        for old, new in zip(before.states, after.states, strict=True)
        if new.status is StepStatus.PENDING and old.status is not StepStatus.PENDING
    ]
    return skipped + undone


def _with_saved(unit: Unit, rollout: Rollout, effects: Sequence[Internal]) -> Rollout:
    """Return the rollout with the gates as they are now, wherever it is about to change them.

    It keeps those before its first change there, and those before this step. Not earlier: days may
    pass between the start and production, and what people set in the meantime is not the rollout's
    to take back.
    """
    first = {each.environment: each for each in rollout.before}
    for effect in effects:
        if isinstance(effect, ChangeFlag | RemoveFlag):
            state = store_flags.get(unit.connection, effect.environment, rollout.plan.flag)
            gates = state.gates if state else None
            saved = SavedGates(environment=effect.environment, gates=gates)
            first.setdefault(effect.environment, saved)
            changed = rollout.state(effect.step)
            rollout = rollout.with_state(replace(changed, before=(*changed.before, saved)))
    return replace(rollout, before=tuple(first.values()))


def _apply(unit: Unit, rollout: Rollout, effect: Effect) -> None:
    match effect:
        case ChangeFlag() | RemoveFlag() | RestoreFlag():
            _apply_internal(unit, rollout, effect)
        case (
            Post() | WriteCleanup() | CloseIssue() | OpenIssue() | InvokeCommand() | ChangeBroker()
        ):
            outbox.add(unit.connection, rollout.id, (effect,), unit.now)
        case _:
            assert_never(effect)


def _apply_internal(unit: Unit, rollout: Rollout, effect: Internal) -> None:
    place = Place(
        flag=rollout.plan.flag,
        environment=effect.environment,
        rollout_id=rollout.id,
        step=effect.step,
    )
    match effect:
        case ChangeFlag():
            change_gates(unit, place, effect.change)
        case RemoveFlag():
            remove_state(unit, place)
        case RestoreFlag():
            restore_gates(unit, place, effect.gates)
        case _:
            assert_never(effect)


def _record_rejection(unit: Unit, rollout: Rollout, event: Rejected) -> None:
    unit.record(
        "step.reject",
        flag=rollout.plan.flag,
        rollout_id=rollout.id,
        step=event.step,
        text="rejected",
        reason=event.reason,
    )


def _record_changes(unit: Unit, before: Rollout, after: Rollout, reason: str) -> None:
    details = {"flag": after.plan.flag, "rollout_id": after.id}
    for old, new in zip(before.states, after.states, strict=True):
        if new.approved_by and (new.approved_by, new.overrides) != (old.approved_by, old.overrides):
            note = new.approval_note
            named = ", ".join(new.overrides)
            unit.record(
                "step.approve", step=new.id, text="approved", reason=note, override=named, **details
            )
        if new.status is old.status:
            continue
        if new.status.finished or new.status is StepStatus.FAILED:
            unit.record(
                f"step.{new.status}",
                step=new.id,
                text=new.note,
                reason=reason,
                override=unit.overruled.get((after.plan.flag, ""), Overruled()).names,
                **details,
            )
    if after.warned_at is not None and after.warned_at != before.warned_at:
        end = expires_at(after)
        when = f"{end.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if end else "soon"
        unit.record("rollout.warn", text=f"expires {when} unless it goes forward", **details)
    news = before.phase is not after.phase and not {before.phase, after.phase} <= QUIET
    if news:
        unit.record(f"rollout.{after.phase}", text=after.reason, reason=reason, **details)
