"""People write commands in the browser as they would in a chat."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


def test_a_command_is_completed_rehearsed_and_carried_out_by_keys_alone(page):
    page.goto("/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Command")
    expect(field).to_be_focused()
    for begun, whole in (
        ("feat", "feature "),
        ("se", "feature set "),
        ("palette_f", "feature set palette_flag "),
        ("tr", "feature set palette_flag true "),
        ("--sta", "feature set palette_flag true --staging "),
    ):
        page.keyboard.type(begun)
        expect(page.locator("#palette-lines li code").first).to_contain_text(begun)
        page.keyboard.press("Tab")
        expect(field).to_have_value(whole)
    page.keyboard.press("Enter")
    expect(page.locator("#rehearsed")).to_contain_text("nothing was changed yet")
    expect(page.get_by_role("button", name="Carry it out")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("staging: on")
    page.goto("/flags/palette_flag")
    expect(page.get_by_role("row", name="staging on on for everyone")).to_be_visible()


def test_without_javascript_it_is_a_plain_form(browse):
    page = browse(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("link", name="Command").click()
    page.get_by_label("The command").fill("/chatops run feature list --production")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer")).to_contain_text("palette_flag")
    page.get_by_label("The command").fill("feature gett palette_flag")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("alert")).to_contain_text("did you mean get?")


def test_keys_open_pages_and_tell_of_themselves(page):
    page.goto("/flags")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    page.keyboard.type("gr")
    expect(page).to_have_url(re.compile("/rollouts$"))
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Command")).to_be_focused()
    page.keyboard.press("Escape")
    page.goto("/flags")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("g?/r")
    expect(page.get_by_role("searchbox")).to_have_value("g?/r")
