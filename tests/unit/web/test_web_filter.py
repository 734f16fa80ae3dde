"""Does the list of flags show those that its address asks for, and say so?"""

from __future__ import annotations

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from flagstaff.flags.gates import Gates
from flagstaff.services.person import ENGINE
from flagstaff.services.telemetry import Answered, Heartbeat
from flagstaff.store import lives
from flagstaff.web.pages import flags

OPS = """\
name: {}
type: ops
group: group::{}
default_enabled: false
introduced_on: {}
"""
QUARTER = Gates(percentage_of_actors=Decimal(25))
SHOP = {"kill_switch": "2020-01-02", "night_mode": "2023-04-05"}


def named(page):
    return re.findall(r'<th scope="row"><a class="flagname" href="/flags/(\w+)"', page.text)


def links(page, words):
    """Return where the links go that say this."""
    found = re.findall(r'<a[^>]* href="(/flags[^"]*)"[^>]*>(.*?)</a>', page.text)
    said = [(html.unescape(to), re.sub(r"<[^>]+>", "", text)) for to, text in found]
    return [to for to, text in said if words in text]


@pytest.fixture(autouse=True)
def ops(root):
    folder = root / "config/feature_flags/ops"
    folder.mkdir()
    for name, day in SHOP.items():
        (folder / f"{name}.yml").write_text(OPS.format(name, "shop", day))


@pytest.fixture
def asked(application):
    """Let applications have asked for flags, each so many days ago."""

    def ask(**days):
        now = application.services.clock.now()
        with application.services.unit(ENGINE, write=True) as unit:
            for flag, ago in days.items():
                lives.note_exposure(unit.connection, flag, now - timedelta(days=ago))

    return ask


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=ops", ["kill_switch", "night_mode"]),
        ("type=development", ["new_navigation"]),
        ("owner=shop", ["kill_switch", "night_mode"]),
        ("owner=group::Integrations", ["new_navigation"]),
        ("owner=nobody", ["left_over"]),
        ("match=night&type=ops", ["night_mode"]),
        ("age=over-365d", ["kill_switch", "night_mode"]),
        ("age=under-7d&type=development", ["new_navigation"]),
        ("type=undefined", ["left_over"]),
    ],
)
def test_flags_are_chosen_by_what_they_are(client, set_by_hand, query, found):
    set_by_hand("left_over")
    page = client.get(f"/flags?{query}")
    assert named(page) == found
    assert f"{len(found)} of 4 flags" in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("seen=under-1d", ["new_navigation"]),
        ("seen=over-7d", ["kill_switch", "night_mode"]),
        ("seen=never", ["night_mode"]),
        ("seen=under-30d", ["kill_switch", "new_navigation"]),
    ],
)
def test_flags_are_chosen_by_when_they_were_last_asked_for(client, asked, query, found):
    asked(kill_switch=12, new_navigation=0)
    page = client.get(f"/flags?{query}")
    assert named(page) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=on&environment=staging", ["kill_switch"]),
        ("state=off&environment=staging", ["new_navigation", "night_mode"]),
        ("state=conditional", ["night_mode"]),
        ("state=set", ["kill_switch", "night_mode"]),
        ("state=unset", ["new_navigation"]),
        ("state=off", ["new_navigation"]),
        ("state=unset&environment=production", ["kill_switch", "new_navigation"]),
        ("environment=production", ["night_mode"]),
        ("set=production", ["night_mode"]),
    ],
)
def test_flags_are_chosen_by_how_they_stand_somewhere(client, set_by_hand, query, found):
    set_by_hand("kill_switch")
    set_by_hand("night_mode", environment="production", gates=QUARTER)
    assert named(client.get(f"/flags?{query}")) == found


def test_releases_lead_to_what_is_set_there(client, set_by_hand, monkeypatch):
    monkeypatch.setattr("flagstaff.services.releases.MOST_FLAGS", 1)
    set_by_hand("one", "two")
    to = links(client.get("/releases"), "1 more")
    assert named(client.get(to[0])) == ["one", "two"]


