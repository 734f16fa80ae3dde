"""A flag's page explains what it answers somebody, and takes its latest change back."""

from __future__ import annotations

import html
import re
from decimal import Decimal

from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Actors, Boolean, PercentageOfTime
from flagstaff.services import views
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.telemetry import Asked, Heartbeat
from flagstaff.web.asking import Reach, actors_of

ME = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
FLAG = "/flags/new_navigation"


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def set_in(application, environment, change):
    command = SetFlag(
        flag="new_navigation",
        environments=(environment,),
        change=change,
        overrides=("ignore-feature-flag-consistency-check",),
        reason="to see it",
    )
    application.services.execute(command, ME)


def test_every_environment_answers_with_its_reason(client, application):
    set_in(application, "dev", Boolean(value=True))
    set_in(application, "staging", Actors(ids=("User:42",), value=True))
    said = words(client.get(FLAG, params={"actor": "User:42"}).text)
    assert "on new_navigation is on for User:42: it is on for everyone" in said
    assert "on new_navigation is on for User:42: User:42 is in the list of actors" in said
    assert "new_navigation is not set here, so its default answers: off" in said
    other = words(client.get(FLAG, params={"actor": "User:7"}).text)
    assert "new_navigation is off for User:7" in other


def test_chance_is_not_called_an_answer(client, application):
    set_in(application, "dev", PercentageOfTime(value=Decimal(25)))
    for _ in range(3):
        said = words(client.get(FLAG, params={"actor": "User:42"}).text)
        assert "by chance on in 25 % of all questions" in said


def test_what_cannot_be_an_actor_is_said_on_the_page(client):
    page = client.get(FLAG, params={"actor": "User 42"})
    assert page.status_code == 400
    assert "blanks" in words(page.text)
    assert 'value="User 42"' in page.text
    wrong = client.get(FLAG, params={"actor": "User:42", "attributes": "gold"})
    assert "'gold' is no attribute" in words(wrong.text)


def test_attributes_are_what_people_mean():
    (one, two) = actors_of("User:1, User:2,", 'plan = gold\nage = 3\nbeta = true\ntags = ["a"]')
    assert one.flag_attributes == {"plan": "gold", "age": 3, "beta": True, "tags": ["a"]}
    assert two.flag_id == "User:2"


def test_how_much_of_the_traffic_a_percentage_reaches():
    reach = Reach.of(Asked(flag="x", with_actor=30, without_actor=10))
    assert (reach.asked, reach.share) == (40, 75)
    assert Reach.of(Asked(flag="x")) is None


def test_the_page_says_what_share_of_recent_questions_each_percentage_reaches(client, application):
    beat = Heartbeat(instance="a", environment="dev", at=application.services.clock.now())
    asked = [Asked(flag="new_navigation", with_actor=30, without_actor=10)]
    application.services.context.telemetry.report(beat, (), questions=asked)
    said = words(client.get(FLAG).text)
    assert "Of 40 recent questions that applications looked at, 75 % named an actor" in said
    assert "25 % of actors would reach about 18.8 % of the questions" in said


def test_the_history_says_what_was_different_and_undoes_the_latest(client, application):
    set_in(application, "dev", Boolean(value=True))
    set_in(application, "dev", Boolean(value=False))
    page = client.get(FLAG).text
    assert "on for everyone → off" in words(page)
    assert page.count("Undo …") == 1
    entry = re.search(r'name="entry" value="(\d+)"', page)[1]
    refused = client.post(f"{FLAG}/undo", data={"entry": entry, "reason": ""})
    assert refused.status_code == 400
    done = client.post(f"{FLAG}/undo", data={"entry": entry, "reason": "too early"})
    assert done.status_code == 200
    cell = application.services.ask(lambda unit: views.cell(unit, "new_navigation", "dev"), ME)
    assert cell.words == "on for everyone"
    assert (
        "no entry of the log"
        in client.post(f"{FLAG}/undo", data={"entry": "x", "reason": "y"}).text
    )
