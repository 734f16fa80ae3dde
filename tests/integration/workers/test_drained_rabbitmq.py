"""Is what waits in RabbitMQ never taken for drained, and left as it was?"""

from __future__ import annotations

from contextlib import closing

import pytest
from celery import Celery
from fleet import until
from kombu import Connection

from brokers import RabbitMQ
from flagstaff.workers.asking import Asker
from flagstaff.workers.draining import is_empty, scan
from flagstaff.workers.rabbitmq_places import rabbitmq_places

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    server = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    try:
        with Connection(server.url(), connect_timeout=30) as made:
            made.ensure_connection(max_retries=20)
            yield made
    finally:
        server.stop()


def test_ready_and_delayed_and_unacked_are_unknown_and_nothing_is_changed(connection):
    channel = connection.channel()
    for queue in ("shop", "celery_delayed_3", "idle"):
        channel.queue_declare(queue, durable=True, auto_delete=False)
    producer = connection.Producer()
    for queue in ("shop", "celery_delayed_3"):
        producer.publish("a job", exchange="", routing_key=queue)
    until(lambda: channel.queue_declare("celery_delayed_3", passive=True).message_count)
    for _ in range(2):
        seen = {each.place: each for each in rabbitmq_places(connection, ["shop", "idle", "gone"])}
        unknown = {place for place, each in seen.items() if each.state == "unknown"}
        assert unknown == {"queue shop", "queue celery_delayed_3", "unacked"}
        assert {seen["queue idle"].state, seen["queue gone"].state} == {"empty"}
        assert seen["queue shop"].doubt.startswith("1 messages are ready")
    message = channel.basic_get("shop")
    assert not message.delivery_info["redelivered"]
    channel.queue_purge("celery_delayed_3")
    # All that is left is in somebody's hands: every queue looks empty, and nothing is proven.
    places = rabbitmq_places(connection, ["shop", "idle"])
    assert [each.place for each in places if each.state != "empty"] == ["unacked"]
    assert not is_empty(places)


def test_a_look_at_the_whole_system_lists_the_queues_and_proves_nothing(connection):
    app = Celery(broker=connection.as_uri(include_password=True), set_as_current=False)
    with closing(app), closing(Asker(app, timeout=0.1)) as asker:
        places = scan(app, asker, "shop.notify", queues=["other"], own=False)
    assert "queue other" in {each.place for each in places}
    assert "broker" not in {each.place for each in places}
    assert not is_empty(places)
