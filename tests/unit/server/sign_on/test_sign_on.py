"""Single sign-on against an issuer over real HTTP: who is let in, as whom, and who is not."""

from __future__ import annotations

import logging
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from flagstaff.commands.access_model import AddPerson, InvitePerson, RemovePerson, SetRoles
from flagstaff.commands.model import ListAudit
from flagstaff.commands.roles import role_texts
from flagstaff.errors import Conflict
from flagstaff.services.person import ENGINE
from flagstaff.store import people
from issuer import SECRET
from sign_on_browser import BASE, is_refused, leave, let_in, new_browser, sign_on

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]


def add(application, name="ada", *, email="ada@example.com", roles=("admin",)):
    application.services.execute(AddPerson(name=name, roles=roles, email=email), ENGINE)


def accounts(application):
    return application.services.ask(lambda unit: people.find(unit.connection), ENGINE)


def audit(application):
    return application.services.execute(ListAudit(), ENGINE).text


def test_the_page_offers_it_by_name(browser):
    page = browser.get("/sign-in", params={"then": "/flags"}).text
    assert "Sign in with Our GitLab" in page
    assert 'href="/sign-in/with?then=/flags"' in page


def test_a_verified_address_finds_its_account_and_is_then_known_by_subject(
    application, browser, issuer
):
    add(application, email="ADA@example.com")
    let_in(browser)
    (account,) = accounts(application)
    assert account.subject == f"{issuer.url}|4711"
    assert not account.follows_groups
    assert "ada is known by single sign-on as" in audit(application)
    assert "ada signed in with single sign-on (Our GitLab)" in audit(application)
    issuer.person = {"sub": "4711", "email": "married@example.com", "email_verified": True}
    let_in(new_browser(application))
    assert [each.name for each in accounts(application)] == ["ada"]


def test_an_address_that_nobody_verified_opens_nothing(application, browser, issuer):
    add(application)
    for unverified in ({"email_verified": False}, {"email_verified": "true"}, {}):
        issuer.person = {"sub": "4711", "email": "ada@example.com", **unverified}
        assert is_refused(browser, sign_on(browser), "without a verified address")
    assert accounts(application)[0].subject == ""


def test_an_address_given_to_somebody_new_does_not_open_the_old_account(
    application, browser, issuer
):
    add(application)
    let_in(browser)
    issuer.person["sub"] = "9999"
    issuer.person["groups"] = ["platform"]
    second = new_browser(application)
    assert is_refused(second, sign_on(second), "was somebody else")


def test_a_new_issuer_takes_over_by_address(application, browser, issuer):
    add(application)
    with application.services.unit(ENGINE, write=True) as unit:
        people.set_subject(unit.connection, "ada", "https://old.example|4711")
    let_in(browser)
    assert accounts(application)[0].subject == f"{issuer.url}|4711"


def test_somebody_nobody_knows_is_told_what_to_do(application, browser):
    assert is_refused(browser, sign_on(browser), "--email ada@example.com")
    assert accounts(application) == []


def test_groups_make_an_account_and_its_roles_follow_them(application, browser, issuer):
    issuer.person["groups"] = ["everyone", "nobody knows this one", 7, None]
    let_in(browser)
    (account,) = accounts(application)
    assert account.name == "ada@example.com"
    assert role_texts(account.roles) == ("viewer", "operator@dev")
    assert "added by their groups as viewer, operator@dev" in audit(application)
    issuer.person["groups"] = ["everyone", "platform"]
    let_in(browser)
    assert role_texts(accounts(application)[0].roles) == ("admin", "operator@dev")
    assert "is admin, operator@dev by their groups, was viewer" in audit(application)


def test_whoever_leaves_all_groups_loses_roles_and_sessions(application, browser, issuer):
    issuer.person["groups"] = "everyone"
    let_in(browser)
    issuer.person["groups"] = []
    second = new_browser(application)
    assert is_refused(second, sign_on(second), "in no group any more")
    assert browser.get("/").status_code == 303
    assert accounts(application)[0].roles == {}
    assert "is nothing by their groups, was viewer" in audit(application)


def test_roles_settled_by_hand_no_longer_follow(application, browser, issuer):
    issuer.person["groups"] = ["everyone"]
    let_in(browser)
    with pytest.raises(Conflict, match="signs in by single sign-on"):
        application.services.execute(InvitePerson(name="ada@example.com"), ENGINE)
    application.services.execute(SetRoles(name="ada@example.com", roles=("operator",)), ENGINE)
    issuer.person["groups"] = []
    let_in(browser)
    assert role_texts(accounts(application)[0].roles) == ("operator",)


def test_groups_do_not_change_accounts_that_an_admin_made(application, browser, issuer):
    add(application)
    add(application, "bob", email="bob@example.com", roles=("viewer",))
    issuer.person = {
        "sub": "b",
        "email": "bob@example.com",
        "email_verified": True,
        "groups": ["platform"],
    }
    let_in(browser)
    assert role_texts(accounts(application)[1].roles) == ("viewer",)


