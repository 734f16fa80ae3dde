"""A real server, watching a real Prometheus, rolls back by itself what does harm."""

from __future__ import annotations

import random
import re
import threading
import time

import pytest

from flagstaff.sdk.client import Client
from guarded import ISSUE, PATIENCE, Server, flagstaff, is_over, points, project, start, until
from prometheus import PrometheusServer, Target, needed

pytestmark = [needed, pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]

SETTINGS = """
sources:
  main: {prometheus: "%(url)s", lag: 2s}
statistics: {poll: 2s}
policies: {consistency: false}
guards:
  - name: 5xx
    flag: checkout_v2
    source: main
    bad: shop_requests_total{code="500"}
    total: shop_requests_total
"""


SLOW = """  - name: slow
    flag: checkout_v2
    source: main
    histogram: shop_seconds
    slower_than: [250ms, 1s]
"""


class Traffic:
    """Requests to the application; with the flag on `harm` of them fail, without it 2 %.

    As many more are slow: `slow` of them with it on, 2 % without. Each user comes once, and is
    asked about with `asks`; else half of them have the flag on. What fails is spread evenly: no
    guard is right about each harmless rollout, and a test has to be.
    """

    def __init__(self, targets, harm=0.02, slow=0.02, asks=None):
        self.targets, self.harm, self.slow, self.asks = targets, harm, slow, asks
        self.random, self.users, self.owed = random.Random(7), 0, {}
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stopping.wait(0.05):
            for _ in range(50):
                variant = self.variant()
                rate = self.harm if variant == "on" else 0.02
                code = "500" if self.due((variant, "fails"), rate) else "200"
                target = self.random.choice(self.targets)
                target.count(variant, code)
                slow = self.slow if variant == "on" else 0.02
                target.took(variant, 0.7 if self.due((variant, "slow"), slow) else 0.1)

    def due(self, what, rate):
        owed = self.owed.get(what, 0.0) + rate
        self.owed[what] = owed % 1
        return owed >= 1

    def variant(self):
        if self.asks is None:
            return self.random.choice(("on", "off"))
        self.users += 1
        return "on" if self.asks(f"User:{self.users}") else "off"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


@pytest.fixture
def targets():
    found = [Target().start(), Target().start()]
    yield found
    for each in found:
        each.stop()


@pytest.fixture
def prometheus(tmp_path, targets):
    folder = tmp_path / "prometheus"
    folder.mkdir()
    server = PrometheusServer(folder, targets).start()
    yield server
    server.stop()


@pytest.fixture
def root(tmp_path, prometheus):
    root = tmp_path / "shop"
    return project(root, SETTINGS % {"url": prometheus.url})


@pytest.fixture
def server(root):
    server = Server(root)
    yield server
    server.kill()


@pytest.fixture
def asks(root, server):
    """Ask the SDK, as the application does that is watched."""
    flags = Client.connect(
        server.url,
        environment="production",
        application="shop",
        token_file=root / ".flagstaff/token",
        cache=None,
    )
    yield flags.flag("checkout_v2")
    flags.close()


def test_harm_is_rolled_back_with_the_numbers(root, server, targets):
    with Traffic(targets, harm=0.12):
        start(root)
        found = until(root, lambda each: each["phase"] == "rolled_back")
    words = (
        "Rolled back after",
        "5xx with the flag on",
        "x flag off",
        "requests against",
        "20 : 1",
    )
    assert all(each in found["reason"] for each in words), found["reason"]
    assert "extra failures reached users" in found["reason"]
    del server


def test_slow_answers_are_rolled_back_with_the_numbers(root, targets):
    with (root / "flagstaff.yml").open("a") as settings:
        settings.write(SLOW)
    server = Server(root)
    try:
        with Traffic(targets, slow=0.12):
            start(root)
            found = until(root, lambda each: each["phase"] == "rolled_back")
    finally:
        server.kill()
    words = ("slow over 250 ms with the flag on", "requests took over 250 ms against", "limit")
    assert all(each in found["reason"] for each in words), found["reason"]
    assert "extra slow requests reached users" in found["reason"]


