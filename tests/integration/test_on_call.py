"""Is it said who is on call, wherever that stands, and does nothing wait when nobody answers?"""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from flagstaff.commands.grammar import help_text, parse_line
from flagstaff.definitions import Project
from flagstaff.definitions.on_call import OnCall
from flagstaff.errors import DefinitionError, NotFound, Refused, Unavailable
from flagstaff.integrations.on_call.elsewhere import Elsewhere
from flagstaff.integrations.on_call.schedule import Schedule
from flagstaff.integrations.world import World
from flagstaff.rollouts.effect import Post
from flagstaff.rollouts.plan import Plan
from flagstaff.services.ports import OnDuty
from flagstaff.services.services import Services
from outside_standin import OPSGENIE, PAGERDUTY, Outside

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]
NAMES = MappingProxyType({"production": "PX1", "support": "Help desk/1"})
PLAN = Plan(flag="new_navigation", title="t", steps=())


@pytest.fixture
def outside():
    standin = Outside()
    yield standin
    standin.close()


@pytest.fixture
def ask(services, ada):
    def ask(book, line="oncall"):
        asked = Services(services.database, replace(services.context, on_call=book), services.clock)
        return asked.execute(parse_line(line), ada)

    return ask


@pytest.fixture
def schedule(tmp_path):
    (tmp_path / "on-call.yml").write_text(
        "production:\n  - {people: [ada, bob], start: 2026-03-02, handover: '09:00'}\n"
        "  - {people: [boss], start: 2026-01-01}\n"
        "support:\n  - {people: ['zoe <@U7>'], start: 2026-01-01}\n"
        "later:\n  - {people: [kim], start: 2027-01-01}\n"
    )
    return Schedule(root=tmp_path, settings=OnCall(schedule="on-call.yml"))


def on_call(user, level, end="2026-03-09T09:00:00Z"):
    """Return an entry as PagerDuty's reference has it."""
    return {
        "escalation_policy": {"id": "PX1", "type": "escalation_policy_reference"},
        "escalation_level": level,
        "schedule": None if end is None else {"id": "PS1", "type": "schedule_reference"},
        "user": {"id": f"P{user}", "type": "user_reference", "summary": user},
        "start": None if end is None else "2026-03-02T09:00:00Z",
        "end": end,
    }


def test_a_file_says_it_level_by_level(ask, schedule):
    outcome = ask(schedule)
    assert outcome.text.splitlines() == [
        "on call for production:",
        "level 1: ada until 2026-03-09 09:00 UTC",
        "level 2: boss until 2026-03-05 00:00 UTC",
    ]
    assert outcome.data["on_call"][0]["name"] == "ada"
    assert "zoe" in ask(schedule, "/chatops gitlab run oncall support").text
    nobody = ask(schedule, "oncall later")
    assert (nobody.ok, nobody.text) == (False, "nobody is on call for later now")


def test_the_file_is_read_anew(ask, schedule):
    path = schedule.root / "on-call.yml"
    path.write_text(path.read_text().replace("ada", "eve"))
    assert "eve" in ask(schedule).text
    path.write_text("production: nobody\n")
    with pytest.raises(DefinitionError, match=r"on-call\.yml"):
        ask(schedule)


def test_what_is_not_known_is_answered_with_what_is(ask, schedule):
    with pytest.raises(NotFound, match="no service suport") as caught:
        ask(schedule, "oncall suport")
    assert caught.value.hint == "did you mean support?"
    with pytest.raises(NotFound) as caught:
        ask(schedule, "oncall xyz")
    assert "production, support, later" in caught.value.hint
    with pytest.raises(NotFound, match="does not say who is on call") as caught:
        ask(None)
    assert "schedule:" in caught.value.hint
    assert "oncall support" in help_text(["oncall"])


