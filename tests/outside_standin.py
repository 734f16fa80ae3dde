"""Stand-ins of those who are told of changes, and asked who is on call, on the loopback.

They answer in the documented shapes of Grafana's annotations, of webhooks, of PagerDuty's on-calls
and of Opsgenie's, check tokens, and can be told to fail.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

GRAFANA, PAGERDUTY, OPSGENIE = "glsa_test", "pd-key", "og-key"
SECRET = "whsec_" + base64.b64encode(b"shared between the two").decode()


class Outside:
    """Remembers what it was told.

    `fail` holds for each part (`grafana`, `events` …) what the next answers are: a status, or
    `"lost"` for something that is done and whose answer does not arrive.
    """

    def __init__(self):
        self.annotations = []
        self.events = []
        self.fail = {}
        self.asked = []
        self.oncalls = []
        self.recipients = []
        self.raw = {}
        outside = self

        class Handler(_Handler):
            standin = outside

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def annotate(self, given, token):
        if token != f"Bearer {GRAFANA}":
            return 401, {"message": "Unauthorized"}
        if not isinstance(given.get("text"), str) or not given["text"]:
            return 400, {"message": "Failed to save annotation", "error": "text is empty"}
        if not isinstance(given.get("time"), int) or not isinstance(given.get("tags"), list):
            return 400, {"message": "bad request data"}
        self.annotations.append({**given, "id": len(self.annotations) + 1})
        return 200, {"message": "Annotation added", "id": len(self.annotations)}

    def find(self, query):
        since, until = int(query["from"][0]), int(query["to"][0])
        return 200, [
            each
            for each in self.annotations
            if since <= each["time"] <= until and set(query.get("tags", ())) <= set(each["tags"])
        ]

    def hear(self, body, headers):
        key, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        mac = hmac.new(b"shared between the two", f"{key}.{sent}.".encode() + body, hashlib.sha256)
        wanted = f"v1,{base64.b64encode(mac.digest()).decode()}"
        if not hmac.compare_digest(wanted, headers.get("webhook-signature", "")):
            return 401, {"error": "the signature is wrong"}
        self.events.append((key, json.loads(body), dict(headers)))
        return 202, {}


class _Handler(BaseHTTPRequestHandler):
    standin: Outside
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path).path
        token = self.headers.get("authorization", "")
        if path == "/api/annotations":
            self._answer("grafana", lambda: self.standin.annotate(json.loads(body), token))
        else:
            self._answer("events", lambda: self.standin.hear(body, self.headers))

    def do_GET(self):
        parts = urlsplit(self.path)
        path, query = parts.path, parse_qs(parts.query)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.standin.asked.append((unquote(path), query, headers))
        token = self.headers.get("authorization", "")
        if path == "/api/annotations":
            self._answer("grafana-find", lambda: self.standin.find(query))
        elif path == "/oncalls":
            good = token == f"Token token={PAGERDUTY}"
            listed = {"oncalls": self.standin.oncalls, "limit": 100, "offset": 0, "more": False}
            self._answer("pagerduty", lambda: (200, listed) if good else (401, {"error": {}}))
        else:
            good = token == f"GenieKey {OPSGENIE}"
            listed = {
                "data": {
                    "_parent": {"id": "d875", "name": "ops", "enabled": True},
                    "onCallRecipients": self.standin.recipients,
                },
                "took": 0.01,
                "requestId": "4b1",
            }
            self._answer("opsgenie", lambda: (200, listed) if good else (403, {"message": "no"}))

    def _answer(self, part, done):
        failing = self.standin.fail.get(part) or []
        failure = failing.pop(0) if failing else None
        if part in self.standin.raw:
            status, body = 200, self.standin.raw[part]
        elif isinstance(failure, int):
            status, body = failure, "{}"
        else:
            status, found = done()
            body = json.dumps(found)
        if failure == "lost":
            self.close_connection = True
            return
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
