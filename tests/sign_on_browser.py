"""How does a person sign in at the stand-in issuer? As a browser of theirs does."""

from __future__ import annotations

import httpx2
from starlette.testclient import TestClient

BASE = "https://flags.internal"


def new_browser(application):
    return TestClient(application.asgi, base_url=BASE, follow_redirects=False)


def leave(browser, then="/flags?match=x"):
    """Go to the issuer and agree there; return the address it sends the browser back to."""
    answer = browser.get("/sign-in/with", params={"then": then})
    assert answer.status_code == 303, answer.text
    return agree(answer.headers["location"])


def agree(address):
    with httpx2.Client(follow_redirects=False) as client:
        return client.get(address).headers["location"]


def sign_on(browser):
    return browser.get(leave(browser))


def let_in(browser):
    answer = sign_on(browser)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/flags?match=x"), (
        answer.text
    )
    assert browser.get("/settings").status_code == 200


def is_refused(browser, answer, words, status=403):
    assert answer.status_code == status
    assert words in answer.text
    assert 'name="password"' in answer.text
    assert browser.get("/").status_code == 303
    return True
