"""The page of the audit log finds what was done, verifies it and hands it out."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest
from sqlalchemy import text

from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Boolean, PercentageOfActors
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.web.pages.audit import ON_A_PAGE

ADA = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
BOB = Person(name="bob", source=Source.CHAT, roles=ADMIN_EVERYWHERE)
FREELY = ("ignore-feature-flag-consistency-check",)


def words(page):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def change(application, environment="dev", by=ADA, *, value=True, reason="to see it"):
    gate = Boolean(value=value) if isinstance(value, bool) else PercentageOfActors(value=value)
    command = SetFlag(
        flag="new_navigation",
        environments=(environment,),
        change=gate,
        overrides=FREELY,
        reason=reason,
    )
    application.services.execute(command, by)


def test_each_entry_says_what_changed_for_whom_and_why(client, application):
    change(application)
    change(application, "production", BOB, reason="the <team> wants it")
    said = words(client.get("/audit"))
    assert "production: not set: default off → on for everyone" in said
    assert "“the <team> wants it”" in said
    assert "overruled:" in said
    assert said.index("bob") < said.index("ada")  # the newest first


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ({"person": "bob"}, "production:", "dev:"),
        ({"environment": "dev"}, "dev:", "production:"),
        ({"flag": "new_navigation", "action": "flag"}, "dev:", "Nothing like that"),
        ({"action": "token"}, "Nothing like that was done", "dev:"),
        ({"until": "2020-01-01"}, "Nothing like that was done", "dev:"),
        ({"since": "1h"}, "dev:", "Nothing like that"),
        ({"rollout": "#77"}, "Nothing like that was done", "dev:"),
    ],
)
def test_what_is_searched_for_is_found(client, application, query, there, gone):
    change(application)
    change(application, "production", BOB)
    page = client.get("/audit", params=query)
    assert there in words(page)
    assert gone not in words(page).replace("environment any dev", "")


@pytest.mark.parametrize(
    ("query", "hint"), [({"since": "soon"}, "soon"), ({"before": "x"}, "before=12")]
)
def test_what_cannot_be_searched_for_is_said(client, query, hint):
    page = client.get("/audit", params=query)
    assert page.status_code == 400
    assert hint in words(page)


def test_older_entries_are_a_page_away_and_the_search_stays(client, application):
    for number in range(ON_A_PAGE + 5):
        change(application, value=number % 2 == 0, reason=f"number {number}")
    page = client.get("/audit", params={"person": "ada"})
    assert "number 54" in words(page)
    assert "number 4”" not in words(page)
    [older] = re.findall(r'href="([^"]+)" rel="next"', page.text)
    assert "person=ada" in older
    second = client.get(html.unescape(older))
    assert "number 4”" in words(second)
    assert "rel=" not in second.text.partition("<main")[2]
    [newest] = re.findall(r'href="([^"]+)">Newest', second.text)
    assert words(client.get(html.unescape(newest))) == words(page)


def test_the_log_is_verified_on_demand(client, application):
    change(application)
    assert "as they were written" not in words(client.get("/audit"))
    assert "all 1 entries are as they were written" in words(client.get("/audit?verify=1"))
    with application.services.database.write() as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS audit_no_update"))
        names = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
        ).scalars()
        for name in list(names):
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit SET who = 'eve'"))
    assert "is broken" in words(client.get("/audit?verify=1"))


def test_the_search_is_what_is_exported(client, application):
    change(application)
    change(application, "production", BOB)
    lines = client.get("/audit/export", params={"person": "bob"})
    assert [json.loads(line)["who"] for line in lines.text.splitlines()] == ["bob"]
    assert lines.headers["content-disposition"] == 'attachment; filename="flagstaff-audit.jsonl"'
    table = client.get("/audit/export", params={"format": "csv"})
    assert [row["who"] for row in csv.DictReader(io.StringIO(table.text))] == ["ada", "bob"]
    assert client.get("/audit/export", params={"format": "pdf"}).status_code == 400


def test_links_lead_to_the_flag(client, application):
    change(application)
    assert 'href="/flags/new_navigation#log"' in client.get("/audit").text
    assert 'href="/audit" aria-current="page"' in client.get("/audit").text
