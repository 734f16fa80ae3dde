"""Home says what needs me, and the tab says how it stands."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from flagstaff.rollouts.guard import Verdict
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services.person import ENGINE
from flagstaff.store import rollouts as store
from flagstaff.web.templating import STATIC
from flagstaff.web.words import phase_look


def test_a_guard_without_data_needs_me(client, application, make_rollout):
    number = make_rollout(at="hold", status=StepStatus.ACTIVE, phase=Phase.RUNNING)
    assert "no data" not in client.get("/").text
    with application.services.unit(ENGINE, write=True) as unit:
        record = store.get(unit.connection, number)
        blind = replace(record.readings[0], verdict=Verdict.ERROR, evidence="the log is gone")
        store.save(unit.connection, replace(record, readings=(blind,)), record.rollout)
    page = client.get("/").text
    assert "no data" in page.partition("Moving")[0]
    assert "the log is gone" in page
    assert 'data-title="(1) Home' in page
    assert 'data-icon="amber"' in page


@pytest.mark.parametrize("phase", list(Phase))
def test_the_tab_of_a_rollout_says_its_state(client, make_rollout, phase):
    page = client.get(f"/rollouts/{make_rollout(phase=phase)}").text
    look = phase_look(phase)
    assert f"<title>{look.word}: new_navigation" in page
    icon = re.search(r'rel="icon" href="/static/([^"]+)"', page)[1]
    assert icon == f"favicon-{look.tone}.svg"
    assert (STATIC / icon).exists()


def test_every_icon_that_home_names_exists():
    for tone in ("red", "amber", "blue", "green"):
        assert (STATIC / f"favicon-{tone}.svg").exists()
