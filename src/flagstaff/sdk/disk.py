"""How does the last good snapshot outlive the process?"""

from __future__ import annotations

import logging
import os
import tempfile
from hashlib import sha256
from pathlib import Path

from flagstaff.errors import SnapshotError
from flagstaff.flags.snapshot import Snapshot, parse_json

log = logging.getLogger("flagstaff")


class Disk:
    """One file with the last good snapshot; a failure to write it is logged and never raised."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._failed = False

    def read(self, environment: str) -> Snapshot | None:
        """Return the snapshot of `environment` that was written last, or None."""
        try:
            snapshot = Snapshot.from_json(parse_json(self.path.read_bytes()))
        except OSError:
            return None
        except SnapshotError as exc:
            log.warning("%s holds no snapshot and is ignored: %s", self.path, exc.message)
            return None
        return snapshot if snapshot.environment == environment else None

    def write(self, body: bytes) -> None:
        """Replace the file in one step: a reader sees the old snapshot or the new one.

        Args:
            body: the snapshot as the server wrote it; to write it anew would take longer.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(body)
                Path(temporary).replace(self.path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._failed = False
        except OSError as exc:
            if not self._failed:
                log.warning("the snapshot cannot be kept in %s: %s", self.path, exc)
            self._failed = True


def default_path(url: str, environment: str) -> Path | None:
    """Return where the snapshot of `environment` of the server at `url` is kept.

    `FLAGSTAFF_CACHE_DIR`, else `$XDG_CACHE_HOME/flagstaff`, else `~/.cache/flagstaff`; None for a
    user without a home. The folder is the user's own: whoever may write there decides what is on
    while the server is away.
    """
    folder = os.environ.get("FLAGSTAFF_CACHE_DIR")
    if not folder:
        try:
            folder = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
        except RuntimeError:
            return None
        folder = str(Path(folder, "flagstaff"))
    return Path(folder, f"{sha256(f'{url} {environment}'.encode()).hexdigest()[:24]}.json")
