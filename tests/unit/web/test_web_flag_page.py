"""Does a flag's page show what its definition declares, and let an expression be set?"""

from __future__ import annotations

import html

import pytest

from flagstaff.commands.model import AbortRollout, DeleteFlag
from flagstaff.commands.plan_model import PlanRollout
from flagstaff.services import views
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source

ADA = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
PLAN = """\
flag: new_navigation
announce_to: []
steps:
  - {approve: For everybody?}
"""

PAGE = "/flags/new_navigation"
GOLD = '{"Equal": [{"Property": ["plan"]}, "gold"]}'


def gates(application):
    flag = application.services.ask(lambda unit: views.flag(unit, "new_navigation"), ENGINE)
    return next(cell.gates for cell in flag.cells if cell.environment == "dev")


def expression(application):
    return gates(application).expression


def submit(client, value):
    form = {"environment": "dev", "how": "matching", "value": value}
    return client.post(PAGE, data=form)


def test_variants_prerequisites_and_bucketing_are_shown(root, application, client):
    folder = root / "config/feature_flags/development"
    text = (folder / "new_navigation.yml").read_text()
    (folder / "new_search.yml").write_text(text.replace("new_navigation", "new_search"))
    (folder / "new_navigation.yml").write_text(
        text + "bucketing: murmur3\nvariants: [{name: blue, weight: 3}]\n"
        "prerequisites: [{flag: new_search, value: false}]\n"
    )
    # As if half a second had passed since the server looked last.
    application.services.context.definitions._looked_at = 0.0
    page = client.get(PAGE).text
    assert "<dt>Bucketing</dt><dd>murmur3</dd>" in page
    assert "<dt>Variants</dt><dd>blue (3)</dd>" in page
    assert '<a href="/flags/new_search">new_search</a> to be off' in page


def test_an_expression_is_set_and_taken_away(application, client):
    assert submit(client, GOLD).status_code == 200
    assert expression(application) == {"Equal": [{"Property": ["plan"]}, "gold"]}
    submit(client, "none")
    assert expression(application) is None


def test_one_that_is_wrong_is_shown_again_with_the_remedy(client):
    page = submit(client, "{'plan': 'gold'}")
    assert page.status_code == 400
    shown = html.unescape(page.text)
    assert "is not JSON" in shown
    assert "{'plan': 'gold'}" in shown
    assert "feature set new_navigation --expression" in shown


def test_without_reports_the_page_says_where_they_come_from(client):
    page = client.get(f"{PAGE}?part=processes").text
    assert "No process has reported" in page
    assert "every 15s" in page


@pytest.mark.parametrize("how", ["everyone", "actors", "random", "matching", "unset"])
def test_names_that_nobody_would_look_at_are_refused(application, client, how):
    value = {"actors": "25", "random": "25", "matching": GOLD, "unset": ""}.get(how, "true")
    form = {"environment": "dev", "how": how, "value": value, "who": "User:42"}
    page = client.post(PAGE, data=form)
    assert page.status_code == 400
    shown = html.unescape(page.text)
    assert "'User:42' is named, but the flag would be set" in shown
    assert "leave the names out" in shown
    assert gates(application) is None


def test_a_value_for_a_flag_that_goes_back_to_its_default_is_refused(client):
    page = client.post(PAGE, data={"environment": "dev", "how": "unset", "value": "true"})
    assert page.status_code == 400
    assert "leave the value empty" in page.text


def test_of_one_that_is_gone_its_history_and_rollouts_are_left(root, application, client):
    number = application.services.execute(PlanRollout(text=PLAN), ADA).data["rollout"]
    submit(client, GOLD)
    application.services.execute(DeleteFlag(flag="new_navigation", environments=("dev",)), ADA)
    application.services.execute(AbortRollout(rollout=number, reason="not now"), ADA)
    (root / "config/feature_flags/development/new_navigation.yml").unlink()
    application.services.context.definitions._looked_at = 0.0
    page = client.get(PAGE)
    shown = html.unescape(page.text)
    assert page.status_code == 404
    assert "This flag is gone" in shown
    assert f'<a href="/rollouts/{number}">#{number}</a>' in shown
    assert "not now" in shown
    assert "Undo" not in shown
    assert "That did not work" in client.get("/flags/never_was").text