def test_no_harm_goes_on_over_a_restarted_target_and_a_killed_server(root, server, targets):
    with Traffic(targets, harm=0.02):
        start(root)
        until(root, lambda each: each["guards"] and each["guards"][0]["treatment"]["total"] > 500)
        targets[0].restart()
        server.kill()
        server.start()
        found = until(root, lambda each: "75" in str(each["steps"]) and on_second_wait(each))
    assert found["phase"] in {"running", "waiting"}


def on_second_wait(found):
    done = [each for each in found["steps"] if each["status"] == "done"]
    return len(done) >= 3


def test_without_prometheus_nothing_goes_on(root, server, targets, prometheus):
    # Long enough that the source is gone before the time is up, on a slow machine as well.
    (root / "issue.md").write_text(ISSUE.replace("8 seconds", "60 seconds"))
    with Traffic(targets, harm=0.02):
        start(root)
        until(root, lambda each: each["guards"] and each["guards"][0]["treatment"]["total"] > 50)
        prometheus.stop()
        found = until(root, lambda each: "no data" in each["guards"][0]["evidence"])
        again = until(root, lambda each: "time is up" in each["steps"][1]["note"])
    assert "does not answer" in found["guards"][0]["evidence"]
    assert [each["status"] for each in again["steps"]].count("done") == 1
    prometheus.start()
    del server


TO_EVERYBODY = """# [Feature flag] Rollout of `checkout_v2`

## Rollout Steps

- [ ] `/chatops run feature set checkout_v2 50 --actors`
- [ ] Wait for 4 seconds
- [ ] `/chatops run feature set checkout_v2 true`
- [ ] Wait for 4 seconds
"""


def everybody(asks, answer):
    """Wait until the application has heard."""
    end = time.monotonic() + PATIENCE
    while {asks(f"User:new{each}") for each in range(200)} != {answer}:
        assert time.monotonic() < end, "the application does not hear of it"
        time.sleep(0.1)


def test_no_harm_goes_to_everybody_and_ends(root, targets, asks):
    (root / "issue.md").write_text(TO_EVERYBODY)
    with Traffic(targets, asks=asks):
        start(root)
        found = until(root, is_over)
        everybody(asks, True)
    assert (found["phase"], found["reason"]) == ("completed", "")
    waits = [each for each in found["steps"] if each["kind"] == "Bake"]
    assert all("evidence of safety" in each["note"] for each in waits), waits
    said = points(root)
    assert {each["percentage"] for each in said} == {50.0, 100.0}
    standings = {each["standing"] for each in said}
    # On a slow machine a scrape may come too late for a poll; the next one counts it.
    assert standings - {"no_data"} == {"collecting", "healthy"}


def test_harm_is_found_as_soon_as_the_check_of_the_plan_promised(root, targets, prometheus, asks):
    (root / "issue.md").write_text(ISSUE.replace("8 seconds", "10 minutes"))
    targets[0].count("off", "200", 91_140)
    targets[1].count("off", "500", 1_860)
    # The check reads what was there two seconds ago, of both targets.
    prometheus.until(lambda: prometheus.value("shop_requests_total offset 4s") == 93_000)
    # So many in an hour: that is what the application is taken to serve.
    told = flagstaff(root, "plan", "check", "issue.md")
    stage = r"10 minutes: about (\S+) requests with the flag on; sees harm from (\S+)x on before"
    number, ratio = re.search(stage, told).groups()
    with Traffic(targets, harm=0.05, asks=asks):
        start(root)
        found = until(root, is_over)
        everybody(asks, False)
    assert float(ratio) < 0.05 / 0.02
    assert (found["phase"], "at 50 %" in found["reason"]) == ("rolled_back", True), found
    # Counted in requests, not in seconds: the reading before was made with fewer than promised.
    *before, last = points(root)
    assert last["standing"] == "harmful"
    assert all(each["treatment"]["total"] < int(number.replace(",", "")) for each in before)
