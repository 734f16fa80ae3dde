"""Does what RabbitMQ refuses, or ends, cost no job and no other queue, and is it said?"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from functools import partial
from urllib.parse import quote
from uuid import uuid4

import pytest
import urllib3
from fleet import flagstaff, until
from kombu import Connection, Queue

from flagstaff.cli.workers_broker import reached
from flagstaff.errors import Conflict, Unavailable
from flagstaff.workers import rabbitmq_migrating
from flagstaff.workers.migration import Migration
from flagstaff.workers.rabbitmq_management import Management
from flagstaff.workers.rabbitmq_migrating import RabbitMigrating, _Part

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

OLD, NEW = "shop.notify", "integrations.notify"
MOVE = Migration(old=OLD, new=NEW, old_queue="shop", new_queue="integrations")
FOLLOWING = {"task": OLD, "args": [], "kwargs": {}, "options": {}}


@pytest.fixture
def url(rabbit_server):
    return rabbit_server.place(uuid4().hex)


@pytest.fixture
def connect(url):
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Connection(url, connect_timeout=30))


@pytest.fixture
def channel(connect):
    connection = connect()
    connection.ensure_connection(max_retries=20)
    for name in ("shop", "integrations", "other"):
        Queue(name, channel=connection.default_channel, durable=True).declare()
    return connection.default_channel


@pytest.fixture
def management(url, rabbit_server):
    vhost = url.rpartition("/")[2]
    return Management(rabbit_server.management(), ("guest", "guest"), vhost)


@pytest.fixture
def person(url, rabbit_server):
    """Make a user of the virtual host, who may do most."""

    def make(**may):
        name, vhost = uuid4().hex, url.rpartition("/")[2]
        every = dict.fromkeys(("configure", "write", "read"), ".*")
        put(rabbit_server, f"users/{name}", password="secret", tags="")
        put(rabbit_server, f"permissions/{vhost}/{name}", **every | may)
        return f"{name}:secret"

    return make


def put(server, path, **body):
    asked = {"headers": urllib3.make_headers(basic_auth="guest:guest"), "json": body}
    answer = urllib3.request("PUT", f"{server.management()}/api/{path}", **asked)
    assert answer.status < 300, answer.data


def publish(channel, number, task=OLD, queue="shop", **embed):
    before = waits(channel, queue)
    channel.connection.client.Producer(channel).publish(
        [[], {}, embed],
        routing_key=queue,
        exchange="",
        headers={"task": task, "id": str(number)},
    )
    until(lambda: waits(channel, queue) > before)


def waits(channel, queue):
    return channel.queue_declare(queue, passive=True).message_count


def emptied(channel, queue):
    taken = []
    while message := channel.basic_get(queue, no_ack=True):
        taken.append(message.properties["application_headers"])
    return taken


def migrating(connection, report, migration=MOVE):
    return RabbitMigrating(connection, migration, report, tell=lambda *_: None, dry=False)


def told(places):
    return {each.place: each for each in places if each.changed or each.left}


def test_only_what_came_back_from_a_queue_that_is_gone_is_published_again(
    connect, channel, management, monkeypatch
):
    for number in range(6):
        if number % 2:
            publish(channel, number, "shop.other", chain=[FOLLOWING])
        else:
            publish(channel, number)
    work = migrating(connect(), management.report())
    channel.queue_delete("integrations")
    monkeypatch.setattr(_Part, "_check", lambda *_: None)  # it goes just after the look at it
    with pytest.raises(Conflict, match="integrations was deleted"):
        work.look()
    until(lambda: waits(channel, "shop") == 6)
    taken = emptied(channel, "shop")
    assert Counter(each["id"] for each in taken) == Counter("012345")
    assert Counter(each["task"] for each in taken) == {OLD: 3, "shop.other": 3}


def test_a_queue_that_may_not_be_read_is_left_and_the_others_are_read(
    connect, channel, management, url, person
):
    publish(channel, 1)
    publish(channel, 2, queue="other")
    with Connection(url.replace("guest:guest", person(read="^other$"))) as connection:
        places = told(migrating(connection, management.report()).look())
    assert {place: (each.jobs, each.left) for place, each in places.items()} == {
        "queue other": (1, 0),
        "queue shop": (0, 1),
    }
    assert "ACCESS_REFUSED" in places["queue shop"].doubt
    assert told(migrating(connect(), management.report()).look())["queue shop"].jobs == 1


def test_what_may_not_be_published_stays(channel, management, url, person):
    publish(channel, 1)
    with Connection(url.replace("guest:guest", person(write="^other$"))) as connection:
        places = told(migrating(connection, management.report()).look())
    place = places["queue shop"]
    assert (place.jobs, place.left, "ACCESS_REFUSED" in place.doubt) == (0, 1, True)
    until(lambda: waits(channel, "shop") == 1)


def test_what_was_not_committed_when_rabbitmq_refuses_is_not_counted_as_moved(
    connect, channel, management, monkeypatch
):
    for number in range(3):
        publish(channel, number)
    connection = connect()
    work = migrating(connection, management.report())

    def refused(part):
        part.channel.queue_declare("shop", passive=False, durable=False)  # it is: 406

    monkeypatch.setattr(_Part, "commit", refused)
    place = told(work.look())["queue shop"]
    assert (place.jobs, place.left, "RabbitMQ refuses" in place.doubt) == (0, 3, True)
    until(lambda: waits(channel, "shop") == 3)
    assert waits(channel, "integrations") == 0


def test_a_queue_that_goes_before_it_is_read_has_nothing_left(
    connect, channel, management, monkeypatch
):
    report = management.report()
    assert "shop" in {each.name for each in report.queues}
    channel.queue_delete("shop")
    counts = {"shop": (1, "")}  # as it was a moment before
    count = rabbitmq_migrating.count
    monkeypatch.setattr(
        rabbitmq_migrating, "count", lambda at, queue: counts.get(queue) or count(at, queue)
    )
    assert told(migrating(connect(), report).look()) == {}


class Asker:
    def close(self):
        pass


@pytest.mark.usefixtures("rabbit_server")
def test_a_virtual_host_that_is_not_there_is_said(url):
    code, said = flagstaff("drained", OLD, "--broker", f"{url}-nowhere")
    assert (code, said["error"]["code"]) == (3, "unavailable")
    assert "NOT_ALLOWED" in said["error"]["message"]


def test_what_rabbitmq_ends_is_unavailable_and_no_fault_of_ours(connect, channel, rabbit_server):
    declare = partial(connect().channel().queue_declare, "nowhere", passive=True)
    with pytest.raises(Unavailable, match=r"RabbitMQ ended it: .*NOT_FOUND"):
        reached(Asker(), declare)
    assert waits(channel, "shop") == 0
    address = f"{rabbit_server.management()}/api/connections"
    asked = {"headers": urllib3.make_headers(basic_auth="guest:guest")}
    victim = connect()
    waits(victim.default_channel, "shop")
    port = victim.connection.sock.getsockname()[1]

    def name():
        rows = urllib3.request("GET", address, **asked).json()
        return next((each["name"] for each in rows if each.get("peer_port") == port), None)

    urllib3.request("DELETE", f"{address}/{quote(until(name))}", **asked)
    with pytest.raises(Unavailable, match=r"RabbitMQ ended it: .*CONNECTION_FORCED"):
        reached(Asker(), lambda: waits(victim.default_channel, "shop"))


def test_a_password_may_have_any_character(rabbit_server):
    user, password = uuid4().hex, "pä€ß: 密"
    put(rabbit_server, f"users/{user}", password=password, tags="monitoring")
    Management(rabbit_server.management(), (user, password), "/").check()
    with pytest.raises(Unavailable, match="does not know this user"):
        Management(rabbit_server.management(), (user, "pä€ß"), "/").check()
