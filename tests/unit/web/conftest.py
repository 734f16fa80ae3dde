from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from flagstaff.flags.change import Boolean, PercentageOfActors
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.guard import Arm, Guard, Judgement, Measurement, Standing, Verdict
from flagstaff.rollouts.plan import Approve, AskPerson, Bake, Plan, Preset, SetGate, Step
from flagstaff.rollouts.rollout import Phase, Rollout, StepState, StepStatus
from flagstaff.server.app import Application, build
from flagstaff.server.settings import Settings
from flagstaff.services.person import ENGINE
from flagstaff.store import flags
from flagstaff.store import rollouts as store
from flagstaff.store.flags import FlagState
from flagstaff.store.rollouts import RolloutRecord

BEGUN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
DEFINITION = """\
name: new_navigation
type: development
default_enabled: false
group: group::integrations
milestone: "15.1"
introduced_by_url: https://example.com/1
rollout_issue_url: https://example.com/2
"""
GUARD = Guard(name="renamed workers", logs=("log/*",), control=("old_job",), treatment=("new_job",))
ISSUE = """\
<!-- Title: about `new_navigation` -->

## Rollout Steps

- [ ] Does it <b>work</b>?
- [-] Not needed here
"""
PLAN = Plan(
    flag="new_navigation",
    title="Roll out <em>new_navigation</em>",
    steps=(
        Step(
            id="set-dev",
            stage="Development",
            title="Set it in dev",
            action=SetGate(environments=("dev",), change=Boolean(value=True)),
            preset=Preset.DONE,
        ),
        Step(id="verify", stage="Development", title="Does it work?", action=Approve(), line=5),
        Step(
            id="ramp-25",
            stage="Production",
            title="Set 25 %",
            action=SetGate(
                environments=("production",), change=PercentageOfActors(value=Decimal(25))
            ),
        ),
        Step(id="hold", stage="Production", title="Hold", action=Bake(duration=timedelta(hours=2))),
        Step(id="tell", stage="Production", title="Tell the others", action=AskPerson()),
    ),
    guards=(GUARD,),
)
ON = Gates(boolean=True)
Making = Callable[..., int]
Setting = Callable[..., None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "config/feature_flags/development/new_navigation.yml"
    path.parent.mkdir(parents=True)
    path.write_text(DEFINITION)
    (tmp_path / "flagstaff.yml").write_text("policies: {allow_random: true}\n")
    return tmp_path


@pytest.fixture
def application(root: Path, put_tables: Callable[[Path], None]) -> Iterator[Application]:
    put_tables(root)
    built = build(Settings(root=root, engine=False))
    yield built
    built.close()


@pytest.fixture
def client(application: Application) -> Iterator[TestClient]:
    with TestClient(application.asgi, base_url="http://localhost") as client:
        client.headers["sec-fetch-site"] = "same-origin"
        yield client


@pytest.fixture
def set_by_hand(application: Application) -> Setting:
    """Write that flags have gates in an environment, whoever defines them."""

    def write(*names: str, environment: str = "staging", gates: Gates = ON) -> None:
        with application.services.unit(ENGINE, write=True) as unit:
            for name in names:
                state = FlagState(
                    environment=environment,
                    flag=name,
                    gates=gates,
                    updated_at=unit.now,
                    updated_by="ada",
                )
                flags.put(unit.connection, state)

    return write


@pytest.fixture
def make_rollout(application: Application) -> Making:
    """Write a rollout that stands at `at`, that step being in `status`."""

    def make(
        at: str = "verify",
        status: StepStatus = StepStatus.WAITING,
        phase: Phase = Phase.WAITING,
        failed: int = 0,
        **details: object,
    ) -> int:
        states, reached = [], False
        now = application.services.clock.now()
        for step in PLAN.steps:
            reached = reached or step.id == at
            state = StepState(id=step.id)
            if not reached:
                state = StepState(id=step.id, status=StepStatus.DONE, finished_at=BEGUN, note="ok")
            elif step.id == at:
                until = now + timedelta(hours=1) if isinstance(step.action, Bake) else None
                since = now - timedelta(hours=1)
                state = replace(state, status=status, since=since, until=until)
            states.append(state)
        rollout = replace(
            Rollout.of(PLAN),
            phase=phase,
            states=tuple(states),
            **{"started_at": BEGUN, **details},
        )
        arms = {"treatment": Arm(total=200, failed=failed), "control": Arm(total=400, failed=2)}
        reading = Judgement(
            guard=GUARD.name,
            verdict=Verdict.FAIL if failed else Verdict.PASS,
            evidence=f"{failed} of 200 jobs failed under the new names",
            measurement=Measurement(guard=GUARD.name, **arms),
            standing=Standing.HARMFUL if failed else Standing.HEALTHY,
            ratio=12.5 if failed else 0.4,
            low=0.1,
            harm=48.0,
        )
        record = RolloutRecord(
            rollout=rollout,
            issue_path="",
            issue_text=ISSUE,
            readings=(),
            revision=0,
            created_at=BEGUN,
            created_by="ada",
        )
        with application.services.unit(ENGINE, write=True) as unit:
            added = store.add(unit.connection, record)
            number = added.rollout.id
            store.save(unit.connection, replace(added, readings=(reading,)), added.rollout)
        return number

    return make
