"""A chat user acts as somebody only after that person has confirmed it."""

from __future__ import annotations

import re

import pytest

from flagstaff.commands.access_model import AddPerson, LinkChat, RemovePerson, UnlinkChat
from flagstaff.commands.model import ListAudit
from flagstaff.errors import NotFound, Refused, UsageError
from flagstaff.services.chat_accounts import offer
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.store import people as store
from slack_requests import user

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PASSWORD = "a sentence is easy to remember"


@pytest.fixture
def signed_in(application, http):
    outcome = application.services.execute(AddPerson(name="ada", roles=("admin",)), ENGINE)
    page = "/setup/" + outcome.data["link"].rpartition("/")[2]
    client = http._client
    client.headers["origin"] = "http://localhost"
    client.post(page, data={"password": PASSWORD, "again": PASSWORD}, follow_redirects=False)
    return client


def test_a_link_from_chat_is_confirmed_on_a_page(signed_in, http, services):
    answer = http.command("link", who="U7", channel="C3DEV", name="dev-talk")
    assert answer["response_type"] == "ephemeral"
    path = re.search(r"/link/\S+", answer["text"])[0]
    page = signed_in.get(path)
    assert "@somebody (U7)" in page.text
    assert "/flagstaff link" in http.command("rollout list", who="U7")["text"], "not by looking"
    assert "acts as ada" in signed_in.post(path).text
    assert "no rollouts" in http.command("rollout list", who="U7")["text"]
    assert signed_in.get(path).status_code == 404, "it works once"
    assert signed_in.post(path).status_code == 404
    (entry,) = services.execute(ListAudit(action="person.link"), ENGINE).data["entries"]
    assert entry["who"] == "ada"


@pytest.mark.usefixtures("people")
def test_nobody_confirms_without_signing_in(http, application):
    path = "/link/" + offer(application.services, user("eve", "U9"))
    assert http._client.get(path, follow_redirects=False).headers["location"].startswith("/sign-in")
    answer = http._client.post(path, headers={"origin": "http://localhost"})
    assert answer.status_code == 401
    assert "/flagstaff link" in http.command("rollout list", who="U9")["text"]


@pytest.mark.usefixtures("people")
def test_only_an_admin_links_others_and_nobody_does_from_chat(services):
    code = offer(services, user("eve", "U9"))
    bob = services_person(services, "bob", Source.API)
    with pytest.raises(Refused, match="admin"):
        services.execute(LinkChat(code=code, person="ada"), bob)
    with pytest.raises(Refused, match="not changed from chat"):
        services.execute(LinkChat(code=code), services_person(services, "ada", Source.CHAT))
    services.execute(LinkChat(code=code), bob)
    with pytest.raises(NotFound, match="no longer good"):
        services.execute(LinkChat(code=code), bob)


@pytest.mark.usefixtures("people")
def test_whoever_has_no_account_has_to_say_whose(services):
    code = offer(services, user("eve", "U9"))
    owner = Person(name="root", source=Source.TERMINAL, roles=ENGINE.roles)
    with pytest.raises(UsageError, match="no account"):
        services.execute(LinkChat(code=code), owner)
    with pytest.raises(NotFound):
        services.execute(LinkChat(code=code, person="nobody"), owner)
    assert services.execute(LinkChat(code=code, person="bob"), owner).data["name"] == "bob"


@pytest.mark.usefixtures("people")
def test_unlinking_and_closing_the_account_end_it_at_once(http, services):
    assert "no rollouts" in http.command("rollout list", who="U2")["text"]
    services.execute(UnlinkChat(), services_person(services, "bob", Source.WEB))
    assert "/flagstaff link" in http.command("rollout list", who="U2")["text"]
    code = offer(services, user("bob", "U2"))
    services.execute(LinkChat(code=code, person="bob"), ENGINE)
    assert "no rollouts" in http.command("rollout list", who="U2")["text"]
    services.execute(RemovePerson(name="bob"), ENGINE)
    assert "/flagstaff link" in http.command("rollout list", who="U2")["text"]


def services_person(services, name, source):
    account = services.ask(lambda unit: store.get(unit.connection, name), ENGINE)
    return Person(name=name, source=source, roles=account.roles, account=name)
