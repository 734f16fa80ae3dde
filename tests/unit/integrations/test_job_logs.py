"""Is every job that ended counted once, whatever happens to the logs?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flagstaff.integrations.metrics.job_logs import BASELINE, CHUNK, JobLogs
from flagstaff.rollouts.guard import Arm, Guard

SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GUARD = Guard(name="jobs", logs=("log/*.jsonl",), control=("Old", "Older"), treatment=("New",))


def line(name="New", status="done", at=SINCE, **more):
    entry = {"class": name, "job_status": status, "completed_at": at.isoformat(), **more}
    return json.dumps(entry) + "\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log/jobs.jsonl"
    path.parent.mkdir()
    path.touch()
    return path


@pytest.fixture
def logs(tmp_path, log):
    del log
    return JobLogs(tmp_path, GUARD, SINCE)


def append(path, text):
    with path.open("ab") as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def counts(logs):
    found = logs.measure()
    assert found.error == ""
    return (found.treatment.total, found.treatment.failed), (
        found.control.total,
        found.control.failed,
    )


def test_endings_are_counted_by_side(log, logs):
    append(log, line() * 3 + line(status="fail") + line("Old") + line("Older", "fail"))
    append(log, line("Other") + line(status="start") + line(status="deferred"))
    found = logs.measure()
    assert (found.treatment, found.control) == (Arm(total=4, failed=1), Arm(total=2, failed=1))
    assert found.guard == "jobs"


def test_with_a_bound_what_took_longer_is_bad_whether_it_failed_or_not(tmp_path, log):
    logs = JobLogs(tmp_path, replace(GUARD, slower_than=0.5), SINCE)
    append(log, line(duration_s=0.5) + line(status="fail", duration_s=0.1))
    append(log, line(duration_s=0.6) + line(status="fail", duration=7) + line(elapsed=2.0))
    # Those that do not say how long they took, or nonsense, count on no side.
    append(log, line() + line(duration_s="long") + line(duration_s=True) + line(duration_s=1e999))
    append(log, line("Old", duration_s=9))
    assert counts(logs) == ((5, 3), (1, 1))


def test_what_only_pairs_want_to_know_may_be_nonsense(log, logs):
    append(log, line(enqueued_at="soon") + line(enqueued_at=None) + line(enqueued_at=[1e300]))
    append(log, line(duration_s=10**400) + line(duration_s={}))
    assert counts(logs) == ((5, 0), (0, 0))


def test_each_line_is_counted_once(log, logs):
    for count in (1, 2, 3):
        append(log, line())
        assert counts(logs)[0] == (count, 0)
        assert counts(logs)[0] == (count, 0)


def test_a_line_that_is_being_written_waits_for_its_end(log, logs):
    text = line()
    append(log, text + text[:20])
    assert counts(logs)[0] == (1, 0)
    append(log, text[20:-1])
    assert counts(logs)[0] == (1, 0)
    append(log, "\n")
    assert counts(logs)[0] == (2, 0)


def test_a_letter_that_is_torn_in_two_is_put_together(log, logs):
    data = line(queue="größe").replace("\\u00f6", "ö").encode()
    cut = data.index("ö".encode()) + 1
    append(log, data[:cut])
    assert counts(logs)[0] == (0, 0)
    append(log, data[cut:])
    assert counts(logs)[0] == (1, 0)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n",
        b"INFO not JSON\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"42\n",
        b'"class"\n',
        b'{"class": "New"}\n',
        b'{"class": "New", "job_status": "done"}\n',
        b'{"class": ["New"], "job_status": "done", "time": "2026-03-02T10:00:00Z"}\n',
        b'{"class": "New", "job_status": {}, "time": "2026-03-02T10:00:00Z"}\n',
        b'{"class": "New", "job_status": "done", "time": "yesterday"}\n',
        b'{"class": "New", "job_status": "done", "time": null}\n',
        b'{"class": "New", "job_status": "done", "time": 1e300}\n',
        b'{"class": "New", "job_status": "done", "time": "0001-01-01T00:00:00+23:00"}\n',
        b'{"class": "New", "job_status": "done", "time": NaN}\n',
        b"\xff\xfe\x00\n",
        b"\x00" * 100 + b"\n",
        b"[" * 100_000 + b"\n",
        b'{"class": "New", "job_sta\n',
    ],
    ids=lambda value: value[:40].decode(errors="replace"),
)
def test_garbage_is_passed_over(log, logs, garbage):
    append(log, line().encode() + garbage + line().encode())
    assert counts(logs)[0] == (2, 0)


def test_a_line_longer_than_a_chunk_does_not_stop_the_reading(log, logs):
    append(log, line())
    append(log, b'{"x": "' + b"x" * (3 * CHUNK) + b'"}\n')
    append(log, line() * 2)
    assert counts(logs)[0] == (3, 0)


def test_more_than_one_chunk_is_read(log, logs):
    many = CHUNK // len(line()) * 2 + 7
    append(log, line() * many)
    assert counts(logs)[0] == (many, 0)


def test_endings_before_the_watch_do_not_count(log, logs):
    instant = timedelta(microseconds=1)
    append(log, line(at=SINCE - instant) + line(at=SINCE) + line(at=SINCE + instant))
    append(log, line("Old", at=SINCE - BASELINE - instant) + line("Old", at=SINCE - BASELINE))
    append(log, line("Old", "fail", at=SINCE))
    assert counts(logs) == ((2, 0), (1, 1))
    assert logs.measure().baseline == Arm(total=1, failed=0)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:00:00.000+00:00",
        "2026-03-02T14:30:00+05:30",
        "2026-03-02 09:00:00",
        SINCE.timestamp(),
        int(SINCE.timestamp()),
    ],
)
def test_times_are_read_in_every_usual_way(log, logs, moment):
    append(log, json.dumps({"class": "New", "job_status": "done", "time": moment}) + "\n")
    assert counts(logs)[0] == (1, 0)


class TestRotation:
    def test_a_file_cut_short_begins_anew_and_the_count_stays(self, log, logs):
        append(log, line() * 3)
        assert counts(logs)[0] == (3, 0)
        log.write_text(line())
        assert counts(logs)[0] == (4, 0)

    def test_a_file_cut_short_that_has_grown_past_its_old_end_begins_anew(self, log, logs):
        append(log, line())
        assert counts(logs)[0] == (1, 0)
        log.write_text(line(status="fail", jid="another") * 5)
        assert counts(logs)[0] == (6, 5)

    def test_a_renamed_file_is_not_counted_again(self, log, logs):
        append(log, line() * 2)
        assert counts(logs)[0] == (2, 0)
        append(log, line())
        log.rename(log.with_name("jobs-1.jsonl"))
        log.write_text(line())
        assert counts(logs)[0] == (4, 0)

    def test_a_file_in_the_place_of_a_deleted_one_is_read(self, log, logs):
        append(log, line() * 2)
        assert counts(logs)[0] == (2, 0)
        log.unlink()
        log.write_text(line(jid="another") * 2)
        assert counts(logs)[0] == (4, 0)

    def test_files_that_come_later_are_read(self, log, logs):
        append(log, line())
        assert counts(logs)[0] == (1, 0)
        append(log.with_name("other.jsonl"), line())
        append(log.with_name("other.txt"), line())
        assert counts(logs)[0] == (2, 0)


class TestErrors:
    def test_no_file_is_no_reading(self, tmp_path):
        found = JobLogs(tmp_path, GUARD, SINCE).measure()
        assert found.error == "no file matches log/*.jsonl"

    def test_a_folder_is_no_file(self, tmp_path):
        (tmp_path / "log/jobs.jsonl").mkdir(parents=True)
        assert JobLogs(tmp_path, GUARD, SINCE).measure().error == "no file matches log/*.jsonl"

    def test_a_pattern_that_is_none_is_said(self, tmp_path):
        guard = Guard(name="jobs", logs=("",), control=(), treatment=())
        assert "pattern" in JobLogs(tmp_path, guard, SINCE).measure().error.lower()

    def test_the_place_may_be_absolute(self, log, tmp_path):
        append(log, line())
        guard = Guard(name="jobs", logs=(f"{log.parent}/*",), control=(), treatment=("New",))
        assert counts(JobLogs(tmp_path / "elsewhere", guard, SINCE))[0] == (1, 0)

    def test_the_count_goes_on_when_the_files_are_back(self, log, logs):
        append(log, line())
        assert counts(logs)[0] == (1, 0)
        hidden = log.rename(log.with_name("hidden"))
        assert logs.measure().error
        hidden.rename(log)
        append(log, line())
        assert counts(logs)[0] == (2, 0)
