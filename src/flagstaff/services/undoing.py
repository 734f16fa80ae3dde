"""How is one change of gates taken back?"""

from __future__ import annotations

from flagstaff.commands.model import UndoEntry
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import Conflict, NotFound
from flagstaff.flags.gates import Gates
from flagstaff.services.flags import (
    Place,
    restore_gates,
    running_rollout,
    state_json,
    words_for,
)
from flagstaff.services.policies import judging
from flagstaff.services.policies.judging import Request
from flagstaff.services.unit import Unit
from flagstaff.store import audit
from flagstaff.store import flags as store
from flagstaff.store.audit import AuditEntry, Search

CHANGES_GATES = "flag"
"""What the actions that change gates begin with."""

SHOWN = 5


def undo(unit: Unit, command: UndoEntry) -> Outcome:
    """Restore the gates before an entry, if they are still as they were after it.

    Raises:
        NotFound: there is no such entry.
        Conflict: it changed no gates, or they have changed since; the message says by whom.
        Refused: a policy does not allow it.
    """
    entry = _entry(unit, command.entry)
    unit.context.check_environments((entry.environment,))
    judging.lock(unit, (entry.environment,))
    state = store.get(unit.connection, entry.environment, entry.flag)
    before, after = _gates(entry.before), _gates(entry.after)
    if (state.gates if state else None) != after:
        raise _changed_since(unit, entry)
    request = Request(
        flag=entry.flag,
        after={entry.environment: before},
        overrides=command.overrides,
        reason=command.reason,
    )
    judging.check(unit, request)
    place = Place(flag=entry.flag, environment=entry.environment, reason=command.reason)
    text = f"entry {entry.id} of {entry.flag} undone"
    restore_gates(unit, place, before, action="flag.undo", text=text)
    lines = [
        f"{text}: {entry.text}",
        f"{entry.environment}: {words_for(unit, entry.flag, before)}",
        *running_rollout(unit, entry.flag),
    ]
    return Outcome(
        text="\n".join(lines),
        data={entry.environment: state_json(unit, entry.flag, before)},
        next=f"flagstaff feature get {entry.flag} --{entry.environment}",
    )


def _entry(unit: Unit, number: int) -> AuditEntry:
    entry = audit.get(unit.connection, number)
    if entry is None:
        raise NotFound(f"there is no entry {number}", hint="flagstaff audit list shows them")
    if not entry.action.startswith(f"{CHANGES_GATES}."):
        raise Conflict(
            f"entry {number} ({entry.action}) changed no gates, so there is nothing to put back",
            hint=f"flagstaff audit list --action {CHANGES_GATES}",
        )
    return entry


def _gates(data: object) -> Gates | None:
    return None if data is None else Gates.from_json(data)


def _changed_since(unit: Unit, entry: AuditEntry) -> Conflict:
    since = Search(
        flag=entry.flag, environment=entry.environment, action=CHANGES_GATES, above=entry.id
    )
    later = audit.search(unit.connection, since, limit=SHOWN + 1)
    told = [f"entry {each.id}, {each.who}: {each.text}" for each in reversed(later[:SHOWN])]
    if len(later) > SHOWN:
        told.insert(0, "earlier ones, and")
    what = "\n".join(told) or "by something that is not in the log"
    return Conflict(
        f"{entry.flag} in {entry.environment} has changed since entry {entry.id}:\n{what}",
        hint=f"undo the last one first: flagstaff audit undo {later[0].id}"
        if later
        else f"set it as it should be: flagstaff feature set {entry.flag} …",
    )
