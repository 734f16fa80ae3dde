"""What stand-ins of forges have in common: HTTP on the loopback, faults at will, webhooks."""

from __future__ import annotations

import json
import threading
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class ForgeStandIn:
    """Answers the requests of one forge's clients.

    `faults` are answers to the next requests whose method and path begin so: a status, `"lost"` for
    what is done and whose answer is lost, `"hang"` for what is never answered. `hook` is where
    webhooks are sent to: an address, and a function that returns their headers.
    """

    def __init__(self):
        self.calls = []
        self.faults = []
        self.down = None
        self.hook = None
        self.hooked = []
        self.changed = threading.Condition(threading.RLock())
        self._moment = datetime.now(UTC).replace(microsecond=0)
        self._hanging = threading.Event()
        standin = self

        class Handler(_Handler):
            forge = standin

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # a client that was killed is no error of ours
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self):
        self._hanging.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, condition, timeout=60):
        """Wait until something is as it should be, and return it."""
        with self.changed:
            assert self.changed.wait_for(condition, timeout), "it never happened"
            return condition()

    def now(self):
        """Return a moment that no other one is."""
        self._moment = max(self._moment + timedelta(milliseconds=1), datetime.now(UTC))
        return self._moment

    def asked(self, method, part=""):
        return [path for how, path in self.calls if how == method and part in path]

    def request(self, method, target, headers, body):
        """Return status, headers and body of an answer, or nothing where it is lost."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        with self.changed:
            self.calls.append((method, parts.path))
            fault = self.down or self._fault(method, parts.path)
            if fault == "hang":
                pass
            elif isinstance(fault, int):
                self.changed.notify_all()
                return fault, {"Retry-After": "1"}, {"message": f"{fault} says the stand-in"}
            else:
                answer = self.answer(method, parts.path, query, headers, body)
                self.changed.notify_all()
                return None if fault == "lost" else answer
        self._hanging.wait(60)
        return None

    def answer(self, method, path, query, headers, body):
        raise NotImplementedError

    def _fault(self, method, path):
        for each in self.faults:
            how, part, fault = each
            if how == method and part in path:
                self.faults.remove(each)
                return fault
        return None

    def send(self, payload, event):
        """Send a webhook, as a forge does: later, and whatever the answer is."""
        if self.hook is None:
            return
        url, headers = self.hook
        body = json.dumps(payload).encode()
        given = {"Content-Type": "application/json", **headers(body, event)}
        self.hooked.append((given, body))
        threading.Thread(target=self._post, args=(url, body, given), daemon=True).start()

    @staticmethod
    def _post(url, body, headers):
        request = urllib.request.Request(url, body, headers)  # noqa: S310
        with suppress(OSError):
            urllib.request.urlopen(request, timeout=30).close()  # noqa: S310


class _Handler(BaseHTTPRequestHandler):
    forge: ForgeStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        answer = self.forge.request(
            self.command, self.path, self.headers, json.loads(raw) if raw else {}
        )
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(data)

    def do_POST(self):
        self.do_GET()

    def do_PUT(self):
        self.do_GET()

    def do_PATCH(self):
        self.do_GET()

    def do_DELETE(self):
        self.do_GET()


def page(found, query, url):
    """Return one page of a list and the header that says where the next one is."""
    size, number = int(query.get("per_page", 20)), int(query.get("page", 1))
    start = (number - 1) * size
    more = start + size < len(found)
    others = "&".join(f"{k}={v}" for k, v in query.items() if k != "page")
    link = {"Link": f'<{url}?{others}&page={number + 1}>; rel="next"'} if more else {}
    return found[start : start + size], link
