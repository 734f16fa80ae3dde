"""Can programs search the audit log, and ask for it to be verified?"""

from __future__ import annotations

import pytest

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag, UndoEntry, VerifyAudit
from flagstaff.flags.change import Boolean


@pytest.fixture
def send(client):
    def send(command):
        return client.post("/api/v1/commands", json=encode_command(command))

    return send


@pytest.fixture
def found(client):
    def found(**query):
        answer = client.get("/api/v1/audit", params=query)
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()]

    return found


def test_search(client, send, found):
    for environment in ("dev", "staging"):
        command = SetFlag(
            flag="new_navigation", environments=(environment,), change=Boolean(value=True)
        )
        assert send(command).json()["ok"]
    assert found() == [2, 1]
    assert found(environment="dev", flag="new_navigation", action="flag.set", since="1h") == [1]
    assert found(before=2) == [1]
    assert found(person="nobody") == []
    assert found(until="1h") == []
    assert client.get("/api/v1/audit", params={"since": "once"}).status_code == 400
    [last, first] = client.get("/api/v1/audit").json()
    assert last["override"] == ""
    assert len({last["hash"], first["hash"]}) == 2
    assert send(VerifyAudit()).json()["data"]["head"] == last["hash"]


def test_an_undo_that_comes_too_late_is_a_conflict(send):
    for value in (True, False):
        send(SetFlag(flag="new_navigation", environments=("dev",), change=Boolean(value=value)))
    answer = send(UndoEntry(entry=1))
    assert answer.status_code == 409
    assert "has changed since entry 1" in answer.json()["detail"]
    assert send(UndoEntry(entry=2)).json()["ok"]
