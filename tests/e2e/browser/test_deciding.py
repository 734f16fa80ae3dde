"""People decide about a rollout that runs, each before a browser of their own."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect
from served import PATIENCE, SURE

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


def test_an_approval_in_one_browser_appears_in_another(served, browse):
    number = served.rollout("approved")
    ada, bob = browse(), browse()
    for each in (ada, bob):
        each.goto(f"/rollouts/{number}")
        expect(each.locator("[data-connection]")).to_have_text("live")
    ada.get_by_label("Reason").fill("QA passed")
    ada.get_by_role("button", name="Approve").click()
    ada.get_by_role("button", name=SURE).click()
    expect(bob.locator("#decide h2")).to_contain_text("For everybody?")
    expect(bob.locator("#log")).to_contain_text("QA passed")
    assert bob.evaluate("performance.getEntriesByType('navigation').length") == 1
    assert bob.url.endswith(f"/rollouts/{number}"), "nobody had to load the page again"


def test_a_rollout_is_approved_with_the_keyboard_alone(served, page):
    number = served.rollout("by_keyboard")
    page.goto(f"/rollouts/{number}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    reason = page.get_by_label("Reason")
    for _ in range(40):
        if reason.evaluate("field => field === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(reason).to_be_focused()
    page.keyboard.type("looked at it")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=SURE)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#decide h2")).to_contain_text("For everybody?")


def test_without_javascript_every_decision_is_a_plain_form(served, browse):
    number = served.rollout("plain_forms")
    page = browse(java_script_enabled=False)
    page.goto(f"/rollouts/{number}")
    page.get_by_label("Reason").fill("read the logs")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("main")).to_contain_text("nothing was changed yet")
    page.get_by_role("button", name=SURE).click()
    served.until(number, "waiting")
    page.goto(f"/rollouts/{number}")
    page.get_by_role("button", name="Pause").click()
    assert served.until(number, "paused")
    page.goto("/flags/plain_forms")
    page.get_by_label("staging", exact=True).check()
    page.get_by_label("production", exact=True).uncheck()
    expect(page.locator("#state")).to_contain_text("25 %")


def test_pause_and_resume(served, page):
    number = served.rollout("held")
    page.goto(f"/rollouts/{number}")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#decide .eyebrow")).to_have_text("Paused at")
    served.until(number, "paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#decide .eyebrow")).to_have_text("Needs a person")
    served.until(number, "waiting")


def test_an_abort_wants_a_reason_and_rolls_back(served, page):
    number = served.rollout("aborted")
    page.goto(f"/rollouts/{number}")
    page.get_by_role("link", name="Abort and roll back").click()
    field = page.get_by_label("Why?")
    page.get_by_role("button", name="Abort").click()
    assert field.evaluate("field => !field.validity.valid"), "the browser asks for the reason"
    field.fill("customers complain")
    page.get_by_role("button", name="Abort").click()
    expect(page.locator("#decide h2")).to_have_text("Rolled back")
    expect(page.locator("#log")).to_contain_text("customers complain")
    page.goto("/flags/aborted")
    expect(page.locator("#state")).not_to_contain_text("for everyone")


def test_a_rejected_step_pauses_and_says_why(served, page):
    number = served.rollout("rejected")
    page.goto(f"/rollouts/{number}")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("alert")).to_contain_text("a reason is needed")
    page.get_by_label("Reason").fill("the cart is empty")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#decide")).to_contain_text("the cart is empty")
    expect(page.locator("#decide .eyebrow")).to_have_text("Paused at")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#decide .eyebrow")).to_have_text("Needs a person")


def test_what_a_person_types_outlives_what_others_do(served, browse):
    number = served.rollout("typed")
    ada, bob = browse(), browse()
    for each in (ada, bob):
        each.goto(f"/rollouts/{number}")
        expect(each.locator("[data-connection]")).to_have_text("live")
    ada.get_by_label("Reason").fill("I am still writ")
    bob.get_by_role("button", name="Pause").click()
    expect(ada.locator("#decide .eyebrow")).to_have_text("Paused at")
    expect(ada.get_by_label("Reason")).to_have_value("I am still writ")
    expect(ada.get_by_label("Reason")).to_be_focused()


def test_a_change_that_comes_while_its_part_is_fetched_is_not_lost(served, page):
    number, held = served.rollout("late"), []

    def hold(route):
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    page.route(f"**/rollouts/{number}?part=decide", hold)
    page.goto(f"/rollouts/{number}")
    expect(page.locator("#decide.htmx-request")).to_be_attached()
    deadline = time.monotonic() + PATIENCE
    while not held:  # the answer from before the pause has to be there before the pause
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    served.command("PauseRollout", rollout=number, reason="wait for me")
    expect(page.locator("#log")).to_contain_text("wait for me")
    [(route, old)] = held
    route.fulfill(response=old)
    expect(page.locator("#decide .eyebrow")).to_have_text("Paused at")
