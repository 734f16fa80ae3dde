"""A server that is killed again and again compares the duration of each job once."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from datetime import UTC, datetime

import pytest

from guarded import PATIENCE, Server, project, start, until

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(900)]

SETTINGS = """
statistics: {poll: 1s}
policies: {consistency: false}
renames:
  - {flag: rename_notify, old: shop.notify, new: integrations.notify}
guards:
  - {name: slow, flag: rename_notify, jobs: log/jobs-*.jsonl, slower_than: 1s}
"""
ISSUE = """# [Feature flag] Rollout of `rename_notify`

## Rollout Steps

- [ ] `/chatops run feature set rename_notify 50 --random`
- [ ] Wait for 1 hour
"""


@pytest.fixture
def root(tmp_path):
    project(tmp_path, SETTINGS, ISSUE, flag="rename_notify", kind="worker")
    (tmp_path / "log").mkdir()
    (tmp_path / "log/jobs-1.jsonl").touch()
    return tmp_path


class Shop:
    """Writes what its jobs took, half of them under the new name, and rotates its log."""

    def __init__(self, root):
        self.log = root / "log/jobs-1.jsonl"
        self.number = 0

    def work(self, jobs):
        with self.log.open("a") as file:
            for _ in range(jobs):
                self.number += 1
                name = "integrations.notify" if self.number % 2 else "shop.notify"
                entry = {"class": name, "job_status": "done", "jid": f"{self.number}"}
                entry["duration_s"] = 0.001 * (1 + self.number % 7)
                file.write(json.dumps(entry | {"completed_at": datetime.now(UTC).isoformat()}))
                file.write("\n")

    def rotate(self):
        self.log.rename(self.log.with_name(f"jobs-{self.number}.jsonl"))

    def copy_and_cut(self):
        shutil.copyfile(self.log, self.log.with_name(f"jobs-{self.number}.jsonl"))
        os.truncate(self.log, 0)


def watch(connection):
    (body,) = connection.execute("SELECT body FROM rollout").fetchone()
    [found] = [each for each in json.loads(body)["watches"] if each["guard"] == "slow in pairs"]
    return found


def compared(root, number):
    """Return once so many durations are in the evidence, and never more."""
    end = time.monotonic() + PATIENCE
    while True:
        connection = sqlite3.connect(root / ".flagstaff/state.db", timeout=PATIENCE)
        found = watch(connection)
        connection.close()
        state = found.get("durations", {"treatment": {"total": 0}, "control": {"total": 0}})
        totals = [state[side]["total"] for side in ("treatment", "control")]
        assert sum(totals) <= number
        assert totals == [found[side]["total"] for side in ("treatment", "control")]
        if sum(totals) == number:
            return found
        assert time.monotonic() < end, totals
        time.sleep(0.2)


def test_each_duration_is_compared_once_through_kills_and_rotations(root):
    database, shop, server = root / ".flagstaff/state.db", Shop(root), Server(root)
    try:
        start(root)
        until(root, lambda each: any(guard["verdict"] for guard in each["guards"]))
        shop.work(30)
        compared(root, 30)
        for change in (shop.rotate, shop.copy_and_cut, lambda: None, shop.copy_and_cut):
            # What is read while nobody can write is never committed.
            lock = sqlite3.connect(database, timeout=PATIENCE)
            lock.execute("BEGIN IMMEDIATE")
            known = watch(lock)
            shop.work(20)
            time.sleep(2)
            server.kill()
            assert watch(lock) == known
            lock.close()
            shop.work(7)
            change()
            shop.work(13)
            server.start()
            shop.work(10)
            found = compared(root, shop.number)
        assert found["durations"]["pairs"] > 0
        assert found["durations"]["harmful_at"] is None
    finally:
        server.kill()
