"""When will each step of a rollout be taken at the earliest, and who or what has it wait?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from flagstaff.rollouts.checks import (
    CheckCommand,
    CheckDrained,
    CheckFlag,
    CheckHealth,
    CheckHttp,
    CheckWorkersReady,
    DeleteQueue,
    MigrateJobs,
    Wait,
)
from flagstaff.rollouts.plan import (
    Approve,
    AskPerson,
    AwaitMerge,
    Bake,
    CheckDeployed,
    CheckReleased,
    SetGate,
    Step,
)
from flagstaff.rollouts.reaching import share_of
from flagstaff.rollouts.rollout import Rollout

_MOST = 20
"""Windows one after another that a step is followed through."""

NEEDED: Mapping[type, str] = {
    CheckFlag: "the flag is so",
    CheckHealth: "health",
    CheckCommand: "a yes of the command",
    CheckHttp: "a yes of the address",
    CheckWorkersReady: "every worker knows the name",
    CheckDrained: "no job of the name is left",
    MigrateJobs: "every worker knows the new name",
    DeleteQueue: "the queue is empty and no worker takes jobs from it",
    AskPerson: "a person does it",
    AwaitMerge: "a person reviews and merges",
    CheckDeployed: "a deployment",
    CheckReleased: "a release",
}
"""What a step waits for that nobody can foresee."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why nothing opens wider; `until` is when that is over, `None` when it is not in sight."""

    reason: str
    until: datetime | None


Windows = Callable[[str, datetime], Hold | None]
"""Says whether an environment is held at a moment."""


def no_windows(environment: str, now: datetime) -> Hold | None:
    """Hold nothing."""
    del environment, now
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One step: when it is taken and when it is over, both at the earliest.

    Attributes:
        needs: what has to happen besides, such as a person's word; empty when nothing has.
        held: the windows and terms that have it wait, in words.
        tells: what guards can tell in it.
    """

    step: Step
    at: datetime
    until: datetime
    needs: str = ""
    held: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All steps that are still to be taken."""

    flag: str
    begins: datetime
    entries: tuple[Entry, ...]

    @property
    def ends(self) -> datetime:
        """Return when all is over at the earliest."""
        return self.entries[-1].until if self.entries else self.begins

    @property
    def total(self) -> timedelta:
        """Return how long that is; people, deployments and releases take no time in it."""
        return self.ends - self.begins


def schedule(
    rollout: Rollout,
    begins: datetime,
    *,
    windows: Windows = no_windows,
    least: timedelta = timedelta(),
    tells: Mapping[str, tuple[str, ...]] | None = None,
) -> Schedule:
    """Return when the steps that are not over will be taken at the earliest.

    Args:
        rollout: begun or not.
        begins: when the first of these steps may be taken.
        windows: when nothing opens wider.
        least: the time between two steps in production.
        tells: what guards can tell, by step.
    """
    clock = _Clock(now=begins, windows=windows, least=least)
    entries = []
    for step, state in zip(rollout.plan.steps, rollout.states, strict=True):
        if state.status.finished:
            clock.pass_by(step, rollout, state.finished_at)
            continue
        held = clock.wait_for(step, rollout.plan.production)
        at = clock.now
        match step.action:
            case Bake(duration=duration):
                clock.now = max(at, state.until or at + duration)
            case Wait(duration=duration, until=until):
                clock.now = max(at, state.until or until or at + (duration or timedelta()))
            case _:
                pass
        entries.append(
            Entry(
                step=step,
                at=at,
                until=clock.now,
                needs=needs_of(step),
                held=held,
                tells=(tells or {}).get(step.id, ()),
            )
        )
    return Schedule(flag=rollout.plan.flag, begins=begins, entries=tuple(entries))


def needs_of(step: Step) -> str:
    """Return what has to happen so that the step is over, empty where nothing has."""
    match step.action:
        case Approve(count=count, role=role, four_eyes=four_eyes):
            who = "a person" if count == 1 else f"{count} people"
            role = f" with the role {role}" if role else ""
            other = " other than who started it" if four_eyes else ""
            return f"{who}{role}{other} {'says' if count == 1 else 'say'} yes"
        case Wait(condition=condition) if condition:
            return condition
        case _:
            return NEEDED.get(type(step.action), "")


@dataclass(slots=True, kw_only=True)
class _Clock:
    """Goes on from step to step, and knows how far the flag is open."""

    now: datetime
    windows: Windows
    least: timedelta
    changed: datetime | None = None
    shares: dict[str, Decimal] = field(default_factory=dict)

    def pass_by(self, step: Step, rollout: Rollout, at: datetime | None) -> None:
        """Note what a step that is over has done."""
        if self._widening(step) & {*rollout.plan.production} and at is not None:
            self.changed = at
        self._note(step)

    def wait_for(self, step: Step, production: tuple[str, ...]) -> tuple[str, ...]:
        """Go on to when the step may be taken, and return what it has waited for."""
        widening = self._widening(step)
        in_production = bool(widening & {*production})
        held: list[str] = []
        if in_production and self.changed is not None and self.now < self.changed + self.least:
            self.now = self.changed + self.least
            held.append("steps in production keep their distance")
        for _ in range(_MOST):
            found = self._window(widening)
            if found is None:
                break
            held.append(found.reason if found.until else f"{found.reason}, no end in sight")
            if found.until is None:
                break
            self.now = found.until
        if in_production:
            self.changed = self.now
        self._note(step)
        return tuple(held)

    def _window(self, widening: set[str]) -> Hold | None:
        held = (self.windows(each, self.now) for each in sorted(widening))
        return next((each for each in held if each is not None), None)

    def _widening(self, step: Step) -> set[str]:
        """Return the environments in which the step opens the flag for more people."""
        if not isinstance(step.action, SetGate):
            return set()
        share = share_of(step.action.change)
        if share is None:
            # Of single actors, groups and conditions it is the value that opens or closes.
            opens = bool(getattr(step.action.change, "value", True))
            return {*step.action.environments} if opens else set()
        return {
            each for each in step.action.environments if share > self.shares.get(each, Decimal())
        }

    def _note(self, step: Step) -> None:
        if isinstance(step.action, SetGate):
            share = share_of(step.action.change)
            if share is not None:
                self.shares.update(dict.fromkeys(step.action.environments, share))
