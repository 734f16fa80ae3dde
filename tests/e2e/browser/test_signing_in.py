"""As soon as somebody has an account, every page asks who is there."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from served import Served

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PASSWORD = "a sentence is easy to remember"


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A server on which ada is an admin and vera may only look."""
    server = Served(tmp_path_factory.mktemp("closed"))
    server.links = {
        name: server.command("AddPerson", name=name, roles=[role])["data"]["link"]
        for name, role in (("ada", "admin"), ("vera", "viewer"))
    }
    yield server
    server.close()


def sign_up(page, link):
    page.goto(link)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Set it and sign in").click()
    expect(page.locator("button.you")).to_be_visible()


def test_one_signs_up_out_and_in_again_and_lands_where_one_wanted(closed, browse):
    page = browse(closed.url)
    # Home fetches itself once more as soon as it listens; signed out it would be told of that.
    with page.expect_response(re.compile("part=body")):
        sign_up(page, closed.links["ada"])
    page.get_by_role("button", name="ada").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/flags/shown")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/flags/shown"))
    expect(page.locator(".whereabouts")).to_contain_text("ada")


def test_who_may_only_look_is_told_so(closed, browse):
    page = browse(closed.url)
    sign_up(page, closed.links["vera"])
    number = closed.rollout("waiting")
    page.goto(f"/rollouts/{number}")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("alert")).to_contain_text("operator")
    assert closed.shown(number)["phase"] == "waiting"
