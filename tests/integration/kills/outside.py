"""What arrives outside, under which key, and from which server?"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from sqlalchemy import create_engine, func, make_url, select

from flagstaff.store.tables import effect
from kills.scripts import UNSTEADY

CHANNELS = 2
"""That of production, and the team's."""


class Webhook:
    """Keeps every arrival, in two moments that a sender can be killed at.

    `on_way(sender, key, text, times)` is asked first and returns whether it is lost on the way;
    `on_arrival`, with the same, when it has arrived and the answer has not left. A sender is named
    by the address that it posts to.
    """

    def __init__(self):
        self.arrivals = []
        self.refusals = set()
        self.on_way = lambda *_: False
        self.on_arrival = lambda *_: None
        self._tries = Counter()
        self._lock = threading.Lock()
        standin = self

        class Handler(_Handler):
            webhook = standin

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def url(self, sender):
        return f"http://127.0.0.1:{self._server.server_port}/{sender}"

    def texts(self):
        """Return what was taken, by key, in the order of arrival."""
        found = {}
        with self._lock:
            for key, text in self.arrivals:
                found.setdefault(key, []).append(text)
        return found

    def has(self, text):
        """Return whether a text has arrived in both channels that are told of production.

        They are one effect: a rollback after the first gives up the second, as it should.
        """
        with self._lock:
            return len({key for key, each in self.arrivals if text in each}) >= CHANNELS

    def settle(self, database, patience=120.0):
        """Wait until the outbox is empty: what a killed server had in hand is free by and by."""
        pending = select(func.count()).where(effect.c.status == "pending")
        url = make_url(database)
        if url.get_backend_name() == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        engine, end = create_engine(url), time.monotonic() + patience
        try:
            while time.monotonic() < end:
                with engine.connect() as connection:
                    if not connection.execute(pending).scalar_one():
                        break
                time.sleep(0.2)
        finally:
            engine.dispose()

    def take(self, sender, key, text):
        """Return the status that answers; what is refused has not arrived."""
        if UNSTEADY in text and key.split("/")[2] == "0":
            with self._lock:
                self.refusals.add(key)
            return 400
        with self._lock:
            self._tries[key] += 1
            times = self._tries[key]
        if self.on_way(sender, key, text, times):
            return 503
        with self._lock:
            self.arrivals.append((key, text))
        self.on_arrival(sender, key, text, times)
        return 204

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Say nothing: that callers are killed is what this is for."""


class _Handler(BaseHTTPRequestHandler):
    webhook: Webhook

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = unquote(self.headers["Idempotency-Key"])
        status = self.webhook.take(self.path.strip("/"), key, body["text"])
        with suppress(OSError):
            self.send_response(status)
            self.end_headers()

    def log_message(self, *_):
        pass
