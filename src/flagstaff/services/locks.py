"""What may be done about locks and incidents, and what is recorded?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from flagstaff.commands.lock_model import (
    CloseIncident,
    ListLocks,
    LockCommand,
    LockEnvironment,
    OpenIncident,
    UnlockEnvironment,
)
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.definitions.duration import parse_duration
from flagstaff.errors import Conflict, UsageError
from flagstaff.services.unit import Unit
from flagstaff.store import locks as store
from flagstaff.store.locks import Lock

LONGEST = timedelta(days=366)


class Kind(StrEnum):
    """Why nothing may open wider."""

    LOCK = "lock"
    INCIDENT = "incident"


def answer(unit: Unit, command: LockCommand) -> Outcome:
    """Carry out a command about locks or incidents."""
    match command:
        case LockEnvironment():
            return _lock(unit, command)
        case UnlockEnvironment():
            return _lift(unit, Kind.LOCK, command.environment, command.reason)
        case OpenIncident():
            return _open(unit, command)
        case CloseIncident():
            return _lift(unit, Kind.INCIDENT, command.environment, command.reason)
        case ListLocks():
            return _listed(unit)


def _lock(unit: Unit, command: LockEnvironment) -> Outcome:
    unit.context.check_environments((command.environment,))
    if not command.reason.strip():
        raise UsageError("to lock, a reason is needed", hint='add --reason "…"')
    until = _until(unit, command.lasts) if command.lasts else None
    before = _standing(unit, Kind.LOCK, command.environment)
    lock = _new(unit, Kind.LOCK, command.environment, command.reason, until)
    end = f"until {_moment(until)}" if until else "until it is unlocked"
    text = f"{command.environment} is locked {end}: nothing opens wider there"
    _record(unit, lock, "lock.set", text)
    if before is not None:
        text += f"\nthis takes the place of: {_told(before)}"
    return Outcome(text=text, data=_json(lock), next=f"flagstaff unlock {command.environment}")


def _open(unit: Unit, command: OpenIncident) -> Outcome:
    unit.context.check_environments((command.environment,))
    if not command.title.strip():
        raise UsageError("an incident needs a title", hint="one line about what is wrong")
    before = _standing(unit, Kind.INCIDENT, command.environment)
    if before is not None:
        raise Conflict(
            f"there is an incident already: {_told(before)}", hint="flagstaff incident close"
        )
    lock = _new(unit, Kind.INCIDENT, command.environment, command.title, None)
    text = f"an incident is open in {command.environment}: nothing opens wider there"
    _record(unit, lock, "incident.open", text)
    return Outcome(text=text, data=_json(lock), next="flagstaff incident close")


def _lift(unit: Unit, kind: Kind, environment: str, reason: str) -> Outcome:
    unit.context.check_environments((environment,))
    before = _standing(unit, kind, environment)
    store.remove(unit.connection, environment, kind)
    if before is None:
        what = "is not locked" if kind is Kind.LOCK else "has no open incident"
        raise Conflict(f"{environment} {what}", hint="flagstaff lock lists what is")
    action, words = {
        Kind.LOCK: ("lock.lift", f"{environment} is unlocked"),
        Kind.INCIDENT: ("incident.close", f"the incident in {environment} is closed"),
    }[kind]
    text = f"{words}; it was: {_told(before)}"
    unit.record(action, environment=environment, text=text, reason=reason)
    unit.changed.add("locks")
    return Outcome(text=text, data=_json(before))


def _listed(unit: Unit) -> Outcome:
    found = store.current(unit.connection, unit.now)
    return Outcome(
        text="\n".join(_told(each) for each in found) or "nothing is locked",
        data={"locks": [_json(each) for each in found]},
    )


def _new(unit: Unit, kind: Kind, environment: str, reason: str, until: datetime | None) -> Lock:
    lock = Lock(
        environment=environment,
        kind=kind.value,
        reason=reason.strip(),
        who=unit.by.name,
        since=unit.now,
        until=until,
    )
    store.put(unit.connection, lock)
    return lock


def _record(unit: Unit, lock: Lock, action: str, text: str) -> None:
    unit.record(action, environment=lock.environment, text=text, reason=lock.reason)
    unit.changed.add("locks")


def _standing(unit: Unit, kind: Kind, environment: str) -> Lock | None:
    for each in store.current(unit.connection, unit.now):
        if (each.environment, each.kind) == (environment, kind):
            return each
    return None


def _until(unit: Unit, lasts: str) -> datetime:
    length = parse_duration(lasts)
    if not timedelta(0) < length <= LONGEST:
        raise UsageError(f"{lasts[:40]!r} is no time for a lock", hint="write 1s to 366d")
    return unit.now + length


def _told(lock: Lock) -> str:
    end = f" until {_moment(lock.until)}" if lock.until else ""
    return (
        f"{lock.environment}: {lock.kind}{end}: {lock.reason} ({lock.who}, {_moment(lock.since)})"
    )


def _json(lock: Lock) -> dict[str, Json]:
    return {
        "environment": lock.environment,
        "kind": lock.kind,
        "reason": lock.reason,
        "who": lock.who,
        "since": lock.since.isoformat(),
        "until": lock.until.isoformat() if lock.until else None,
    }


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
