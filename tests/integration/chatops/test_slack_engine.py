"""A server with everything running: announcements leave, threads follow."""

from __future__ import annotations

import pytest

from flagstaff.rollouts.plan import Announce, Approve, Plan, Step
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.server.app import build
from flagstaff.services import rollouts, running
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source
from flagstaff.store import rollouts as store
from slack_requests import click

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PLAN = Plan(
    flag="new_navigation",
    title="Roll out new_navigation",
    steps=(
        Step(id="verify", stage="Development", title="Does it work?", action=Approve()),
        Step(
            id="tell",
            stage="Production",
            title="Tell support",
            action=Announce(channels=("#dev-talk",), text="new_navigation comes"),
        ),
    ),
)


@pytest.fixture
def application(settings):
    built = build(settings.model_copy(update={"engine": True}))
    built.start()
    yield built
    built.close()


@pytest.mark.usefixtures("people")
def test_a_rollout_is_approved_in_its_thread_and_announces(http, slack, services):
    bob = Person(name="bob", source=Source.WEB, roles=ADMIN_EVERYWHERE, account="bob")
    record = store.RolloutRecord(
        rollout=Rollout.of(PLAN),
        issue_path="",
        issue_text="",
        readings=(),
        revision=0,
        created_at=services.clock.now(),
        created_by="bob",
    )
    with services.unit(bob, write=True) as unit:
        record = store.add(unit.connection, record)
        rollouts.begin(unit, record)
    (question,) = slack.wait(lambda: slack.said("C2TEAM", "Somebody has to say yes"))
    http.interact(click(slack, question, "rollout-approve"))
    (said,) = slack.wait(lambda: slack.said("C3DEV"))
    assert said["text"] == "new_navigation comes"
    slack.wait(lambda: slack.said("C2TEAM", "completed"))
    number = record.rollout.id
    found = services.ask(lambda unit: running.find(unit, number), ENGINE)
    assert found.rollout.phase is Phase.COMPLETED
    assert found.rollout.state("tell").note == "posted to #dev-talk"
