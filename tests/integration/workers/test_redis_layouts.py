"""Is no job of Redis lost or left, whatever exchange and transport options an application has?"""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from celery import Celery
from kombu import Connection, Exchange, Queue

from flagstaff.errors import UsageError
from flagstaff.workers.looking import Looker
from flagstaff.workers.migration import Migration
from flagstaff.workers.redis_deleting import delete_in_redis
from flagstaff.workers.redis_migrating import RedisMigrating
from flagstaff.workers.redis_places import redis_places

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

OLD, NEW = "shop.notify", "integrations.notify"
MOVE = Migration(old=OLD, new=NEW, old_queue="old_q", new_queue="new_q")
BY_COLON = {"sep": ":", "priority_steps": [0, 3, 6, 9], "queue_order_strategy": "priority"}
MEDIA = Exchange("media", type="topic")
TOPIC = Queue("old_q", MEDIA, routing_key="media.*")


@pytest.fixture
def connect(redis, redis_server):
    assert redis.dbsize() == 0
    with ExitStack() as stack:

        def connect(**options):
            made = Connection(redis_server.url(), transport_options=options)
            return stack.enter_context(made).default_channel

        yield connect


def publish(channel, *queues, **how):
    producer = channel.connection.client.Producer(channel)
    how = {"headers": {"task": OLD, "id": "1"}, "delivery_mode": 2, **how}
    producer.publish([[1], {}, {}], declare=queues, serializer="json", **how)


def to_queue(channel, name="old_q", **how):
    publish(channel, Queue(name, Exchange(name), routing_key=name), routing_key=name, **how)


def to_topic(channel, key="media.old"):
    publish(channel, TOPIC, exchange=MEDIA, routing_key=key)


def migrate(channel, migration=MOVE):
    work = RedisMigrating(channel, migration, ["old_q"], tell=lambda *_: None, dry=False)
    return {each.place: (each.jobs, each.left) for each in work.look() if each.jobs or each.left}


def names(redis, key):
    return [json.loads(raw)["headers"]["task"] for raw in redis.lrange(key, 0, -1)]


def test_a_job_taken_from_a_queue_of_a_topic_exchange_keeps_the_queue(connect, redis):
    channel = connect()
    to_topic(channel)
    taken = channel.basic_get("old_q")
    there, doubt = delete_in_redis(channel, "old_q")
    assert (there, "1 are handed out of it" in doubt) == (True, True)
    channel.qos.restore_by_tag(taken.delivery_tag)
    assert redis.llen("old_q") == 1
    channel.basic_get("old_q", no_ack=True)
    assert delete_in_redis(channel, "old_q") == (True, "")


@pytest.mark.parametrize("where", ["gone", ""])
def test_what_was_handed_out_from_nobody_knows_where_keeps_the_queue(connect, redis, where):
    channel = connect()
    to_queue(channel)
    channel.basic_get("old_q", no_ack=True)
    redis.hset("unacked", "1", json.dumps([{}, where, ""]))
    redis.hset("unacked", "2", json.dumps(5))
    assert "2 are handed out of it" in delete_in_redis(channel, "old_q")[1]
    redis.delete("unacked")
    assert delete_in_redis(channel, "old_q") == (True, "")


def test_what_was_handed_out_of_other_queues_of_an_exchange_holds_none(connect):
    channel = connect()
    shared = Exchange("shared")
    for name in ("old_q", "other_q"):
        publish(
            channel,
            Queue(name, shared, routing_key=f"to.{name}"),
            exchange=shared,
            routing_key=f"to.{name}",
        )
    channel.basic_get("old_q", no_ack=True)
    other = channel.basic_get("other_q")
    assert delete_in_redis(channel, "old_q") == (True, "")
    assert "1 are handed out" in delete_in_redis(channel, "other_q")[1]
    channel.qos.restore_by_tag(other.delivery_tag)
    assert channel._size("other_q") == 1


def test_a_job_taken_from_a_queue_of_a_topic_exchange_comes_back_into_the_new_one(connect, redis):
    channel = connect()
    to_topic(channel)
    taken = channel.basic_get("old_q")
    assert migrate(channel) == {"unacked": (1, 0)}
    channel.qos.restore_by_tag(taken.delivery_tag)
    assert (names(redis, "old_q"), names(redis, "new_q")) == ([], [NEW])


def test_a_routing_key_that_is_the_name_of_the_old_queue_is_not_the_queue(connect, redis):
    channel = connect()
    shared = Exchange("shared")
    publish(
        channel,
        Queue("other_q", shared, routing_key="old_q"),
        exchange=shared,
        routing_key="old_q",
    )
    taken = channel.basic_get("other_q")
    assert migrate(channel) == {"unacked": (1, 0)}
    channel.qos.restore_by_tag(taken.delivery_tag)
    assert (names(redis, "other_q"), names(redis, "new_q")) == ([NEW], [])


