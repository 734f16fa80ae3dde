"""Pages ask who is there as soon as somebody has an account."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from flagstaff.commands.access_model import AddPerson
from flagstaff.services.person import ENGINE
from flagstaff.web.pages.sign_in import inside

PASSWORD = "a sentence is easy to remember"


@pytest.fixture
def link(application):
    outcome = application.services.execute(AddPerson(name="ada", roles=("admin",)), ENGINE)
    return urlsplit(outcome.data["link"]).path


@pytest.fixture
def signed_up(client, link):
    answer = client.post(
        link, data={"password": PASSWORD, "again": PASSWORD}, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return client


def test_without_accounts_the_pages_are_open_and_say_so(client):
    page = client.get("/settings").text
    assert "Nobody has an account" in page
    assert "Sign out" not in page


def test_with_accounts_every_page_asks_who_is_there(client, link):
    for path in ("/", "/flags", "/rollouts?x=1", "/settings", "/nowhere"):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?then=%2F")
    assert client.get("/events").status_code == 401
    assert client.post("/flags", data={"flag": "new_navigation"}).status_code == 401
    part = client.get("/", params={"part": "needs"}, headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-refresh"]) == (401, "true")
    assert client.get("/static/flagstaff.css").status_code == 200
    assert client.get("/healthz").status_code == 200
    assert client.get(link).status_code == 200


def test_a_link_sets_a_password_and_lets_in(signed_up, link):
    assert "ada" in signed_up.get("/").text
    assert signed_up.get(link).status_code == 404


def test_a_session_cookie_is_for_this_site_and_no_script(client, link):
    answer = client.post(
        link, data={"password": PASSWORD, "again": PASSWORD}, follow_redirects=False
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("flagstaff_session=")
    for flag in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="):
        assert flag in cookie


@pytest.mark.parametrize(
    ("password", "again", "words"),
    [(PASSWORD, "another one, quite long", "differ"), ("short", "short", "12 to 500")],
)
def test_a_password_that_cannot_be_is_said_and_the_link_stays(client, link, password, again, words):
    answer = client.post(link, data={"password": password, "again": again})
    assert answer.status_code == 400
    assert words in answer.text
    assert client.get(link).status_code == 200


def test_signing_in_and_out(signed_up):
    signed_up.post("/sign-out")
    assert "Sign in" in signed_up.get("/").text
    wrong = signed_up.post("/sign-in", data={"name": "ada", "password": PASSWORD + "!"})
    assert wrong.status_code == 403
    assert "name or password is wrong" in wrong.text
    right = {"name": "ada", "password": PASSWORD, "then": "/flags?match=x"}
    answer = signed_up.post("/sign-in", data=right, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/flags?match=x")
    assert signed_up.get("/flags").status_code == 200


def test_guessing_is_slowed_down(signed_up):
    signed_up.post("/sign-out")
    for _ in range(10):
        signed_up.post("/sign-in", data={"name": "ada", "password": "wrong"})
    answer = signed_up.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert answer.status_code == 429
    assert "try again in 10 minutes" in answer.text


@pytest.mark.parametrize(
    "path", ["//evil", "/\\evil", "https://evil", "javascript:x", "/a\nb", "", "evil", "/\tx"]
)
def test_nobody_is_sent_elsewhere(path):
    assert inside(path) == "/"


def test_settings_show_a_secret_once(signed_up):
    form = {"label": "shop", "roles": "application@production", "for": "machine", "expires": "90d"}
    page = signed_up.post("/settings/create-token", data=form).text
    (secret,) = set(re.findall(r"fst_[\w-]{43}", page))
    assert secret not in signed_up.get("/settings").text
    found = signed_up.get(
        "/api/v1/environments/production/snapshot", headers={"authorization": f"Bearer {secret}"}
    )
    assert found.status_code == 200


def test_settings_say_what_is_wrong_and_keep_what_was_typed(signed_up):
    answer = signed_up.post("/settings/add-person", data={"name": "bob", "roles": "boss"})
    assert answer.status_code == 400
    assert "no role" in answer.text
    assert 'value="bob"' in answer.text
    assert signed_up.post("/settings/nothing").status_code == 404


def test_those_who_may_not_see_no_accounts(signed_up, application):
    outcome = application.services.execute(AddPerson(name="bob", roles=("viewer",)), ENGINE)
    link = urlsplit(outcome.data["link"]).path
    signed_up.post("/sign-out")
    signed_up.post(link, data={"password": PASSWORD, "again": PASSWORD})
    page = signed_up.get("/settings").text
    assert "People" not in page
    assert "Your tokens" in page
    answer = signed_up.post("/settings/add-person", data={"name": "eve", "roles": "viewer"})
    assert answer.status_code == 403
    form = {"flag": "new_navigation", "environment": "dev", "value": "true", "how": "everyone"}
    answer = signed_up.post("/flags", data=form)
    assert answer.status_code == 403
    assert "needs the role operator in dev" in answer.text
