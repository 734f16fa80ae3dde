"""Is a flag as a rollout left it, and if not, whose doing is it?

Whatever changes a flag through Flagstaff leaves an entry in the audit log, in the same transaction.
So the flag should be as the last entry says. If that is a person's, the change is theirs and stays;
people are told. If there is no such entry, nobody answers for what is there (an old server that
woke up, a restored table, a hand in the database), and it is put back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.services.flags import Place, restore_gates
from flagstaff.services.unit import Unit
from flagstaff.store import audit, outbox
from flagstaff.store import flags as store_flags
from flagstaff.store.audit import AuditEntry, Search
from flagstaff.store.rollouts import RolloutRecord

CHANGES_GATES = "flag"


def drifted(unit: Unit, records: Iterable[RolloutRecord]) -> frozenset[int]:
    """Return the numbers of the rollouts whose flag is not as they left it."""
    return frozenset(
        record.rollout.id
        for record in records
        if any(
            not _is_ours(entry, record.rollout) or _now(unit, entry) != entry.after
            for entry in _entries(unit, record.rollout)
        )
    )


def correct(unit: Unit, record: RolloutRecord) -> None:
    """Put back what nobody answers for, and tell of what somebody has changed."""
    rollout = record.rollout
    store_flags.lock(unit.connection, rollout.touched)
    for entry in _entries(unit, rollout):
        if _now(unit, entry) != entry.after:
            _put_back(unit, rollout, entry)
        elif not _is_ours(entry, rollout):
            _tell(unit, rollout, entry)


def _entries(unit: Unit, rollout: Rollout) -> Iterator[AuditEntry]:
    """Return the last change of the flag in each environment that the rollout has touched."""
    for environment in rollout.touched:
        wanted = Search(flag=rollout.plan.flag, environment=environment, action=CHANGES_GATES)
        yield from audit.search(unit.connection, wanted, limit=1)


def _is_ours(entry: AuditEntry, rollout: Rollout) -> bool:
    """Return whether the last change was this rollout's, or a later one's of the same flag."""
    return (entry.rollout_id or 0) >= rollout.id


def _now(unit: Unit, entry: AuditEntry) -> object:
    state = store_flags.get(unit.connection, entry.environment, entry.flag)
    return state.gates.to_json() if state else None


def _put_back(unit: Unit, rollout: Rollout, entry: AuditEntry) -> None:
    place = Place(
        flag=entry.flag,
        environment=entry.environment,
        rollout_id=rollout.id,
        reason=f"it was changed without a command; entry {entry.id} says how it should be",
    )
    gates = None if entry.after is None else Gates.from_json(entry.after)
    restore_gates(unit, place, gates, action="flag.correct", text=f"{entry.flag} put back")


def _tell(unit: Unit, rollout: Rollout, entry: AuditEntry) -> None:
    """Tell people once that the flag is another's now, under a key that is the change's."""
    if not rollout.plan.announce_to:
        return
    goes_on = "is over" if rollout.phase.finished else "goes on"
    if rollout.phase is Phase.PAUSED:
        goes_on = "is paused"
    post = Post(
        key=f"{rollout.id}/changed/{entry.id}",
        step="",
        channels=rollout.plan.announce_to,
        text=f"`{entry.flag}`: {entry.who} has changed it besides rollout {rollout.id}, which "
        f"{goes_on}: {entry.text}",
    )
    outbox.add(unit.connection, rollout.id, (post,), unit.now)
