"""Do the books of the demo's jobs balance?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from flagstaff.demo.ledger import LedgerReader

NOON = datetime(2022, 6, 1, 12, tzinfo=UTC)


class Log:
    def __init__(self, folder):
        self.folder = folder

    def write(self, job, status, *, name="irker", seconds=0, process="worker-7"):
        with (self.folder / f"jobs-{process}.jsonl").open("a") as file:
            file.write(self.line(job, status, name=name, seconds=seconds))

    def line(self, job, status, *, name="irker", seconds=0):
        at = (NOON + timedelta(seconds=seconds)).isoformat()
        return json.dumps({"class": name, "jid": job, "job_status": status, "time": at}) + "\n"


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path)


def read(reader, *waiting, seconds=0):
    return reader.read(waiting, now=NOON + timedelta(seconds=seconds))


def test_jobs_are_counted_by_name_and_end(log):
    for job, name, end in [("a", "irker", "done"), ("b", "irker", "fail"), ("c", "new", "done")]:
        log.write(job, "enqueued", name=name, process="web-1")
        log.write(job, "start", name=name)
        log.write(job, end, name=name)
    ledger = read(LedgerReader(log.folder))
    assert ledger.enqueued == {"irker": 2, "new": 1}
    assert ledger.succeeded == {"irker": 1, "new": 1}
    assert ledger.failed == {"irker": 1}
    assert ledger.settled
    assert not ledger.lost


def test_a_waiting_job_is_not_lost_however_long_it_waits(log):
    log.write("a", "enqueued", process="web-1")
    ledger = read(LedgerReader(log.folder), "a", seconds=9_999)
    assert ledger.waiting == {"a"}
    assert not ledger.lost
    assert not ledger.settled


def test_a_job_between_two_places_is_moving_before_it_is_lost(log):
    log.write("a", "enqueued", process="web-1")
    reader = LedgerReader(log.folder)
    assert read(reader, seconds=4).moving == {"a"}
    assert not read(reader, seconds=4).settled
    assert read(reader, seconds=5).lost == {"a"}
    assert read(reader, seconds=5).settled


def test_the_grace_counts_from_the_last_time_the_job_was_seen_waiting(log):
    log.write("a", "enqueued", process="web-1")
    reader = LedgerReader(log.folder)
    read(reader, "a", seconds=100)
    assert read(reader, seconds=104).moving == {"a"}
    assert read(reader, seconds=105).lost == {"a"}


def test_a_job_whose_worker_was_killed_is_lost_after_the_longest_job(log):
    log.write("a", "enqueued", process="web-1")
    log.write("a", "start", seconds=10)
    reader = LedgerReader(log.folder)
    assert read(reader, seconds=70).running == {"a"}
    ledger = read(reader, seconds=71)
    assert ledger.lost == {"a"}
    assert not ledger.running


def test_a_lost_job_that_comes_back_is_lost_no_more(log):
    log.write("a", "enqueued", process="web-1")
    reader = LedgerReader(log.folder)
    assert read(reader, seconds=60).lost == {"a"}
    log.write("a", "done", seconds=61)
    assert not read(reader, seconds=62).lost


def test_a_job_that_ends_twice_is_doubled_and_counted_once(log):
    log.write("a", "enqueued", process="web-1")
    log.write("a", "done")
    log.write("a", "done", process="worker-8")
    ledger = read(LedgerReader(log.folder))
    assert ledger.doubled == {"a"}
    assert ledger.succeeded == {"irker": 1}


def test_a_job_may_end_before_its_producer_writes_of_it(log):
    log.write("a", "start")
    log.write("a", "done")
    reader = LedgerReader(log.folder)
    assert read(reader).unannounced == {"a"}
    log.write("a", "enqueued", process="web-1")
    ledger = read(reader, seconds=60)
    assert not ledger.unannounced
    assert not ledger.lost
    assert ledger.settled


def test_a_torn_last_line_is_read_when_it_is_whole(log):
    line = log.line("a", "enqueued")
    path = log.folder / "jobs-web-1.jsonl"
    path.write_text(line[:20])
    reader = LedgerReader(log.folder)
    assert read(reader).enqueued == {}
    path.write_text(line)
    assert read(reader).enqueued == {"irker": 1}


def test_lines_are_counted_once_over_many_reads(log):
    reader = LedgerReader(log.folder)
    for number in range(3):
        log.write(f"job-{number}", "enqueued", process="web-1")
        assert read(reader).enqueued == {"irker": number + 1}
