"""Does a flag's page say how old it is, how old it may become and why it should go?"""

from __future__ import annotations

import re

import pytest

from flagstaff.commands.life_model import SetDue
from flagstaff.services.person import ENGINE
from flagstaff.services.telemetry import Answered, Heartbeat


def life(client, name="new_navigation"):
    """Return what stands beside each term."""
    page = client.get(f"/flags/{name}?part=life").text
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page)
    return {term: re.sub(r"<[^>]*>", "", said).strip() for term, said in pairs}


def test_a_new_flag_has_an_owner_and_a_lifespan_and_nothing_against_it(client):
    said = life(client)
    assert said["Owner"] == "group::integrations"
    assert said["Introduced"].endswith("0 days ago, for 15.1")
    assert re.search(r"^\d+ months for the type development, until 20", said["Lifespan"])
    assert said["Last asked for"] == "no application has reported it"
    assert said["Should go"] == "nothing speaks for it yet"


def test_what_a_person_has_settled_stands_there_with_the_reason(client, application):
    due = SetDue(flag="new_navigation", due="2031-05-06", reason="the <big> sale")
    application.services.execute(due, ENGINE)
    said = life(client)
    assert said["To be gone by"].startswith("2031-05-06 ")
    assert said["To be gone by"].endswith("the &lt;big&gt; sale")
    assert said["Lifespan"] == said["Lifespan"].split(",")[0], "it counts no longer"


def test_the_last_question_of_an_application_is_told(client, application):
    now = application.services.clock.now()
    beat = Heartbeat(instance="web-1", environment="production", at=now)
    answer = Answered(
        environment="production", flag="new_navigation", value=True, gate="boolean", count=3
    )
    application.services.context.telemetry.report(beat, [answer])
    assert life(client)["Last asked for"] == f"{now:%Y-%m-%d %H:%M} UTC"


@pytest.fixture
def orphan(set_by_hand):
    set_by_hand("old_one")
    return "old_one"


def test_why_a_flag_should_go_is_told_with_the_patch(client, orphan):
    said = life(client, orphan)
    assert said["Should go"] == "set in staging, and defined nowhere" + "The patch"
    assert "Lifespan" not in said
