"""People begin rollouts in the browser, look at what was understood, and edit what runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from served import ISSUE, PLAN, SURE

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


def test_an_issue_is_pasted_previewed_and_started(page):
    page.goto("/rollouts")
    page.get_by_role("link", name="New rollout").click()
    page.get_by_label("The issue").fill(ISSUE.format(flag="pasted"))
    page.get_by_role("button", name="Preview").click()
    preview = page.locator("#preview")
    expect(preview).to_contain_text("nothing was written")
    expect(preview).to_contain_text("Verify that it works on staging")
    page.get_by_role("button", name="Import and start").click()
    expect(page).to_have_url(re.compile(r"/rollouts/\d+"))
    expect(page.locator("#decide .eyebrow")).to_have_text("Needs a person")
    expect(page.locator("#issue")).to_contain_text("Verify that it works on staging")


def test_an_issue_that_cannot_be_read_names_its_line(page):
    page.goto("/rollouts/new")
    text = ISSUE.format(flag="pasted").replace("feature set", "feature sett", 1)
    page.get_by_label("The issue").fill(text)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("line 5")
    expect(page.get_by_label("The issue")).to_have_value(text)


def test_a_plan_is_previewed_and_started_from_a_flag(page):
    page.goto("/flags/planned")
    page.get_by_role("link", name="Roll it out").click()
    page.get_by_text("A plan in YAML instead").click()
    page.get_by_label("The plan").fill(PLAN.format(flag="planned"))
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("For everybody?")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#decide h2")).to_have_text("Does it work on staging?")


def test_the_plan_of_a_running_rollout_is_edited(served, page):
    number = served.rollout("edited")
    page.goto(f"/rollouts/{number}")
    page.get_by_role("link", name="Edit the plan").click()
    field = page.get_by_label("The plan")
    field.fill(field.input_value().replace("For everybody?", "For the whole world?"))
    page.get_by_label("Reason").fill("it says more")
    page.get_by_role("button", name="Show the difference").click()
    expect(page.locator("#preview .added").last).to_contain_text("For the whole world?")
    page.get_by_role("button", name="Apply it").click()
    expect(page.locator("#steps")).to_contain_text("For the whole world?")
    assert served.shown(number)["phase"] == "waiting", "the position is kept"


def test_a_step_is_skipped_with_a_reason(served, page):
    number = served.rollout("skipped")
    page.goto(f"/rollouts/{number}")
    page.get_by_label("Reason").fill("no staging today")
    page.get_by_role("button", name="Skip this step").click()
    page.get_by_role("button", name=SURE).click()
    expect(page.locator("#decide h2")).to_have_text("For everybody?")
    expect(page.locator("#log")).to_contain_text("no staging today")
