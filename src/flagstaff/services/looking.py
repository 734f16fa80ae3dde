"""Which rollouts are due, who looks at them, and what does a look leave?

Looks are taken and ended many at a time, because most of them change nothing: one transaction takes
them, one ends them, and those that only read guards are written together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flagstaff.rollouts.judging import judgements
from flagstaff.rollouts.next_look import leeway, next_check, next_look, waits_for
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services import actors, evidence
from flagstaff.services.evidence import Point
from flagstaff.services.unit import Unit
from flagstaff.store import leases, looks, outbox
from flagstaff.store import rollouts as store
from flagstaff.store.leases import Claimant
from flagstaff.store.looks import Due, Release
from flagstaff.store.rollouts import RolloutRecord

__all__ = [
    "Claimant",
    "Due",
    "Ended",
    "Look",
    "Looked",
    "any_due",
    "any_waiting",
    "break_leases",
    "claim",
    "end",
    "late",
    "leave_duties",
    "next_look_at",
    "renew",
    "sweep",
    "take_duty",
    "wake_all",
    "wake_waiting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look that this process may take; `error` says why the rollout cannot be read."""

    due: Due
    record: RolloutRecord | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What came of a look.

    `record` is the rollout as it then stood, `read` the same with new readings that are still to be
    written. `again_at` is when to look again, instead of when the rollout itself wants it.
    `checked` says that the flag was checked too.
    """

    due: Due
    record: RolloutRecord | None = None
    read: Rollout | None = None
    again_at: datetime | None = None
    checked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What looks that have ended leave: what was written, and when to look again at which."""

    written: tuple[RolloutRecord, ...]
    next_looks: tuple[tuple[int, datetime], ...]


def any_due(unit: Unit, claimant: Claimant) -> bool:
    """Return whether there is anything to look at."""
    return looks.is_any_due(unit.connection, claimant, unit.now)


def claim(
    unit: Unit, claimant: Claimant, known: Mapping[int, RolloutRecord], *, limit: int
) -> list[Look]:
    """Take what is due, at most `limit`, longest due first; `known` need not be read again."""
    taken = looks.claim(unit.connection, claimant, unit.now, limit=limit)
    if not taken:
        return []
    records, broken = store.load(unit.connection, [each.rollout_id for each in taken], known)
    found = []
    for due in taken:
        record = records.get(due.rollout_id)
        if record is not None:
            record = replace(record, lease_token=due.lease_token)
        found.append(Look(due=due, record=record, error=broken.get(due.rollout_id)))
    return found


def end(unit: Unit, looked: Sequence[Looked], *, not_before: datetime) -> Ended:
    """Write what looks have read, and when the next ones are.

    A rollout that somebody moved meanwhile is looked at again at once, one that somebody else has
    the lease on is theirs.
    """
    releases, written = [], []
    grown: list[Point] = []
    for each in looked:
        record = each.record
        again_at = each.again_at
        if record is not None and each.read is not None:
            read = replace(record, readings=judgements(each.read, unit.now))
            before = record.rollout
            saved = store.save(unit.connection, read, each.read, leased=True)
            if saved is None:
                again_at = looks.AT_ONCE
            else:
                record = saved
                written.append(saved)
                grown += evidence.points(before, each.read, read.readings, unit.now)
                unit.changed.add(f"readings:{saved.rollout.id}")
        releases.append(_release(unit, each, record, again_at, not_before))
    evidence.keep(unit, grown)
    looks.release(unit.connection, releases)
    times = ((each.rollout_id, each.at) for each in releases)
    return Ended(
        written=tuple(written),
        next_looks=tuple((number, at) for number, at in times if at is not None),
    )


def _release(
    unit: Unit,
    looked: Looked,
    record: RolloutRecord | None,
    again_at: datetime | None,
    not_before: datetime,
) -> Release:
    due = looked.due
    check_at, waits = due.check_at, ""
    if record is not None:
        waits = waits_for(record.rollout)
        if looked.checked or check_at is None:
            check_at = next_check(record.rollout, unit.now)
    if again_at is None and record is not None:
        wanted = next_look(record.rollout, unit.now)
        again_at = max(wanted, not_before) if wanted is not None else None
    if check_at is not None:
        latest = check_at if record is None else check_at + leeway(record.rollout)
        if again_at is None:
            again_at = check_at
        elif again_at > latest:
            again_at = min(again_at, max(check_at, not_before))
    return Release(
        rollout_id=due.rollout_id,
        lease_token=due.lease_token,
        wake_seq=due.wake_seq,
        at=again_at,
        check_at=check_at,
        waits_for=waits,
    )


def renew(
    unit: Unit,
    claimant: Claimant,
    rollouts: Collection[tuple[int, int]],
    effects: Collection[tuple[str, int]],
) -> set[int | str]:
    """Prolong leases, given with their tokens; return what is still ours."""
    kept: set[int | str] = set(looks.renew(unit.connection, claimant, rollouts))
    kept |= {key for key, token in effects if outbox.renew(unit.connection, claimant, key, token)}
    return kept


def take_duty(unit: Unit, claimant: Claimant, name: str) -> bool:
    """Take a duty that one replica alone has, or keep it; return whether it is ours."""
    return leases.take_duty(unit.connection, name, claimant)


def leave_duties(unit: Unit, owner: str) -> None:
    """Let others have the duties of a process that ends."""
    leases.leave_duties(unit.connection, owner)


def break_leases(unit: Unit) -> None:
    """Forget the leases of processes that are gone; only for whoever is alone on the database."""
    looks.break_leases(unit.connection)
    outbox.break_leases(unit.connection)


def sweep(unit: Unit) -> None:
    """Have rollouts found that no version before this one has given a row, or has ended whole."""
    looks.sweep(unit.connection)
    actors.sweep(unit)


def wake_all(unit: Unit) -> None:
    """Have every rollout that is not over looked at at once."""
    looks.wake_all(unit.connection)


def wake(unit: Unit, number: int) -> None:
    """Have one rollout looked at at once."""
    looks.wake(unit.connection, number)


def any_waiting(unit: Unit, facts: Collection[str]) -> bool:
    """Return whether any rollout waits for one of the facts."""
    return looks.is_any_waiting(unit.connection, facts)


def wake_waiting(unit: Unit, facts: Collection[str]) -> None:
    """Wake the rollouts that wait for one of the facts."""
    looks.wake_waiting(unit.connection, facts)


def next_look_at(unit: Unit, number: int) -> datetime | None:
    """Return when a rollout is to be looked at; `None` is never."""
    return looks.next_look_at(unit.connection, number)


def late(unit: Unit) -> tuple[int, datetime | None]:
    """Return how many rollouts wait for a look whose time has come, and since when the first."""
    return looks.late(unit.connection, unit.now)
