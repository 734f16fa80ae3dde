"""What is kept about chat, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.commands.access_model import AddPerson, LinkChat
from flagstaff.errors import NotFound
from flagstaff.services import chat_accounts
from flagstaff.services.chat_linking import ChatUser

EVE = ChatUser(platform="Slack", team="T1", id="U9", name="eve")


def test_a_request_is_new_once_and_is_forgotten_when_no_signature_is_good_any_more(services, clock):
    assert chat_accounts.first_seen(services, "one")
    assert chat_accounts.first_seen(services, "two")
    clock.advance(minutes=14)
    assert not chat_accounts.first_seen(services, "one")
    clock.advance(minutes=2)
    assert chat_accounts.first_seen(services, "one")


def test_a_code_links_until_it_expires(services, clock, ada):
    services.execute(AddPerson(name="ada", roles=("admin",)), ada)
    late = chat_accounts.offer(services, EVE)
    clock.advance(seconds=chat_accounts.CODE_LASTS / timedelta(seconds=1))
    with pytest.raises(NotFound, match="no longer good"):
        services.execute(LinkChat(code=late, person="ada"), ada)
    assert chat_accounts.person_of(services, EVE, "#x") is None
    services.execute(LinkChat(code=chat_accounts.offer(services, EVE), person="ada"), ada)
    person = chat_accounts.person_of(services, EVE, "#x")
    assert (person.account, person.channel) == ("ada", "#x")


def test_a_message_is_remembered_as_it_reads_now(services):
    assert chat_accounts.posted(services, "k") is None
    for ts, digest in (("", ""), ("1.5", "a"), ("1.5", "b")):
        chat_accounts.remember(services, "k", channel="C1", ts=ts, digest=digest)
    found = chat_accounts.posted(services, "k")
    assert (found.channel, found.ts, found.digest) == ("C1", "1.5", "b")
