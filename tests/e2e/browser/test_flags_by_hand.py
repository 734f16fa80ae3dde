"""People look at flags, switch them, ask what they answer, and take changes back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from served import SURE

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


def share(served, flag, percentage):
    change = {"kind": "PercentageOfActors", "value": percentage}
    served.command("SetFlag", flag=flag, environments=["production"], change=change)


def test_the_form_shows_the_command_and_sets_the_flag(page):
    page.goto("/flags/switched")
    page.get_by_label("production", exact=True).check()
    page.get_by_role("combobox", name="Value").fill("30")
    page.get_by_label("For whom").select_option(label="for a share of actors")
    page.get_by_label("Reason").first.fill("a first look")
    for name in ("dev", "staging"):
        page.get_by_label(name, exact=True).uncheck()
    expect(page.locator("[data-command] code")).to_have_text(
        "flagstaff feature set switched 30 --actors --production --reason 'a first look'"
    )
    page.get_by_role("button", name="Set the flag").click()
    page.get_by_role("button", name=SURE).click()
    expect(page.get_by_role("status")).to_contain_text("production: on for 30 % of actors")
    expect(page.locator("#state")).to_contain_text("30 %")


def test_a_wrong_value_is_explained_and_what_was_typed_stays(page):
    page.goto("/flags/kept")
    page.get_by_role("combobox", name="Value").fill("a lot")
    page.get_by_label("Reason").first.fill("why not")
    page.get_by_role("button", name="Set the flag").click()
    expect(page.get_by_role("alert")).to_contain_text("a lot")
    expect(page.get_by_role("combobox", name="Value")).to_have_value("a lot")
    expect(page.get_by_label("Reason").first).to_have_value("why not")


def test_a_change_elsewhere_appears_on_the_flags_page(served, page):
    page.goto("/flags/commanded")
    expect(page.locator("[data-connection]")).to_have_text("live")
    share(served, "commanded", "42")
    expect(page.locator("#state")).to_contain_text("42 %")
    expect(page.locator("#log")).to_contain_text("42")


def test_explain_says_which_gate_answers_whom(served, page):
    served.command(
        "SetFlag",
        flag="asked",
        environments=["production"],
        change={"kind": "Actors", "ids": ["User:42"], "value": True},
    )
    page.goto("/flags/asked")
    said = page.locator(".explained li").filter(has_text="production")
    for actor, answer in (("User:42", "on"), ("User:43", "off")):
        page.get_by_label("Actor", exact=True).fill(actor)
        page.get_by_role("button", name="Explain").click()
        expect(said.locator(".chip")).to_have_text(answer)
        expect(page.get_by_label("Actor", exact=True)).to_have_value(actor)


def test_undo_takes_a_change_back(served, page):
    share(served, "undone", "10")
    share(served, "undone", "60")
    page.goto("/flags/undone")
    entry = page.locator("#log li").first
    entry.get_by_text("Undo …").click()
    entry.get_by_label("Reason").fill("too many")
    entry.get_by_role("button", name=re.compile("Back to")).click()
    page.get_by_role("button", name=SURE).click()
    expect(page.locator("#state")).to_contain_text("10 %")
    expect(page.locator("#log li").first).to_contain_text("too many")


def test_the_matrix_is_filtered_by_its_address(page):
    page.goto("/flags")
    page.get_by_role("searchbox").fill("switch")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/flags\?match=switch$"))
    expect(page.locator("#matrix tbody tr")).to_have_count(1)


def test_flags_are_filtered_sorted_and_shown_again(served, page):
    share(served, "filtered", "15")
    page.goto("/flags")
    page.get_by_label("State").select_option(label="on for some")
    page.get_by_label("Environment").select_option(label="production")
    page.get_by_role("button", name="Filter").click()
    row = page.locator("#matrix tbody tr").filter(has_text="filtered")
    expect(row).to_contain_text("15 % of actors")
    expect(page).to_have_url(re.compile(r"state=conditional&environment=production$"))
    page.get_by_role("link", name="Age", exact=True).click()
    expect(page.get_by_role("columnheader", name="Age")).to_have_attribute(
        "aria-sort", "descending"
    )
    expect(page).to_have_url(re.compile("state=conditional&environment=production&sort=age"))
    expect(page.locator("[data-connection]")).to_have_text("live")
    served.command(
        "SetFlag",
        flag="filtered",
        environments=["production"],
        change={"kind": "Boolean", "value": True},
    )
    expect(row).to_have_count(0)
    page.get_by_role("link", name="on for some in production").click()
    expect(row).to_contain_text("on")
    expect(page).to_have_url(re.compile(r"/flags\?sort=age$"))


def test_without_javascript_the_filter_is_a_plain_form(browse):
    page = browse(java_script_enabled=False)
    page.goto("/flags?type=development&sort=age")
    page.get_by_label("Name").fill("shown")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#matrix tbody tr")).to_have_count(1)
    expect(page.get_by_label("Type")).to_have_value("development")
    page.get_by_label("Type").select_option(value="")
    page.get_by_label("Last asked for").select_option(label="never")
    page.get_by_label("Name").fill("nothing_like_this")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("heading", name=re.compile("flags is like that"))).to_be_visible()
    page.get_by_role("link", name="Show all flags").click()
    expect(page).to_have_url(re.compile(r"/flags\?sort=age$"))


def test_the_audit_log_is_searched_and_saved(served, page):
    share(served, "searched", "17")
    page.goto("/audit")
    page.get_by_label("Flag").fill("searched")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".log li")).to_have_count(1)
    expect(page.locator(".log li")).to_contain_text("17")
    with page.expect_download() as saving:
        page.get_by_role("link", name="a table").click()
    saved = saving.value
    assert saved.suggested_filename == "flagstaff-audit.csv"
    assert "searched" in saved.path().read_text()


def test_the_audit_log_is_verified(page):
    page.goto("/audit")
    page.get_by_role("link", name="Verify the log").click()
    expect(page.get_by_role("status")).to_contain_text("entries")
