"""How does one snapshot reach thousands of connections in less time than one after the other?

Most of the time is the operating system's, which can do the same on another core: half of the
pieces are written by a second thread. The event loop waits for it, so that no connection is closed,
and its descriptor given to another, while somebody writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Protocol

from flagstaff.server.streams.encoded import Encoded

FEW = 20
"""Pieces that are written before a second thread would have begun."""


class Piece(Protocol):
    """Something made once and written to many."""

    @property
    def chunk(self) -> bytes:
        """Return what is written."""


class Listening(Protocol):
    """One of thousands that hear the same.

    `fileno` is where anything may be written at once, and -1 while something else comes first.
    """

    fileno: int
    had: Encoded | None

    @property
    def frames(self) -> Callable[[Encoded | None, Encoded], Piece]:
        """Return what makes the piece that leads from one snapshot to another."""

    def hear(self, latest: Encoded) -> None:
        """Take in a snapshot, which may be one that is known already."""

    def took(self, data: bytes, count: int) -> None:
        """Be told how many bytes were written to `fileno`, or -1 if it is broken."""


class Writer:
    """Writes to many connections, from the event loop and a second thread."""

    def __init__(self) -> None:
        alone = (os.cpu_count() or 1) == 1
        self._second = None if alone else ThreadPoolExecutor(1, "flagstaff-streams")

    def spread(self, listeners: Iterable[Listening], latest: Encoded) -> None:
        """Let all have the latest; who cannot take it at once sees to that itself."""
        ready: list[Listening] = []
        pieces: list[tuple[int, bytes]] = []
        for each in listeners:
            if (fileno := each.fileno) < 0 or (had := each.had) is None:
                each.hear(latest)
            elif had.etag != latest.etag:
                pieces.append((fileno, each.frames(had, latest).chunk))
                each.had = latest
                ready.append(each)
        for each, (_, data), count in zip(ready, pieces, self._write(pieces), strict=True):
            if count != len(data):
                each.took(data, count)

    def close(self) -> None:
        """Let go of the second thread."""
        if self._second is not None:
            self._second.shutdown(wait=False)
            self._second = None

    def _write(self, pieces: Sequence[tuple[int, bytes]]) -> list[int]:
        if self._second is None or len(pieces) <= FEW:
            return _written(pieces)
        half = len(pieces) // 2
        rest = self._second.submit(_written, islice(pieces, half, None))
        return _written(islice(pieces, half)) + rest.result()


def write(fileno: int, data: bytes) -> int:
    """Return how many bytes were taken without waiting, or -1 if nothing ever will be."""
    try:
        return os.write(fileno, data)
    except BlockingIOError:
        return 0
    except OSError:
        return -1


def _written(pieces: Iterable[tuple[int, bytes]]) -> list[int]:
    return [write(fileno, data) for fileno, data in pieces]
