"""Are we the only process on this database file?"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from flagstaff.errors import Conflict, Unavailable


class FileLock:
    """Held from construction to `release`, or to the end of the process, however it ends.

    Raises:
        Conflict: another process holds it; its number is named.
        Unavailable: the folder or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise Unavailable(
                f"{path} cannot be written: {exc.strerror}",
                hint="the database's folder must be one that the server may write in: choose "
                "another, or see what stands in its place",
            ) from exc
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.pread(self._handle, 20, 0).decode().strip()
            os.close(self._handle)
            raise Conflict(
                f"process {holder or '(unknown)'} already serves {path.with_suffix('')}",
                hint=f"use that one, or stop it first: kill {holder or 'PID'}",
            ) from exc
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let the next process have it; the file stays, or two could hold two files."""
        os.close(self._handle)
