"""Forms do what the terminal does, and lose nothing when something is wrong."""

from __future__ import annotations

import re

import pytest

from flagstaff.errors import UsageError
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import views
from flagstaff.services.person import ENGINE
from flagstaff.web.forms import Form

SET = {"environment": ["dev", "staging"], "value": "true", "how": "everyone", "reason": "QA & co"}
SURE = {"sure": "production"}
WITH_PLACEHOLDER = """\
# [Feature flag] Enable `new_navigation`

## Rollout Steps

### Rollout on non-production environments

- [ ] `/chatops run feature set new_navigation true --dev`
- [ ] Verify that it works.

### Global rollout on production

- [ ] `/chatops run feature set new_navigation true`

### Release the feature

- [ ] `/chatops run release check !12 <milestone>`
"""
GOOD = WITH_PLACEHOLDER.replace("<milestone>", "15.2")


def gates(application, environment: str):
    flag = application.services.ask(lambda unit: views.flag(unit, "new_navigation"), ENGINE)
    return next(cell.gates for cell in flag.cells if cell.environment == environment)


def log(application):
    return application.services.ask(views.audit, ENGINE)


def state(application, number: int):
    return application.services.ask(lambda unit: views.rollout(unit, number), ENGINE)


def test_a_flag_is_set_in_every_environment_that_was_ticked(client, application):
    page = client.post("/flags/new_navigation", data=SET)
    assert page.status_code == 200
    assert page.url.path == "/flags/new_navigation"
    assert "dev: on for everyone" in page.text
    assert gates(application, "dev").boolean
    assert gates(application, "staging").boolean
    assert gates(application, "production") is None
    assert (log(application)[0].source, log(application)[0].reason) == ("web", "QA & co")


def test_what_came_of_it_is_shown_once(client):
    page = client.post("/flags/new_navigation", data=SET)
    assert 'role="status"' in page.text
    assert 'role="status"' not in client.get(str(page.url)).text


@pytest.mark.parametrize(
    ("typed", "check"),
    [
        ({"value": "25", "how": "actors"}, lambda g: g.percentage_of_actors == 25),
        ({"value": "12.5", "how": "random"}, lambda g: str(g.percentage_of_time) == "12.5"),
        (
            {"how": "single", "who": "User:1, Project:7"},
            lambda g: g.members == {"User:1", "Project:7"},
        ),
        ({"how": "groups", "who": "team"}, lambda g: g.groups == {"team"}),
        ({"value": "false"}, lambda g: not g.boolean),
    ],
)
def test_every_way_of_setting_a_flag(client, application, typed, check):
    client.post("/flags", data={**SET, "flag": "new_navigation", **typed})
    assert check(gates(application, "dev"))


def test_a_flag_can_be_given_back_to_its_default(client, application):
    client.post("/flags/new_navigation", data=SET)
    client.post("/flags/new_navigation", data={**SET, "how": "unset", "value": ""})
    assert gates(application, "dev") is None


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"value": "25%", "how": "actors"}, "25%"),
        ({"value": "1e3", "how": "actors"}, "1e3"),
        ({"value": "101", "how": "actors"}, "101"),
        ({"value": ""}, "there is no value"),
        ({"environment": []}, "no environment is chosen"),
        ({"environment": ["moon"]}, "there is no environment moon"),
        ({"how": "single", "who": " , "}, "nobody is named"),
        ({"how": "somehow"}, "nobody a flag can be set for"),
    ],
)
def test_a_wrong_form_says_why_and_keeps_what_was_typed(client, application, typed, told):
    page = client.post("/flags/new_navigation", data={**SET, **typed})
    assert page.status_code == 400
    assert told in page.text
    assert 'class="hint' in page.text
    assert 'value="QA &amp; co"' in page.text
    value = typed.get("value", "true")
    assert f'id="value" name="value" value="{value}"' in page.text
    assert gates(application, "dev") is None
    assert log(application) == []


def test_a_waiting_step_is_approved_with_its_reason(client, application, make_rollout):
    number = make_rollout()
    answer = {"step": "verify", "reason": "looks right", **SURE}
    page = client.post(f"/rollouts/{number}/approve", data=answer)
    assert page.status_code == 200
    step = state(application, number).steps[1]
    assert step.approved_by
    assert log(application)[0].reason == "looks right"


def test_an_answer_to_a_step_that_is_over_is_refused(client, make_rollout):
    number = make_rollout(at="hold", status=StepStatus.ACTIVE, phase=Phase.RUNNING)
    page = client.post(f"/rollouts/{number}/approve", data={"step": "verify", "reason": "late"})
    assert page.status_code == 409
    assert "already done" in page.text
    assert 'value="late"' in page.text


