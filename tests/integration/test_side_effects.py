"""Does everybody outside hear of each change of a flag, once, and does none keep others waiting?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

import pytest
from sqlalchemy import select, update

from fakes import FakeWorld
from flagstaff.commands.model import DeleteFlag, SetFlag, UndoEntry
from flagstaff.definitions import Definitions, Project
from flagstaff.definitions.forges import Forge, ForgeKind
from flagstaff.definitions.side_effects import (
    Annotation,
    ChangeLog,
    EventHook,
    RolloutIssue,
    SideEffects,
    TeamChannel,
)
from flagstaff.engine.loop import Engine
from flagstaff.errors import Unavailable
from flagstaff.flags.change import Boolean, PercentageOfActors
from flagstaff.integrations.forge.gitlab_requests import GitLabRequests
from flagstaff.integrations.telling import Teller
from flagstaff.rollouts.plan import Plan, SetGate, Step
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.services import Services
from flagstaff.store import audit
from flagstaff.store.audit import Search
from flagstaff.store.tables import side_effect
from merge_request_standin import PROJECT, TOKEN, GitLabStandIn
from outside_standin import GRAFANA, SECRET, Outside

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What does not depend on the database need not be seen on both."""

EVERYWHERE = ("dev", "staging", "production")
FLAG = "new_navigation"


@pytest.fixture
def outside():
    standin = Outside()
    yield standin
    standin.close()


class Lab:
    """A server's services and engine, those who are told, and a chat that can be cut off."""

    def __init__(self, services, clock, outside, project):
        self.outside, self.clock, self.project = outside, clock, project
        self.services = Services(
            services.database, replace(services.context, project=project), clock
        )
        self.said = []
        self.chat_error = None
        self.root = services.context.root
        self.start()

    def start(self, **more):
        self.teller = Teller(
            root=self.root,
            project=self.project,
            announce=self.announce,
            grafana_token=GRAFANA,
            event_secret=SECRET,
            **more,
        )
        self.engine = Engine(self.services, FakeWorld(), tell=self.teller.tell)

    def announce(self, post, /, *, on_duty=()):
        del on_duty
        if self.chat_error is not None:
            raise self.chat_error
        self.said.append((post.key, post.channels, post.text))

    def set(self, change, *environments, by, reason=""):
        command = SetFlag(flag=FLAG, environments=environments, change=change, reason=reason)
        return self.services.execute(command, by)

    def tick(self, **later):
        if later:
            self.clock.advance(**later)
        self.engine.tick()

    def pending(self):
        with self.services.database.read() as connection:
            rows = connection.exec_driver_sql("SELECT kind FROM side_effect ORDER BY kind")
            return [each[0] for each in rows]


@pytest.fixture
def project(outside, policies):
    return Project(
        policies=policies,
        channels=MappingProxyType({"production": "#production", "team": "#g_team"}),
        side_effects=SideEffects(
            annotation=Annotation(
                url=outside.url,
                environments=("staging", "production"),
                tags=("service:shop",),
                dashboard="uid1",
                panel=4,
            ),
            event=EventHook(url=f"{outside.url}/events", environments=EVERYWHERE),
            log=ChangeLog(environments=EVERYWHERE, file="log/flags.md"),
            rollout_issue=RolloutIssue(environments=EVERYWHERE),
            team_channel=TeamChannel(),
        ),
    )


@pytest.fixture
def lab(services, clock, outside, project):
    return Lab(services, clock, outside, project)


@pytest.fixture
def log(lab):
    path = lab.root / "log/flags.md"
    return lambda: path.read_text().splitlines()[2:] if path.exists() else []


