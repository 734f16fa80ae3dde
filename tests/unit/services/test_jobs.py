"""Is what processes report of jobs added up once, whatever is lost, repeated or restarted?"""

from __future__ import annotations

import pytest

from flagstaff.services.jobs import (
    MOST_ROWS,
    JobCount,
    Jobs,
    JobsReport,
    QueueSeen,
    Sums,
    Waiting,
)


class Time:
    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def jobs(time):
    return Jobs(time)


def report(started, *, task="shop.notify", seconds=1.0, ago=0.0, **more):
    count = JobCount(task=task, queue="shop", seconds=seconds, sums=Sums(started=started), **more)
    return JobsReport(counts=(count,), ago=ago)


def only(jobs):
    (row,) = jobs.rows()
    return row


def test_the_same_report_twice_counts_once_and_a_lost_one_is_made_up_for(jobs, time):
    time.now += 10
    jobs.take("production", "a", report(3))
    jobs.take("production", "a", report(3))
    jobs.take("production", "a", report(9, seconds=5))
    jobs.take("production", "b", report(2))
    row = only(jobs)
    assert (row.environment, row.task, row.queue) == ("production", "shop.notify", "shop")
    assert (row.sums, row.processes) == (Sums(started=11), 2)


def test_what_ended_processes_counted_stays(jobs, time):
    time.now += 10
    for process in range(50):
        jobs.take("production", str(process), report(2))
        time.now += 100
    assert (only(jobs).sums.started, only(jobs).processes) == (100, 0)


def test_a_process_that_is_older_than_the_server_is_counted_from_now_on(jobs, time):
    time.now += 10
    jobs.take("production", "a", report(1_000, seconds=500))
    assert only(jobs).sums.started == 0
    jobs.take("production", "a", report(1_004, seconds=502))
    jobs.take("production", "b", report(5, seconds=20, ago=0.0))
    jobs.take("production", "c", report(6, seconds=2, ago=7.0))
    assert only(jobs).sums.started == 10


def test_what_runs_is_what_living_processes_have_begun_and_not_ended(jobs, time):
    def sums(**counted):
        row = JobCount(task="shop.notify", queue="shop", seconds=900, sums=Sums(**counted))
        return JobsReport(counts=(row,))

    time.now += 10
    jobs.take("production", "a", sums(started=9, succeeded=3, failed=1, retried=1, ignored=1))
    jobs.take("production", "b", sums(started=2))
    assert only(jobs).running == 5
    time.now += 50
    jobs.take("production", "a", sums(started=9, succeeded=6, failed=1, retried=1, ignored=1))
    assert only(jobs).running == 2
    time.now += 11
    assert only(jobs).running == 0, "what a process had under way has ended with it"


def test_the_last_minute_forgets_what_is_older(jobs, time):
    time.now += 10
    for second in range(200):
        time.now += 1
        jobs.take("production", "a", report(second + 1, seconds=second + 1))
    assert 55 <= only(jobs).last_minute.started <= 61
    time.now += 61
    assert only(jobs).last_minute == Sums()
    assert only(jobs).sums.started == 200


def test_a_queue_says_how_many_of_each_task_wait_until_nobody_looks(jobs, time):
    time.now += 10
    jobs.take("production", "a", report(1))
    assert (only(jobs).depth, only(jobs).queue_depth) == (None, None)
    waiting = Waiting(task="shop.notify", depth=4, oldest_s=7.5)
    seen = QueueSeen(queue="shop", depth=9, tasks=(waiting, Waiting(task="other", depth=5)))
    jobs.take("production", "a", JobsReport(queues=(seen,)))
    rows = {each.task: each for each in jobs.rows()}
    assert [(rows[each].depth, rows[each].oldest_s) for each in ("shop.notify", "other")] == [
        (4, 7.5),
        (5, None),
    ]
    jobs.take("production", "a", JobsReport(queues=(QueueSeen(queue="shop", depth=0, tasks=()),)))
    assert {each.depth for each in jobs.rows()} == {0}
    jobs.take("production", "a", JobsReport(queues=(seen,), ago=5.0))
    assert {each.depth for each in jobs.rows()} == {0}, "an older look, come late"
    assert [(where, each.depth) for where, each in jobs.depths()] == [("production", 0)]
    time.now += 31
    assert {each.depth for each in jobs.rows()} == {None}
    assert jobs.depths() == []


def test_a_broker_that_shows_no_messages_still_says_how_long_the_queue_is(jobs, time):
    time.now += 10
    jobs.take("production", "a", report(1))
    jobs.take("production", "a", JobsReport(queues=(QueueSeen(queue="shop", depth=3),)))
    assert (only(jobs).depth, only(jobs).queue_depth) == (None, 3)


def test_names_that_are_made_up_do_not_fill_the_memory(jobs, time):
    time.now += 10
    for number in range(MOST_ROWS + 20):
        jobs.take("production", "a", report(1, task=f"task-{number}"))
    assert len(jobs.rows()) == MOST_ROWS
