"""A server that is killed between reading a source and committing changes no evidence."""

from __future__ import annotations

import json
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from guarded import ISSUE, PATIENCE, Server, project, start, until

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(900)]

SETTINGS = """
sources:
  shop: {http: "%(url)s", timeout: 30s}
statistics: {poll: 2s}
policies: {consistency: false}
guards:
  - {name: orders, flag: checkout_v2, source: shop, bad: "{cohort}.bad", total: "{cohort}.all"}
"""


class Shop:
    """Counters that only grow, and a trap: in it, nothing that was read can be written down."""

    def __init__(self, database):
        self.database = database
        self.counts = {each: {"bad": 0, "all": 0} for each in ("on", "off")}
        self.armed, self.caught, self.freed = (threading.Event() for _ in range(3))
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.thread = threading.Thread(target=self.http.serve_forever)
        self.url = f"http://127.0.0.1:{self.http.server_port}/counts"

    def handler(self):
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                caught = shop.armed.is_set() and not shop.caught.is_set()
                if caught:
                    shop.close_trap()
                    shop.sell(70)
                body = json.dumps(shop.counts).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
                if caught:
                    shop.caught.set()
                    assert shop.freed.wait(PATIENCE)
                    shop.lock.close()

            def log_message(self, *_):
                pass

        return Handler

    def sell(self, number):
        for side in self.counts.values():
            side["all"] += number
            side["bad"] += 1

    def close_trap(self):
        """Keep everybody else from writing, and remember what is known by now."""
        self.lock = sqlite3.connect(self.database, timeout=PATIENCE)
        self.lock.execute("BEGIN IMMEDIATE")
        self.known = watches(self.lock)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.freed.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def watches(connection):
    (body,) = connection.execute("SELECT body FROM rollout").fetchone()
    return json.loads(body)["watches"]


@pytest.fixture
def root(tmp_path):
    return project(tmp_path, issue=ISSUE.replace("8 seconds", "1 hour"))


def test_what_was_read_and_not_committed_is_read_again_and_counts_once(root):
    database = root / ".flagstaff/state.db"
    with Shop(database) as shop:
        (root / "flagstaff.yml").write_text(SETTINGS % {"url": shop.url})
        server = Server(root)
        try:
            start(root)
            # The first reading only marks where the counters stand.
            until(root, lambda each: each["guards"] and each["guards"][0]["verdict"])
            shop.sell(30)
            until(root, counted(30))
            shop.armed.set()
            assert shop.caught.wait(PATIENCE)
            server.kill()
            after = sqlite3.connect(database)
            assert watches(after) == shop.known
            after.close()
            shop.freed.set()
            server.start()
            found = until(root, counted(100))
        finally:
            server.kill()
    assert found["guards"][0]["treatment"]["failed"] == 2
    assert found["phase"] in {"running", "waiting"}


def counted(number):
    """Return whether both sides hold so many, and never more."""

    def holds(found):
        sides = [found["guards"][0][side]["total"] for side in ("treatment", "control")]
        assert max(sides) <= number
        return sides == [number, number]

    return holds
