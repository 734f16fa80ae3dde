"""Every kind of answer has the shape that OFREP 0.3 gives it.

The shapes are written down here after the protocol's OpenAPI document, in our own words. That
document says that exactly one of its kinds of value fits, though "no value" fits always and an
integer is also a number: here a value fits if it is of one of the kinds.
"""

from __future__ import annotations

import json

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Actors, Boolean
from flagstaff.server.compat import ofrep
from flagstaff.server.compat.ofrep_events import _refetch
from flagstaff.server.streams.encoded import Encoded
from flagstaff.services.person import ENGINE

ALL = "/ofrep/v1/evaluate/flags"
ADA = {"context": {"targetingKey": "User:1", "plan": "gold"}}
TEXT = {"type": "string"}
METADATA = {"type": "object", "additionalProperties": {"type": ["boolean", "string", "number"]}}
SUCCESS = {
    "type": "object",
    "required": ["key", "reason"],
    "properties": {
        "key": TEXT,
        "reason": {"enum": ["STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "UNKNOWN"]},
        "variant": TEXT,
        "metadata": METADATA,
        "value": {"type": ["boolean", "string", "number", "object"]},
    },
    "additionalProperties": False,
}
ERROR = {"key": TEXT, "errorDetails": TEXT, "metadata": METADATA}
FAILURE = {
    "type": "object",
    "required": ["key", "errorCode"],
    "properties": {
        **ERROR,
        "errorCode": {
            "enum": ["PARSE_ERROR", "TARGETING_KEY_MISSING", "INVALID_CONTEXT", "GENERAL"]
        },
    },
    "additionalProperties": False,
}
NOT_FOUND = {
    "type": "object",
    "required": ["key", "errorCode"],
    "properties": {**ERROR, "errorCode": {"const": "FLAG_NOT_FOUND"}},
    "additionalProperties": False,
}
GENERAL = {
    "type": "object",
    "required": ["errorDetails"],
    "properties": {"errorDetails": TEXT},
    "additionalProperties": False,
}
STREAM = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"const": "sse"},
        "url": TEXT,
        "endpoint": {
            "type": "object",
            "required": ["requestUri"],
            "properties": {"origin": TEXT, "requestUri": {"type": "string", "pattern": "^/"}},
            "additionalProperties": False,
        },
        "inactivityDelaySec": {"type": "integer", "minimum": 1},
    },
    "oneOf": [{"required": ["url"]}, {"required": ["endpoint"]}],
    "additionalProperties": False,
}
BULK = {
    "type": "object",
    "required": ["flags"],
    "properties": {
        "flags": {"type": "array", "items": {"oneOf": [SUCCESS, FAILURE]}},
        "metadata": METADATA,
        "eventStreams": {"type": "array", "items": STREAM},
    },
    "additionalProperties": False,
}
BULK_FAILURE = {
    "type": "object",
    "required": ["errorCode"],
    "properties": {"errorCode": TEXT, "errorDetails": TEXT},
    "additionalProperties": False,
}
EVENT = {
    "type": "object",
    "required": ["type"],
    "properties": {"type": {"const": "refetchEvaluation"}, "etag": TEXT},
    "additionalProperties": False,
}
PAYLOADS = {
    "as_text": '"a"',
    "as_integer": "7",
    "as_number": "7.5",
    "as_object": "{hex: b}",
}


@pytest.fixture
def root(root):
    (root / "flagstaff.yml").write_text("environments: [production]\n")
    known = root / "config/feature_flags/development/new_navigation.yml"
    for name, payload in PAYLOADS.items():
        text = known.read_text().replace(known.stem, name)
        known.with_stem(name).write_text(f"{text}variants: [{{name: x, payload: {payload}}}]\n")
    return root


@pytest.fixture
def on(application):
    def turning(name, change):
        command = SetFlag(flag=name, environments=("production",), change=change)
        application.services.execute(command, ENGINE)

    return turning


def check(answer, status, shape):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    jsonschema_rs.validate(shape, answer.json())


@pytest.mark.parametrize("name", ["new_navigation", *PAYLOADS])
def test_one_flag_in_every_state(client, on, name):
    check(client.post(f"{ALL}/{name}", json=ADA), 200, SUCCESS)
    on(name, Boolean(value=False))
    off = client.post(f"{ALL}/{name}", json=ADA)
    check(off, 200, SUCCESS)
    assert ("value" in off.json()) is (name == "new_navigation")
    for change in (Actors(ids=("User:1",), value=True), Boolean(value=True)):
        on(name, change)
        answer = client.post(f"{ALL}/{name}", json=ADA)
        check(answer, 200, SUCCESS)
        assert "value" in answer.json()


def test_all_flags(client, on):
    for name in PAYLOADS:
        on(name, Boolean(value=True))
    answer = client.post(ALL, json=ADA)
    check(answer, 200, BULK)
    assert len(answer.json()["flags"]) == len(PAYLOADS) + 1
    assert len(answer.json()["eventStreams"]) == 1
    unchanged = client.post(
        f"{ALL}?flagConfigEtag=x&flagConfigLastModified=1",
        json=ADA,
        headers={"if-none-match": answer.headers["etag"]},
    )
    assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"context": {"targetingKey": 1}}'])
def test_what_is_wrong_with_a_request(client, body):
    check(client.post(f"{ALL}/new_navigation", content=body), 400, FAILURE)
    check(client.post(ALL, content=body), 400, BULK_FAILURE)
    moon = {"x-flagstaff-environment": "moon"}
    check(client.post(f"{ALL}/new_navigation", json=ADA, headers=moon), 400, FAILURE)
    check(client.post(ALL, json=ADA, headers=moon), 400, BULK_FAILURE)


def test_an_unknown_flag(client):
    check(client.post(f"{ALL}/nowhere", json=ADA), 404, NOT_FOUND)


def test_a_flag_that_cannot_be_evaluated_does_not_take_the_others_along(client, monkeypatch):
    def failing(found, actors, version):
        if found.flag.name == "as_text":
            raise ofrep.UsageError("it is broken")
        return evaluating(found, actors, version)

    evaluating = ofrep.evaluate
    monkeypatch.setattr(ofrep, "evaluate", failing)
    check(client.post(f"{ALL}/as_text", json=ADA), 400, FAILURE)
    answer = client.post(ALL, json=ADA)
    check(answer, 200, BULK)
    assert ["errorCode" in each for each in answer.json()["flags"]].count(True) == 1


def test_a_wrong_token_and_a_fault_of_ours(application, client, monkeypatch):
    wrong = {"authorization": "Bearer wrong"}
    check(client.post(ALL, json=ADA, headers=wrong), 401, GENERAL)
    headers = {"authorization": f"Bearer {application.token}"}
    monkeypatch.setattr(ofrep, "_actors", lambda _: 1 // 0)
    client = TestClient(
        application.asgi, base_url="http://localhost", raise_server_exceptions=False
    )
    check(client.post(ALL, json=ADA, headers=headers), 500, GENERAL)
    check(client.post(f"{ALL}/new_navigation", json=ADA, headers=headers), 500, GENERAL)


def test_the_event_of_the_stream():
    lines = _refetch(None, Encoded(version=7, etag='"7-ab"', body=b"{}")).decode().splitlines()
    fields = dict(line.split(": ", 1) for line in lines if line)
    assert fields["event"] == "message"
    jsonschema_rs.validate(EVENT, json.loads(fields["data"]))
