"""Every page shows what is there, in words, and teaches where there is nothing."""

from __future__ import annotations

import html
import re
from decimal import Decimal

import pytest
from starlette.testclient import TestClient

from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Actors, Boolean, PercentageOfActors
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source

ME = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
PARTS = ("head", "decide", "guards", "steps", "issue", "log")


def words(text: str) -> str:
    """Return what a person reads of a page."""
    plain = re.sub(r"<(script|style|head)\b.*?</\1>", "", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", plain)).split())


def test_an_empty_home_teaches_the_first_command(client):
    page = client.get("/").text
    assert "flagstaff rollout import ISSUE.md --start" in page
    assert 'href="/rollouts/new"' in page


def test_home_says_what_needs_me_and_what_is_moving(client, make_rollout):
    number = make_rollout()
    page = words(client.get("/").text)
    needs, _, rest = page.partition("Moving")
    assert "waiting for a person" in needs
    assert "Does it work?" in needs
    assert f"#{number}" in needs
    assert "No rollout is moving" in rest


def test_a_fresh_rollback_needs_me_until_the_flag_is_tried_again(client, make_rollout, application):
    now = application.services.clock.now()
    make_rollout(
        at="hold",
        status=StepStatus.FAILED,
        phase=Phase.ROLLED_BACK,
        reason="guard broke",
        finished_at=now,
    )
    assert "guard broke" in words(client.get("/").text).partition("Moving")[0]
    make_rollout(at="ramp-25", status=StepStatus.ACTIVE, phase=Phase.RUNNING)
    needs, _, moving = words(client.get("/").text).partition("Moving")
    assert "Nothing waits for you" in needs
    assert "Set 25 %" in moving


def test_the_list_of_rollouts(client, make_rollout):
    assert "No rollout yet" in client.get("/rollouts").text
    make_rollout()
    page = words(client.get("/rollouts").text)
    assert "new_navigation" in page
    assert "1/5" in page


def test_one_rollout_shows_where_it_stands(client, make_rollout):
    number = make_rollout()
    page = client.get(f"/rollouts/{number}")
    assert page.status_code == 200
    said = words(page.text)
    assert "needs a person" in said
    assert "0.4\u00d7 the old rate" in said
    assert "95 % confidence 0.1\u2013…" in said
    assert "harmless up to 1.1\u00d7" in said
    assert "of safety 1 : 1 of 10 : 1" in said
    assert "400 2 0.50 %" in said
    assert f"flagstaff rollout approve {number} --step verify" in said
    assert f'flagstaff rollout abort {number} --reason "…"' in said


def test_what_others_wrote_is_never_markup(client, make_rollout):
    page = client.get(f"/rollouts/{make_rollout()}").text
    assert "<em>new_navigation" not in page
    assert "&lt;em&gt;new_navigation" in page
    assert "<b>work</b>" not in page


def test_time_left_is_counted(client, make_rollout):
    number = make_rollout(at="hold", status=StepStatus.ACTIVE, phase=Phase.RUNNING)
    page = client.get(f"/rollouts/{number}").text
    left = float(re.search(r'data-left="([\d.]+)"', page)[1])
    assert 3500 < left <= 3600
    assert "of 2 h" in words(page)
    assert "End the wait early" in page
    assert '<meta http-equiv="refresh"' in page


def test_a_page_that_waits_for_a_form_is_not_reloaded_under_it(client, make_rollout):
    assert "http-equiv" not in client.get(f"/rollouts/{make_rollout()}").text


def test_a_broken_guard_and_a_rollback_are_said_in_words(client, make_rollout):
    number = make_rollout(
        at="hold",
        status=StepStatus.FAILED,
        phase=Phase.ROLLED_BACK,
        failed=90,
        reason="guard renamed workers: 90 of 200",
    )
    said = words(client.get(f"/rollouts/{number}").text)
    assert "rolled back" in said
    assert "broken" in said
    assert "90 of 200 jobs failed under the new names" in said
    assert "not reached" in said
    assert "Approve" not in said


@pytest.mark.parametrize("part", PARTS)
def test_each_part_of_a_rollout_can_be_fetched_alone(client, make_rollout, part):
    number = make_rollout()
    answer = client.get(f"/rollouts/{number}", params={"part": part})
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<")
    assert "<html" not in answer.text
    assert f'id="{part}"' in answer.text
    assert f"rollout:{number}" in answer.text


@pytest.mark.parametrize("path", ["/rollouts/{}", "/rollouts", "/flags", "/flags/new_navigation"])
@pytest.mark.parametrize("part", ["nothing", "_cards", "_form", "../base", "cards", "form"])
def test_a_part_that_does_not_exist_is_a_friendly_404(client, make_rollout, path, part):
    answer = client.get(path.format(make_rollout()), params={"part": part})
    assert answer.status_code == 404
    assert f"has no part {part}" in answer.text


def test_a_fault_of_ours_is_said_to_be_one(application, monkeypatch):
    from flagstaff.services import views  # noqa: PLC0415

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(views, "flag_of", broken)
    with TestClient(
        application.asgi, base_url="http://localhost", raise_server_exceptions=False
    ) as client:
        answer = client.get("/flags")
        assert answer.status_code == 500
        assert "Flagstaff itself has a fault here" in answer.text
        program = client.get(
            "/api/v1/flags", headers={"authorization": f"Bearer {application.token}"}
        )
        assert program.json()["code"] == "fault"


def test_the_issue_is_rendered_with_its_boxes_and_also_raw(client, make_rollout):
    number = make_rollout()
    page = client.get(f"/rollouts/{number}").text
    assert 'class="box box-open"' in page
    assert 'class="box box-skipped"' in page
    assert "Title: about" not in page
    raw = client.get(f"/rollouts/{number}/issue")
    assert raw.headers["content-type"].startswith("text/plain")
    assert "<!-- Title: about `new_navigation` -->" in raw.text


def test_the_matrix_says_every_state_in_words(client, application):
    services = application.services
    for environment, change in (
        ("dev", Boolean(value=True)),
        ("staging", Boolean(value=False)),
        ("production", PercentageOfActors(value=Decimal(25))),
        ("pre", Actors(ids=("User:1", "User:2"), value=True)),
    ):
        command = SetFlag(
            flag="new_navigation",
            environments=(environment,),
            change=change,
            overrides=("ignore-feature-flag-consistency-check",),
            reason="to see it",
        )
        services.execute(command, ME)
    said = words(client.get("/flags", params={"part": "matrix"}).text)
    beside = "development · group::integrations today not known"
    assert f"{beside} on off default off default off 2 actors 25 % of actors" in said


def test_flags_can_be_found_by_name(client):
    assert "new_navigation" in client.get("/flags", params={"match": "navi", "part": "matrix"}).text
    missing = client.get("/flags", params={"match": "<x>", "part": "matrix"}).text
    assert "&lt;x&gt;" in missing


def test_without_definitions_the_matrix_teaches(client, root, application):
    (root / "config/feature_flags/development/new_navigation.yml").unlink()
    application.services.context.definitions._clock = lambda: 1e12
    assert "flagstaff init" in client.get("/flags").text


def test_one_flag_shows_definition_state_and_history(client, application):
    command = SetFlag(
        flag="new_navigation", environments=("dev",), change=Boolean(value=True), reason="QA asked"
    )
    application.services.execute(command, ME)
    said = words(client.get("/flags/new_navigation").text)
    for text in ("on for everyone", "config/feature_flags/development", "15.1", "QA asked", "ada"):
        assert text in said


def test_what_is_not_there_is_said_kindly(client):
    for path, text in (
        ("/flags/new_navigatoin", "did you mean new_navigation?"),
        ("/rollouts/7", "there is no rollout 7"),
        ("/nowhere", "there is no page /nowhere"),
        ("/rollouts/x", "there is no page"),
    ):
        answer = client.get(path)
        assert answer.status_code == 404
        assert text in words(answer.text)
        assert 'href="/rollouts"' in answer.text


def test_a_broken_definition_is_reported_on_every_page(client, root, application):
    (root / "config/feature_flags/development/broken_one.yml").write_text("name: [\n")
    application.services.context.definitions._clock = lambda: 1e12
    for path in ("/", "/flags", "/rollouts"):
        said = words(client.get(path).text)
        assert "1 problem" in said
        assert "development/broken_one.yml:" in said


def test_pages_are_complete_without_the_fetched_script(client, make_rollout, monkeypatch, tmp_path):
    from flagstaff.web import site  # noqa: PLC0415

    number = make_rollout()
    with_it = client.get(f"/rollouts/{number}").text
    monkeypatch.setattr(site, "STATIC", tmp_path)
    without = client.get(f"/rollouts/{number}").text
    assert "vendor" not in without
    assert words(without) == words(with_it)


def test_no_page_needs_an_inline_script_or_style(client, make_rollout):
    number = make_rollout()
    for path in ("/", "/rollouts", "/rollouts/new", f"/rollouts/{number}", "/flags"):
        page = client.get(path).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert not re.search(r"<style|\sstyle=|\son\w+=", page), path
        assert "<h1" in page
        assert 'lang="en"' in page
