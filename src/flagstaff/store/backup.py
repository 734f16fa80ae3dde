"""How is an SQLite database copied while a server works with it, and put back?

SQLite's own backup reads one moment, however long it takes: it holds a reading transaction, which
keeps nobody from writing.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flagstaff.errors import Conflict, Unavailable, UsageError

PAGES: Final = 2_000
"""Pages copied between two words about how far it is: eight megabytes."""

Progress = Callable[[int, int], None]
"""Hears how many of how many pages are copied."""

BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database that somebody works with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy that was made and checked."""

    path: Path
    size: int
    revision: str


def copy(*, source: Path, target: Path, progress: Progress, overwrite: bool) -> Copy:
    """Copy a database to a file that is whole, checked and on disk before it has its name.

    Raises:
        Conflict: the file is there already.
        UsageError: there is no folder for it, or the source is no database of Flagstaff or damaged.
        Unavailable: one of them cannot be read or written.
    """
    if target.exists() and (not overwrite or target.samefile(source)):
        raise Conflict(f"{target} is there already", hint="name another file, or add --yes")
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}", hint="make it before")
    with _explained(target), _beside(target) as half:
        with closing(_opened(source)) as reading, closing(sqlite3.connect(half)) as writing:
            _copied(reading, writing, progress)
        revision = _checked(half)
        _on_disk(half)
        if overwrite:
            half.replace(target)
        else:
            os.link(half, target)  # unlike a rename, it never overwrites
        _on_disk(target.parent)
    return Copy(path=target, size=target.stat().st_size, revision=revision)


def restore(*, source: Path, target: Path, progress: Progress, keep_as: Path) -> Copy:
    """Put a copy in the place of a database that nobody works with, which is kept as `keep_as`.

    Raises:
        UsageError: the source is no database of Flagstaff, or is damaged.
        Unavailable: one of the files cannot be read or written.
    """
    if not source.is_file():
        raise UsageError(f"there is no file {source}", hint="name one that `backup` has made")
    _checked(source)
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f".{target.name}.new")
        made = copy(source=source, target=new, progress=progress, overwrite=True)
        if target.exists():
            _settle(target)
            os.link(target, keep_as)
        for each in BESIDE:
            # What is left there belongs to the old one, and would be taken for the new one's.
            with contextlib.suppress(FileNotFoundError):
                target.with_name(target.name + each).rename(keep_as.with_name(keep_as.name + each))
        new.replace(target)
        _on_disk(target.parent)
    return Copy(path=target, size=made.size, revision=made.revision)


def _settle(target: Path) -> None:
    """Write what stands beside the database into it; a damaged one stays as it is."""
    with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(target)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _opened(source: Path) -> sqlite3.Connection:
    if not source.is_file():
        raise UsageError(
            f"there is no database {source}",
            hint="run this in the project's folder, or name another with --project or --database",
        )
    return sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _copied(reading: sqlite3.Connection, writing: sqlite3.Connection, progress: Progress) -> None:
    reading.execute("PRAGMA busy_timeout=30000")
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
    reading.backup(
        writing, pages=PAGES, progress=lambda _, left, total: progress(total - left, total)
    )
    writing.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it


def _checked(path: Path) -> str:
    """Return the version of the tables in a database that is in order.

    Raises:
        UsageError: it is damaged, or not ours.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise UsageError(f"{path} is damaged: {found}", hint="use an older copy")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as exc:
        raise UsageError(f"{path} is no database of Flagstaff: {exc}") from exc
    if row is None:
        raise UsageError(f"{path} is an empty database")
    return str(row[0])


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a new file, for its owner alone, in the folder of the one that is to be."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    half = Path(name)
    try:
        yield half
    finally:
        half.unlink(missing_ok=True)


def _on_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as exc:
        raise Conflict(
            f"{target} is there already", hint="name another file, or add --yes"
        ) from exc
    except OSError as exc:
        raise Unavailable(f"{target} cannot be written: {exc.strerror}") from exc
    except sqlite3.Error as exc:
        raise Unavailable(f"{target} cannot be written: {exc}") from exc
