"""A real server with flags, a history and a rollout, for whoever sends it all sorts of requests."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flagstaff.flags.change import Boolean
from flagstaff.rollouts.plan import Approve, Bake, Plan, SetGate, Step
from flagstaff.rollouts.rollout import Rollout
from flagstaff.server.app import build
from flagstaff.server.run import serve
from flagstaff.server.settings import Settings, load_settings
from flagstaff.services.person import ENGINE
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

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
        Step(id="hold", stage="Dev", title="Wait", action=Bake(duration=timedelta(hours=1))),
    ),
)


def prepare(settings: Settings) -> None:
    """Give the server one rollout."""
    application = build(settings)
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
        store.add(unit.connection, record)
    application.close()


def ready(url: str) -> None:
    """Say where the server answers."""
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    chosen = load_settings(root=Path(sys.argv[1]), port=0, engine=False)
    prepare(chosen)
    serve(chosen, ready=ready)
