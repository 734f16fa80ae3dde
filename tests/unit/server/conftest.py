from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from flagstaff.flags.change import Boolean
from flagstaff.rollouts.guard import Guard
from flagstaff.rollouts.plan import Approve, Bake, Plan, SetGate, Step
from flagstaff.rollouts.rollout import Rollout
from flagstaff.server.app import Application, build
from flagstaff.server.settings import Settings
from flagstaff.services.person import ENGINE
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

DEFINITION = """\
name: {name}
type: development
default_enabled: false
group: group::integrations
milestone: "15.1"
introduced_by_url: https://example.com/1
rollout_issue_url: https://example.com/2
"""

PLAN = Plan(
    flag="new_navigation",
    title="Roll out new_navigation",
    steps=(
        Step(
            id="set-dev",
            stage="Development",
            title="Set it in dev",
            action=SetGate(environments=("dev",), change=Boolean(value=True)),
        ),
        Step(id="verify", stage="Development", title="Does it work?", action=Approve()),
        Step(
            id="hold",
            stage="Production",
            title="Wait",
            action=Bake(duration=timedelta(hours=1)),
        ),
    ),
    guards=(
        Guard(
            name="renamed workers", logs=("log/*",), control=("old_job",), treatment=("new_job",)
        ),
    ),
)


def define(root: Path, name: str) -> Path:
    path = root / "config/feature_flags/development" / f"{name}.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(DEFINITION.format(name=name))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    define(tmp_path, "new_navigation")
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
        client.headers["authorization"] = f"Bearer {application.token}"
        yield client


@pytest.fixture
def rollout(application: Application) -> int:
    record = RolloutRecord(
        rollout=Rollout.of(PLAN),
        issue_path="",
        issue_text="## Rollout Steps\n\n- [ ] Does it work?\n",
        readings=(),
        revision=0,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        created_by="ada",
    )
    with application.services.unit(ENGINE, write=True) as unit:
        return store.add(unit.connection, record).rollout.id