def test_a_change_by_a_person_reaches_all_of_them(lab, ada, outside, log):
    lab.set(
        PercentageOfActors(value=Decimal(25)), "production", by=ada, reason="it <b>looks</b> good"
    )
    lab.tick()
    [mark] = outside.annotations
    assert mark["tags"] == ["production", "feature-flag", FLAG, "service:shop"]
    assert (mark["dashboardUID"], mark["panelId"]) == ("uid1", 4)
    assert mark["time"] == int(lab.clock.now().timestamp() * 1000)
    assert mark["text"] == (
        "ada: new_navigation set to 25 --actors in production. it &lt;b&gt;looks&lt;/b&gt; good"
    )
    [(key, event, headers)] = outside.events
    assert event["type"] == "flag.changed"
    assert event["data"]["before"] is None
    assert event["data"]["after"]["percentage_of_actors"] == "25"
    assert (event["data"]["who"], event["data"]["environment"]) == ("ada", "production")
    assert headers["idempotency-key"] == key == event["data"]["id"]
    [line] = log()
    assert line.startswith(f"- {lab.clock.now():%Y-%m-%d %H:%M} UTC, ada: new_navigation set to")
    [(_, channels, text)] = lab.said
    assert channels == ("#g_team",)
    assert text.startswith("ada: new_navigation set to 25 --actors in production: it")
    assert lab.pending() == []


@on_sqlite
def test_each_is_told_of_its_own_environments_alone(lab, ada, outside, log):
    lab.set(Boolean(value=True), "dev", by=ada)
    lab.tick()
    assert outside.annotations == []
    assert lab.said == []
    assert len(outside.events) == len(log()) == 1


@on_sqlite
def test_deletes_and_undos_count_and_what_changes_nothing_does_not(lab, ada, outside):
    lab.set(Boolean(value=True), "dev", by=ada)
    lab.services.execute(DeleteFlag(flag=FLAG, environments=("dev",)), ada)
    lab.services.execute(DeleteFlag(flag=FLAG, environments=("dev",)), ada)
    with lab.services.database.read() as connection:
        entry = audit.search(connection, Search(action="flag.delete"), limit=1)[0].id
    lab.services.execute(UndoEntry(entry=entry), ada)
    lab.tick()
    told = sorted(event["data"]["action"] for _, event, _ in outside.events)
    assert told == ["flag.delete", "flag.set", "flag.undo"]


@on_sqlite
def test_a_rehearsal_and_a_refusal_tell_nobody(lab, ada, outside):
    command = SetFlag(flag=FLAG, environments=("dev",), change=Boolean(value=True))
    lab.services.execute(command, ada, dry_run=True)
    lab.tick()
    assert (outside.events, lab.pending()) == ([], [])


def test_one_that_fails_fails_alone_and_is_tried_again_later_and_later(lab, ada, outside, log):
    outside.fail["grafana"] = [503, 503, 503]
    lab.chat_error = Unavailable("the chat is gone")
    lab.set(Boolean(value=True), "production", by=ada)
    lab.tick()
    assert (len(outside.events), len(log()), outside.annotations) == (1, 1, [])
    assert lab.pending() == ["annotation", "team_channel"]
    lab.tick()
    assert len(outside.fail["grafana"]) == 2  # not yet
    lab.tick(seconds=1.1)
    lab.tick(seconds=1.1)
    assert len(outside.fail["grafana"]) == 1  # twice as long the second time
    lab.tick(seconds=1)
    assert outside.fail["grafana"] == []
    lab.chat_error = None
    lab.tick(seconds=20)
    assert len(outside.annotations) == len(lab.said) == 1
    assert lab.pending() == []


@on_sqlite
def test_while_one_is_silent_it_rests_for_all_changes(lab, ada, outside):
    outside.fail["grafana"] = [503] * 100
    for _ in range(5):
        lab.set(Boolean(value=True), "production", by=ada)
        lab.set(Boolean(value=False), "production", by=ada)
        lab.clock.advance(seconds=1)
    lab.tick()
    assert len(outside.fail["grafana"]) == 99  # asked once, not for each of ten changes
    assert len(outside.events) == 10
    outside.fail["grafana"] = []
    for _ in range(3):
        lab.tick(minutes=16)
    assert len(outside.annotations) == 10


@on_sqlite
def test_a_refusal_of_one_change_does_not_keep_the_others(lab, ada, outside):
    outside.fail["grafana"] = [400]
    lab.set(Boolean(value=True), "production", by=ada)
    lab.set(Boolean(value=False), "production", by=ada)
    lab.tick()
    assert len(outside.annotations) == 1


