"""Are jobs that still wait found in the broker?"""

from __future__ import annotations

import json

import pytest

from flagstaff.demo.broker import waiting_jobs
from flagstaff.errors import UsageError


def test_messages_of_all_queues_are_found_and_unfinished_ones_are_not(tmp_path):
    for queue, job, suffix in [("old", "a", "msg"), ("new", "b", "msg"), ("new", "c", "part")]:
        (tmp_path / queue).mkdir(exist_ok=True)
        message = {"headers": {"id": job, "task": f"{queue}.name"}, "body": ""}
        (tmp_path / queue / f"{job}.{suffix}").write_text(json.dumps(message))
    assert waiting_jobs(f"spool://{tmp_path}") == {"a": "old.name", "b": "new.name"}


def test_a_broker_that_nobody_has_used_is_empty(tmp_path):
    assert waiting_jobs(f"spool://{tmp_path}/nothing") == {}


def test_another_kind_of_broker_is_named():
    with pytest.raises(UsageError, match="amqp"):
        waiting_jobs("amqp://127.0.0.1")