def test_a_removed_person_does_not_come_back_by_address(application, browser):
    add(application)
    add(application, "eve", email="eve@example.com")
    let_in(browser)
    application.services.execute(RemovePerson(name="ada", reason="left"), ENGINE)
    assert browser.get("/").status_code == 303
    assert is_refused(browser, sign_on(browser), "nobody here has an account")


def test_a_name_that_is_taken_is_not_taken_over(application, browser, issuer):
    add(application, "ada@example.com", email="")
    issuer.person["groups"] = ["everyone"]
    let_in(browser)
    names = [each.name for each in accounts(application)]
    assert names[0] == "ada@example.com"
    assert names[1].startswith("ada@example.com-")


@pytest.mark.parametrize("user_name", ["flagstaff", "Flagstaff", "no name\n", "", None, ["x"]])
def test_a_user_name_that_cannot_be_becomes_a_number(application, browser, issuer, user_name):
    issuer.person = {"sub": "4711", "preferred_username": user_name, "groups": ["everyone"]}
    let_in(browser)
    assert accounts(application)[0].name.startswith("person-")


def test_what_the_token_lacks_is_asked_for_elsewhere(application, browser, issuer):
    issuer.person = {"sub": "4711"}
    issuer.more = {
        "sub": "4711",
        "email": "ada@example.com",
        "email_verified": True,
        "groups": ["everyone"],
    }
    let_in(browser)
    assert accounts(application)[0].email == "ada@example.com"
    issuer.more["sub"] = "another"
    second = new_browser(application)
    assert is_refused(second, sign_on(second), "two people at once")


def test_an_address_of_one_document_is_not_verified_by_another(application, browser, issuer):
    add(application)
    issuer.person = {"sub": "4711", "email": "ada@example.com"}
    issuer.more = {"sub": "4711", "email": "eve@example.com", "email_verified": True}
    assert is_refused(browser, sign_on(browser), "eve@example.com")


def test_an_issuer_that_says_no_is_quoted_by_code_alone(browser, issuer):
    issuer.refuses = "access_denied"
    assert is_refused(browser, sign_on(browser), "did not sign you in: access_denied")
    issuer.refuses = "call +1 555 for help"
    assert is_refused(browser, sign_on(browser), "it does not say why")


def test_a_wrong_secret_is_named_as_such(browser, issuer):
    issuer.secret = "changed there"
    assert is_refused(browser, sign_on(browser), "FLAGSTAFF_OIDC_CLIENT_SECRET_FILE")


def test_an_issuer_that_is_away_leaves_the_password(application, browser, issuer):
    add(application)
    link = application.services.execute(InvitePerson(name="ada"), ENGINE).data["link"]
    issuer.stop()
    for _ in range(2):
        answer = browser.get("/sign-in/with")
        assert is_refused(browser, answer, "does not answer", status=503)
    password = {"password": "a long sentence", "again": "a long sentence"}
    origin = {"origin": BASE}
    assert browser.post(urlsplit(link).path, data=password, headers=origin).status_code == 303
    assert browser.get("/").status_code == 200


def test_an_issuer_that_goes_away_half_way_is_said(browser, issuer):
    back = leave(browser)
    issuer.stop()
    assert is_refused(browser, browser.get(back), "does not answer", status=503)


def test_a_discovery_document_of_somebody_else_is_refused(browser, issuer):
    issuer.document["issuer"] = "https://elsewhere.example"
    answer = browser.get("/sign-in/with")
    assert is_refused(browser, answer, "https://elsewhere.example", status=503)


def test_beginning_is_not_for_ever_free(browser):
    answers = [browser.get("/sign-in/with").status_code for _ in range(101)]
    assert answers == [303] * 100 + [429]


def test_the_state_is_bound_to_the_browser_by_a_cookie_no_script_reads(browser):
    answer = browser.get("/sign-in/with")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-flagstaff-sign-on=")
    for flag in ("HttpOnly", "SameSite=Lax", "Path=/", "Secure", "Max-Age=600"):
        assert flag in cookie
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["redirect_uri"] == [f"{BASE}/sign-in/back"]


def test_two_tabs_may_sign_in_at_once(application, browser):
    add(application)
    first, second = leave(browser), leave(browser)
    assert browser.get(first).status_code == 303
    assert browser.get(second).status_code == 303


def test_no_secret_is_in_logs_audit_or_database(application, browser, issuer, caplog):
    caplog.set_level(logging.DEBUG)
    add(application)
    let_in(browser)
    issuer.secret = "changed there"
    sign_on(new_browser(application))
    # The browser of this test logs addresses as well; the server works in other threads.
    mine = threading.get_ident()
    logged = [each.getMessage() for each in caplog.records if each.thread != mine]
    assert any("POST" in each for each in logged)
    seen = "\n".join(logged) + audit(application)
    with application.services.unit(ENGINE, write=False) as unit:
        for table in ("person", "credential", "audit", "setting"):
            seen += str(unit.connection.exec_driver_sql(f"SELECT * FROM {table}").all())  # noqa: S608
    session = browser.cookies["__Host-flagstaff"]
    assert len(issuer.given) >= 6
    for secret in (SECRET, session, *issuer.given):
        assert secret not in seen
