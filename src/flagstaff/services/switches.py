"""Which background jobs may run, and who is told when that is forgotten?

A switch is two flags named after the job, so that applications hear of it as of any flag: `run_…`,
which share of the jobs runs (all of them, while it is not set), and `drop_…`, which share is thrown
away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from flagstaff.commands.job_model import JobCommand, ListSwitches, SwitchJobs
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.errors import UsageError
from flagstaff.flags.describe import percent
from flagstaff.flags.gates import Gates
from flagstaff.flags.switches import Kind, flag_of, is_task_name, switch_of
from flagstaff.services import flags
from flagstaff.services.flags import Place
from flagstaff.services.policies import judging
from flagstaff.services.policies.judging import Request
from flagstaff.services.unit import Unit
from flagstaff.store import flags as store

ALL, NONE = Decimal(100), Decimal(0)
FORGOTTEN = timedelta(days=1)
"""Switches are for incidents: one that stands for longer is told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which shares of the jobs of one name run and are dropped, since when and by whom."""

    environment: str
    task: str
    run: Decimal = ALL
    drop: Decimal = NONE
    since: datetime
    by: str

    @property
    def words(self) -> str:
        """Return what becomes of the jobs."""
        said = [f"{percent(self.drop)} dropped"] if self.drop else []
        if self.run < ALL:
            said += [f"{percent(self.run)} run", f"{percent(ALL - self.run)} put off"]
        return ", ".join(said) or "all run"

    def is_forgotten(self, now: datetime) -> bool:
        """Say whether it stands for longer than such a thing should."""
        return now - self.since >= FORGOTTEN

    def to_json(self, now: datetime) -> dict[str, Json]:
        """Return it for programs."""
        return {
            "environment": self.environment,
            "task": self.task,
            "run": float(self.run),
            "drop": float(self.drop),
            "since": self.since.isoformat(),
            "by": self.by,
            "forgotten": self.is_forgotten(now),
        }


def answer(unit: Unit, command: JobCommand) -> Outcome:
    """Carry out a command about switches."""
    match command:
        case SwitchJobs():
            return _switch(unit, command)
        case ListSwitches():
            return _list(unit, command)


def standing(unit: Unit, environments: tuple[str, ...]) -> list[Standing]:
    """Return the switches that keep jobs from running, by environment and name."""
    found: dict[tuple[str, str], Standing] = {}
    for state in store.find(unit.connection):
        switch = switch_of(state.flag)
        if switch is None or state.environment not in environments:
            continue
        place = (state.environment, switch.task)
        share, runs = _share(state.gates), switch.kind is Kind.RUN
        new = Standing(
            environment=state.environment,
            task=switch.task,
            run=share if runs else ALL,
            drop=NONE if runs else share,
            since=state.updated_at,
            by=state.updated_by,
        )
        found[place] = new if place not in found else _both(found[place], new)
    return [each for _, each in sorted(found.items()) if each.run < ALL or each.drop]


def _both(one: Standing, other: Standing) -> Standing:
    return replace(
        max(one, other, key=lambda each: each.since),
        run=min(one.run, other.run),
        drop=max(one.drop, other.drop),
        since=min(one.since, other.since),
    )


def _share(gates: Gates) -> Decimal:
    return ALL if gates.boolean else max(gates.percentage_of_actors, gates.percentage_of_time)


def _switch(unit: Unit, command: SwitchJobs) -> Outcome:
    if not is_task_name(command.task):
        raise UsageError(f"{command.task[:60]!r} is no name of a job", hint="such as shop.notify")
    unit.context.check_environments(command.environments)
    wanted = _wanted(command)
    judging.lock(unit, command.environments)
    for flag, gates in wanted.items():
        judging.check(
            unit,
            Request(
                flag=flag,
                after=dict.fromkeys(command.environments, gates),
                overrides=command.overrides,
                reason=command.reason,
            ),
        )
    lines: list[str] = []
    data: list[Json] = []
    for environment in command.environments:
        for flag, gates in wanted.items():
            place = Place(flag=flag, environment=environment, reason=command.reason)
            if gates is None:
                flags.remove_state(unit, place)
            else:
                text = f"{flag} set by `workers {command.action}`"
                flags.restore_gates(unit, place, gates, action="flag.set", text=text)
        found = [each for each in standing(unit, (environment,)) if each.task == command.task]
        words = found[0].words if found else "all run"
        lines.append(f"{environment}: jobs of {command.task}: {words}")
        data += [each.to_json(unit.now) for each in found]
    where = "".join(f" --{name}" for name in command.environments)
    following = f"flagstaff workers run {command.task}{where}" if data else "flagstaff workers list"
    return Outcome(text="\n".join(lines), data={"switches": data}, next=following)


def _wanted(command: SwitchJobs) -> Mapping[str, Gates | None]:
    """Return the gates of both flags; None where the flag is to go."""
    share = Decimal(command.percentage)
    if not (share.is_finite() and 0 <= share <= ALL):
        raise UsageError(f"{share} is no percentage", hint="write 0 to 100")
    run, drop = ALL, NONE
    match command.action:
        case "run":
            run = share
        case "defer":
            run = ALL - share
        case "drop":
            drop = share
        case other:
            raise UsageError(f"jobs cannot be told to {other!r}", hint="run, defer or drop")
    return {
        **{f"{each}_sidekiq_jobs_{command.task}": None for each in Kind},  # GitLab's own names
        flag_of(Kind.RUN, command.task): None if run == ALL else _gates(run),
        flag_of(Kind.DROP, command.task): None if not drop else _gates(drop),
    }


def _gates(share: Decimal) -> Gates:
    return Gates(boolean=True) if share == ALL else Gates(percentage_of_actors=share)


def _list(unit: Unit, command: ListSwitches) -> Outcome:
    unit.context.check_environments(command.environments)
    found = standing(unit, command.environments)
    lines = []
    for each in found:
        line = f"{each.environment}: jobs of {each.task}: {each.words}"
        line += f" (since {each.since:%Y-%m-%d %H:%M} UTC, {each.by})"
        lines.append(line + ("; forgotten?" if each.is_forgotten(unit.now) else ""))
    return Outcome(
        text="\n".join(lines) or "all jobs run",
        data={"switches": [each.to_json(unit.now) for each in found]},
    )
