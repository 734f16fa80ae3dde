"""The page of one rollout says what guards see, what happened meanwhile, and what comes next."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest

from flagstaff.commands.model import DeleteFlag, SetFlag, StartRollout
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.guard import Arm
from flagstaff.rollouts.plan import Action
from flagstaff.rollouts.query import Query
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import views
from flagstaff.services.course import share_of
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.web.charting import actor_of
from flagstaff.web.step_words import kind_of, next_change
from flagstaff.web.tiles import evidence_share, tiles

ME = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)


def words(text: str) -> str:
    plain = re.sub(r"<(script|style|head)\b.*?</\1>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", plain)).split())


def looked_at(application, number):
    return application.services.ask(lambda unit: views.rollout(unit, number), ME)


def test_a_guard_is_told_in_the_names_of_its_own_sides(client, make_rollout):
    said = words(client.get(f"/rollouts/{make_rollout(failed=90)}").text)
    assert "90 of 200 jobs failed under the new names, 2 of 400 under the old names." in said
    assert "+44.50 points new names against old names" in said
    assert "Old names 400 2 0.50 %" in said
    assert "old_job new_job" in said


def test_a_guard_on_metrics_speaks_of_the_flag(application, make_rollout):
    view = looked_at(application, make_rollout())
    query = Query(source="prometheus", bad="sum(x)")
    guard = replace(view.plan.guards[0], query=query, counts="requests")
    (tile,) = tiles(replace(view, plan=replace(view.plan, guards=(guard,))))
    assert (tile.on, tile.off, tile.names) == ("Flag on", "Flag off", [])
    assert "0 of 200 requests failed with the flag on" in tile.saying


def test_a_guard_on_durations_says_what_took_too_long(application, make_rollout):
    view = looked_at(application, make_rollout())
    guard = replace(
        view.plan.guards[0], query=Query(source="main"), counts="requests", slower_than=2.5
    )
    (tile,) = tiles(replace(view, plan=replace(view.plan, guards=(guard,))))
    assert tile.badly == "took over 2.5 s"
    assert "0 of 200 requests took over 2.5 s with the flag on" in tile.saying


@pytest.mark.parametrize(
    ("longer", "difference", "said"),
    [
        (0.62, "longer in 62 % of pairs", "that under the new names took longer in 62 % of cases"),
        (None, "", "200 jobs under the new names, and too few to compare yet"),
    ],
)
def test_a_guard_that_compares_in_pairs_says_in_how_many(
    application, make_rollout, longer, difference, said
):
    view = looked_at(application, make_rollout())
    guard = replace(view.plan.guards[0], ranked=True)
    shown = replace(view.guards[0], ranked=True, longer=longer)
    plan = replace(view.plan, guards=(guard,))
    (tile,) = tiles(replace(view, plan=plan, guards=(shown,)))
    assert tile.difference == difference
    assert said in tile.saying


@pytest.mark.parametrize(
    ("on", "off", "said"),
    [
        (Arm(), Arm(total=5), "No jobs under the new names yet."),
        (Arm(total=9), Arm(), "none ran under the old names at the same time"),
    ],
)
def test_a_missing_side_is_said_and_no_difference_is_made_up(
    application, make_rollout, on, off, said
):
    view = looked_at(application, make_rollout())
    seen = replace(view.guards[0], treatment=on, control=off)
    (tile,) = tiles(replace(view, guards=(seen,)))
    assert said in tile.saying
    assert not tile.difference


def test_evidence_is_drawn_by_its_order_of_magnitude():
    assert evidence_share(0.2, 20) == 0
    assert evidence_share(10, 100) == 0.5
    assert evidence_share(1e9, 20) == 1


@pytest.mark.parametrize(
    ("gates", "share"),
    [
        (None, 0),
        ({"boolean": True, "percentage_of_time": "5"}, 100),
        ({"boolean": False, "percentage_of_actors": "25", "percentage_of_time": "0"}, 25),
        ({"boolean": None}, 0),
    ],
)
def test_the_share_of_gates_in_the_log(gates, share):
    assert share_of(gates) == share


def test_a_flag_that_is_on_by_default_is_on_without_gates():
    assert share_of(None, default=True) == 100


def test_changes_and_people_are_on_one_time_axis(client, application, make_rollout):
    number = make_rollout()
    assert client.get(f"/rollouts/{number}/chart").json()["x"] == []
    command = SetFlag(
        flag="new_navigation",
        environments=("production",),
        change=Boolean(value=True),
        overrides=("ignore-feature-flag-consistency-check",),
        reason="an emergency",
    )
    application.services.execute(command, ME)
    drawn = client.get(f"/rollouts/{number}/chart").json()
    assert drawn["share"] == [0, 100, 100]
    assert drawn["x"] == sorted(drawn["x"])
    assert drawn["x"][0] == datetime(2026, 3, 1, 8, tzinfo=UTC).timestamp()
    assert [each["by"] for each in drawn["marks"]] == ["person"]
    page = words(client.get(f"/rollouts/{number}").text)
    assert "The same as a table" in page
    assert "100 % ada" in page


def test_a_flag_that_is_deleted_after_its_cleanup_is_on_for_whom_it_was(
    client, application, make_rollout, root
):
    number = make_rollout()
    flag, why = "new_navigation", "ignore-feature-flag-consistency-check"
    words = {"environments": ("production",), "overrides": (why,), "reason": "an emergency"}
    application.services.execute(SetFlag(flag=flag, change=Boolean(value=True), **words), ME)
    application.services.execute(DeleteFlag(flag=flag, **words), ME)
    assert client.get(f"/rollouts/{number}/chart").json()["share"] == [0, 100, 0, 0]
    (root / f"config/feature_flags/development/{flag}.yml").unlink()
    application.services.context.definitions._looked_at = 0.0
    assert client.get(f"/rollouts/{number}/chart").json()["share"] == [0, 100, 100, 100]


def test_what_happened_elsewhere_before_the_rollout_is_not_its_log(
    client, application, make_rollout
):
    number = make_rollout(started_at=None, phase=Phase.PENDING)
    command = SetFlag(
        flag="new_navigation", environments=("dev",), change=Boolean(value=True), reason="early"
    )
    application.services.execute(command, ME)
    assert "early" not in client.get(f"/rollouts/{number}?part=log").text
    application.services.execute(StartRollout(rollout=number), ME)
    later = replace(command, change=Boolean(value=False), reason="later")
    application.services.execute(later, ME)
    assert "later" in client.get(f"/rollouts/{number}?part=log").text


def test_the_log_tells_people_engine_and_deployments_apart(application, make_rollout):
    number = make_rollout(started_at=None, phase=Phase.PENDING)
    application.services.execute(StartRollout(rollout=number), ME)
    entry = application.services.ask(views.audit, ME)[-1]
    assert actor_of(entry) == "person"
    assert actor_of(replace(entry, source="engine")) == "engine"
    assert actor_of(replace(entry, action="deployment.record")) == "deployment"


def test_what_comes_next_is_said_with_its_environment(client, application, make_rollout):
    number = make_rollout()
    following = next_change(looked_at(application, number))
    assert following.id == "ramp-25"
    assert "Then Set 25 % production" in words(client.get(f"/rollouts/{number}?part=decide").text)


def test_every_kind_of_step_has_words_of_its_own(application, make_rollout):
    step = looked_at(application, make_rollout()).steps[0]
    for action in get_args(Action):
        kind = kind_of(replace(step, kind=action.__name__))
        assert kind.word != action.__name__


def test_a_step_that_failed_and_one_that_a_person_does(client, make_rollout):
    number = make_rollout(at="hold", status=StepStatus.FAILED, phase=Phase.PAUSED)
    page = client.get(f"/rollouts/{number}?part=steps").text
    assert "failed" in words(page)
    assert "a person does it" in words(page)
