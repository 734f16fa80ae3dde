"""Who asks too often, or holds too many streams?

A client is its token, or its address as long as it shows none that was ever good: so nobody gets
around a limit by inventing tokens, and one noisy client does not slow down its neighbours. Every
decision takes the same short time, and what is remembered has a bound.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import Scope

from flagstaff.server.settings import ClientLimits, is_loopback_host

MOST_REMEMBERED = 20_000
"""Clients; the one that was not seen for longest is forgotten, and begins anew."""

BURST = 5.0
"""Seconds' worth of requests that may come at once."""

TOKENS = (b"authorization", b"x-api-key", b"unleash-instanceid", b"private-token")
"""Headers in which clients of any protocol show a token."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: by token or by address."""

    key: tuple[str, int | str]
    address: str

    @property
    def by_token(self) -> bool:
        """Return whether a token was shown, good or not."""
        return self.key[0] == "token"


class Limits:
    """Counts what clients do; lives in the event loop.

    Args:
        settings: the limits; 0 is none.
        clock: seconds that only grow.
    """

    def __init__(self, settings: ClientLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_token = settings.request_rate
        self._by_address = settings.address_rate
        self._most_streams = settings.most_streams
        self._most_by_client = settings.most_streams_by_client
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, int | str], _Bucket] = OrderedDict()
        self._streams: Counter[tuple[str, int | str]] = Counter()
        self._open = 0

    def client(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Client:
        """Return who sent a request."""
        peer = scope.get("client")
        address = peer[0] if peer else ""
        for name in TOKENS:
            shown = headers.get(name)
            if shown:
                return Client(("token", hash(shown)), address)
        return Client(("address", address), address)

    def wait(self, client: Client) -> float:
        """Take in one request; return seconds after which to come back, 0 if it may go on."""
        known = self._buckets.get(client.key) if client.by_token else None
        if known is not None:
            self._buckets.move_to_end(client.key)
            return self._taken(known, self._by_token)
        if not self._by_address or is_loopback_host(client.address):
            return 0.0
        bucket = self._bucket(("address", client.address), self._by_address)
        return self._taken(bucket, self._by_address)

    def note(self, client: Client, status: int) -> None:
        """Take in what came of a request: a token that was good counts for itself from now on."""
        if client.by_token and status not in {0, 401}:
            self._bucket(client.key, self._by_token)

    def open_stream(self, client: Client) -> str:
        """Take in one more stream; return the name of the limit if it is not to be had."""
        if self._most_streams and self._open >= self._most_streams:
            return "most_streams"
        if self._most_by_client and self._streams[client.key] >= self._most_by_client:
            return "most_streams_by_client"
        self._open += 1
        self._streams[client.key] += 1
        return ""

    def close_stream(self, client: Client) -> None:
        """Take in that a stream has ended."""
        self._open -= 1
        self._streams[client.key] -= 1
        if not self._streams[client.key]:
            del self._streams[client.key]

    def _bucket(self, key: tuple[str, int | str], rate: float) -> _Bucket:
        found = self._buckets.get(key)
        if found is None:
            found = self._buckets[key] = _Bucket(rate * BURST, self._clock())
            while len(self._buckets) > MOST_REMEMBERED:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(key)
        return found

    def _taken(self, bucket: _Bucket, rate: float) -> float:
        if not rate:
            return 0.0
        now = self._clock()
        bucket.left = min(rate * BURST, bucket.left + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) / rate
