"""Is every duration compared once, whatever happens to the logs and to whoever reads them?"""

from __future__ import annotations

import gzip
import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagstaff.commands.codec import decode, encode
from flagstaff.integrations.metrics import job_durations
from flagstaff.integrations.metrics.job_durations import HEAD, SKEW, JobDurations
from flagstaff.rollouts.guard import Arm, Guard, Kept
from flagstaff.rollouts.query import NOWHERE, Place

SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = SINCE + timedelta(hours=1)
GUARD = Guard(
    name="slow in pairs", logs=("log/*.jsonl",), control=("Old",), treatment=("New",), ranked=True
)
numbers = count()


def line(seconds=1.0, name="New", at=NOW, **more):
    """Return a line as no other is."""
    entry = {"class": name, "job_status": "done", "jid": f"job-{next(numbers):09}"}
    return json.dumps(entry | {"duration_s": seconds, "completed_at": at.isoformat()} | more) + "\n"


class Reader:
    """Reads with a new process each time, and commits what it read unless it is killed before."""

    def __init__(self, root):
        self.root, self.place, self.arms = root, NOWHERE, (Arm(), Arm())
        self.changes, self.on, self.off = (), [], []

    def measure(self, now=NOW):
        on, off = self.arms
        place = decode(json.loads(json.dumps(encode(self.place))), Place)
        kept = Kept(since=SINCE, changes=self.changes, treatment=on, control=off, place=place)
        return JobDurations(self.root, GUARD).measure(kept, now)

    def read(self, now=NOW):
        found = self.measure(now)
        assert found.error == ""
        assert found.treatment.total == self.arms[0].total + len(found.on_durations)
        self.place, self.arms = found.place, (found.treatment, found.control)
        self.on += found.on_durations
        self.off += found.off_durations
        return list(found.on_durations)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log/jobs.jsonl"
    path.parent.mkdir()
    path.touch()
    return path


@pytest.fixture
def reader(tmp_path, log):
    del log
    return Reader(tmp_path)


def append(path, text):
    with path.open("a") as file:
        file.write(text)


def test_every_duration_is_told_once_by_side(log, reader):
    append(log, line(1) + line(2, "Old") + line(3, job_status="fail") + line(4, "Other"))
    append(log, line(5, job_status="start") + line("long") + line(True))
    assert (reader.read(), reader.off) == ([1, 3], [2])
    assert reader.read() == []
    append(log, line(7))
    assert reader.read() == [7]
    assert reader.arms == (Arm(total=3), Arm(total=1))


def test_what_was_read_and_not_committed_is_read_again(log, reader):
    append(log, line(1))
    assert reader.measure().on_durations == (1,)
    append(log, line(2))
    assert reader.read() == [1, 2]


def test_a_line_that_is_being_written_waits_for_its_end(log, reader):
    text = line(3)
    append(log, text[:20])
    assert reader.read() == []
    append(log, text[20:] + text[:9])
    assert reader.read() == [3]


def test_jobs_that_began_before_the_flag_changed_last_do_not_count(log, reader):
    """Of those only the long ones are left by then, and nearly all of them on one side."""
    early = (SINCE - timedelta(seconds=1)).isoformat()
    append(log, line(5, enqueued_at=early) + line(-1e300) + line(10**308))
    append(log, line(1800.0, enqueued_at=SINCE.isoformat()))
    append(log, line(600.0) + line(3600.0) + line(3600.1, "Old") + line(1e300) + line(1e8))
    assert reader.read() == [1800.0, 600.0, 3600.0]
    reader.changes = (NOW,)
    append(log, line(2.0, at=NOW + timedelta(seconds=1)) + line(0.5, at=NOW + timedelta(seconds=1)))
    assert reader.read() == [0.5]
    assert reader.off == []


