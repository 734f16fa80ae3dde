"""A real server rolls back what applications report to go wrong, by their SDK and in seconds."""

from __future__ import annotations

import random
import threading

import pytest

from flagstaff.sdk.client import Client
from guarded import Server, project, start, until

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]

SETTINGS = """
statistics: {poll: 2s}
policies: {consistency: false}
guards:
  - {name: orders, flag: checkout_v2, source: flagstaff, counts: orders}
"""


@pytest.fixture
def root(tmp_path):
    return project(tmp_path, SETTINGS)


@pytest.fixture
def server(root):
    server = Server(root)
    yield server
    server.kill()


def order(flags, stopping):
    """Ask about one user after the other; with the flag on, 15 % of the orders fail, else 2 %."""
    choose = random.Random(3)
    number = 0
    while not stopping.wait(0.05):
        for _ in range(30):
            number += 1
            on = flags.is_enabled("checkout_v2", f"User:{number}")
            flags.outcome("checkout_v2", on, choose.random() > (0.15 if on else 0.02))


def test_what_the_sdk_reports_is_enough_to_roll_back(root, server):
    flags = Client.connect(
        server.url,
        environment="production",
        application="shop",
        token_file=root / ".flagstaff/token",
        cache=None,
    )
    stopping = threading.Event()
    orders = threading.Thread(target=order, args=(flags, stopping))
    orders.start()
    try:
        start(root)
        found = until(root, lambda each: each["phase"] == "rolled_back")
    finally:
        stopping.set()
        orders.join()
        flags.close()
    assert "orders with the flag on" in found["reason"]
    assert "extra failures reached users" in found["reason"]
