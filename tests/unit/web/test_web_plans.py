"""A rollout begins from a flag or a plan, and a running one gets another plan, each seen before."""

from __future__ import annotations

import html
import re

import pytest

from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import planning, views
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source

ME = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def plan_of(application, number):
    return application.services.ask(lambda unit: planning.plan_of(unit, number), ME)


def rollouts(application):
    return application.services.ask(views.rollouts, ME)


def test_the_flag_s_page_leads_to_its_plan(client):
    assert (
        'href="/rollouts/new/plan?flag=new_navigation"' in client.get("/flags/new_navigation").text
    )
    page = client.get("/rollouts/new/plan?flag=new_navigation").text
    assert "<option selected>new_navigation</option>" in page


def test_a_plan_is_shown_before_anything_is_written(client, application, make_rollout):
    text = plan_of(application, make_rollout(phase=Phase.COMPLETED))["plan"]
    form = {"do": "preview", "flag": "", "plan": text}
    page = client.post("/rollouts/new/plan", data=form)
    assert page.status_code == 200
    said = words(page.text)
    assert "nothing was written" in said
    assert "Set 25 %" in said
    assert len(rollouts(application)) == 1
    started = client.post("/rollouts/new/plan", data={**form, "do": "start"})
    newest = rollouts(application)[0]
    assert newest.id == 2
    assert newest.started_at
    assert "planned and started" in words(started.text)


def test_what_is_wrong_with_a_plan_is_said_by_line_and_kept(client, application):
    page = client.post("/rollouts/new/plan", data={"plan": "flag: new_navigation\nstps: []\n"})
    assert page.status_code in {400, 422}
    assert "line 2" in words(page.text)
    assert "stps: []" in page.text
    assert rollouts(application) == []


def test_nothing_named_is_said_kindly(client):
    page = client.post("/rollouts/new/plan", data={"do": "preview"})
    assert "no flag is named" in words(page.text)


def test_an_edit_is_a_difference_first_and_needs_a_reason(client, application, make_rollout):
    number = make_rollout(at="hold", status=StepStatus.ACTIVE, phase=Phase.RUNNING)
    page = client.get(f"/rollouts/{number}/plan").text
    tag = re.search(r'name="tag" value="([^"]+)"', page)[1]
    before = plan_of(application, number)["plan"]
    after = before.replace("Tell the others", "Tell everybody")
    assert after != before
    form = {"plan": after, "tag": tag}
    shown = client.post(f"/rollouts/{number}/plan", data={**form, "do": "preview"})
    assert shown.status_code == 200
    assert re.search(r'class="added">\+.*Tell everybody', shown.text)
    assert re.search(r'class="removed">-.*Tell the others', shown.text)
    assert plan_of(application, number)["plan"] == before
    refused = client.post(f"/rollouts/{number}/plan", data={**form, "do": "apply"})
    assert refused.status_code == 400
    assert "a reason is needed" in refused.text
    done = client.post(
        f"/rollouts/{number}/plan", data={**form, "do": "apply", "reason": "a clearer word"}
    )
    assert "Tell everybody" in done.text
    view = application.services.ask(lambda unit: views.rollout(unit, number), ME)
    assert view.summary.step.id == "hold"
    log = application.services.ask(lambda unit: views.audit(unit, rollout=number), ME)
    assert (log[0].action, log[0].reason) == ("rollout.edit", "a clearer word")


def test_an_edit_of_a_plan_that_changed_meanwhile_is_refused(client, make_rollout, application):
    number = make_rollout(at="hold", status=StepStatus.ACTIVE, phase=Phase.RUNNING)
    text = plan_of(application, number)["plan"]
    page = client.post(
        f"/rollouts/{number}/plan",
        data={"plan": text, "tag": "old", "do": "apply", "reason": "late"},
    )
    assert page.status_code in {409, 412}
    assert "edited by somebody else" in words(page.text)


@pytest.mark.parametrize("phase", [Phase.COMPLETED, Phase.ROLLED_BACK])
def test_the_plan_of_a_rollout_that_is_over_can_be_read(client, make_rollout, phase):
    page = client.get(f"/rollouts/{make_rollout(phase=phase)}/plan").text
    assert "readonly" in page
    assert "Apply it" not in page
