"""How does a process follow the server's snapshots, and what if the server is away?

The stream first; while it is broken, polling with an ETag; while the server is away, the snapshot
that was kept on disk.
"""

from __future__ import annotations

import json
import random
import threading
from time import monotonic

from flagstaff.errors import FlagstaffError, SnapshotError, TokenRefused, Unavailable
from flagstaff.flags.snapshot import Snapshot, SnapshotReader, parse_json
from flagstaff.flags.wire import malformed, read_object, read_whole
from flagstaff.sdk.background import Background, Stop, threads_are_greenlets
from flagstaff.sdk.backoff import Backoff, jittered
from flagstaff.sdk.disk import Disk
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.readiness import Mode
from flagstaff.sdk.sse import Event, Parser
from flagstaff.sdk.transport import Address, Stream, Transport

STEADY = 5.0
"""Seconds that a stream must have lasted for the next one to be tried without delay."""

LONGEST_RETRY = 10.0
"""Seconds that a server may ask for before a client comes back."""


LONGEST_WAIT = 60.0
"""Seconds between two attempts to reach a server that is away, at most."""


class ServerSource:
    """Follows one environment of one server in a thread of its own.

    Attributes:
        contact: when the server last showed that the snapshot in force is its present one, by
            `time.monotonic()`; None before the first time.
    """

    def __init__(
        self,
        address: Address,
        disk: Disk | None,
        poll_interval: float,
        *,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self._address, self._disk = address, disk
        self._poll_interval, self._longest_wait = poll_interval, longest_wait
        self._current = False
        self.contact: float | None = None
        self._transport = Transport(address)
        self._background = Background("stream", self._run)
        self._heard = threading.Event()
        self._holder: Holder | None = None
        self._etag = ""
        self._reader = SnapshotReader()
        self._stream: Stream | None = None
        self._retry = 0.0

    def __repr__(self) -> str:
        disk = f" → {self._disk.path}" if self._disk else ""
        return f"stream {self._address.url} → polling{disk}"

    def start(self, holder: Holder) -> None:
        """Put the snapshot on disk in force, if there is one, and begin to follow the server."""
        self._holder = holder
        if self._disk is not None:
            kept = self._disk.read(holder.snapshot.environment)
            if kept is not None:
                self._accept_kept(holder, kept)
        if not self._background.start():
            self._poll(holder, "this interpreter has no threads: flags do not change")

    def wait(self, seconds: float) -> None:
        """Wait until the server has answered or failed to for the first time."""
        self._heard.wait(seconds)

    def after_fork(self) -> None:
        """Follow the server from the child, with connections of its own."""
        self._transport = Transport(self._address)
        self._heard = threading.Event()
        if self._stream is not None and threads_are_greenlets():
            self._stream.abandon()
        self._stream = None
        self._background.after_fork()

    def close(self, timeout: float) -> None:
        """Follow no more."""
        self._background.stop(0)
        if (stream := self._stream) is not None:
            stream.end()
        self._background.stop(timeout)

    def _accept_kept(self, holder: Holder, kept: Snapshot) -> None:
        try:
            holder.replace(kept)
        except SnapshotError as exc:
            holder.report(Mode.STARTING, f"the snapshot on disk is ignored: {exc.message}")
        else:
            holder.report(Mode.STALE)

    def _run(self, stop: Stop) -> None:
        holder = self._holder
        if holder is None:
            return
        streams, polls = Backoff(0.2, self._longest_wait), Backoff(0.5, self._longest_wait)
        refusals = Backoff(1.0, LONGEST_WAIT)
        next_stream, problem = monotonic(), ""
        while not stop.is_set():
            if monotonic() >= next_stream:
                began = monotonic()
                problem = self._follow(holder, stop, streams)
                if stop.is_set():
                    return
                next_stream = monotonic() + streams.next()
                if monotonic() - began > STEADY and stop.wait(self._apart()):
                    return
            polled = self._poll(holder, problem)
            if polled is None:
                polls.reset()
                refusals.reset()
                delay = jittered(self._poll_interval)
            elif isinstance(polled, TokenRefused):
                # Nothing but a person changes this: it is asked for patiently.
                delay = refusals.next()
                next_stream = max(next_stream, monotonic() + delay)
            else:
                delay = polls.next()
            stop.wait(max(0.01, min(delay, next_stream - monotonic())))

    def _apart(self) -> float:
        """Return seconds to wait after a stream that held, so that not all come back together."""
        return random.uniform(0, self._retry)  # noqa: S311 - nobody gains by guessing it

    def _follow(self, holder: Holder, stop: Stop, backoff: Backoff) -> str:
        """Read the stream until it ends, and return why it did."""
        parser, began = Parser(), monotonic()
        try:
            with self._transport.stream() as stream:
                self._stream = stream
                for piece in stream:
                    for event in parser.feed(piece):
                        self._take(holder, event)
                    if self._current:
                        self.contact = monotonic()
                    self._retry = min(parser.retry, LONGEST_RETRY)
                    if stop.is_set():
                        return ""
        except FlagstaffError as exc:
            return exc.message
        finally:
            self._stream = None
            if monotonic() - began > STEADY:
                backoff.reset()
        return "the server ended the stream"

    def _take(self, holder: Holder, event: Event) -> None:
        """Put what an event says in force.

        Raises:
            SnapshotError: a change is malformed; only a whole snapshot can put that right.
        """
        if event.kind == "snapshot":
            self._accept(holder, event.data, Mode.LIVE)
        elif event.kind == "change":
            self._accept_change(holder, event.data)

    def _poll(self, holder: Holder, problem: str) -> Unavailable | None:
        """Ask for the snapshot once; return why there was no answer."""
        try:
            body, etag = self._transport.snapshot(self._etag)
            if body is None:
                self._current = True
                holder.report(Mode.POLLING, problem)
            elif self._accept(holder, body, Mode.POLLING, problem):
                self._etag = etag
        except Unavailable as exc:
            holder.report(Mode.STALE if holder.ready else Mode.STARTING, exc.message)
            self._heard.set()
            return exc
        if self._current:
            self.contact = monotonic()
        return None

    def _accept(self, holder: Holder, body: str | bytes, mode: Mode, problem: str = "") -> bool:
        try:
            snapshot = self._reader.read(parse_json(body))
            holder.replace(snapshot)
        except SnapshotError as exc:
            self._current = False
            refused = f"a malformed snapshot was refused: {exc.message}"
            holder.report(mode if holder.ready else Mode.STARTING, refused)
            self._heard.set()
            return False
        if mode is Mode.LIVE:
            self._etag = ""
        self._accepted(holder, mode, problem, body if isinstance(body, bytes) else body.encode())
        return True

    def _accept_change(self, holder: Holder, data: str) -> None:
        change = read_object(parse_json(data), "change")
        if read_whole(change.get("version"), "version") <= holder.snapshot.version:
            return
        try:
            base = change.get("base", holder.snapshot.version)
            if base != holder.snapshot.version:
                raise malformed("base", str(holder.snapshot.version), base)
            snapshot = holder.snapshot.changed_by(change)
            holder.replace(snapshot)
        except SnapshotError as exc:
            raise SnapshotError(f"a malformed change was refused: {exc.message}") from exc
        # As the server writes it: whoever passes it on passes on the same bytes.
        written = json.dumps(snapshot.to_json(), ensure_ascii=False, separators=(",", ":"))
        self._accepted(holder, Mode.LIVE, "", written.encode())

    def _accepted(self, holder: Holder, mode: Mode, problem: str, body: bytes) -> None:
        holder.report(mode, problem)
        self._current, self.contact = True, monotonic()
        self._heard.set()
        if self._disk is not None:
            self._disk.write(body)
