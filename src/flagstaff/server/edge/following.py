"""Which snapshot does an edge pass on, and how long ago did the control plane vouch for it?"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from flagstaff.errors import SnapshotError, Unavailable
from flagstaff.flags.snapshot import Snapshot
from flagstaff.sdk.disk import Disk
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.readiness import Mode
from flagstaff.sdk.sources.server import ServerSource
from flagstaff.sdk.transport import Address, Transport
from flagstaff.server.compat.live import surroundings
from flagstaff.server.streams.encoded import Encoded
from flagstaff.server.streams.hub import FLAGS

log = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
LONGEST_WAIT = 2.0
"""Seconds between attempts while the control plane is away; it has few edges, which many wait
for."""

HARDLY = 1.0
CONNECTIONS = 16
STEP_BACK_AFTER = 30.0
"""Seconds for which an older snapshot than the one here is taken for that of a replica that lags;
after them it is taken for what it then must be, a control plane that was restored."""

Tell = Callable[[frozenset[str]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one environment stands.

    Attributes:
        version: of the snapshot that is passed on; None before there is one.
        age: seconds since the control plane last vouched for it; None if it never has.
        problem: what keeps it from doing so, empty if nothing does.
    """

    environment: str
    version: int | None
    mode: Mode
    age: float | None
    problem: str


class Follower:
    """Follows one environment of the control plane, and keeps its last good snapshot on disk.

    Args:
        address: of the control plane, or of another edge.
        folder: where the snapshot is kept.
        tell: hears that there is a new one.
    """

    def __init__(self, address: Address, folder: Path, tell: Tell) -> None:
        self.environment = address.environment
        self._tell = tell
        self._latest: Encoded | None = None
        self._holder = _Forward(address.environment)
        self._disk = _Kept(folder / f"{quote(address.environment, safe='')}.json", self._take)
        self._source = ServerSource(address, self._disk, POLL_INTERVAL, longest_wait=LONGEST_WAIT)
        self._asking = Transport(address, connections=CONNECTIONS)
        self._vouched_on_disk: float | None = None

    def start(self) -> None:
        """Pass on the snapshot on disk, if there is one, and begin to follow."""
        kept = self._disk.read(self.environment)
        if kept is not None:
            # The source will read it too; but once it runs, what it brings may be newer.
            with suppress(SnapshotError, OSError):
                self._holder.replace(kept)
                self._latest = Encoded.of(kept.version, self._disk.path.read_bytes())
                self._vouched_on_disk = self._disk.path.stat().st_mtime
        self._source.start(self._holder)

    def wait(self, seconds: float) -> None:
        """Wait for the first answer, but hardly where there is a snapshot already."""
        self._source.wait(seconds if self._latest is None else min(seconds, HARDLY))

    def close(self, timeout: float) -> None:
        """Follow no more."""
        self._source.close(timeout)

    def encoded(self) -> Encoded:
        """Return the snapshot, byte for byte as the control plane wrote it.

        Raises:
            Unavailable: there has been none yet.
        """
        if self._latest is None:
            raise Unavailable(
                f"this edge has no flags of {self.environment} yet",
                hint="it has not reached its control plane since it was set up; its log says why",
            )
        return self._latest

    def accepts(self, token: str) -> bool:
        """Return whether the control plane lets an application's token read this environment.

        Raises:
            Unavailable: it does not answer.
        """
        etag = self._latest.etag if self._latest is not None else ""
        return self._asking.accepts(token, etag)

    def standing(self) -> Standing:
        """Return where it stands."""
        age = None
        if (contact := self._source.contact) is not None:
            age = time.monotonic() - contact
        elif self._latest is not None and self._vouched_on_disk is not None:
            age = max(0.0, time.time() - self._vouched_on_disk)
        return Standing(
            environment=self.environment,
            version=None if self._latest is None else self._latest.version,
            mode=self._holder.mode,
            age=age,
            problem=self._holder.problem,
        )

    def note_contact(self) -> None:
        """Keep with the file when the control plane last vouched for it, for after a restart."""
        contact = self._source.contact
        if contact is not None:
            moment = time.time() - (time.monotonic() - contact)
            with suppress(OSError):
                os.utime(self._disk.path, (moment, moment))

    def _take(self, body: bytes) -> None:
        self._latest = Encoded.of(self._holder.snapshot.version, body)
        self._tell(frozenset({FLAGS + self.environment}))


class _Forward(Holder):
    """Holds the snapshot in force, and does not step back from it lightly."""

    def __init__(self, environment: str) -> None:
        super().__init__(environment, surroundings())
        self._behind_since: float | None = None

    def replace(self, snapshot: Snapshot) -> None:
        """Put a snapshot in force.

        Raises:
            SnapshotError: it cannot be.
            Unavailable: it is older than the one in force.
        """
        held = self.snapshot
        if not self.ready or snapshot.version >= held.version:
            self._behind_since = None
        else:
            self._step_back(held, snapshot)
        super().replace(snapshot)

    def _step_back(self, held: Snapshot, older: Snapshot) -> None:
        now = time.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        what = f"version {older.version} of {held.environment}, older than {held.version} here"
        if now - self._behind_since < STEP_BACK_AFTER:
            raise Unavailable(f"the control plane answers with {what}")
        log.warning("the control plane stays at %s: it was restored, and is followed", what)
        self._behind_since = None


class _Kept(Disk):
    """The file, which also says what is written to it."""

    def __init__(self, path: Path, taken: Callable[[bytes], None]) -> None:
        super().__init__(path)
        self._taken = taken

    def write(self, body: bytes) -> None:
        """Pass a snapshot on, and keep it."""
        self._taken(body)
        super().write(body)