@pytest.mark.parametrize("verb", ["reject", "skip"])
def test_a_no_needs_a_reason(client, application, make_rollout, verb):
    number = make_rollout()
    page = client.post(f"/rollouts/{number}/{verb}", data={"step": "verify", "reason": " "})
    assert page.status_code == 400
    assert "a reason is needed" in page.text
    client.post(f"/rollouts/{number}/{verb}", data={"step": "verify", "reason": "not yet", **SURE})
    view = state(application, number)
    assert "not yet" in view.steps[1].note
    assert (view.summary.phase is Phase.PAUSED) is (verb == "reject")


def test_pause_resume_and_promote(client, application, make_rollout):
    number = make_rollout(at="hold", status=StepStatus.ACTIVE, phase=Phase.RUNNING)
    paused = client.post(f"/rollouts/{number}/pause", data={})
    assert "Resume" in paused.text
    assert state(application, number).summary.phase is Phase.PAUSED
    client.post(f"/rollouts/{number}/resume", data={})
    assert state(application, number).summary.phase is Phase.RUNNING
    client.post(f"/rollouts/{number}/promote", data={"reason": "all quiet", **SURE})
    assert "all quiet" in state(application, number).steps[3].note


def test_abort_asks_first_and_says_what_it_will_restore(client, application, make_rollout):
    number = make_rollout()
    page = client.get(f"/rollouts/{number}/abort")
    assert f"Abort rollout {number}" in page.text
    assert client.post(f"/rollouts/{number}/abort", data={"reason": ""}).status_code == 400
    assert state(application, number).summary.phase is Phase.WAITING
    client.post(f"/rollouts/{number}/abort", data={"reason": "users complain"})
    assert state(application, number).summary.phase is Phase.ROLLED_BACK


def test_an_unknown_verb_is_a_friendly_404(client, make_rollout):
    answer = client.post(f"/rollouts/{make_rollout()}/explode", data={})
    assert answer.status_code == 404
    assert "a rollout cannot explode" in answer.text


def test_an_issue_is_looked_at_before_anything_is_written(client, application):
    page = client.post("/rollouts/new", data={"issue": GOOD, "do": "preview"})
    assert page.status_code == 200
    assert "nothing was written" in page.text
    assert "Import and start" in page.text
    assert GOOD.splitlines()[-1] in page.text
    assert application.services.ask(views.rollouts, ENGINE) == []


def test_the_preview_says_what_is_left_to_a_person_and_what_is_only_read(client):
    issue = f"{GOOD}\n- [ ] Make the tea.\n\nGood luck to all of us.\n"
    page = client.post("/rollouts/new", data={"issue": issue, "do": "preview"}).text
    rows = re.findall(
        r'<tr><td class="number" data-label="Line">\d+</td><td>(.*?)</td><td>(.*?)</td></tr>', page
    )
    found = {line.removeprefix("- [ ] "): as_what for line, as_what in rows}
    assert "left to a person" in found["Make the tea."]
    assert "only read" in found["Good luck to all of us."]
    assert "1 of them left to a person" in page


def test_an_issue_is_imported_and_started(client, application):
    page = client.post("/rollouts/new", data={"issue": GOOD.replace("\n", "\r\n"), "do": "start"})
    assert page.url.path == "/rollouts/1"
    view = state(application, 1)
    assert view.summary.phase is Phase.RUNNING
    assert "\r" not in view.issue


def test_an_open_placeholder_is_asked_for_and_the_issue_kept(client, application):
    page = client.post("/rollouts/new", data={"issue": WITH_PLACEHOLDER, "do": "start"})
    assert page.status_code == 422
    assert "milestone = " in page.text
    assert "### Global rollout on production" in page.text
    assert application.services.ask(views.rollouts, ENGINE) == []
    again = {"issue": WITH_PLACEHOLDER, "do": "start", "placeholders": "milestone = 15.2\n"}
    assert client.post("/rollouts/new", data=again).url.path == "/rollouts/1"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"issue": "  "}, "there is no issue"),
        ({"issue": GOOD, "placeholders": "what?"}, "no answer to a placeholder"),
        ({"issue": "- [ ] `/chatops run feature set no_such_flag true`"}, "no_such_flag"),
    ],
)
def test_an_issue_that_cannot_run_says_why(client, typed, told):
    page = client.post("/rollouts/new", data=typed)
    assert page.status_code in {400, 404, 422}
    assert told in page.text


def test_what_is_no_form_is_refused():
    with pytest.raises(UsageError, match="no form"):
        Form.read(b"\xff\xfe")
    with pytest.raises(UsageError, match="no form"):
        Form.read(b"&".join(b"a=1" for _ in range(1000)))
