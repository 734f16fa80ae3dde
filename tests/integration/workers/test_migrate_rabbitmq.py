"""Does every job that waits in RabbitMQ get the new name once, whatever happens on the way?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from fleet import flagstaff, until
from kombu import Connection, Queue
from waiting import OLD, found, look

from flagstaff.errors import Conflict
from flagstaff.workers.migration import Migration
from flagstaff.workers.rabbitmq_management import Management
from flagstaff.workers.rabbitmq_migrating import RabbitMigrating, _Part

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # each of the ten commands starts anew, which takes a while
]

NEW = "integrations.notify"
MOVE = ("--old-queue", "shop", "--new-queue", "integrations")
WAITING = int(os.environ.get("FLAGSTAFF_MIGRATE_RABBITMQ", "5000"))
KILLS = 10


@pytest.fixture
def fleet(rabbit_place):
    return rabbit_place


@pytest.fixture
def channel(fleet):
    """A channel on which both queues are made."""
    with Connection(fleet.broker, connect_timeout=30) as connection:
        connection.ensure_connection(max_retries=20)
        for name in ("shop", "integrations"):
            Queue(name, channel=connection.default_channel, durable=True).declare()
        yield connection.default_channel


def words(fleet, *more):
    reached = ("--broker", fleet.broker, "--management", fleet.management)
    return "migrate", OLD, NEW, *reached, *more


def fill(channel, ids, tasks=(OLD,)):
    producer = channel.connection.client.Producer(channel)
    for number, each in enumerate(ids):
        producer.publish(
            [[number], {}, {}],
            routing_key="shop",
            exchange="",
            headers={"task": tasks[number % len(tasks)], "id": each},
            priority=number % 3,
            correlation_id=each,
        )
    until(lambda: channel.queue_declare("shop", passive=True).message_count == len(ids))


def emptied(channel, queue):
    taken = []
    while message := channel.basic_get(queue, no_ack=True):
        taken.append(message)
    return taken


def header(message, key):
    return message.properties["application_headers"][key]


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize("move", [(), MOVE])
def test_a_job_is_renamed_wherever_it_waits_and_runs_once(fleet, move):
    jobs = fleet.jobs("before")
    jobs.notify.delay(1)
    jobs.notify.apply_async((2,), countdown=1)
    jobs.notify.apply_async((3,), queue="forgotten")
    jobs.collect.apply_async(([],), link=jobs.notify.si(4))
    until(lambda: sum(sum(each) for each in found(look(fleet, timeout=0.1)).values()) == 4)
    fleet.flag(on=True)  # it decides about what follows a job
    fleet.worker("idle", "after", "integrations,elsewhere")
    until(lambda: flagstaff(*words(fleet, *move))[0] == 0)
    assert set(found(look(fleet, timeout=0.1))) == set()
    fleet.worker("one", "after", "shop,integrations,forgotten")
    until(lambda: len({each["number"] for each in fleet.ran(NEW)}) == 4)
    assert Counter(each["number"] for each in fleet.ran(NEW)) == Counter(range(1, 5))
    assert fleet.ran(OLD) == []
    queues = {each["number"]: each["queue"] for each in fleet.ran(NEW)}
    assert (queues[1], queues[3]) == ("integrations" if move else "shop", "forgotten")


def test_jobs_move_in_their_order_and_others_keep_theirs(fleet, channel):
    ids = [str(number) for number in range(600)]
    fill(channel, ids, tasks=(OLD, OLD, "shop.other"))
    code, done = flagstaff(*words(fleet, *MOVE, "--force", "--dry-run"))
    assert (code, done["jobs"]) == (0, 400)
    code, done = flagstaff(*words(fleet, *MOVE, "--force"))
    assert (code, done["jobs"], done["left"], done["settled"]) == (0, 400, 0, True)
    until(lambda: (waits(channel, "integrations"), waits(channel, "shop")) == (400, 200))
    moved, stayed = emptied(channel, "integrations"), emptied(channel, "shop")
    assert [header(each, "id") for each in moved] == [each for each in ids if int(each) % 3 != 2]
    assert {header(each, "task") for each in moved} == {NEW}
    assert [header(each, "id") for each in stayed] == ids[2::3]
    assert [each.properties["correlation_id"] for each in moved][:2] == ["0", "1"]
    assert [each.properties["priority"] for each in moved][:2] == [0, 1]
    assert moved[0].properties["delivery_mode"] == 2


def test_nothing_moves_to_where_it_might_be_lost(fleet, channel):
    fill(channel, ["1"])
    arguments = {"x-max-length": 1}
    Queue("short", channel=channel, queue_arguments=arguments).declare()
    for target, why in (("short", "limit of its length"), ("gone", "no queue gone")):
        move = ("--old-queue", "shop", "--new-queue", target, "--force")
        code, done = flagstaff(*words(fleet, *move))
        assert (code, why in done["error"]["message"]) == (2, True)
    code, done = flagstaff(*words(fleet, *MOVE))
    assert (code, "no worker answers" in done["error"]["message"]) == (1, True)
    until(lambda: waits(channel, "shop") == 1)
    assert [header(each, "task") for each in emptied(channel, "shop")] == [OLD]


@pytest.mark.parametrize("noticed", [True, False])
def test_a_queue_that_is_deleted_meanwhile_takes_no_job_with_it(
    fleet, channel, monkeypatch, noticed
):
    ids = [str(number) for number in range(300)]
    fill(channel, ids)
    migration = Migration(old=OLD, new=NEW, old_queue="shop", new_queue="integrations")
    vhost = fleet.broker.rpartition("/")[2]
    report = Management(fleet.management, ("guest", "guest"), vhost).report()
    channel.queue_delete("integrations")
    if not noticed:  # it goes between the check and the commit: only RabbitMQ knows
        monkeypatch.setattr(_Part, "_check", lambda *_: None)
    with Connection(fleet.broker) as connection:
        work = RabbitMigrating(connection, migration, report, tell=lambda *_: None, dry=False)
        with pytest.raises(Conflict, match="not there" if noticed else "was deleted"):
            work.look()
    until(lambda: waits(channel, "shop") == 300)
    taken = emptied(channel, "shop")
    assert sorted(int(header(each, "id")) for each in taken) == [*range(300)]
    assert {header(each, "task") for each in taken} == {OLD}


def test_killed_ten_times_on_the_way_none_is_lost_and_none_doubled(fleet, channel):
    ids = [str(number) for number in range(WAITING)]
    fill(channel, ids)
    command = (sys.executable, "-m", "flagstaff", "workers", *words(fleet, *MOVE, "--force"))
    for kill in range(1, KILLS + 1):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        aim = WAITING * kill // (2 * KILLS)  # far from the end: it goes on until it is killed
        until(lambda aim=aim: waits(channel, "integrations") >= aim, within=300)
        process.kill()
        assert process.wait(30) == -signal.SIGKILL, "it had ended before it was killed"
    # RabbitMQ gives back what the killed one held once it sees that the connection is gone.
    until(lambda: waits(channel, "integrations") + waits(channel, "shop") == WAITING)
    left = waits(channel, "shop")
    assert left, "nothing was left for the last run"
    # It reads all that has moved as well, to say that nothing is left.
    began = time.monotonic()
    done = subprocess.run(command, check=False, timeout=240 + WAITING / 50)
    assert done.returncode == 0
    took = time.monotonic() - began
    print(f"\n{left} of {WAITING} moved by the last command in {took:.1f} s")  # noqa: T201 a figure of the long form
    until(lambda: waits(channel, "integrations") == WAITING)
    taken = emptied(channel, "integrations")
    assert emptied(channel, "shop") == []
    assert Counter(header(each, "id") for each in taken) == Counter(ids)
    assert {header(each, "task") for each in taken} == {NEW}


def waits(channel, queue):
    return channel.queue_declare(queue, passive=True).message_count