class TestRotation:
    def test_by_rename(self, log, reader):
        append(log, line(1))
        reader.read()
        append(log, line(2))
        log.rename(log.with_name("jobs-1.jsonl"))
        append(log, line(3))
        assert sorted(reader.read()) == [2, 3]
        append(log.with_name("jobs-1.jsonl"), line(4))
        assert reader.read() == [4]

    def test_by_copy_before_during_and_after_it_is_cut(self, log, reader):
        append(log, line(1) + line(2))
        reader.read()
        append(log, line(3))
        copy = log.with_name("jobs-1.jsonl")
        copy.write_bytes(log.read_bytes()[:-150])
        assert reader.read() == [3]
        shutil.copyfile(log, copy)
        assert reader.read() == []
        append(log, line(4))
        shutil.copyfile(log, copy)
        log.write_text("")
        assert reader.read() == [4]
        append(log, line(5))
        assert reader.read() == [5]

    def test_a_copy_in_which_some_lines_were_not_read_yet(self, log, reader):
        append(log, line(1))
        reader.read()
        append(log, line(2))
        shutil.copyfile(log, log.with_name("jobs-1.jsonl"))
        log.write_text(line(3))
        assert sorted(reader.read()) == [2, 3]
        assert reader.read() == []

    def test_a_copy_at_the_first_reading(self, log, reader):
        append(log, line(1))
        shutil.copyfile(log, log.with_name("a.jsonl"))
        append(log, line(2))
        shutil.copyfile(log, log.with_name("z.jsonl"))
        append(log, line(3))
        assert reader.read() == [1, 2, 3]
        append(log, line(4))
        assert reader.read() == [4]

    def test_a_copy_out_of_sight_loses_what_was_not_read_and_repeats_nothing(self, log, reader):
        append(log, line(1))
        reader.read()
        append(log, line(2))
        log.write_text(line(3))
        assert reader.read() == [3]

    def test_a_file_that_lost_its_end_is_passed_over(self, log, reader):
        append(log, line(1))
        half = log.stat().st_size
        append(log, line(2))
        reader.read()
        os.truncate(log, half)
        assert reader.read() == []
        append(log, line(3) + line(4))
        assert reader.read() == []  # in doubt nothing counts

    def test_a_log_that_went_and_is_unpacked_again(self, log, reader):
        append(log, line(1) + line(2))
        reader.read()
        packed = gzip.compress(log.read_bytes())
        log.unlink()
        append(log.with_name("next.jsonl"), line(3))
        assert reader.read() == [3]
        log.write_bytes(gzip.decompress(packed))
        assert reader.read() == []
        append(log, line(4))
        assert reader.read() == [4]

    def test_another_file_under_the_same_inode(self, log, reader):
        append(log, line(1))
        reader.read()
        log.write_text(line(2) + line(3))
        assert reader.read() == [2, 3]

    def test_files_with_the_same_first_line_are_taken_for_copies(self, log, reader):
        banner = "# a worker begins\n"
        log.write_text(banner + line(1) + line(2))
        log.with_name("other.jsonl").write_text(banner + line(3))
        assert reader.read() == [1, 2]
        append(log.with_name("other.jsonl"), line(4) + line(5) + line(6))
        assert reader.read() == []

    def test_a_first_line_without_end_is_known_by_its_beginning(self, log, reader):
        append(log, "x" * (HEAD - 1))
        assert reader.read() == []
        append(log, "x" * HEAD)
        assert reader.read() == []
        assert reader.place.logs[0].offset == 0
        append(log, "\n" + line(1))
        assert reader.read() == [1]


def test_logs_of_before_are_neither_read_nor_remembered(log, reader):
    append(log, line(1))
    reader.read()
    long_ago = (NOW - SKEW).timestamp() - 1
    old = log.with_name("old.jsonl")
    append(old, line(2))
    os.utime(old, (long_ago, long_ago))
    reader.changes = (NOW,)
    assert reader.read() == []
    assert len(reader.place.logs) == 1
    os.utime(log, (NOW.timestamp(), NOW.timestamp()))
    reader.changes = (NOW + 2 * SKEW,)
    assert reader.read(NOW + 2 * SKEW) == []
    assert reader.place.logs == ()


def test_too_many_logs_are_no_reading(log, reader, monkeypatch):
    monkeypatch.setattr(job_durations, "MOST", 1)
    append(log, line(1))
    append(log.with_name("more.jsonl"), line(2))
    assert "more than 1 logs" in reader.measure().error
    log.unlink()
    assert reader.read() == [2]


def test_no_file_is_no_reading(log, reader):
    log.unlink()
    assert reader.measure().error == "no file matches log/*.jsonl"
    assert (
        JobDurations(reader.root, replace(GUARD, logs=("",))).measure(Kept(since=SINCE), NOW).error
    )


@given(st.data())
def test_read_in_any_pieces_and_killed_anywhere_is_as_read_once(tmp_path_factory, data):
    """Lines come torn, files are rotated, and a reader may die after reading."""
    root = tmp_path_factory.mktemp("any")
    log = root / "log/jobs.jsonl"
    log.parent.mkdir()
    log.touch()
    reader, written, torn = Reader(root), [], ""
    deeds = st.sampled_from(["write", "tear", "rename", "copy", "read", "die"])
    for number, deed in enumerate(data.draw(st.lists(deeds, max_size=25))):
        if deed in {"write", "tear"}:
            some = [float(len(written) + each) for each in range(data.draw(st.integers(1, 3)))]
            written += some
            text = torn + "".join(map(line, some))
            at = round(len(text) * data.draw(st.floats(0, 1))) if deed == "tear" else len(text)
            append(log, text[:at])
            torn = text[at:]
        elif deed == "rename" and not torn:
            log.rename(log.with_name(f"jobs-{number}.jsonl"))
            log.touch()
        elif deed == "copy" and not torn:
            shutil.copyfile(log, log.with_name(f"jobs-{number}.jsonl"))
            if data.draw(st.booleans()):
                log.write_text("")
        elif deed == "read":
            reader.read()
        elif deed == "die":
            reader.measure()
    append(log, torn)
    reader.read()
    assert sorted(reader.on) == written
    shutil.rmtree(root)