def test_a_job_that_comes_back_into_several_queues_is_left_and_said(connect, redis):
    channel = connect()
    publish(channel, TOPIC, Queue("all_q", MEDIA, "media.#"), exchange=MEDIA, routing_key="media.x")
    taken = channel.basic_get("old_q")
    channel.basic_get("all_q", no_ack=True)
    assert migrate(channel) == {"unacked": (0, 1)}
    assert migrate(channel, Migration(old=OLD, new=NEW)) == {"unacked": (1, 0)}
    channel.qos.restore_by_tag(taken.delivery_tag)
    assert (names(redis, "old_q"), names(redis, "all_q")) == ([NEW], [NEW])


@pytest.mark.parametrize("more", [{}, {"global_keyprefix": "team[1]."}])
def test_an_application_may_choose_its_separator_and_priorities(connect, redis, more):
    channel = connect(**BY_COLON, **more)
    for priority in (0, 3, 9):
        to_queue(channel, priority=priority)
    taken = channel.basic_get("old_q")
    places = {each.place: each.count for each in redis_places(channel, OLD, [])}
    assert places == {"queue old_q": 2, "unacked": 1}
    assert "2 messages wait in old_q, and 1 are" in delete_in_redis(channel, "old_q")[1]
    assert migrate(channel) == {"queue old_q": (2, 0), "unacked": (1, 0)}
    channel.qos.restore_by_tag(taken.delivery_tag)
    assert (channel._size("old_q"), channel._size("new_q")) == (0, 3)
    prefix = more.get("global_keyprefix", "")
    lists = {f"{prefix}new_q{end}" for end in ("", ":3", ":9")}
    assert {key.decode() for key in redis.scan_iter(_type="list")} == lists
    assert delete_in_redis(channel, "old_q") == (True, "")
    assert not redis.exists(f"{prefix}_kombu.binding.old_q")


def test_a_queue_whose_name_has_the_separator_is_no_other_ones(connect, redis):
    channel = connect(**BY_COLON)
    for name in ("old_q:2024", "old_q:mail", "old_q"):
        to_queue(channel, name, exchange="")
    assert migrate(channel)["queue old_q"] == (1, 0)
    assert (names(redis, "old_q:2024"), names(redis, "new_q")) == ([NEW], [NEW])
    assert names(redis, "old_q:mail") == [NEW]


def test_a_separator_that_is_not_known_is_said_before_anything_is_done(connect, redis):
    to_queue(connect(**BY_COLON), priority=3)
    channel = connect()
    for work in (migrate, lambda channel: delete_in_redis(channel, "old_q")):
        with pytest.raises(UsageError, match="another separator"):
            work(channel)
    assert names(redis, "old_q:3") == [OLD]
    assert redis.exists("_kombu.binding.old_q")


def test_keys_and_members_that_are_no_text_are_passed_by(connect, redis):
    channel = connect()
    to_queue(channel)
    redis.lpush(b"ab\xff\xfe", "x")
    redis.sadd(b"_kombu.binding.\xff", b"x")
    redis.sadd("_kombu.binding.old_q", b"\xff\x06\x16\x06\x16\xfe")
    assert {each.place for each in redis_places(channel, OLD, [])} == {"queue old_q", "unacked"}
    assert migrate(channel) == {"queue old_q": (1, 0)}
    assert delete_in_redis(channel, "old_q") == (True, "")


def test_nothing_leads_to_a_queue_that_is_deleted(connect, redis):
    channel = connect()
    to_queue(channel)
    channel.basic_get("old_q", no_ack=True)
    assert delete_in_redis(channel, "old_q") == (True, "")
    assert [key for key in redis.scan_iter() if b"old_q" in key] == []
    assert channel.get_table("old_q") == []


@pytest.mark.parametrize(
    "options", [{"global_keyprefix": "team."}, {"unacked_key": "held"}], ids=["prefix", "key"]
)
def test_what_was_handed_out_is_found_without_the_applications_options(connect, redis, options):
    theirs, channel = connect(**options), connect()
    to_queue(theirs)
    taken = theirs.basic_get("old_q")
    key = options.get("unacked_key", "team.unacked")
    redis.hset("a hash of another program", "field", "value")
    places = {each.place: each.count for each in redis_places(channel, OLD, []) if each.count}
    assert places == {f"unacked in {key}": 1}
    assert migrate(channel) == {f"unacked in {key}": (0, 1)}
    there, doubt = delete_in_redis(channel, "old_q")
    assert (there, f"{key} has what was handed out of old_q" in doubt) == (True, True)
    theirs.basic_ack(taken.delivery_tag)
    assert delete_in_redis(theirs, "old_q") == (True, "")


def test_what_waits_is_looked_at_behind_a_prefix(connect, redis_server):
    options = {"global_keyprefix": "team."}
    to_queue(connect(**options))
    with Celery(broker=redis_server.url(), set_as_current=False) as app:
        app.conf.update(task_default_queue="old_q", broker_transport_options=options)
        looker = Looker(app)
        looker._look(connect(**options))
    (seen,) = looker.seen()
    assert (seen["depth"], [each["task"] for each in seen["tasks"]]) == (1, [OLD])
