"""How does an issue that is a file follow its rollout?"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flagstaff.errors import Unavailable

TRIES = 3


def read(path: Path) -> str:
    """Return the file's text.

    Raises:
        Unavailable: it cannot be read.
    """
    try:
        return path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as exc:
        raise Unavailable(
            f"the issue {path} cannot be read: {exc}",
            hint="put it back where it was, as UTF-8; the rollout itself goes on",
        ) from exc


def rewrite(path: Path, follow: Callable[[str], str]) -> str:
    """Bring the file to what `follow` makes of its present text, and return the new text.

    The file is replaced in one step and keeps its mode and, where that is allowed, its owner; a
    link to it stays a link. When somebody saves it at the same moment, their text is read again and
    followed, never overwritten.

    Raises:
        Unavailable: the file cannot be read or written.
    """
    try:
        path = path.resolve()
        for _ in range(TRIES):
            before = path.read_bytes()
            text = follow(before.decode())
            after = text.encode()
            if after == before:
                return text
            if _replace(path, before, after):
                return text
    except (OSError, UnicodeDecodeError) as exc:
        raise Unavailable(
            f"the issue {path} cannot be kept up to date: {exc}",
            hint="put it back where it was; the rollout itself goes on",
        ) from exc
    raise Unavailable(f"the issue {path} is being written by somebody else all the time")


def _replace(path: Path, before: bytes, after: bytes) -> bool:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        about = path.stat()
        with suppress(PermissionError):
            os.chown(new, about.st_uid, about.st_gid)
        new.chmod(about.st_mode & 0o7777)
        if path.read_bytes() != before:
            return False
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return True
