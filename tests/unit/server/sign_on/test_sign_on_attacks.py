"""What somebody tries who wants in as somebody else.

Each of them is let in once the lie is left out, so it is the lie that is refused.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import update

from flagstaff.commands.access_model import AddPerson
from flagstaff.services.person import ENGINE
from flagstaff.store import credentials
from flagstaff.store.credentials import Kind
from flagstaff.store.tables import credential
from issuer import new_key
from sign_on_browser import agree, is_refused, leave, let_in, new_browser, sign_on

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


@pytest.fixture(scope="module")
def other_key():
    return new_key("k2")


@pytest.fixture(autouse=True)
def _ada(application):
    command = AddPerson(name="ada", roles=("admin",), email="ada@example.com")
    application.services.execute(command, ENGINE)


def query_of(address):
    return {key: value for key, (value,) in parse_qs(urlsplit(address).query).items()}


def back(**query):
    return f"/sign-in/back?{urlencode(query)}"


def unsigned(issuer, claims):
    payload = issuer.signed(claims).split(".")[1]
    return f"eyJhbGciOiJub25lIn0.{payload}."


@pytest.mark.parametrize(
    "lie", [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://elsewhere.example"}]
)
def test_a_token_that_lies_lets_nobody_in(browser, issuer, lie):
    issuer.tamper = lambda claims: {**claims, **lie}
    assert is_refused(browser, sign_on(browser), "ID token is not good")
    issuer.tamper = lambda claims: claims
    let_in(browser)


def test_a_token_that_the_issuer_has_not_signed_lets_nobody_in(browser, issuer):
    issuer.sign = lambda claims: unsigned(issuer, claims)
    assert is_refused(browser, sign_on(browser), "ID token is not good")
    mine = new_key(issuer.key.kid)
    issuer.sign = lambda claims: jwt.encode(
        {"alg": "RS256", "kid": mine.kid}, claims, mine, ["RS256"]
    )
    assert is_refused(browser, sign_on(browser), "not signed with one of its keys")
    issuer.sign = lambda _: {"not": "a text"}
    assert is_refused(browser, sign_on(browser), "sends no ID token")
    issuer.sign = issuer.signed
    let_in(browser)


def test_keys_that_nobody_can_use_stand_in_the_way_of_none(browser, issuer):
    key = ECKey.generate_key("P-256", {"kid": "ec"})
    broken = [{"kty": "RSA", "kid": "x"}, {"kty": "??"}, {}, {"kty": "oct", "k": "AAAA"}]
    issuer.algorithm, issuer.key, issuer.published = "ES256", key, [*broken, key]
    let_in(browser)


def test_new_keys_are_fetched_once_when_one_is_unknown(application, browser, issuer, other_key):
    let_in(browser)
    let_in(new_browser(application))
    assert issuer.asked.count("/keys") == 1
    assert issuer.asked.count("/.well-known/openid-configuration") == 1
    issuer.key, issuer.published = other_key, [other_key]
    let_in(new_browser(application))
    let_in(new_browser(application))
    assert issuer.asked.count("/keys") == 2


def test_a_key_that_was_withdrawn_is_no_longer_good(application, browser, issuer, other_key):
    let_in(browser)
    withdrawn = issuer.key
    issuer.key, issuer.published = other_key, [other_key]
    let_in(new_browser(application))
    issuer.key = withdrawn
    third = new_browser(application)
    assert is_refused(third, sign_on(third), "one of its keys")


def test_a_new_key_under_the_old_name_is_fetched_too(application, browser, issuer):
    let_in(browser)
    issuer.key = new_key(issuer.key.kid)
    issuer.published = [issuer.key]
    let_in(new_browser(application))


def test_a_code_comes_back_once(browser):
    address = leave(browser)
    assert browser.get(address).status_code == 303
    browser.cookies.delete("__Host-flagstaff")
    assert is_refused(browser, browser.get(address), "works once", 404)


def test_a_code_without_its_state_or_with_another_is_refused(application, browser):
    query = query_of(leave(browser))
    for state in ("", "guessed", query_of(leave(new_browser(application)))["state"]):
        answer = browser.get(back(**{**query, "state": state}))
        assert answer.status_code in {403, 404}
        assert browser.get("/").status_code == 303
    assert is_refused(browser, browser.get(back(code=query["code"])), "works once", 404)


def test_the_sign_on_of_another_browser_is_refused(application, browser):
    """Or they could make somebody work in an account of theirs."""
    theirs = leave(browser)
    mine = new_browser(application)
    assert is_refused(mine, mine.get(theirs), "another browser")
    mine.get("/sign-in/with")
    assert is_refused(mine, mine.get(leave(browser)), "another browser")


def test_the_cookie_of_a_browser_that_sends_rubbish_is_replaced(browser):
    browser.cookies.set("__Host-flagstaff-sign-on", "x; Domain=evil")
    answer = browser.get("/sign-in/with")
    assert "evil" not in answer.headers["set-cookie"]


def test_a_code_of_another_sign_on_is_refused_by_its_verifier(application, browser):
    """A code that was stolen elsewhere is of no use here: its verifier is another."""
    stolen = query_of(leave(new_browser(application)))["code"]
    mine = query_of(leave(browser))
    assert is_refused(browser, browser.get(back(**{**mine, "code": stolen})), "invalid_grant")


def test_an_answer_of_another_issuer_is_refused(browser, issuer):
    query = query_of(leave(browser))
    answer = browser.get(back(**{**query, "iss": "https://elsewhere.example"}))
    assert is_refused(browser, answer, "is not from Our GitLab")
    query = query_of(leave(browser))
    del query["iss"]
    assert is_refused(browser, browser.get(back(**query)), "is not from Our GitLab")
    assert "/token" not in issuer.asked


def test_an_issuer_that_does_not_name_itself_need_not(browser, issuer):
    del issuer.document["authorization_response_iss_parameter_supported"]
    query = query_of(leave(browser))
    del query["iss"]
    assert browser.get(back(**query)).status_code == 303


def test_a_sign_on_that_began_with_another_issuer_is_not_ended_here(application, browser):
    address = leave(browser)
    with application.services.unit(ENGINE, write=True) as unit:
        (found,) = credentials.find(unit.connection, Kind.SIGN_ON)
        details = {**found.details, "issuer": "https://elsewhere.example"}
        unit.connection.execute(update(credential).values(details=details))
    assert is_refused(browser, browser.get(address), "is over", 404)


def test_a_sign_on_takes_ten_minutes_at_most(application, browser):
    address = leave(browser)
    with application.services.unit(ENGINE, write=True) as unit:
        (found,) = credentials.find(unit.connection, Kind.SIGN_ON)
        assert found.expires_at - found.created_at == timedelta(minutes=10)
        unit.connection.execute(update(credential).values(expires_at=unit.wall))
    assert is_refused(browser, browser.get(address), "for ten minutes", 404)


def test_a_parameter_that_is_there_twice_counts_for_nothing(browser):
    address = leave(browser)
    twice = f"{address}&state=x&code=y"
    assert is_refused(browser, browser.get(twice), "works once", 404)


@pytest.mark.parametrize(
    "then", ["//evil.example", "https://evil.example", "/\\evil", "/" + "x" * 5000]
)
def test_nobody_is_sent_elsewhere_afterwards(browser, then):
    answer = browser.get(leave(browser, then=then))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_issuer_refuses_what_a_thief_of_the_address_can_send(browser, issuer):
    """The stand-in is as strict as a real one, or these tests would show little."""
    query = query_of(leave(browser))
    form = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "redirect_uri": issuer.redirect_uri,
        "code_verifier": "x" * 43,
    }
    url = f"{issuer.url}/token"
    assert httpx2.post(url, data=form).status_code == 401
    answer = httpx2.post(url, data=form, auth=("flag+staff%3A1", "s3cret+%26+long%3A+%2B%2F%25"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_every_sign_on_has_secrets_of_its_own(browser):
    seen = set()
    for _ in range(2):
        query = query_of(browser.get("/sign-in/with").headers["location"])
        assert query["code_challenge_method"] == "S256"
        seen |= {query["state"], query["nonce"], query["code_challenge"]}
        assert agree(browser.get("/sign-in/with").headers["location"])
    assert len(seen) == 6
