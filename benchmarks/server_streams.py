"""What do a thousand or ten thousand connected streams hear, and when?

Runs as a process of its own that knows nothing but sockets, so that it costs far less than the
server it watches: `python server_streams.py PORT TOKEN STREAMS`. One line of JSON on standard
output says that all are connected; after a line on standard input, another says what they heard.
Times are of the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import json
import re
import select
import socket
import sys
from time import monotonic

FRAME = re.compile(rb'id: (\d+)\nevent: (snapshot|change)\ndata: \{"(?:base":(\d+))?')
BY_ADDRESS = 5_000
"""Connections from each loopback address: ports are not without end."""


class Streams:
    """Every connection, its last version, and what was wrong with what it heard."""

    def __init__(self, port: int, token: str, count: int) -> None:
        request = (
            "GET /api/v1/environments/production/stream HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nX-Flagstaff-Changes: 1\r\n\r\n"
        ).encode()
        self.waiting = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        for number in range(count):
            each = socket.socket()
            each.bind((f"127.0.0.{1 + number // BY_ADDRESS}", 0))
            each.connect(("127.0.0.1", port))
            each.sendall(request)
            each.setblocking(False)
            self.waiting.register(each.fileno(), select.EPOLLIN | select.EPOLLET)
            self.sockets[each.fileno()] = each
        self.last = dict.fromkeys(self.sockets, -1)
        self.rest: dict[int, bytes] = {}
        self.heard: dict[int, list[float]] = {}
        self.events = self.back = self.gaps = self.closed = 0
        self.buffer = bytearray(1 << 18)
        self.taken: list[tuple[int, bytes, float]] = []

    def listen(self, seconds: float) -> None:
        """Take in whatever comes next; what it says is looked at when nothing more comes.

        Looking at it first would count the listener's own time as the server's.
        """
        while ready := self.waiting.poll(0 if self.taken else seconds):
            self._receive(ready)
        for number, data, moment in self.taken:
            self._take(number, data, moment)
        self.taken.clear()

    def _receive(self, ready: list[tuple[int, int]]) -> None:
        for number, _ in ready:
            try:
                size = self.sockets[number].recv_into(self.buffer)
            except BlockingIOError:
                continue
            now = monotonic()
            if not size:
                self.closed += 1
                self.waiting.unregister(number)
                continue
            self.taken.append((number, bytes(memoryview(self.buffer)[:size]), now))

    def _take(self, number: int, data: bytes, now: float) -> None:
        data = self.rest.pop(number, b"") + data
        end = 0
        for found in FRAME.finditer(data):
            version, base, end = int(found[1]), found[3], found.end()
            last = self.last[number]
            self.events += 1
            self.back += version <= last
            # A change that does not begin where the stream stands would leave something out.
            self.gaps += base is not None and int(base) != last
            self.last[number] = version
            self.heard.setdefault(version, []).append(now)
        tail = data[max(end, len(data) - 80) :]
        if b"id: " in tail and not FRAME.search(tail):
            self.rest[number] = tail[tail.rindex(b"id: ") :]


def main() -> None:
    """Connect, listen until told to stop, and say what was heard."""
    port, token, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    streams = Streams(port, token, count)
    while min(streams.last.values()) < 0:
        streams.listen(1)
    print(json.dumps({"connected": count}), flush=True)
    streams.waiting.register(sys.stdin.fileno(), select.EPOLLIN)
    streams.sockets[sys.stdin.fileno()] = _Stopping()  # type: ignore[assignment]
    try:
        while True:
            streams.listen(1)
    except KeyboardInterrupt:
        pass
    found = {
        "heard": streams.heard,
        "events": streams.events,
        "back": streams.back,
        "gaps": streams.gaps,
        "closed": streams.closed,
        "last": sorted(set(streams.last.values())),
    }
    print(json.dumps(found), flush=True)


class _Stopping:
    """Stands among the sockets for standard input, on which the word to stop comes."""

    def recv_into(self, _buffer: bytearray) -> int:
        """Stop."""
        raise KeyboardInterrupt


if __name__ == "__main__":
    main()
