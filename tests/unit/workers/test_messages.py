"""Is a name found in a message wherever it may stand, and nothing else taken for it?"""

from __future__ import annotations

import base64
import json
import zlib

import pytest

from flagstaff.workers.messages import NOTHING, UNREADABLE, Holds, in_raw, is_message

NAME = "shop.notify"
DEEP = "[" * 900 + '"%s"' + "]" * 900
OWN, EMBEDDED = Holds(own=1), Holds(embedded=1)


def message(body=((), {}, {}), *, task="shop.other", encode=True, content="application/json", **h):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return json.dumps(
        {
            "body": base64.b64encode(raw).decode() if encode else raw.decode(),
            "headers": {"task": task, **h} if task else {},
            "properties": {"body_encoding": "base64"} if encode else {},
            "content-type": content,
        }
    )


def signature(task, **more):
    return {"task": task, "args": [], "kwargs": {}, "options": {}, **more}


@pytest.mark.parametrize(
    ("raw", "holds"),
    [
        (message(task=NAME), OWN),
        (message(), NOTHING),
        (message({"task": NAME, "id": "1"}, task=None), OWN),
        (message([[], {}, {"chain": [signature("a"), signature(NAME)]}]), EMBEDDED),
        (message([[], {}, {"chord": signature(NAME)}], encode=False), EMBEDDED),
        (message([[], {}, {"callbacks": [signature(NAME)]}]), EMBEDDED),
        (message([[signature("celery.group", kwargs={"tasks": [signature(NAME)]})], {}]), EMBEDDED),
        (message([[NAME], {"name": NAME}, {}]), NOTHING),
        (message([[], {}, {"chain": [signature("shop.notify_all")]}]), NOTHING),
        (
            message(zlib.compress(NAME.encode()), content="text/yaml", compression="zlib"),
            EMBEDDED,
        ),
        (message(b"\x80\x05" + NAME.encode(), content="application/x-python-serialize"), EMBEDDED),
        (message(b"secret", content="application/data"), UNREADABLE),
        (message(b"not json " + NAME.encode()), UNREADABLE),
        (message(b"rubbish", compression="application/x-gzip"), UNREADABLE),
        (message(b"rubbish", compression="unheard of"), UNREADABLE),
        ("not json", UNREADABLE),
        ("[]", UNREADABLE),
        ("{}", UNREADABLE),
        ("[" * 100_000, UNREADABLE),
        (message(f"[[{DEEP % NAME}], {{}}, {{}}]".encode()), UNREADABLE),
        ('{"body": "", "headers": [1]}', UNREADABLE),
        ('{"body": 1000000000000000, "headers": {}}', UNREADABLE),
        ('{"body": "", "headers": {}, "properties": "x"}', UNREADABLE),
        ('{"body": "", "headers": {}, "content-type": ["x"]}', UNREADABLE),
    ],
)
def test_how_a_message_holds_a_name(raw, holds):
    assert in_raw(raw, NAME) == holds


def test_a_name_that_json_escapes_is_found():
    assert in_raw(message([[], {}, {"chord": signature("läden.melden")}]), "läden.melden") == (
        EMBEDDED
    )


def test_other_things_in_lists_are_no_messages():
    assert is_message(message())
    assert not any(map(is_message, ["mail", '{"body": 1}', "[]", b"\xff"]))
