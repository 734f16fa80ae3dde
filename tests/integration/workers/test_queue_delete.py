"""Is a queue deleted only when no job can be lost with it?"""

from __future__ import annotations

import threading

import pytest
from fleet import flagstaff, heard, until
from kombu import Connection, Queue

from flagstaff.workers.rabbitmq_deleting import delete_in_rabbitmq
from flagstaff.workers.rabbitmq_management import Management

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


def delete(fleet, name="shop"):
    more = ("--management", fleet.management) if fleet.management else ()
    return heard("queue", "delete", name, "--broker", fleet.broker, *more)


def refused(fleet, name="shop"):
    code, done = delete(fleet, name)
    assert code == 1, done
    return done["error"]["message"]


def test_on_redis_a_queue_with_anything_in_it_stays(fleet, redis):
    jobs = fleet.jobs("before")
    jobs.notify.delay(1)
    assert "1 messages wait in shop" in refused(fleet)
    assert jobs.app.control.purge() == 1
    jobs.notify.apply_async((1,), priority=9)
    assert "1 messages wait in shop" in refused(fleet)
    with jobs.app.connection_for_read() as connection:
        taken = connection.default_channel.basic_get("shop")
        assert "0 messages wait in shop, and 1 are handed out" in refused(fleet)
        taken.channel.basic_ack(taken.delivery_tag)
    assert redis.exists("_kombu.binding.shop")
    assert delete(fleet) == (0, {"ok": True, "name": "shop", "deleted": True})
    assert not redis.exists("_kombu.binding.shop")
    assert delete(fleet) == (0, {"ok": True, "name": "shop", "deleted": False})


def test_on_redis_other_queues_are_left_alone(fleet):
    jobs = fleet.jobs("before")
    jobs.notify.delay(1)
    jobs.notify.apply_async((1,), queue="shop.mail")
    assert delete(fleet, "nowhere")[1]["deleted"] is False
    fleet.worker("one", "after", "integrations")
    assert "1 workers take jobs from it" in refused(fleet, "integrations")
    assert "1 messages wait in shop" in refused(fleet)
    assert "1 messages wait in shop.mail" in refused(fleet, "shop.mail")


@pytest.fixture
def channel(rabbit_place):
    with Connection(rabbit_place.broker, connect_timeout=30) as connection:
        connection.ensure_connection(max_retries=20)
        Queue("shop", channel=connection.default_channel, durable=True).declare()
        yield connection.default_channel


def is_there(channel, name="shop"):
    client = channel.connection.client
    other = client.channel()
    try:
        other.queue_declare(name, passive=True)
    except client.channel_errors:
        return False
    finally:
        other.close()
    return True


def publish(channel):
    channel.connection.client.Producer(channel).publish("a job", routing_key="shop", exchange="")
    until(lambda: channel.queue_declare("shop", passive=True).message_count)


def test_on_rabbitmq_a_queue_with_anything_in_it_stays(rabbit_place, channel):
    publish(channel)
    assert "1 messages wait in shop" in refused(rabbit_place)
    # What RabbitMQ itself would delete with the queue: it is in somebody's hands.
    message = channel.basic_get("shop")
    assert channel.queue_declare("shop", passive=True).message_count == 0
    assert "1 messages of shop are handed out" in refused(rabbit_place)
    channel.basic_ack(message.delivery_info["delivery_tag"])
    rabbit_place.worker("one", "after", "shop,integrations")
    assert "1 workers take jobs from it" in refused(rabbit_place)
    rabbit_place.stop("one")
    rabbit_place.worker("two", "after", "integrations")
    assert delete(rabbit_place) == (0, {"ok": True, "name": "shop", "deleted": True})
    assert not is_there(channel)
    assert delete(rabbit_place)[1]["deleted"] is False


def test_on_rabbitmq_a_job_that_comes_in_meanwhile_stays(rabbit_place, channel, rabbit_server):
    vhost = rabbit_place.broker.rpartition("/")[2]
    management = Management(rabbit_server.management(), ("guest", "guest"), vhost)
    found = []
    with Connection(rabbit_place.broker) as connection:
        work = threading.Thread(
            target=lambda: found.append(delete_in_rabbitmq(connection, management, "shop"))
        )
        work.start()
        until(lambda: channel.queue_declare("shop", passive=True).consumer_count)
        channel.connection.client.Producer(channel).publish("x", routing_key="shop", exchange="")
        work.join(120)
    assert found == [(True, "a message came into shop: somebody still publishes to it")]
    until(lambda: channel.queue_declare("shop", passive=True).message_count == 1)


def test_on_rabbitmq_without_its_management_nothing_is_deleted(rabbit_place, channel):
    rabbit_place.management = ""
    code, done = flagstaff(
        "queue", "delete", "shop", "--broker", rabbit_place.broker, "--timeout", "1s"
    )
    assert (code, "give --workers" in done["error"]["message"] + done["error"]["hint"]) == (1, True)
    assert is_there(channel)
