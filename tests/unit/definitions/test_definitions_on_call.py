"""Whose turn is it, and is every mistake in a schedule named?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flagstaff.definitions import load_project
from flagstaff.definitions.on_call import OnCall, Rotation, Someone, turn_at
from flagstaff.definitions.schedule_file import load_schedule
from flagstaff.errors import DefinitionError

SCHEDULE = """\
production:
  - people: [ada, "bob <@U024BE7LH>", eve]
    start: 2026-03-02
    length: 1w
    handover: "09:00"
    timezone: Europe/Amsterdam
    overrides:
      - from: 2026-03-05T12:00
        to: 2026-03-06T12:00
        person: "eve <@U9>"
  - people: boss
    start: 2026-01-01
support:
  - people: [zoe, yan]
    start: 2026-03-02T00:00
    length: 12h
"""


@pytest.fixture
def schedule(tmp_path):
    (tmp_path / "on-call.yml").write_text(SCHEDULE)
    return load_schedule(tmp_path, "on-call.yml")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def who(rotation, text):
    turn = turn_at(rotation, at(text))
    return (turn.person.name if turn.person else None, turn.until.astimezone(UTC).isoformat()[:16])


@pytest.mark.parametrize(
    ("moment", "person", "until"),
    [
        ("2026-03-02T07:59", None, "2026-03-02T08:00"),
        ("2026-03-02T08:00", "ada", "2026-03-05T11:00"),
        ("2026-03-05T11:00", "eve", "2026-03-06T11:00"),
        ("2026-03-06T11:00", "ada", "2026-03-09T08:00"),
        ("2026-03-09T08:00", "bob", "2026-03-16T08:00"),
        ("2026-03-22T09:00", "eve", "2026-03-23T08:00"),
        ("2026-03-23T08:00", "ada", "2026-03-30T07:00"),  # summer time begins on the 29th
        ("2026-03-30T06:59", "ada", "2026-03-30T07:00"),
        ("2026-03-30T07:00", "bob", "2026-04-06T07:00"),
        ("2026-10-26T07:59", "ada", "2026-10-26T08:00"),  # and has ended
    ],
)
def test_turns_hand_over_by_the_clock_on_the_wall(schedule, moment, person, until):
    assert who(schedule["production"][0], moment) == (person, until)


def test_turns_may_be_hours_and_one_person_may_have_all(schedule):
    day = [who(schedule["support"][0], f"2026-03-03T{hour:02}:00")[0] for hour in (0, 11, 12, 23)]
    assert day == ["zoe", "zoe", "yan", "yan"]
    assert who(schedule["production"][1], "2026-11-01T00:00")[0] == "boss"


def test_mentions_are_kept_beside_the_names(schedule):
    people = schedule["production"][0].people
    assert people[1] == Someone(name="bob", mention="<@U024BE7LH>")
    assert people[0].mention == ""


def test_everybody_gets_the_same_share_over_a_year():
    rotation = Rotation(
        people=tuple(Someone(name=name) for name in "abcd"),
        start=datetime(2026, 1, 1, 9),  # noqa: DTZ001 local to its zone
        length=timedelta(days=1),
        zone=ZoneInfo("America/New_York"),
    )
    counts = dict.fromkeys("abcd", 0)
    moment = at("2026-01-02T00:00")
    for _ in range(364):
        person = turn_at(rotation, moment).person
        assert person is not None
        counts[person.name] += 1
        moment += timedelta(days=1)
    assert set(counts.values()) == {91}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "names no service"),
        ("- a", "names no service"),
        ("a:", "`a` has nobody"),
        ("a: b", "not a list"),
        ("a:\n  - start: 2026-03-02\n", "has no `a.people`"),
        ("a:\n  - people: [b]\n", "has no `a.start`"),
        ("a:\n  - people: []\n    start: 2026-03-02\n", "empty list"),
        ("a:\n  - people: [b]\n    start: soon\n", "'soon' is no time"),
        ("a:\n  - people: [b]\n    start: 2026-03-02T00:00Z\n", "has a time zone"),
        ("a:\n  - people: [b]\n    start: 2026-03-02\n    handover: 9\n", "no time of day"),
        ("a:\n  - people: [b]\n    start: 2026-03-02\n    length: 1m\n", "too short"),
        ("a:\n  - people: [b]\n    start: 2026-03-02\n    timezone: Mars/Base\n", "no time zone"),
        ("a:\n  - people: [b]\n    start: 2026-03-02\n    timezone: ../x\n", "no time zone"),
        ("a:\n  - people: ['<@U1>']\n    start: 2026-03-02\n", "is nobody"),
        ("a:\n  - people: [b]\n    start: 2026-03-02\n    turns: 3\n", "unknown key"),
        (
            (
                "a:\n  - people: [b]\n    start: 2026-03-02\n    overrides:\n"
                "      - {from: 2026-03-06T00:00, to: 2026-03-05T00:00, person: c}\n"
            ),
            "is not after `from`",
        ),
        (
            "a:\n  - people: [b]\n    start: 2026-03-02\n    overrides:\n      - {person: c}\n",
            "has no `a.overrides.from`",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, what):
    (tmp_path / "on-call.yml").write_text(text)
    with pytest.raises(DefinitionError) as caught:
        load_schedule(tmp_path, "on-call.yml")
    assert what in str(caught.value).replace('"', "'")
    assert "on-call.yml" in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DefinitionError, match="is not there"):
        load_schedule(tmp_path, "on-call.yml")


def project_with(tmp_path, text):
    (tmp_path / "flagstaff.yml").write_text(text)
    return load_project(tmp_path)


def test_the_settings_name_a_file_or_one_of_the_two(tmp_path):
    found = project_with(tmp_path, "on_call:\n  schedule: on-call.yml\n  default: support\n")
    assert found.on_call == OnCall(schedule="on-call.yml", default="support")
    found = project_with(tmp_path, "on_call:\n  pagerduty:\n    services: {production: PX1}\n")
    assert found.on_call is not None
    assert found.on_call.pagerduty == "https://api.pagerduty.com"
    assert dict(found.on_call.services) == {"production": "PX1"}
    text = "on_call:\n  opsgenie:\n    url: https://og.internal/\n    services: {production: a b}\n"
    found = project_with(tmp_path, text)
    assert found.on_call is not None
    assert found.on_call.opsgenie == "https://og.internal"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("on_call: {}", "needs one of schedule, pagerduty, opsgenie"),
        ("on_call: {schedule: a, opsgenie: {services: {production: b}}}", "needs one of"),
        ("on_call: {pagerduty: {url: 'https://x'}}", "names none"),
        ("on_call: {pagerduty: {services: {support: x}}}", "lacks production"),
        ("on_call: {pagerduty: {url: x, services: {production: x}}}", "no web address"),
        ("side_effects: {annotation: {}}", "has no `side_effects.annotation.url`"),
        ("side_effects: {annotation: {url: here}}", "no web address"),
        ("side_effects: {annotation: {url: 'http://g', panel: 4}}", "is of no dashboard"),
        ("side_effects: {event: {url: 'http://g', environments: [prod]}}", "is no environment"),
        ("side_effects: {log: {}}", "needs either `file` or `issue`"),
        ("side_effects: {log: {file: ../up.md}}", "not in the project's folder"),
        ("side_effects: {grafana: {}}", "unknown key"),
        ("side_effects: {team_channel: {rollouts: 3}}", "write true or false"),
    ],
)
def test_settings_that_are_wrong_are_named(tmp_path, text, what):
    with pytest.raises(DefinitionError) as caught:
        project_with(tmp_path, text)
    assert what in str(caught.value)


def test_side_effects_are_of_all_environments_unless_named(tmp_path):
    text = """\
environments: [dev, staging, production]
side_effects:
  annotation: {url: "https://grafana.internal", tags: [a, b], dashboard: x, panel: 2}
  event: {url: "https://e.internal", environments: [staging, production]}
  log: {issue: "https://gitlab.com/g/log/-/issues/1"}
  rollout_issue: {environments: production}
  team_channel: {off: true}
"""
    found = project_with(tmp_path, text).side_effects
    assert found.annotation is not None
    assert found.annotation.environments == ("dev", "staging", "production")
    assert (found.annotation.tags, found.annotation.panel) == (("a", "b"), 2)
    assert found.event is not None
    assert found.event.environments == ("staging", "production")
    assert found.rollout_issue is not None
    assert found.rollout_issue.environments == ("production",)
    assert found.team_channel is None
    assert project_with(tmp_path, "main_branch: main\n").side_effects.team_channel is not None
