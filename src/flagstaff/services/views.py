"""What do pages and programs get to read? Plain values, nothing of the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flagstaff.commands.model import AuditSearch
from flagstaff.commands.roles import Role
from flagstaff.errors import NotFound
from flagstaff.flags.describe import describe
from flagstaff.flags.gates import Gates, State
from flagstaff.issues import follow
from flagstaff.rollouts.checks import Wait
from flagstaff.rollouts.plan import Bake, Plan, SetGate, Step
from flagstaff.rollouts.rollout import Phase, Rollout, SavedGates, StepStatus
from flagstaff.services.auditing import search_of
from flagstaff.services.conditions import flag_tag, rollout_tag
from flagstaff.services.finding import find_rollout
from flagstaff.services.guard_views import GuardView, guard_views
from flagstaff.services.permissions import require
from flagstaff.services.unit import Unit
from flagstaff.store import audit as audit_store
from flagstaff.store import flags as flag_store
from flagstaff.store import rollouts as rollout_store
from flagstaff.store.audit import AuditEntry
from flagstaff.store.flags import FlagState
from flagstaff.store.rollouts import RolloutRecord

NEWEST = 200
"""Rollouts that Home tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step as it stands.

    `until` is when a wait ends at the earliest, `output` the last that a command has said.
    """

    id: str
    stage: str
    title: str
    kind: str
    status: StepStatus
    since: datetime | None
    until: datetime | None
    finished_at: datetime | None
    note: str
    output: str
    by: str
    approved_by: str
    line: int
    duration: timedelta | None
    production: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSummary:
    """One rollout on one line."""

    id: int
    flag: str
    title: str
    phase: Phase
    reason: str
    step: StepView | None
    done: int
    total: int
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutView:
    """One rollout with everything there is to know about it; `issue` as it reads now.

    `before` are the gates in the environments that the asker may look into. `tag` is another one
    whenever the rollout is; see `services.conditions`.
    """

    summary: RolloutSummary
    steps: tuple[StepView, ...]
    guards: tuple[GuardView, ...]
    watching: bool
    tag: str
    plan: Plan
    before: tuple[SavedGates, ...]
    touched: tuple[str, ...]
    issue: str
    issue_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagCell:
    """One flag in one environment; `gates` is `None` where it was never set.

    `tag` is another one whenever the rest is.
    """

    environment: str
    tag: str
    state: State
    words: str
    gates: Gates | None
    updated_at: datetime | None
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagView:
    """One flag in all environments; `defined` is false when only somebody has set it."""

    name: str
    type: str
    default: bool
    defined: bool
    cells: tuple[FlagCell, ...]
    rollout: int | None
    """The rollout of this flag that is not over, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """One thing that was done; `before` and `after` are gates as JSON.

    `override` names the policies that were overruled, `hash` is the entry's own in the chain.
    """

    id: int
    at: datetime
    who: str
    source: str
    action: str
    flag: str
    environment: str
    rollout: int | None
    step: str
    text: str
    reason: str
    override: str
    before: Any
    after: Any
    hash: str


def reachable(unit: Unit) -> None:
    """Read something of ours, which fails while the database is away."""
    rollout_store.recent_numbers(unit.connection, limit=1)


def rollouts(
    unit: Unit,
    *,
    flag: str | None = None,
    active: bool = False,
    below: int | None = None,
    limit: int = 200,
) -> list[RolloutSummary]:
    """Return the newest rollouts, of one flag or of all, with a smaller number than `below`."""
    records = rollout_store.find(
        unit.connection, flag=flag, active=active, below=below, limit=limit
    )
    return [_summary(record) for record in records]


def rollouts_with_guards(
    unit: Unit, known: dict[int, RolloutRecord]
) -> list[tuple[RolloutSummary, tuple[GuardView, ...]]]:
    """Return the newest rollouts of all, each with its guards.

    `known` is what the last call has read; whatever has not moved since is not read again. Give it
    to units that only read: what a transaction takes back must not be remembered.
    """
    numbers = rollout_store.recent_numbers(unit.connection, limit=NEWEST)
    records, broken = rollout_store.load(unit.connection, numbers, known)
    for error in broken.values():
        raise error
    known.clear()
    known.update(records)
    newest = [records[number] for number in numbers]
    return [(_summary(record), guard_views(record)) for record in newest]


def rollout(unit: Unit, number: int) -> RolloutView:
    """Return one rollout.

    Raises:
        NotFound: there is none with this number.
    """
    record = find_rollout(unit, number)
    found = record.rollout
    return RolloutView(
        summary=_summary(record),
        steps=tuple(_step(found, step) for step in found.plan.steps),
        guards=guard_views(record),
        watching=found.watching,
        tag=rollout_tag(record),
        plan=found.plan,
        before=tuple(each for each in found.before if unit.by.may(Role.VIEWER, each.environment)),
        touched=found.touched,
        issue=follow(record.issue_text, found) if record.issue_text else "",
        issue_path=record.issue_path,
    )


def flag_names(unit: Unit) -> list[str]:
    """Return the names of the flags that are defined or set."""
    known = {each.flag for each in flag_store.find(unit.connection)}
    return sorted({*unit.context.definitions(), *known})


def flags(
    unit: Unit, *, match: str = "", after: str = "", limit: int | None = None
) -> list[FlagView]:
    """Return the flags that are defined or set, in the environments the asker may look into.

    Only those with `match` in their names, and those whose names come after `after`; by name.
    """
    by_flag: dict[str, dict[str, FlagState]] = {}
    for state in flag_store.find(unit.connection):
        by_flag.setdefault(state.flag, {})[state.environment] = state
    known = {*unit.context.definitions(), *by_flag}
    names = sorted(each for each in known if each > after and match in each)[:limit]
    running = rollout_store.active_by_flag(unit.connection)
    return [flag_of(unit, name, by_flag.get(name, {}), running.get(name)) for name in names]


