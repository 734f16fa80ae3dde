"""A real browser before a real server.

`served` is the server, `page` a browser's page on it, `browse` makes more of them: with another
theme, another width or without JavaScript. A journey fails when a page says anything on its
console, which is where a browser complains of what the content security policy forbids.
"""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright
from served import Served

from absent import absent

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
REFUSED = "Failed to load resource: the server responded with a status of 4"
"""What Chromium says of a form that was refused, though the page then says it better."""
PATIENCE = 60_000
"""Milliseconds that a page may take before a journey fails; the machine may be busy."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")
def chromium():
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        absent("no Chromium is installed: run scripts/install-servers")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def served(tmp_path_factory):
    server = Served(tmp_path_factory.mktemp("shop"))
    yield server
    server.close()


@pytest.fixture
def browse(chromium, served):
    """Open a browser of its own, and hold its console against the journey."""
    opened, said = [], []

    def heard(message):
        own = message.location.get("url", "") == message.page.url
        if not (own and message.text.startswith(REFUSED)):
            said.append(f"{message.page.url}: {message.text}")

    def browsing(url="", **options):
        context = chromium.new_context(base_url=url or served.url, locale="en-GB", **options)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        page = context.new_page()
        page.on("console", heard)
        page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
        return page

    browsing.said = said
    yield browsing
    for each in opened:
        each.close()
    assert said == []


@pytest.fixture
def page(browse):
    return browse()
