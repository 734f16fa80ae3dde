"""Is what would change something in production shown before it is done?"""

from __future__ import annotations

import re

import pytest

from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services import views
from flagstaff.services.person import ENGINE

SET = {"environment": ["staging", "production"], "value": "25", "how": "actors", "reason": "a & b"}
ASKED = "Yes, in production"


def gates(application, environment="production"):
    flag = application.services.ask(lambda unit: views.flag(unit, "new_navigation"), ENGINE)
    return next(cell.gates for cell in flag.cells if cell.environment == environment)


def step(application, number, index):
    return application.services.ask(lambda unit: views.rollout(unit, number), ENGINE).steps[index]


def confirmed(client, page):
    """Press the button of the page that asks: the browser sends what is in its form."""
    fields: dict[str, list[str]] = {}
    pattern = r'<(?:input type="hidden"|button) name="([^"]+)" value="([^"]*)"'
    for name, value in re.findall(pattern, page.text):
        fields.setdefault(name, []).append(value.replace("&amp;", "&"))
    return client.post(str(page.url), data=fields)


@pytest.mark.parametrize("path", ["/flags/new_navigation", "/flags"])
def test_a_flag_is_set_in_production_once_that_was_said_twice(client, application, path):
    page = client.post(path, data={**SET, "flag": "new_navigation"})
    assert page.status_code == 200
    assert ASKED in page.text
    assert "nothing was changed yet" in page.text
    assert gates(application) is None
    assert gates(application, "staging") is None
    done = confirmed(client, page)
    assert done.url.path == path
    assert ASKED not in done.text
    assert gates(application).percentage_of_actors == 25
    assert gates(application, "staging").percentage_of_actors == 25
    entry = application.services.ask(views.audit, ENGINE)[0]
    assert entry.reason == "a & b"


def test_other_environments_are_not_asked_about(client, application):
    client.post("/flags/new_navigation", data={**SET, "environment": "staging"})
    assert gates(application, "staging").percentage_of_actors == 25


def test_what_would_be_refused_is_refused_before_anybody_is_asked(client):
    page = client.post("/flags/new_navigation", data={**SET, "value": "101"})
    assert page.status_code == 400
    assert ASKED not in page.text


def test_a_change_in_production_is_undone_only_when_that_is_meant(client, application):
    client.post("/flags/new_navigation", data={**SET, "sure": "production"})
    log = application.services.ask(views.audit, ENGINE)
    entry = next(each.id for each in log if each.environment == "production")
    form = {"entry": entry, "reason": "too early"}
    page = client.post("/flags/new_navigation/undo", data=form)
    assert ASKED in page.text
    assert gates(application).percentage_of_actors == 25
    confirmed(client, page)
    assert gates(application) is None


def test_an_approval_that_lets_production_change_says_what_comes_next(
    client, application, make_rollout
):
    number = make_rollout()
    page = client.post(f"/rollouts/{number}/approve", data={"step": "verify", "reason": "fine"})
    assert ASKED in page.text
    assert "Set 25 %" in page.text
    assert step(application, number, 1).status is StepStatus.WAITING
    confirmed(client, page)
    assert step(application, number, 1).approved_by


@pytest.mark.parametrize("verb", ["pause", "reject"])
def test_what_stops_a_rollout_is_done_at_once(client, application, make_rollout, verb):
    number = make_rollout()
    page = client.post(f"/rollouts/{number}/{verb}", data={"step": "verify", "reason": "no"})
    assert ASKED not in page.text
    view = application.services.ask(lambda unit: views.rollout(unit, number), ENGINE)
    assert view.summary.phase is Phase.PAUSED