def test_pagerduty_is_asked_as_its_reference_says(ask, outside):
    outside.oncalls = [on_call("Boss", 2, end=None), on_call("Ada", 1), on_call("Ada", 3)]
    book = Elsewhere(settings=OnCall(pagerduty=outside.url, services=NAMES), token=PAGERDUTY)
    assert ask(book).text.splitlines()[1:] == [
        "level 1: Ada until 2026-03-09 09:00 UTC",
        "level 2: Boss",
    ]
    path, query, headers = outside.asked[0]
    assert (path, query["escalation_policy_ids[]"]) == ("/oncalls", ["PX1"])
    assert headers["accept"] == "application/vnd.pagerduty+json;version=2"


def test_opsgenie_is_asked_as_its_reference_says(ask, outside):
    outside.recipients = ["ada@example.com", "bob@example.com"]
    book = Elsewhere(settings=OnCall(opsgenie=outside.url, services=NAMES), token=OPSGENIE)
    assert ask(book, "oncall support").text.splitlines()[1:] == [
        "level 1: ada@example.com",
        "level 1: bob@example.com",
    ]
    path, query, _ = outside.asked[0]
    assert path == "/v2/schedules/Help desk/1/on-calls"
    assert (query["scheduleIdentifierType"], query["flat"]) == (["name"], ["true"])


@pytest.mark.parametrize("kind", ["pagerduty", "opsgenie"])
def test_an_endpoint_that_fails_is_said(ask, outside, kind):
    settings = OnCall(**{kind: outside.url}, services=NAMES)
    good = {"pagerduty": PAGERDUTY, "opsgenie": OPSGENIE}[kind]
    with pytest.raises(Refused, match="refuses it with 40") as caught:
        ask(Elsewhere(settings=settings, token="wrong"))
    assert "FLAGSTAFF_ON_CALL_TOKEN_FILE" in caught.value.hint
    for answer in ("lost", 503):
        outside.fail[kind] = [answer]
        with pytest.raises(Unavailable):
            ask(Elsewhere(settings=settings, token=good))
    for raw in ("<html>", "[]", "{}", json.dumps({"oncalls": [1], "data": []})):
        outside.raw[kind] = raw
        with pytest.raises(Unavailable):
            ask(Elsewhere(settings=settings, token=good))


@pytest.fixture
def announce(tmp_path):
    def announce(book, *channels):
        said = []
        project = Project(
            channels=MappingProxyType(
                {"support": "#help", "on_call": "#sre", "production": "#production"}
            )
        )

        def say(post, /, *, on_duty=()):
            said.append((post.channels, post.text, [each.name for each in on_duty]))

        world = World(tmp_path, project, say, on_call=book)
        done = world.perform(Post(key="k", step="s", channels=channels, text="Soon."), PLAN)
        assert done.note.startswith("posted to ")
        return said

    return announce


@pytest.mark.usefixtures("services")
def test_announcements_mention_whoever_is_on_call_for_their_channel(announce, tmp_path):
    (tmp_path / "s.yml").write_text(
        "production:\n  - {people: [ada], start: 2020-01-01}\n"
        "support:\n  - {people: ['zoe <@U7>'], start: 2020-01-01}\n"
    )
    book = Schedule(root=tmp_path, settings=OnCall(schedule="s.yml"))
    assert announce(book, "#production", "#help", "#sre", "#other") == [
        (("#production",), "Soon.", []),
        (("#help",), "Soon.", ["zoe"]),
        (("#sre",), "Soon.", ["ada"]),
        (("#other",), "Soon.", []),
    ]
    assert announce(None, "#help", "#sre") == [(("#help", "#sre"), "Soon.", [])]


@pytest.mark.usefixtures("services")
def test_an_announcement_is_made_though_nobody_knows_who_is_on_call(announce, outside):
    outside.fail["pagerduty"] = [503]
    settings = OnCall(pagerduty=outside.url, services=NAMES)
    [(_, text, names)] = announce(Elsewhere(settings=settings, token=PAGERDUTY), "#help")
    assert text.splitlines() == ["Soon.", "(who is on call is not known: PagerDuty answers 503)"]
    assert names == []
    assert OnDuty(name="x").level == 1
