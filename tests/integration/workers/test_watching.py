"""Is what becomes of jobs counted to the last one, in real workers and by a real server?"""

from __future__ import annotations

import threading
import time

import pytest
from fleet import until
from watched import Watched

from guarded import ISSUE, flagstaff, start
from guarded import until as until_shown

pytestmark = [pytest.mark.enable_socket, pytest.mark.network, pytest.mark.slow]

OLD, NEW = "shop.notify", "integrations.notify"
GUARDED = """
statistics: {poll: 2s}
policies: {consistency: false}
guards:
  - {name: notify, flag: rename_notify, source: flagstaff, bad: jobs, counts: jobs}
  - {name: tries, flag: rename_notify, source: flagstaff, bad: retried, dry_run: true}
  - {name: lag, flag: rename_notify, source: flagstaff, bad: waits, slower_than: 60s, dry_run: true}
"""
COUNTED = ("enqueued", "started", "succeeded", "failed", "retried")


@pytest.fixture
def watched(tmp_path, redis, redis_server):
    assert redis.dbsize() == 0
    found = Watched(tmp_path, redis_server.url(), redis_server.url(1))
    yield found
    found.close()


def counts(row):
    return {each: row[each] for each in COUNTED}


def test_every_job_is_counted_though_children_come_and_go(watched):
    watched.worker("one", "after", "shop,integrations", concurrency=2, child=10)
    watched.worker("two", "after", "shop,integrations", pool="threads", concurrency=3)
    began = time.monotonic()
    watched.produce("for n in range(1, 141): jobs.notify.delay(n)\njobs.add.delay(1)")
    wanted = {
        "enqueued": 140 + 18,  # each seventh is tried again, but those that fail at once
        "started": 140 + 18,
        "succeeded": 126,
        "failed": 14,
        "retried": 18,
    }
    until(lambda: len(watched.ran(OLD)) == wanted["started"])
    for node in ("one", "two"):
        watched.stop(node)
    rows = watched.rows()
    assert set(rows) == {(OLD, "shop"), ("shop.add", "shop")}
    row = rows[OLD, "shop"]
    assert counts(row) == wanted
    if time.monotonic() - began < 50:  # else the first is older than that
        assert counts(row["last_minute"]) == wanted
    assert (row["flag"], row["variant"], row["environment"]) == (
        "rename_notify",
        "old",
        "production",
    )
    assert row["waited_s"] > 0
    assert row["ran_s"] > 0
    assert (rows["shop.add", "shop"]["succeeded"], rows["shop.add", "shop"]["variant"]) == (1, "")


def test_both_sides_of_a_rename_are_told_apart_and_what_waits_is_seen(watched):
    held = watched.folder / "held"
    held.touch()
    watched.worker("one", "after", "shop,integrations")
    watched.produce(f"jobs.hold.delay({held.name!r})")
    until(lambda: watched.ran("shop.hold"))
    watched.produce("for n in range(1, 6): jobs.notify.delay(n)")
    flagstaff(watched.root, "feature", "set", "rename_notify", "true")
    watched.produce("jobs.wait_on()\nfor n in range(1, 4): jobs.notify.delay(n)")

    def waiting():
        rows = watched.rows()
        told = {key: row["depth"] for key, row in rows.items() if key[0] != "shop.hold"}
        old = rows.get((OLD, "shop"), {}).get("oldest_s") or 0
        # One job is fetched already, and waits in the worker.
        return told == {(OLD, "shop"): 4, (NEW, "integrations"): 3} and old > 1

    until(waiting)
    metrics = watched.ask("/metrics")
    labels = 'environment="production",flag="rename_notify",queue="integrations"'
    assert f'flagstaff_jobs_waiting{{{labels},task="{NEW}",variant="new"}} 3.0' in metrics
    held.unlink()
    until(lambda: watched.rows()[NEW, "integrations"]["succeeded"] == 3)
    assert watched.rows()[NEW, "integrations"]["variant"] == "new"
    until(lambda: {row["depth"] for row in watched.rows().values()} == {0})


@pytest.mark.timeout(600)
def test_a_guard_compares_jobs_of_the_new_name_with_the_old(tmp_path, redis, redis_server):
    assert redis.dbsize() == 0
    watched = Watched(tmp_path, redis_server.url(), redis_server.url(1), GUARDED)
    try:
        watched.worker("one", "after", "shop,integrations", concurrency=2, broken=1)
        (watched.root / "issue.md").write_text(ISSUE.replace("checkout_v2", "rename_notify"))
        start(watched.root)
        (watched.folder / "going").touch()
        program = "import time\nn = 0\nwhile (jobs.FOLDER / 'going').exists():\n"
        program += " n += 1\n jobs.notify.delay(n)\n time.sleep(0.01)"
        producer = threading.Thread(target=watched.produce, args=(program,))
        producer.start()
        try:
            found = until_shown(watched.root, lambda each: each["phase"] == "rolled_back")
        finally:
            (watched.folder / "going").unlink()
            producer.join()
        assert "notify with the flag on" in found["reason"]
        totals = {each["guard"]: each["treatment"]["total"] for each in found["guards"]}
        assert set(totals) == {"notify", "tries", "lag"}
        assert min(totals.values()) > 0
    finally:
        watched.close()
