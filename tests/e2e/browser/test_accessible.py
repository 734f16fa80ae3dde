"""Does axe find anything on any page, in either theme, and does any page run off a phone?"""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from absent import absent

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

AXE = Path(__file__).parents[3] / "frontend/node_modules/axe-core/axe.min.js"
FINDING = """async (options) => (await axe.run(document, options)).violations.map(
    found => `${found.id}: ${found.nodes.map(node => node.target.join(" ")).join(", ")}`)"""
EVERYTHING = {"resultTypes": ["violations"]}
COLOURS = {**EVERYTHING, "runOnly": ["color-contrast", "link-in-text-block"]}
"""What can be otherwise in the other theme."""
BARE = """(cells) => cells
    .filter(cell => !getComputedStyle(cell, "::before").content.includes(": "))
    .map(cell => cell.innerText)"""
"""Cells that say nothing of what they are about, where the table's head is not shown."""
PAGES = (
    *("/", "/rollouts", "/rollouts/new", "/rollouts/new/plan", "/rollouts/{waiting}"),
    *("/rollouts/{waiting}/abort", "/rollouts/{waiting}/plan", "/rollouts/{guarded}"),
    *("/flags", "/flags?type=development&sort=age", "/flags?type=wip", "/flags?stale=1"),
    *("/flags/shown?actor=User:42", "/flags/nowhere", "/workers"),
    *("/audit?verify=1", "/audit?since=nonsense", "/settings", "/nowhere", "/command?line=help"),
    *("/releases", "/clean-up", "/clean-up/shown"),
)


@pytest.fixture(scope="module")
def axe():
    if not AXE.exists():
        absent("axe-core is not installed: run `npm ci` in frontend")
    return AXE.read_text()


@pytest.fixture(scope="module")
def numbers(served):
    """Two rollouts, of which one is watched by a guard, and a flag that was set several times."""
    found = {"waiting": served.rollout("waiting"), "guarded": served.rollout("guarded")}
    step = served.shown(found["guarded"])["step"]["id"]
    served.command("ApproveStep", rollout=found["guarded"], step=step, reason="tried it")
    change = {"kind": "PercentageOfActors", "value": "25"}
    served.command("SetFlag", flag="shown", environments=["production"], change=change)
    return found


def test_axe_finds_nothing_in_either_theme(browse, axe, numbers):
    page, found = browse(color_scheme="light"), []
    for address in PAGES:
        for theme, options in (("light", EVERYTHING), ("dark", COLOURS)):
            page.emulate_media(color_scheme=theme)
            page.goto(address.format(**numbers))
            page.evaluate(axe)
            found += [f"{address} {theme} {each}" for each in page.evaluate(FINDING, options)]
    assert found == []


def test_axe_would_find_a_field_without_a_label_and_pale_words(page, axe):
    page.goto("/flags")
    page.evaluate("document.querySelector('main').innerHTML = '<input><p id=pale>Hardly seen</p>'")
    page.evaluate("document.querySelector('#pale').style.color = '#ccc'")
    page.evaluate(axe)
    found = " ".join(page.evaluate(FINDING, EVERYTHING))
    assert "label" in found
    assert "color-contrast: #pale" in found


def test_no_page_runs_off_a_phone(browse, numbers):
    page, wide = browse(viewport={"width": 390, "height": 844}), []
    for address in PAGES:
        page.goto(address.format(**numbers))
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(address)
    assert wide == []


def test_on_a_phone_every_figure_of_a_table_stands_beside_its_heading(browse, served):
    page, number = browse(viewport={"width": 390, "height": 844}), served.rollout("charted")
    served.command("ApproveStep", rollout=number, step="tried", reason="tried it")
    page.goto(f"/rollouts/{number}")
    cells = page.locator("#course details table.list td.num")
    expect(cells).to_have_count(1)
    assert cells.evaluate_all(BARE) == []
    page.goto(f"/rollouts/{number}/abort")
    assert page.locator("table.list td").evaluate_all(BARE) == []


def test_the_head_of_a_page_fits_every_width(browse):
    page, wide = browse(), []
    page.goto("/releases")
    for width in (420, 641, 700, 800, 1000, 1041, 1100, 1181):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(width)
    assert wide == []
