"""Is a flag as a rollout left it, and if not, whose doing is it?

Whatever changes a flag through Flagstaff leaves an entry in the audit log, in the same transaction.
So the flag should be as the last entry says. If that is a person's, the change is theirs and stays;
people are told. If there is no such entry, nobody answers for what is there (an old server that
woke up, a restored table, a hand in the database), and it is put back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.services.flags import Place, restore_gates
from flagstaff.services.unit import Unit
from flagstaff.store import audit, outbox
from flagstaff.store import flags as store_flags
from flagstaff.store.audit import AuditEntry
from flagstaff.store.flags import FlagState
from flagstaff.store.rollouts import RolloutRecord

CHANGES_GATES = "flag"

Entries = Mapping[tuple[str, str], AuditEntry]
"""By flag and environment."""


def drifted(unit: Unit, records: Sequence[RolloutRecord]) -> frozenset[int]:
    """Return the numbers of the rollouts whose flag is not as they left it."""
    flags = {each.rollout.plan.flag for each in records}
    entries = audit.newest(unit.connection, flags, action=CHANGES_GATES)
    states = store_flags.of_flags(unit.connection, {flag for flag, _ in entries})
    return frozenset(
        each.rollout.id
        for each in records
        if any(
            not _is_ours(entry, each.rollout) or _gates(states.get(place)) != entry.after
            for place, entry in _touched(entries, each.rollout)
        )
    )


def correct(unit: Unit, record: RolloutRecord) -> None:
    """Put back what nobody answers for, and tell of what somebody has changed."""
    rollout = record.rollout
    store_flags.lock(unit.connection, rollout.touched)
    flag = rollout.plan.flag
    entries = audit.newest(unit.connection, {flag}, action=CHANGES_GATES)
    for (_, environment), entry in _touched(entries, rollout):
        if _gates(store_flags.get(unit.connection, environment, flag)) != entry.after:
            _put_back(unit, rollout, entry)
        elif not _is_ours(entry, rollout):
            _tell(unit, rollout, entry)


def _touched(entries: Entries, rollout: Rollout) -> Iterator[tuple[tuple[str, str], AuditEntry]]:
    """Yield the last change of the flag in each environment that the rollout has touched."""
    for environment in rollout.touched:
        place = (rollout.plan.flag, environment)
        if place in entries:
            yield place, entries[place]


def _is_ours(entry: AuditEntry, rollout: Rollout) -> bool:
    """Return whether the last change was this rollout's, or a later one's of the same flag."""
    return (entry.rollout_id or 0) >= rollout.id


def _gates(state: FlagState | None) -> object:
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
