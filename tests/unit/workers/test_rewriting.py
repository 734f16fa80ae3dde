"""Is what surely is the name rewritten, and nothing else?"""

from __future__ import annotations

import base64
import copy
import json

import pytest

from flagstaff.errors import UsageError
from flagstaff.workers.messages import NOTHING, in_message
from flagstaff.workers.migration import Migration
from flagstaff.workers.rewriting import rewrite

OLD, NEW = "shop.notify", "integrations.notify"
RENAME = Migration(old=OLD, new=NEW)
MOVE = Migration(old=OLD, new=NEW, old_queue="shop", new_queue="integrations")

DEEP = "[" * 900 + f'"{OLD}"' + "]" * 900


def message(task, body=((), {}, {}), content="application/json", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {
        "body": base64.b64encode(raw).decode(),
        "headers": {"task": task, "id": "1", **headers} if task else {},
        "properties": {
            "body_encoding": "base64",
            "priority": 3,
            "delivery_info": {"exchange": "", "routing_key": "shop"},
        },
        "content-type": content,
    }


def signature(task, **more):
    return {"task": task, "args": [], "kwargs": {}, "options": {}, **more}


def body(made):
    return json.loads(base64.b64decode(made["body"]))


def test_a_job_gets_the_name_and_keeps_everything_else():
    before = message(OLD, flagstaff={"variant": "old", "flag": "f", "queue": "shop"})
    kept = copy.deepcopy(before)
    made = rewrite(before, RENAME, "shop")
    assert before == kept
    assert (made.own, made.left) == (True, False)
    kept["headers"] |= {"task": NEW, "flagstaff": {"variant": "new", "flag": "f", "queue": "shop"}}
    assert made.message == kept


def test_a_job_that_moves_says_where_it_goes_when_it_is_given_back():
    made = rewrite(message(OLD), MOVE, "shop").message
    assert made["properties"]["delivery_info"] == {"exchange": "", "routing_key": "integrations"}
    elsewhere = rewrite(message(OLD), MOVE, "other").message
    assert elsewhere["properties"]["delivery_info"]["routing_key"] == "shop"


@pytest.mark.parametrize(
    "embed",
    [
        {"chain": [signature("other"), signature(OLD)]},
        {"chord": signature(OLD)},
        {"callbacks": [signature(OLD)], "errbacks": [signature("other")]},
        {"chain": [signature("celery.group", kwargs={"tasks": [signature(OLD)]})]},
    ],
)
def test_what_follows_another_job_is_renamed_inside_it(embed):
    before = message("other", [[OLD], {"name": OLD}, embed])
    made = rewrite(before, RENAME, "shop")
    assert (made.own, made.embedded, made.left) == (False, True, False)
    assert in_message(made.message, OLD) == NOTHING
    assert json.dumps(body(made.message)) == json.dumps(body(before)).replace(
        f'"task": "{OLD}"', f'"task": "{NEW}"'
    )


def test_the_queue_of_what_follows_is_changed_with_its_name():
    options = {"queue": "shop"}, {"exchange": "shop", "routing_key": "shop"}, {"queue": "other"}
    chain = [signature(OLD, options=each) for each in options]
    made = rewrite(message("other", [[], {}, {"chain": chain}]), MOVE, "shop").message
    assert [each["options"] for each in body(made)[2]["chain"]] == [
        {"queue": "integrations"},
        {"exchange": "", "routing_key": "integrations"},
        {"queue": "other"},
    ]


@pytest.mark.parametrize(
    ("before", "left"),
    [
        (message("other"), False),
        (message(f"{OLD}.all"), False),
        (message("other", [[{"task": OLD}], {}, {}]), True),  # somebody's argument, perhaps
        (message("other", f"...{OLD}".encode(), "application/x-python-serialize"), True),
        (message("other", b"secret", "application/data"), True),
        ({"no": "message"}, True),
        ({**message(OLD), "properties": {"delivery_info": "x"}}, True),
        (message("other", DEEP.encode()), True),
    ],
)
def test_what_is_not_surely_a_name_stays_and_is_said(before, left):
    made = rewrite(before, RENAME, "shop")
    assert (made.message, made.left) == (None, left)


def test_a_job_of_which_only_the_header_can_be_read_is_renamed():
    made = rewrite(message(OLD, b"...", "application/x-python-serialize"), RENAME, "shop")
    assert (made.message["headers"]["task"], made.left) == (NEW, False)


def test_a_job_whose_arguments_are_nested_too_deeply_is_renamed_and_said():
    made = rewrite(message(OLD, f"[[{DEEP}], {{}}, {{}}]".encode()), MOVE, "shop")
    assert (made.message["headers"]["task"], made.own, made.left) == (NEW, True, True)


def test_a_job_of_the_first_protocol_has_its_name_in_the_body():
    made = rewrite(message(None, {"task": OLD, "id": "1", "args": [OLD]}), MOVE, "shop")
    assert (made.own, made.left) == (True, False)
    assert body(made.message) == {"task": NEW, "id": "1", "args": [OLD]}


def test_a_job_may_change_its_queue_only():
    move = Migration(old=OLD, new=OLD, old_queue="shop", new_queue="integrations")
    made = rewrite(message(OLD), move, "shop")
    assert made.message["headers"]["task"] == OLD
    assert (made.own, made.left) == (True, False)
    assert rewrite(message(OLD), move, "integrations").message is None


@pytest.mark.parametrize(
    ("old", "new", "queues"),
    [(OLD, OLD, ("", "")), (OLD, OLD, ("a", "a")), (OLD, NEW, ("a", "")), (OLD, NEW, ("", "a"))],
)
def test_what_makes_no_migration_is_refused(old, new, queues):
    with pytest.raises(UsageError):
        Migration(old=old, new=new, old_queue=queues[0], new_queue=queues[1])