@on_sqlite
def test_an_answer_that_was_lost_is_no_second_annotation(lab, ada, outside):
    outside.fail["grafana"] = ["lost"]
    lab.set(Boolean(value=True), "production", by=ada)
    lab.tick()
    lab.tick(seconds=5)
    assert len(outside.annotations) == 1
    assert lab.pending() == []
    [(_, query, _)] = outside.asked
    assert query["tags"] == ["production", "feature-flag", FLAG, "service:shop"]


@on_sqlite
def test_a_lost_answer_of_the_webhook_is_a_second_try_under_the_same_key(lab, ada, outside):
    outside.fail["events"] = ["lost"]
    lab.set(Boolean(value=True), "dev", by=ada)
    lab.tick()
    lab.tick(seconds=5)
    first, second = (key for key, _, _ in outside.events)
    assert first == second


def test_a_server_that_dies_in_the_middle_leaves_it_to_the_next(lab, ada, outside, log):
    def dying(wanted):
        lab.teller.tell(wanted)
        raise KeyboardInterrupt

    lab.set(Boolean(value=True), "dev", by=ada)
    for _ in range(2):
        dead = Engine(lab.services, FakeWorld(), tell=dying)
        with pytest.raises(KeyboardInterrupt):
            dead.tick()
    lab.start()
    lab.tick()
    assert lab.pending() == ["event", "log"]  # others could still be at it
    lab.tick(minutes=3)
    assert lab.pending() == []
    assert len(log()) == 1
    assert len({key for key, _, _ in outside.events}) == 1


@on_sqlite
def test_after_three_days_it_is_given_up_and_said(lab, ada, outside):
    outside.fail["events"] = [500] * 1000
    lab.set(Boolean(value=True), "dev", by=ada)
    lab.tick()
    lab.tick(days=2)
    assert lab.pending() == ["event"]
    lab.tick(days=2)
    assert lab.pending() == []
    with lab.services.database.read() as connection:
        [entry] = audit.search(connection, Search(action="side_effect.fail"), limit=9)
    assert "event given up after 3 tries: the webhook for events answers 500" in entry.text


@on_sqlite
def test_wrong_tokens_are_said_with_the_remedy_and_the_address_is_not(lab, ada, outside, caplog):
    lab.start()
    lab.teller = replace(lab.teller, grafana_token="wrong", event_secret="wrong")
    lab.engine = Engine(lab.services, FakeWorld(), tell=lab.teller.tell)
    lab.set(Boolean(value=True), "production", by=ada)
    lab.tick()
    lab.tick(minutes=1)
    assert caplog.text.count("Grafana refuses it with 401") == 1  # once, not on every try
    assert "FLAGSTAFF_GRAFANA_TOKEN_FILE" in caplog.text
    assert "FLAGSTAFF_EVENT_SECRET_FILE" in caplog.text
    assert outside.url not in caplog.text
    lab.start()
    lab.tick(minutes=20)
    assert lab.pending() == []


PLAN = Plan(
    flag=FLAG,
    title="Roll out",
    steps=(
        Step(
            id="set",
            stage="Production",
            title="Set it",
            action=SetGate(environments=("production",), change=Boolean(value=True)),
        ),
    ),
)


@on_sqlite
def test_what_rollouts_change_is_told_too_but_to_the_team_only_if_wanted(
    lab, outside, log, services, added, clock
):
    added(PLAN)
    lab.tick()
    lab.tick()
    [(_, event, _)] = outside.events
    assert (event["data"]["rollout"], event["data"]["who"]) == (1, "flagstaff")
    assert (len(outside.annotations), len(log()), lab.said) == (1, 1, [])
    chatty = replace(
        lab.project.side_effects, team_channel=TeamChannel(environments=EVERYWHERE, rollouts=True)
    )
    other = Lab(services, clock, outside, replace(lab.project, side_effects=chatty))
    other.services.execute(
        SetFlag(flag=FLAG, environments=("production",), change=Boolean(value=False)),
        Person(name="bob", source=Source.WEB, roles=ADMIN_EVERYWHERE),
    )
    added(PLAN)
    other.tick()
    other.tick()
    assert len(other.said) == 2


