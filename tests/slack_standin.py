"""A stand-in of Slack: its Web API, its response addresses and Socket Mode, on the loopback.

It answers in the shapes of the real one, as far as our app asks: tokens are checked, channels
exist or not, an app is a member or not, metadata is shown only to those who ask for it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import struct
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BOT, APP = "xoxb-test", "xapp-test"
CHANNELS = {"C1PROD": "production", "C2TEAM": "g_integrations", "C3DEV": "dev-talk", "C4OUT": "out"}
PAGE = 3


class SlackStandIn:
    """Remembers what was posted; `messages` is by channel, `whispers`, `views` and `responses` too.

    `fail` holds answers for the next calls of a method: an error's code, or `"lost"` for a message
    that arrives and whose answer does not.
    """

    def __init__(self):
        self.messages = {each: [] for each in CHANNELS}
        self.calls = []
        self.whispers = []
        self.direct = []
        self.views = []
        self.responses = []
        self.fail = {}
        self.wires = []
        self.receipts = queue.Queue()
        self.connections = 0
        self.changed = threading.Condition()
        standin = self

        class Handler(_Handler):
            slack = standin

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self):
        for wire in self.wires:
            wire.cut()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, condition, timeout=60):
        """Wait until something is as it should be, and return it."""
        with self.changed:
            assert self.changed.wait_for(condition, timeout), "it never happened"
        return condition()

    def said(self, channel, text=""):
        return [each for each in self.messages[channel] if text in each["text"]]

    def push(self, kind, payload, envelope="e1"):
        """Send an envelope over the newest connection, and return its receipt."""
        body = {
            "type": kind,
            "envelope_id": envelope,
            "accepts_response_payload": kind != "events_api",
            "payload": payload,
        }
        self.wires[-1].send(json.dumps(body))
        return self.receipts.get(timeout=60)

    def answer(self, method, given, token):
        """Return status and body of a call, or nothing where the answer is lost."""
        with self.changed:
            self.calls.append((method, given))
            failing = self.fail.get(method) or []
            failure = failing.pop(0) if failing else ""
            if failure == "ratelimited":
                status, body = 429, {"ok": False, "error": failure}
            elif failure and failure != "lost":
                status, body = 200, {"ok": False, "error": failure}
            elif token != (APP if method == "apps.connections.open" else BOT):
                status, body = 200, {"ok": False, "error": "invalid_auth"}
            else:
                status, body = 200, self._done(method, given)
            self.changed.notify_all()
        return None if failure == "lost" else (status, body)

    def _done(self, method, given):
        match method:
            case "apps.connections.open":
                return {"ok": True, "url": f"ws://127.0.0.1:{self.port}/link/?ticket=1"}
            case "conversations.list":
                return self._page(
                    [{"id": i, "name": n} for i, n in CHANNELS.items()], given, "channels"
                )
            case "views.open":
                self.views.append(given)
                return {"ok": True, "view": {"id": "V1"}}
        channel = given.get("channel", "")
        if method == "chat.postMessage" and channel.startswith("U"):
            self.direct.append(given)
            return {"ok": True, "channel": "D1", "ts": f"{time.time():.6f}"}
        if channel not in CHANNELS:
            return {"ok": False, "error": "channel_not_found"}
        if channel == "C4OUT" and method.startswith("chat."):
            return {"ok": False, "error": "not_in_channel"}
        there = self.messages[channel]
        match method:
            case "conversations.info":
                return {"ok": True, "channel": {"id": channel, "name": CHANNELS[channel]}}
            case "chat.postMessage":
                message = {**given, "ts": f"{time.time():.6f}"}
                there.append(message)
                return {"ok": True, "channel": channel, "ts": message["ts"], "message": message}
            case "chat.postEphemeral":
                self.whispers.append(given)
                return {"ok": True, "message_ts": "1.0"}
            case "chat.update":
                for message in there:
                    if message["ts"] == given["ts"]:
                        message.pop("blocks", None)
                        message.update({k: v for k, v in given.items() if k != "channel"})
                        message["edits"] = message.get("edits", 0) + 1
                        return {"ok": True, "channel": channel, "ts": given["ts"]}
                return {"ok": False, "error": "message_not_found"}
            case "conversations.history":
                found = [each for each in there if not each.get("thread_ts")]
                return self._page(self._seen(found, given), given, "messages")
            case "conversations.replies":
                found = [e for e in there if given["ts"] in (e["ts"], e.get("thread_ts"))]
                return self._page(self._seen(found, given), given, "messages")
        return {"ok": False, "error": "unknown_method"}

    def _seen(self, found, given):
        oldest = float(given.get("oldest", 0))
        shown = [dict(each) for each in reversed(found) if float(each["ts"]) >= oldest]
        if given.get("include_all_metadata") not in (True, "1", "true"):
            for each in shown:
                each.pop("metadata", None)
        return shown

    def _page(self, found, given, name):
        at = int(given.get("cursor") or 0)
        more = str(at + PAGE) if at + PAGE < len(found) else ""
        return {
            "ok": True,
            name: found[at : at + PAGE],
            "response_metadata": {"next_cursor": more},
        }


class _Handler(BaseHTTPRequestHandler):
    slack: SlackStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        path = urlsplit(self.path).path
        if self.headers.get_content_type() == "application/json":
            given = json.loads(body or "{}")
        else:
            given = dict(parse_qsl(body))
        if path.startswith("/respond/"):
            with self.slack.changed:
                self.slack.responses.append(given)
                self.slack.changed.notify_all()
            self._send(200, "ok")
            return
        self._call(path, given)

    def do_GET(self):
        parts = urlsplit(self.path)
        if self.headers.get("upgrade", "").lower() == "websocket":
            self._socket()
            return
        self._call(parts.path, dict(parse_qsl(parts.query)))

    def _call(self, path, given):
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        answer = self.slack.answer(path.removeprefix("/api/"), given, token)
        if answer is None:
            self.close_connection = True
            return
        self._send(answer[0], json.dumps(answer[1]))

    def _send(self, status, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _socket(self):
        digest = hashlib.sha1(  # noqa: S324 what the protocol asks for
            (self.headers["sec-websocket-key"] + GUID).encode()
        ).digest()
        self.send_response(101)
        self.send_header("upgrade", "websocket")
        self.send_header("connection", "Upgrade")
        self.send_header("sec-websocket-accept", base64.b64encode(digest).decode())
        self.end_headers()
        self.close_connection = True
        wire = _Wire(self)
        wire.send(json.dumps({"type": "hello", "num_connections": 1}))
        with self.slack.changed:
            self.slack.wires.append(wire)
            self.slack.connections += 1
            self.slack.changed.notify_all()
        with suppress(OSError, ValueError, struct.error):
            wire.run()


class _Wire:
    def __init__(self, handler):
        self._handler = handler
        self._lock = threading.Lock()

    def send(self, text, opcode=1):
        data = text if isinstance(text, bytes) else text.encode()
        if len(data) < 126:
            head = bytes([0x80 | opcode, len(data)])
        else:
            head = bytes([0x80 | opcode, 126]) + struct.pack(">H", len(data))
        with self._lock:
            self._handler.wfile.write(head + data)
            self._handler.wfile.flush()

    def cut(self):
        """Break the connection without a word."""
        with suppress(OSError):
            self._handler.connection.shutdown(2)

    def run(self):
        read = self._handler.rfile.read
        while True:
            first, second = read(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", read(2))
            mask = read(4)
            data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(read(length)))
            match first & 0x0F:
                case 1:
                    self._handler.slack.receipts.put(json.loads(data))
                case 8:
                    return
                case 9:
                    self.send(data, opcode=10)
