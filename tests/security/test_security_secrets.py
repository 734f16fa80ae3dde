"""No secret is written anywhere but where somebody is to read it, once."""

from __future__ import annotations

import json
import logging
import sqlite3
import stat

import pytest
from expected import ROUTES
from worlds import ROOT

from flagstaff.commands.access_model import InvitePerson
from flagstaff.services import identity

PASSWORD = "a sentence that nobody else knows"
WRONG = "wrong-password-that-was-typed"


@pytest.fixture
def told(application, wire, world, caplog):
    """Use every kind of secret, well and badly; return the secrets and all that was answered."""
    caplog.set_level(logging.DEBUG)
    for name in ("uvicorn.error", "uvicorn.access", "sqlalchemy.engine", "asyncio", "flagstaff"):
        caplog.set_level(logging.DEBUG, logger=name)
    link = world.person("ada", "admin")
    form = {"password": PASSWORD, "again": PASSWORD}
    begun = wire.post(f"/setup/{link}", form, {})
    session = begun.headers["set-cookie"].partition("=")[2].partition(";")[0]
    cookie = {"cookie": f"flagstaff_session={session}"}
    wire.post("/sign-in", {"name": "ada", "password": WRONG}, {})
    invited = application.services.execute(InvitePerson(name="ada"), ROOT)
    unused = str(invited.data["link"]).rpartition("/")[2]
    token = world.token("admin")
    secrets = {
        "setup link": link,
        "unused setup link": unused,
        "password": PASSWORD,
        "wrong password": WRONG,
        "session": session,
        "token": token,
        "owner's token": application.token,
    }
    answers = []
    for shown in (token, application.token):
        headers = {"authorization": f"Bearer {shown}", "content-type": "application/json"}
        answers += [
            wire.ask(method, path.replace("{environment}", "dev"), headers, b"{}")
            for method, path in ROUTES
        ]
        for body in ({"kind": "ListAudit"}, {"kind": "ExportAudit"}, {"kind": "ListTokens"}):
            text = json.dumps(body).encode()
            answers.append(wire.ask("POST", "/api/v1/commands", headers, text))
        answers.append(wire.ask("POST", "/api/v1/commands", headers, b"{" + shown.encode()))
        answers.append(wire.ask("GET", "/metrics", headers))
    for path in ("/", "/settings", "/flags", "/nowhere"):
        answers.append(wire.ask("GET", path, cookie))
    return secrets, answers


def test_in_no_answer(told):
    secrets, answers = told
    for name, secret in secrets.items():
        for answer in answers:
            assert secret not in answer.text, name
            assert secret not in str(answer.headers), name


def test_in_no_log(told, caplog):
    secrets, _ = told
    records = [*caplog.get_records("setup"), *caplog.records]
    logged = "\n".join(f"{each.getMessage()} {each.exc_text}" for each in records)
    assert "a wrong name or password" in logged
    for name, secret in secrets.items():
        assert secret not in logged, name


def test_in_no_entry_and_no_byte_of_the_database(application, told):
    secrets, _ = told
    folder = application.settings.folder
    names = [each for each in folder.iterdir() if each.name.startswith("state.db")]
    files = {each: each.read_bytes() for each in names}
    assert any(each.name.endswith("-wal") for each in files)
    written = b"".join(files.values())
    assert b"person.password" in written
    for name, secret in secrets.items():
        assert secret.encode() not in written, name


def test_a_fault_of_the_database_says_nothing_of_what_was_to_be_written(application, world, caplog):
    world.person("ada", "viewer")
    with sqlite3.connect(application.settings.folder / "state.db") as connection:
        connection.execute("DROP TABLE credential")
    services = application.services
    with pytest.raises(Exception, match="credential") as fault:
        services.execute(InvitePerson(name="ada"), ROOT)
    with pytest.raises(Exception, match="credential") as other:
        identity.session_owner(services, "a-session-secret")
    text = f"{fault.value} {fault.value.__cause__} {other.value} {other.value.__cause__}"
    assert identity.hashed("a-session-secret") not in text + caplog.text


def test_what_is_kept_is_for_its_owner_alone(application, told):
    del told
    folder = application.settings.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
