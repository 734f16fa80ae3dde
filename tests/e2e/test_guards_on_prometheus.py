"""A real server, watching a real Prometheus, rolls back by itself what does harm."""

from __future__ import annotations

import random
import threading

import pytest

from guarded import ISSUE, Server, start, until
from prometheus import PrometheusServer, Target, needed

pytestmark = [needed, pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]

DEFINITION = "name: checkout_v2\ntype: development\ndefault_enabled: false\n"
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

    As many more are slow: `slow` of them with it on, 2 % without.
    """

    def __init__(self, targets, harm=0.02, slow=0.02):
        self.targets, self.harm, self.slow = targets, harm, slow
        self.random = random.Random(7)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stopping.wait(0.05):
            for _ in range(50):
                variant = self.random.choice(("on", "off"))
                rate = self.harm if variant == "on" else 0.02
                code = "500" if self.random.random() < rate else "200"
                target = self.random.choice(self.targets)
                target.count(variant, code)
                slow = self.slow if variant == "on" else 0.02
                target.took(variant, 0.7 if self.random.random() < slow else 0.1)

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
    path = root / "config/feature_flags/development/checkout_v2.yml"
    path.parent.mkdir(parents=True)
    path.write_text(DEFINITION)
    (root / "flagstaff.yml").write_text(SETTINGS % {"url": prometheus.url})
    (root / "issue.md").write_text(ISSUE)
    return root


@pytest.fixture
def server(root):
    server = Server(root)
    yield server
    server.kill()


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
