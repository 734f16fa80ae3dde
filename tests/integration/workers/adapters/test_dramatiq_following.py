"""Does a message of Dramatiq travel under a name that workers know, where it is to follow one?"""

from __future__ import annotations

import json

import dramatiq
import pytest
from kits import DramatiqKit

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.fixture
def kit(redis, redis_server):
    made = DramatiqKit(redis, redis_server.url())
    yield made
    made.close()


def message(kit, name, queue):
    return kit.actor.message(1).copy(actor_name=name, queue_name=queue)


def waiting(redis):
    return [json.loads(raw) for raw in redis.hvals("dramatiq:others.msgs")]


@pytest.mark.parametrize("used", [("shop.notify", "shop"), ("integrations.notify", "integrations")])
@pytest.mark.parametrize("on", [False, True])
def test_what_follows_travels_under_the_name_that_the_flag_says(kit, redis, on, used):
    kit.flags.on = on
    first = message(kit, "other", "others")
    middle, last = message(kit, "other", "others"), message(kit, *used)
    dramatiq.pipeline([first, middle, last], broker=kit.broker).run()
    callbacks = {"group_completion_callbacks": [message(kit, *used).asdict()]}
    kit.broker.enqueue(first.copy(message_id="2", options=callbacks))
    wanted = (kit.new, "integrations") if on else (kit.old, "shop")
    found = {}
    for each in waiting(redis):
        options = each["options"]
        if "pipe_target" in options:
            options = options["pipe_target"]["options"]
            found["piped"] = options["pipe_target"]
        for callback in each["options"].get("group_completion_callbacks", ()):
            found["called"] = callback
    named = {key: (each["actor_name"], each["queue_name"]) for key, each in found.items()}
    assert named == {"piped": wanted, "called": wanted}
    assert last.actor_name == used[0], "what the caller built is the caller's"
