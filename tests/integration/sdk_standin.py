"""What does a client see of a server? A small real one, whose faults can be chosen."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from flagstaff.flags.draw import Draw
from flagstaff.flags.flag import Flag
from flagstaff.flags.snapshot import Snapshot
from flagstaff.sdk.sources.memory import Spec, as_flag

TOKEN = "standin-token"


class StandIn:
    """One environment, its stream, and everything that clients reported."""

    def __init__(self, port: int = 0) -> None:
        self.snapshot = Snapshot(environment="test", version=1)
        self.reports: list[dict] = []
        self.requests: list[tuple[str, int]] = []
        self.stream_status = 200
        self.poll_status = 200
        self.telemetry_status = 204
        self.token = TOKEN
        self.refusal = b"{}"
        self._pieces: list[str] = []
        self._changed = threading.Condition()
        self._epoch = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._closed = False
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def set(self, **flags: Spec) -> None:
        """Change flags; every stream sends a whole snapshot."""
        self.put({name: as_flag(name, spec) for name, spec in flags.items()})

    def put(self, flags: dict[str, Flag]) -> None:
        with self._changed:
            merged = {**self.snapshot.flags, **flags}
            version = self.snapshot.version + 1
            self.snapshot = replace(self.snapshot, version=version, flags=merged)
            self._say(_event("snapshot", self.body(), version))

    def draw(self, name: str, spec: Spec, draw: Draw) -> None:
        """Change a flag whose actors are counted."""
        with self._changed:
            self.snapshot = replace(self.snapshot, drawn={name: draw})
        self.put({name: as_flag(name, spec)})

    def change(self, version: int, flags: dict[str, object]) -> None:
        """Send a change alone, without its being in the snapshot."""
        with self._changed:
            data = json.dumps({"version": version, "flags": flags})
            self._say(_event("change", data, version))

    def say(self, raw: str) -> None:
        """Send anything on every stream."""
        with self._changed:
            self._say(raw)

    def break_streams(self) -> None:
        """End every stream that is open."""
        with self._changed:
            self._epoch += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Stop listening and end every stream."""
        if not self._closed:
            self._closed = True
            self.break_streams()
            self._server.shutdown()
            self._server.server_close()

    def body(self) -> str:
        return json.dumps(self.snapshot.to_json())

    def _wait(self, seen: int, epoch: int) -> list[str]:
        with self._changed:
            self._changed.wait_for(lambda: len(self._pieces) > seen or self._epoch != epoch, 0.5)
            return self._pieces[seen:]

    def _say(self, raw: str) -> None:
        self._pieces.append(raw)
        self._changed.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_args: object) -> None:
                pass

            def do_GET(self) -> None:
                if self.headers.get("Authorization") != f"Bearer {standin.token}":
                    self._answer(401, b"{}")
                elif self.path == "/api/v1/environments/test/snapshot":
                    self._snapshot()
                elif self.path == "/api/v1/environments/test/stream":
                    self._stream()
                else:
                    self._answer(404, standin.refusal)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if standin.telemetry_status == 204:
                    standin.reports.append(json.loads(body))
                self._answer(standin.telemetry_status, b"")

            def _snapshot(self) -> None:
                etag = f'"{standin.snapshot.version}"'
                status = standin.poll_status
                if status == 200 and self.headers.get("If-None-Match") == etag:
                    status = 304
                standin.requests.append(("snapshot", status))
                body = b"" if status == 304 else standin.body().encode()
                self._answer(status, body, {"ETag": etag})

            def _answer(self, status: int, body: bytes, headers: dict | None = None) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _stream(self) -> None:
                standin.requests.append(("stream", standin.stream_status))
                if standin.stream_status != 200:
                    self._answer(standin.stream_status, b"")
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                with standin._changed:
                    seen, epoch = len(standin._pieces), standin._epoch
                    first = _event("snapshot", standin.body(), standin.snapshot.version)
                try:
                    self._chunk(first)
                    while standin._epoch == epoch:
                        pieces = standin._wait(seen, epoch)
                        seen += len(pieces)
                        self._chunk("".join(pieces) or ": keep-alive\n\n")
                    self.wfile.write(b"0\r\n\r\n")
                except OSError:
                    pass
                self.close_connection = True

            def _chunk(self, text: str) -> None:
                data = text.encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()

        return Handler


def _event(kind: str, data: str, version: int) -> str:
    return f"event: {kind}\nid: {version}\ndata: {data}\n\n"


@contextmanager
def standin(port: int = 0) -> Iterator[StandIn]:
    """Run a stand-in for a block."""
    server = StandIn(port)
    try:
        yield server
    finally:
        server.close()
