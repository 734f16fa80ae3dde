"""Does every job that waits under an old name get the new one once, whatever happens?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing, contextmanager

import pytest
from celery import Celery, chain, chord
from fleet import flagstaff, heard, until

from flagstaff.workers.asking import Asker
from flagstaff.workers.draining import scan

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

OLD, NEW = "shop.notify", "integrations.notify"
MOVE = ("--old-queue", "shop", "--new-queue", "integrations")
WAITING = int(os.environ.get("FLAGSTAFF_MIGRATE", "20000"))
KILLS = 10


def migrate(fleet, *words):
    # One that no worker answers in time is refused, and has done nothing.
    return heard("migrate", OLD, NEW, "--broker", fleet.broker, *words)


def left(fleet, name=OLD):
    """Return where the broker has the name, or may have it."""
    app = Celery(broker=fleet.broker, set_as_current=False)
    with closing(app), closing(Asker(app, timeout=0.1)) as asker:
        places = scan(app, asker, name, own=False)
    broker = [each for each in places if each.place.startswith(("queue", "unacked"))]
    return {each.place: (each.count, each.embedded) for each in broker if each.state != "empty"}


def everything(redis):
    """Return all that Redis holds."""
    read = {b"list": lambda key: redis.lrange(key, 0, -1), b"hash": redis.hgetall}
    return {key: read[redis.type(key)](key) for key in redis.scan_iter() if redis.type(key) in read}


def publish_everywhere(jobs):
    """Publish jobs 1 to 9, wherever one may wait; return how many messages are of the name."""
    notify, other = jobs.notify, jobs.collect
    notify.delay(1)
    notify.apply_async((2,), priority=6)
    notify.apply_async((3,), countdown=1)
    notify.apply_async((4,), queue="forgotten")
    chain(other.si([]), other.si([]), notify.si(5)).delay()
    other.apply_async(([],), link=notify.si(6), compression="zlib")
    chord([notify.si(7), notify.si(8)])(notify.si(9))
    return 6


@pytest.mark.parametrize("move", [(), MOVE])
def test_a_job_is_renamed_wherever_it_waits_and_runs_once(fleet, move):
    jobs = fleet.jobs("before")
    own = publish_everywhere(jobs)
    fleet.flag(on=True)  # it decides about what follows a job
    fleet.worker("idle", "after", "integrations,elsewhere")
    code, done = migrate(fleet, *move)
    assert (code, done["jobs"], done["embedded"], done["left"]) == (0, own, 2, 0)
    assert left(fleet) == {}
    assert migrate(fleet, *move)[1]["jobs"] == 0
    fleet.worker("one", "after", "shop,integrations,forgotten")
    until(lambda: len({each["number"] for each in fleet.ran(NEW)}) == 9)
    assert Counter(each["number"] for each in fleet.ran(NEW)) == Counter(range(1, 10))
    assert fleet.ran(OLD) == []
    queues = {each["number"]: each["queue"] for each in fleet.ran(NEW)}
    assert queues[1] == ("integrations" if move else "shop")
    assert queues[4] == "forgotten"


def test_a_renamed_job_that_is_tried_again_keeps_its_new_name_and_place(fleet):
    fleet.jobs("before").notify.delay(1, fail=2)
    fleet.worker("one", "after", "integrations")
    assert migrate(fleet, *MOVE)[0] == 0
    until(lambda: len(fleet.ran()) == 3)
    assert {(each["name"], each["queue"]) for each in fleet.ran()} == {(NEW, "integrations")}


def test_jobs_keep_their_order_and_others_are_left_alone(fleet, redis):
    jobs = fleet.jobs("before")
    for number in range(1_200):
        (jobs.notify if number % 3 else jobs.collect).delay(number)
    before = redis.lrange("shop", 0, -1)
    assert migrate(fleet, "--force")[0] == 0
    after = redis.lrange("shop", 0, -1)
    ids = [[json.loads(raw)["headers"]["id"] for raw in raws] for raws in (before, after)]
    assert ids[0] == ids[1]
    moved = ("--old-queue", "shop", "--new-queue", "elsewhere")
    words = ("migrate", NEW, NEW, *moved, "--broker", fleet.broker, "--force")
    assert flagstaff(*words)[1]["jobs"] == 800
    tasks = [json.loads(raw)["headers"]["task"] for raw in redis.lrange("elsewhere", 0, -1)]
    assert tasks == [NEW] * 800
    elsewhere = [json.loads(raw)["headers"]["id"] for raw in redis.lrange("elsewhere", 0, -1)]
    assert elsewhere == [each for each in ids[0] if each in set(elsewhere)]
    assert [raw for raw in before if b"shop.collect" in raw] == redis.lrange("shop", 0, -1)


def test_a_dry_run_counts_and_changes_nothing(fleet, redis):
    own = publish_everywhere(fleet.jobs("before"))
    before = everything(redis)
    code, done = migrate(fleet, *MOVE, "--dry-run")
    assert (code, done["jobs"], done["embedded"], done["dry_run"]) == (0, own, 2, True)
    assert everything(redis) == before


def test_nothing_is_renamed_that_a_worker_would_discard(fleet, redis):
    publish_everywhere(fleet.jobs("before"))
    fleet.worker("idle", "before", "elsewhere")
    before = everything(redis)
    code, done = migrate(fleet, *MOVE)
    assert code == 1
    assert "idle@test does not know integrations.notify" in done["error"]["message"]
    assert "no worker takes jobs from integrations" in done["error"]["message"]
    assert everything(redis) == before


def test_a_worker_that_has_a_job_gives_back_another(fleet, redis):
    jobs = fleet.jobs("before")
    fleet.worker("one", "after", "shop,integrations")
    jobs.notify.apply_async((1,), countdown=900)
    until(lambda: redis.hlen("unacked"))
    code, done = migrate(fleet, *MOVE)
    assert (code, done["places"][0]["place"], done["jobs"]) == (0, "unacked", 1)
    fleet.stop("one")
    assert left(fleet) == {}
    assert left(fleet, NEW) == {"queue integrations": (1, 0)}


def test_what_cannot_be_rewritten_is_left_and_said(fleet):
    jobs = fleet.jobs("before")
    jobs.collect.apply_async(([],), link=jobs.notify.si(1), serializer="pickle")
    code, done = migrate(fleet, "--force")
    assert (code, done["left"], done["jobs"]) == (1, 1, 0)
    assert left(fleet) == {"queue shop": (0, 1)}


def fill(jobs, redis, ids):
    """Let jobs with these ids wait, quicker than they can be published one by one."""
    jobs.notify.delay(0)
    raw = redis.rpop("shop")
    task = json.loads(raw)["headers"]["id"].encode()
    for start in range(0, len(ids), 1_000):
        redis.lpush("shop", *(raw.replace(task, each) for each in ids[start : start + 1_000]))


@contextmanager
def taking(redis):
    """Be a worker in the block: take the oldest of either queue, and note it.

    Of what is not renamed yet it leaves the most, however slow the machine is.
    """
    taken, done = {"shop": [], "integrations": []}, threading.Event()

    def take():
        while not done.wait(0.005):
            for queue, most in (("shop", WAITING // 4), ("integrations", WAITING)):
                if len(taken[queue]) < most and (each := redis.rpop(queue)):
                    taken[queue].append(each)

    worker = threading.Thread(target=take)
    worker.start()
    try:
        yield taken
    finally:
        done.set()
        worker.join()


def moved(redis, taken):
    return redis.llen("integrations") + len(taken["integrations"])


def test_killed_ten_times_on_the_way_none_is_lost_and_none_doubled(fleet, redis):
    ids = [f"{number:036}".encode() for number in range(WAITING)]
    fill(fleet.jobs("before"), redis, ids)
    words = ("-m", "flagstaff", "workers", "migrate", OLD, NEW, *MOVE, "--force")
    with taking(redis) as taken:
        for kill in range(1, KILLS + 1):
            process = subprocess.Popen(
                [sys.executable, *words, "--broker", fleet.broker], stderr=subprocess.DEVNULL
            )
            # Half is left at the last kill: a busy machine sees late how far it is.
            aim = WAITING * kill // (2 * KILLS)
            until(lambda aim=aim: moved(redis, taken) >= aim, within=240)
            process.kill()
            assert process.wait(30) == -signal.SIGKILL, "it had ended before it was killed"
    assert redis.llen("shop"), "nothing was left for the last run"
    assert migrate(fleet, *MOVE, "--force")[0] == 0
    assert redis.llen("shop") == 0
    every = (*taken["shop"], *taken["integrations"], *redis.lrange("integrations", 0, -1))
    found = [json.loads(each)["headers"] for each in every]
    assert Counter(each["id"].encode() for each in found) == Counter(ids)
    assert Counter(each["task"] for each in found)[NEW] > WAITING / 2
