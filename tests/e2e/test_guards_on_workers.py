"""A real server watches real workers on a real Redis while one of their jobs is renamed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from brokers import Redis
from guarded import PATIENCE, Server, flagstaff, is_over, points, project, start, until

HERE = Path(__file__).parent
OLD, NEW = "shop.notify", "integrations.notify"

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]

SETTINGS = """
statistics: {poll: 1s}
policies: {consistency: false}
renames:
  - {flag: rename_notify, old: shop.notify, new: integrations.notify}
guards:
  - {name: renamed workers, flag: rename_notify, jobs: log/jobs-*.jsonl, safe_below: 0.1}
"""
SLOW = "  - {name: slow, flag: rename_notify, jobs: log/jobs-*.jsonl, slower_than: 1s}\n"
ISSUE = """# [Feature flag] Rollout of `rename_notify`

## Rollout Steps

- [ ] `/chatops run feature set rename_notify 50 --actors`
- [ ] Wait for %s
"""
LAST_DAY = 2_000
"""Jobs that ran before the rollout; the check of its plan takes them for those of a day."""


@pytest.fixture
def root(tmp_path, request):
    settings = getattr(request, "param", SETTINGS)
    return project(tmp_path / "shop", settings, flag="rename_notify", kind="worker")


@pytest.fixture
def server(root):
    server = Server(root)
    yield server
    server.kill()


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def surroundings(root, server, redis):
    """Return the environment of workers and of whoever publishes."""
    return {
        **os.environ,
        "BROKER": redis.url(),
        "FLAGSTAFF_URL": server.url,
        "FLAGSTAFF_ENVIRONMENT": "production",
        "FLAGSTAFF_TOKEN_FILE": str(root / ".flagstaff/token"),
        "FLAGSTAFF_CACHE_DIR": str(root / "cache"),
        "PYTHONPATH": str(HERE),
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def worker(root, surroundings, harm=0.02, slow=0.0):
    """Run a worker, until the block ends."""
    words = ["-P", "solo", "-l", "CRITICAL", "--without-gossip", "--without-mingle"]
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "guarded_jobs:app", "worker", *words],
        cwd=root,
        env={**surroundings, "HARM": str(harm), "SLOW": str(slow)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def publishing(root, surroundings, *words):
    return subprocess.Popen(
        [sys.executable, str(HERE / "guarded_jobs.py"), *map(str, words)],
        cwd=root,
        env=surroundings,
        stdout=subprocess.PIPE,
        text=True,
    )


def all_end(root, number):
    """Return once so many jobs have ended."""
    end = time.monotonic() + PATIENCE
    while (found := len(ended(root))) != number:
        assert time.monotonic() < end, f"{found} of {number} jobs ended"
        time.sleep(0.2)


def number_of(published):
    told, _ = published.communicate(timeout=300)
    return int(told)


def ended(root):
    """Return the names of the jobs that ended, in no order."""
    lines = [
        json.loads(line)
        for file in (root / "log").glob("jobs-*.jsonl")
        for line in file.read_text().splitlines(keepends=True)
        if line.endswith("\n")
    ]
    return [each["class"] for each in lines if each["job_status"] in {"done", "fail"}]


def test_harm_is_found_as_soon_as_the_check_of_the_plan_promised_and_no_job_is_lost(
    root, surroundings
):
    (root / "issue.md").write_text(ISSUE % "2 days")
    with worker(root, surroundings, harm=0.08):
        before = number_of(publishing(root, surroundings, 0, LAST_DAY))
        all_end(root, before)
        told = flagstaff(root, "plan", "check", "issue.md")
        stage = r"2 days: about (\S+) jobs under .*?; sees harm from (\S+)x on before"
        promised, ratio = re.search(stage, told).groups()
        published = publishing(root, surroundings, 50)
        start(root)
        found = until(root, is_over)
        (root / "stop").touch()
        sent = number_of(published) + before
        all_end(root, sent)
    assert float(ratio) < 0.08 / 0.02
    assert found["phase"] == "rolled_back", found
    assert "at 50 %" in found["reason"]
    # Counted in jobs, not in seconds: the reading before was made with fewer than promised.
    *earlier, last = points(root)
    assert last["standing"] == "harmful"
    assert all(each["treatment"]["total"] < int(promised.replace(",", "")) for each in earlier)


def test_a_harmless_rename_is_shown_safe_and_no_job_is_lost(root, surroundings):
    (root / "issue.md").write_text(ISSUE % "4 seconds")
    with worker(root, surroundings, harm=0.02):
        published = publishing(root, surroundings, 50)
        start(root)
        found = until(root, is_over)
        (root / "stop").touch()
        sent = number_of(published)
        all_end(root, sent)
    assert (found["phase"], found["reason"]) == ("completed", "")
    [wait] = [each for each in found["steps"] if each["kind"] == "Bake"]
    assert "evidence of safety" in wait["note"]
    assert {OLD, NEW} == set(ended(root))


@pytest.mark.parametrize("root", [SETTINGS + SLOW], indirect=True)
def test_jobs_that_take_a_little_longer_are_found_in_pairs(root, surroundings):
    """None of them comes near the bound, so counting those above it sees nothing."""
    (root / "issue.md").write_text(ISSUE % "2 days")
    with worker(root, surroundings, slow=0.002):
        published = publishing(root, surroundings, 50)
        start(root)
        found = until(root, is_over)
        (root / "stop").touch()
        sent = number_of(published)
        all_end(root, sent)
    assert found["phase"] == "rolled_back", found
    said = r"at 50 %: slow in pairs: in (\d+) % of pairs the one under the new names took longer, "
    share = re.search(said, found["reason"])
    assert share, found["reason"]
    assert int(share[1]) > 60
    said = {each["guard"]: each for each in found["guards"]}
    assert (said["slow in pairs"]["verdict"], said["slow"]["treatment"]["failed"]) == ("fail", 0)
    assert said["slow in pairs"]["longer"] > 0.6