def flags_set(unit: Unit, environments: tuple[str, ...]) -> dict[str, list[tuple[str, FlagCell]]]:
    """Return what somebody has set in each environment: the flags by name, and how they stand."""
    found: dict[str, list[tuple[str, FlagCell]]] = {each: [] for each in environments}
    definitions = unit.context.definitions()
    for state in flag_store.find(unit.connection):
        if state.environment in found:
            definition = definitions.get(state.flag)
            default = definition.default_enabled if definition else False
            cell = _cell(state.environment, state, default)
            found[state.environment].append((state.flag, cell))
    return found


def flag(unit: Unit, name: str) -> FlagView:
    """Return one flag, in all environments the asker may look into.

    Raises:
        NotFound: it is neither defined nor set anywhere.
    """
    states = {each.environment: each for each in flag_store.find(unit.connection, flag=name)}
    if not states:
        unit.known_flag(name)
    running = rollout_store.active_by_flag(unit.connection, name)
    return flag_of(unit, name, states, running.get(name))


def cell(unit: Unit, name: str, environment: str) -> FlagCell:
    """Return one flag in one environment of the project.

    Raises:
        NotFound: it is neither defined nor set anywhere.
        Refused: the asker may not look into the environment.
    """
    require(unit.by, Role.VIEWER, (environment,))
    return next(each for each in flag(unit, name).cells if each.environment == environment)


def audit(
    unit: Unit, *, flag: str | None = None, rollout: int | None = None, limit: int = 200
) -> list[AuditView]:
    """Return what was done to a flag, to a rollout, or at all, newest first."""
    return searched(unit, AuditSearch(flag=flag or "", rollout=rollout or 0), limit=limit)


def searched(unit: Unit, search: AuditSearch, *, limit: int = 200) -> list[AuditView]:
    """Return what was done and is searched for, newest first."""
    entries = audit_store.search(unit.connection, search_of(unit, search), limit=limit)
    return [_audit(each) for each in entries]


def entry(unit: Unit, number: int) -> AuditView:
    """Return one entry of the audit log.

    Raises:
        NotFound: there is none with this number.
    """
    found = audit_store.get(unit.connection, number)
    if found is None:
        raise NotFound(f"there is no entry {number}", hint="flagstaff audit list shows them")
    return _audit(found)


def _audit(each: AuditEntry) -> AuditView:
    return AuditView(
        id=each.id,
        at=each.at,
        who=each.who,
        source=each.source,
        action=each.action,
        flag=each.flag,
        environment=each.environment,
        rollout=each.rollout_id,
        step=each.step,
        text=each.text,
        reason=each.reason,
        override=each.override,
        before=each.before,
        after=each.after,
        hash=each.hash,
    )


def _summary(record: RolloutRecord) -> RolloutSummary:
    found = record.rollout
    step = found.current
    return RolloutSummary(
        id=found.id,
        flag=found.plan.flag,
        title=found.plan.title,
        phase=found.phase,
        reason=found.reason,
        step=_step(found, step) if step else None,
        done=sum(state.status.finished for state in found.states),
        total=len(found.states),
        created_at=record.created_at,
        created_by=record.created_by,
        started_at=found.started_at,
        finished_at=found.finished_at,
    )


def _step(found: Rollout, step: Step) -> StepView:
    state = found.state(step.id)
    action = step.action
    environments = action.environments if isinstance(action, SetGate) else ()
    return StepView(
        id=step.id,
        stage=step.stage,
        title=step.title,
        kind=type(action).__name__,
        status=state.status,
        since=state.since,
        until=state.until,
        finished_at=state.finished_at,
        note=state.note,
        output=state.output,
        by=state.by,
        approved_by=state.approved_by,
        line=step.line,
        duration=action.duration if isinstance(action, Bake | Wait) else None,
        production=bool({*environments} & {*found.plan.production}),
    )


def flag_of(unit: Unit, name: str, states: dict[str, FlagState], rollout: int | None) -> FlagView:
    """Return one flag, in the environments the asker may look into, from what is kept of it."""
    definition = unit.context.definitions().get(name)
    default = definition.default_enabled if definition else False
    # An environment that the project no longer has may still hold the flag's state.
    environments = dict.fromkeys((*unit.context.project.environments, *sorted(states)))
    return FlagView(
        name=name,
        type=definition.type if definition else "undefined",
        default=default,
        defined=definition is not None,
        cells=tuple(
            _cell(each, states[each], default) if each in states else _unset(each, default)
            for each in environments
            if unit.by.may(Role.VIEWER, each)
        ),
        rollout=rollout,
    )


def _cell(environment: str, state: FlagState | None, default: bool) -> FlagCell:  # noqa: FBT001
    gates = state.gates if state else None
    unset = State.ON if default else State.OFF
    return FlagCell(
        environment=environment,
        tag=flag_tag(state, default=default),
        state=gates.state if gates is not None else unset,
        words=describe(gates, default=default),
        gates=gates,
        updated_at=state.updated_at if state else None,
        updated_by=state.updated_by if state else "",
    )


@lru_cache(maxsize=256)
def _unset(environment: str, default: bool) -> FlagCell:  # noqa: FBT001
    """Return the cell of a flag that nobody has set there: most are, and all of them are alike."""
    return _cell(environment, None, default)
