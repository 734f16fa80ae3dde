"""Can somebody who keeps the page open see what happens, and do what is due?"""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from playwright.sync_api import expect
from served import FAILING, ISSUE, LONG

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


def test_the_boxes_of_the_issue_tick_while_it_runs(served, page):
    text = ISSUE.format(flag="ticked")
    number = served.command("ImportRollout", text=text, start=True)["data"]["rollout"]
    step = served.until(number, "waiting")["step"]["id"]
    page.goto(f"/rollouts/{number}")
    boxes = page.locator("#issue .box")
    expect(boxes).to_have_count(4)
    done = page.locator("#issue .box-done")
    expect(done).to_have_count(1)
    served.command("ApproveStep", rollout=number, step=step, reason="tried it")
    expect(done).to_have_count(2)
    expect(page.locator("#issue")).to_contain_text("tried it")


def test_the_tab_says_how_it_stands(served, page):
    number = served.rollout("told")
    page.goto(f"/rollouts/{number}")
    icon = page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("favicon-amber"))
    expect(page).to_have_title(re.compile("told"))
    waiting = page.title()
    served.command("PauseRollout", rollout=number, reason="lunch")
    expect(page).not_to_have_title(waiting)
    served.command("AbortRollout", rollout=number, reason="over")
    expect(icon).to_have_attribute("href", re.compile("favicon-red"))


def test_a_wait_is_ended_early_with_a_reason(served, page):
    number = served.rollout("promoted", until="running", plan=LONG)
    page.goto(f"/rollouts/{number}")
    expect(page.locator("#decide")).to_contain_text("of 3 d")
    page.get_by_label("Reason").fill("the release cannot wait")
    page.get_by_role("button", name="End the wait").click()
    expect(page.locator("#decide h2")).to_have_text("For everybody?")
    expect(page.locator("#log")).to_contain_text("the release cannot wait")


def test_a_failed_step_is_tried_again(served, page):
    number = served.rollout("retried", until="paused", plan=FAILING)
    page.goto(f"/rollouts/{number}")
    expect(page.locator("#decide .eyebrow")).to_have_text("Paused at")
    (served.root / "ready").touch()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#decide h2")).to_have_text("For everybody?")
    served.until(number, "waiting")


def test_who_runs_the_application_is_told_and_every_button_has_its_command(served, page):
    number = served.rollout("followed")
    page.goto(f"/rollouts/{number}")
    with closing(served.connect(application="shop", kind="worker", version="4f2d9c1")) as client:
        client.is_enabled("followed")
        seen = page.locator("#processes li").filter(has_text="worker process")
        expect(seen).to_contain_text("4f2d9c1")
        expect(seen).to_contain_text("production")
    page.get_by_text("The same in a terminal").click()
    commands = page.locator("#decide .commands code")
    for verb in ("approve", "reject", "skip", "pause", "abort"):
        said = commands.filter(has_text=f"flagstaff rollout {verb} {number}")
        expect(said).to_be_visible()