@on_sqlite
def test_a_change_beside_a_rollout_is_noted_in_its_issue(lab, ada, added, tmp_path):
    issue = tmp_path / "issue.md"
    issue.write_text("- [ ] something")
    waits = replace(PLAN, steps=(replace(PLAN.steps[0], id="later"),))
    added(waits, issue=str(issue), begin=False)
    lab.set(Boolean(value=True), "staging", by=ada, reason="a try --> with\nsigns")
    lab.tick()
    lab.tick(minutes=1)
    first, _, note = issue.read_text().splitlines()
    assert first == "- [ ] something"
    assert note.startswith("> ")
    assert "ada: new_navigation set to true in staging" in note
    assert "“a try -- > with signs”" in note


@on_sqlite
def test_an_issue_on_a_forge_gets_a_comment(services, clock, outside, project, ada, definitions):
    gitlab = GitLabStandIn()
    try:
        address = f"{gitlab.url}/{PROJECT}/-/issues/1"
        told = SideEffects(
            log=ChangeLog(environments=EVERYWHERE, issue=address),
            rollout_issue=RolloutIssue(environments=EVERYWHERE),
        )
        one = replace(definitions[FLAG], rollout_issue_url=address)
        services.context = replace(services.context, definitions=lambda: Definitions([one]))
        lab = Lab(services, clock, outside, replace(project, side_effects=told))
        lab.set(Boolean(value=True), "dev", by=ada)
        lab.tick()
        assert lab.pending() == ["log", "rollout_issue"]  # no forge is connected yet
        forge = Forge(name="gitlab", kind=ForgeKind.GITLAB, url=gitlab.url)
        lab.start(comments=GitLabRequests(forge, TOKEN))
        gitlab.fail = [None, "lost"]
        lab.tick(minutes=1)
        lab.tick(minutes=20)
        lab.tick(minutes=20)
        [log] = [each["body"] for each in gitlab.notes]
        assert "ada: new_navigation set to true in dev; now" in log
        assert lab.pending() == []  # both settings name one issue, and it says so once
    finally:
        gitlab.close()


@on_sqlite
def test_the_channel_in_which_it_was_asked_for_is_not_told_again(services, clock, outside, project):
    anywhere = replace(project.policies, production_channel=False)
    lab = Lab(services, clock, outside, replace(project, policies=anywhere))

    def by(channel):
        return Person(name="eve", source=Source.CHAT, channel=channel, roles=ADMIN_EVERYWHERE)

    lab.set(Boolean(value=True), "production", by=by("#g_team"))
    lab.set(Boolean(value=False), "production", by=by("#production"))
    lab.tick()
    [(_, _, text)] = lab.said
    assert text == "eve: new_navigation set to false in production (in #production)"


def test_what_a_newer_server_wrote_is_left_to_it_and_keeps_nobody_waiting(lab, ada, outside):
    lab.set(Boolean(value=True), "dev", by=ada)
    lab.set(Boolean(value=False), "dev", by=ada)
    with lab.services.database.write() as connection:
        rows = connection.execute(select(side_effect).order_by(side_effect.c.key)).all()
        first, second, *_ = (row.key for row in rows)
        body = {**rows[0].body, "unheard_of": 1}
        change = update(side_effect)
        connection.execute(change.where(side_effect.c.key == first).values(body=body))
        connection.execute(change.where(side_effect.c.key == second).values(kind="pigeon"))
    lab.tick()
    with lab.services.database.read() as connection:
        left = set(connection.execute(select(side_effect.c.key)).scalars())
    assert left == {first, second}
    assert len(outside.events) == 1


def test_two_replicas_share_the_work_and_nothing_is_told_twice(lab, ada, outside):
    """Replicas need not have the claim to be safe: a row is taken by one of them."""
    other = Lab(lab.services, lab.clock, outside, lab.project)
    lab.set(Boolean(value=True), "production", by=ada)
    first = lab.engine._side_effects._take()
    second = other.engine._side_effects._take()
    assert first.key != second.key
    lab.tick()
    other.tick(seconds=1)
    assert len(outside.annotations) + len(outside.events) + len(lab.said) <= 3
    lab.tick(minutes=3)
    assert lab.pending() == []
    assert len(outside.events) == 1
