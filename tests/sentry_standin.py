"""A stand-in for the part of Sentry's HTTP API that guards ask: the table of events.

It keeps events with tags and users, counts those of a window `start <= time < end` to the second,
asks for a token and refuses what Sentry refuses.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN = "sntrys_test"
PATH = "/api/0/organizations/acme/events/"
REQUIRED = ("dataset", "field", "project", "start", "end")


class Sentry(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events = []
        self.asked = []
        self.refusals = []
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def add(self, at, user, **tags):
        self.events.append((at, user, {key.replace("__", "."): each for key, each in tags.items()}))

    def answer(self, query):
        missing = [each for each in REQUIRED if each not in query]
        if missing or query["dataset"] != ["errors"] or not query["project"][0].isdecimal():
            return 400, {"detail": f"Invalid: {missing or query}"}
        start, end = (
            datetime.fromisoformat(query[each][0]).replace(tzinfo=UTC) for each in ("start", "end")
        )
        if start >= end:
            return 400, {"detail": "start must be before end"}
        wanted = dict(re.findall(r'([\w.]+):"?([\w.]+)"?', query.get("query", [""])[0]))
        found = [
            user
            for at, user, tags in self.events
            if start <= at < end and wanted.items() <= tags.items()
        ]
        people = {user for user in found if user is not None}
        row = {"count()": len(found), "count_unique(user)": len(people)}
        fields = dict.fromkeys(row, "integer")
        return 200, {"data": [row], "meta": {"fields": fields, "dataset": "errors"}}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.asked.append(query)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status, body = 401, {"detail": "Invalid token"}
        elif self.server.refusals:
            status, body = self.server.refusals.pop(0), {"detail": "You are doing this too often"}
        elif parts.path != PATH:
            status, body = 404, {"detail": "The requested resource does not exist"}
        else:
            status, body = self.server.answer(query)
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Sentry-Rate-Limit-Remaining", "0" if status == 429 else "39")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass
