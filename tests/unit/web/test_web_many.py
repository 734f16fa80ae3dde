"""Do long lists come in pages, and do parts that are fetched again stay where they were?"""

from __future__ import annotations

import re

import pytest

from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.rollout import Phase
from flagstaff.services.person import ENGINE
from flagstaff.web.pages import flags, rollouts

DEFINITION = "name: {}\ntype: ops\ngroup: group::shop\ndefault_enabled: false\n"


def named(page):
    return re.findall(r'class="flagname" href="/flags/(\w+)"', page)


@pytest.fixture
def many(root, monkeypatch):
    monkeypatch.setattr(flags, "ON_A_PAGE", 3)
    folder = root / "config/feature_flags/ops"
    folder.mkdir()
    for number in range(7):
        (folder / f"flag_{number}.yml").write_text(DEFINITION.format(f"flag_{number}"))


@pytest.mark.usefixtures("many")
def test_each_flag_stands_on_one_page(request):
    client = request.getfixturevalue("client")
    found, path = [], "/flags?match=flag_"
    while path:
        page = client.get(path).text
        found += named(page)
        older = re.search(r'href="(/flags\?after=[^"]*)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert found == [f"flag_{number}" for number in range(7)]
    assert "7 of 8 flags" in page


@pytest.mark.usefixtures("many")
def test_what_is_fetched_again_is_the_same_page(request):
    client = request.getfixturevalue("client")
    page = client.get("/flags?match=flag_&after=flag_2").text
    again = re.search(r'hx-get="(/flags\?part=matrix[^"]*)"', page)[1].replace("&amp;", "&")
    assert named(client.get(again).text) == ["flag_3", "flag_4", "flag_5"]


def test_what_is_unset_in_one_environment_is_shown_as_set_in_another(client, application):
    command = SetFlag(flag="new_navigation", environments=("staging",), change=Boolean(value=True))
    application.services.execute(command, ENGINE)
    page = client.get("/flags").text
    assert "new_navigation in staging: on for everyone" in page
    assert "new_navigation in production: not set" in page


def test_rollouts_come_in_pages_too(client, make_rollout, monkeypatch):
    monkeypatch.setattr(rollouts, "ON_A_PAGE", 1)
    number = make_rollout(phase=Phase.COMPLETED)
    newest = make_rollout()
    page = client.get("/rollouts").text
    assert f'href="/rollouts/{newest}"' in page
    assert f'href="/rollouts/{number}"' not in page
    older = re.search(r'href="(/rollouts\?below=\d+)"', page)[1]
    assert f'href="/rollouts/{number}"' in client.get(older).text
    assert client.get("/rollouts?below=x").status_code == 200


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/flags?after=new_navigation", "No flag comes after new_navigation"),
        ("/rollouts?below=1", "No rollout is older than #1"),
        ("/clean-up?after=zzz", "No stale flag comes after zzz"),
    ],
)
def test_past_the_last_page_nobody_is_told_that_there_is_nothing(client, path, said):
    page = client.get(path).text
    assert said in page
    assert "flagstaff init" not in page
