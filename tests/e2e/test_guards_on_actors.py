"""A real server counts people, not their calls: each once, however many processes they meet."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flagstaff.flags.bucketing import bucket
from guarded import Server, project, start, until

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(900)]

SETTINGS = """
statistics: {poll: 2s}
policies: {consistency: false}
guards:
  - {name: orders, flag: checkout_v2, source: flagstaff, unit: actors}
  - {name: calls, flag: checkout_v2, source: flagstaff, unit: calls, dry_run: true}
"""
SHOP = """
import random
import sys
import time

from flagstaff.sdk.client import Client

url, token, people, often, harm = sys.argv[1:]
flags = Client.connect(
    url, environment="production", application="shop", token_file=token, cache=None
)
choose = random.Random(int(time.time_ns()))
fails = random.Random(7)
unlucky = {f"User:{number}" for number in range(int(people)) if fails.random() < float(harm)}
often = {user: index < 4 for index, user in enumerate(often.split())}
while True:
    for _ in range(60):
        user = f"User:{choose.randrange(int(people))}"
        on = flags.is_enabled("checkout_v2", user)
        ok = user not in often and not (on and user in unlucky)
        flags.outcome("checkout_v2", on, ok, actor=user)
    for user, again in often.items():
        for _ in range(30 if again else 1):
            on = flags.is_enabled("checkout_v2", user)
            flags.outcome("checkout_v2", on, False, actor=user)
    time.sleep(0.05)
"""


@pytest.fixture
def root(tmp_path):
    return project(tmp_path, SETTINGS)


@pytest.fixture
def server(root):
    server = Server(root)
    yield server
    server.kill()


class Shops:
    """Processes of one application, each with the real SDK."""

    def __init__(self, root, server, *, people, often=(), harm=0.0, count=3):
        words = (server.url, root / ".flagstaff/token", people, " ".join(often), harm)
        self._command = [sys.executable, "-c", SHOP, *map(str, words)]
        self._processes = [subprocess.Popen(self._command) for _ in range(count)]

    def replace_one(self):
        """Kill one in the middle of whatever it does, and start another."""
        self._processes[0].kill()
        self._processes[0].wait()
        self._processes[0] = subprocess.Popen(self._command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self._processes:
            each.kill()
            each.wait()


def buckets(low, high):
    """Return four users whose side is the same in all stages."""
    users = (f"User:{number}" for number in range(2_000))
    return [each for each in users if low <= bucket("checkout_v2", each) < high][:4]


def test_harm_to_people_rolls_back_and_is_told_in_people(root, server):
    with Shops(root, server, people=2_000, harm=0.2):
        start(root)
        found = until(root, lambda each: each["phase"] == "rolled_back")
    assert "people with the flag on against" in found["reason"]
    assert "people had a failure who would not have" in found["reason"]


def test_those_who_fail_again_and_again_count_once(root, server):
    often = buckets(0, 50_000) + buckets(75_000, 100_000)
    with Shops(root, server, people=2_000, often=often) as shops:
        start(root)
        until(root, lambda each: guard(each, "orders")["treatment"]["failed"] >= 4)
        shops.replace_one()
        found = until(
            root,
            lambda each: (
                guard(each, "calls")["verdict"] == "fail"
                and guard(each, "orders")["control"]["total"] >= 700
                and guard(each, "orders")["control"]["failed"] >= 4
            ),
        )
    assert found["phase"] in {"running", "waiting"}
    by_actor = guard(found, "orders")
    assert by_actor["verdict"] != "fail"
    assert (by_actor["treatment"]["failed"], by_actor["control"]["failed"]) == (4, 4)


def guard(found, name):
    """Return what a guard has counted, nothing as long as it was not read."""
    nothing = {"verdict": "", "treatment": {"total": 0, "failed": 0}}
    known = {each["guard"]: each for each in found["guards"]}
    return known.get(name, {**nothing, "control": nothing["treatment"]})