def test_each_condition_is_named_and_can_be_taken_away(client):
    page = client.get("/flags?type=ops&owner=shop&age=over-365d&match=night&sort=age")
    assert links(page, "of shop") == ["/flags?match=night&type=ops&age=over-365d&sort=age"]
    assert links(page, "age over a year") == ["/flags?match=night&type=ops&owner=shop&sort=age"]
    assert links(page, "Clear all") == ["/flags?sort=age"]
    assert re.search(r'<option value="shop" selected>', page.text)
    assert '<input type="hidden" name="sort" value="age">' in page.text
    assert links(client.get("/flags?state=on&environment=dev"), "on in dev") == ["/flags"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("name", ["kill_switch", "new_navigation", "night_mode"]),
        ("-name", ["night_mode", "new_navigation", "kill_switch"]),
        ("age", ["kill_switch", "night_mode", "new_navigation"]),
        ("-age", ["new_navigation", "night_mode", "kill_switch"]),
        ("seen", ["new_navigation", "night_mode", "kill_switch"]),
        ("owner", ["new_navigation", "kill_switch", "night_mode"]),
        ("type", ["new_navigation", "kill_switch", "night_mode"]),
        ("-changed", ["night_mode", "kill_switch", "new_navigation"]),
    ],
)
def test_pages_keep_the_order_and_the_conditions(
    client, set_by_hand, asked, monkeypatch, sort, order
):
    monkeypatch.setattr(flags, "ON_A_PAGE", 1)
    asked(kill_switch=2, night_mode=9)
    set_by_hand("night_mode", environment="dev")
    page = client.get(f"/flags?sort={sort}&state=off&environment=staging")
    found, pages = named(page), 1
    while to := links(page, "Those after"):
        page, pages = client.get(to[0]), pages + 1
        found += named(page)
    assert (found, pages) == (order, 3)
    again = re.search(r'hx-get="(/flags\?part=matrix[^"]*)"', page.text)[1]
    assert named(client.get(html.unescape(again))) == order[-1:]
    assert links(page, "off in staging") == ["/flags" + (f"?sort={sort}" * (sort != "name"))]


def test_a_heading_sorts_and_sorts_the_other_way_round(client):
    page = client.get("/flags?type=ops")
    assert links(page, "Age") == ["/flags?type=ops&sort=age"]
    page = client.get("/flags?type=ops&sort=age")
    assert links(page, "Age") == ["/flags?type=ops&sort=-age"]
    assert page.text.count('aria-sort="descending"') == 1


def test_age_and_the_last_question_stand_beside_each_flag(client, application):
    now = application.services.clock.now()
    answer = Answered(
        environment="production", flag="kill_switch", value=True, gate="boolean", count=1
    )
    assert "not known" in client.get("/flags?match=kill").text
    beat = Heartbeat(instance="web-1", environment="production", at=now - timedelta(hours=3))
    application.services.context.telemetry.report(beat, [answer])
    page = client.get("/flags?match=kill").text
    assert ">3 h ago</time>" in page
    assert "introduced 2020-01-02" in page
    assert ">never<" in client.get("/flags?match=night").text


def test_nothing_found_says_how_to_find_more(client):
    page = client.get("/flags?type=wip").text
    assert "None of the 3 flags is like that" in page
    assert "flagstaff init" not in page
    assert "No application has reported yet" in client.get("/flags?seen=under-7d").text


def test_the_flags_that_should_go_are_filtered_too(client, set_by_hand):
    set_by_hand("left_over")
    page = client.get("/flags?stale=1&owner=nobody")
    assert named(page) == ["left_over"]
    assert links(page, "Show all flags") == ["/flags?owner=nobody"]
    assert links(page, "without owner") == ["/flags?stale=1"]
    assert "left_over</a>" not in client.get("/flags?stale=1&type=ops").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("type=nonsense", "gitlab_com_derisk"),
        ("state=perhaps", "conditional"),
        ("environment=the+moon", "production"),
        ("age=old", "over-90d"),
        ("seen=<b>", "&lt;b&gt;"),
        ("age=over-999999999999d", "over-90d"),
        ("sort=colour", "there are: name"),
    ],
)
def test_what_cannot_be_searched_for_is_said_and_all_flags_are_shown(client, query, said):
    page = client.get(f"/flags?{query}")
    assert page.status_code == 400
    assert said in page.text
    assert len(named(page)) == 3
