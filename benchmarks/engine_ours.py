"""How does our engine poll rollouts that wait? Runs in a process of its own, until it is killed.

The engine, its store and its judging of evidence are the real ones; what guards read is a stand-in,
as it is for the peer.
"""

from __future__ import annotations

import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

from engine_polls import Polls, arguments, report

from flagstaff.definitions import Definitions, Policies, Project
from flagstaff.engine.loop import Engine
from flagstaff.flags.change import PercentageOfActors
from flagstaff.flags.percentage import parse_percentage
from flagstaff.rollouts.effect import External
from flagstaff.rollouts.event import EffectDone
from flagstaff.rollouts.guard import Arm, Guard, Measurement
from flagstaff.rollouts.plan import Bake, Plan, SetGate, Statistics, Step
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus
from flagstaff.services import looking
from flagstaff.services.clock import SystemClock
from flagstaff.services.kept_clock import kept_clock
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services
from flagstaff.services.unit import Context
from flagstaff.store import rollouts as store
from flagstaff.store.database import Database

FOR_LONG = timedelta(days=30)


class World:
    """An outside where jobs end all the time, as many under new names as under old ones."""

    def __init__(self, polls: Polls, *, still: bool) -> None:
        self._polls, self._still = polls, still
        self._began = time.monotonic()

    def measure(self, guard: Guard, since: datetime) -> Measurement:
        """Return a reading, and note that it was wanted."""
        del since
        self._polls(int(guard.name.rpartition("-")[2]))
        jobs = 50 if self._still else 50 + int(time.monotonic() - self._began)
        return Measurement(guard=guard.name, treatment=Arm(total=jobs), control=Arm(total=jobs))

    def perform(self, effect: External, plan: Plan) -> EffectDone:
        """Do nothing: these rollouts want nothing done."""
        del plan
        return EffectDone(step=effect.step)

    def follow_issue(self, path: Path, rollout: Rollout) -> str:
        """Follow none: these rollouts have no issue."""
        del path, rollout
        return ""


def waiting(number: int, now: datetime, period: float) -> Rollout:
    """Return a rollout at 10 % in production, in a wait that outlasts any benchmark."""
    change = PercentageOfActors(value=parse_percentage("10"))
    steps = (
        Step(
            id="ramp-10",
            stage="Rollout",
            title="10 %",
            action=SetGate(environments=("production",), change=change),
        ),
        Step(id="bake-10", stage="Rollout", title="Hold 10 %", action=Bake(duration=FOR_LONG)),
    )
    plan = Plan(
        flag=f"flag_{number}",
        title=f"Rollout {number}",
        steps=steps,
        guards=(
            Guard(name=f"jobs-{number}", logs=("*.jsonl",), control=("Old",), treatment=("New",)),
        ),
        statistics=Statistics(poll=timedelta(seconds=period)),
    )
    states = (
        StepState(id="ramp-10", status=StepStatus.DONE, since=now, finished_at=now),
        StepState(id="bake-10", status=StepStatus.ACTIVE, since=now, until=now + FOR_LONG),
    )
    return Rollout(
        id=0, plan=plan, phase=Phase.RUNNING, states=states, watch_since=now, started_at=now
    )


def fill(database: Database, rollouts: int, period: float) -> None:
    """Write the rollouts down, in one transaction."""
    now = SystemClock().now()
    with database.write() as connection:
        for number in range(rollouts):
            record = store.RolloutRecord(
                rollout=waiting(number, now, period),
                issue_path="",
                issue_text="",
                readings=(),
                revision=0,
                created_at=now,
                created_by="bench",
            )
            store.add(connection, record)


def main() -> None:
    """Poll, and say how that went."""
    chosen = arguments()
    database = Database(chosen.database)
    database.migrate()
    if not chosen.again:
        fill(database, chosen.rollouts, chosen.period)
    context = Context(
        root=Path(tempfile.gettempdir()),
        project=Project(policies=Policies(consistency=False)),
        definitions=Definitions,
        repository=None,
    )
    polls = Polls(chosen.rollouts, chosen.period)
    services = Services(database, context, kept_clock(database))
    if not chosen.again:
        with services.unit(ENGINE, write=True) as unit:
            looking.wake_all(unit)
    Engine(services, World(polls, still=chosen.still)).start()
    report(polls, chosen)


if __name__ == "__main__":
    main()
