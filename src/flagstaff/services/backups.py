"""How is everything that is kept copied to a safe place, and put back?"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from flagstaff.errors import UsageError
from flagstaff.services.opening import database_file
from flagstaff.store import backup as store
from flagstaff.store.backup import Copy, Progress

__all__ = ["Copy", "Progress", "back_up", "database_file", "restore", "sqlite_file"]

SECRET = {"password", "sslpassword"}


def back_up(url: str, target: Path, progress: Progress, *, overwrite: bool) -> Copy:
    """Copy the database to a file, also while a server works with it.

    Raises:
        UsageError: it is a PostgreSQL, which has a program for that; or no database of ours.
        Conflict: the file is there already.
        Unavailable: one of the files cannot be read or written.
    """
    dump = ["pg_dump", "--format=custom", f"--file={target}", _without_secrets(url)]
    source = sqlite_file(url, instead=dump)
    return store.copy(source=source, target=target, progress=progress, overwrite=overwrite)


def restore(url: str, source: Path, progress: Progress, *, keep_as: Path) -> Copy:
    """Put a copy in the place of a database that no server works with.

    Raises:
        UsageError: it is a PostgreSQL, or the copy is none or damaged.
        Unavailable: one of the files cannot be read or written.
    """
    place = f"--dbname={_without_secrets(url)}"
    load = ["pg_restore", "--clean", "--if-exists", place, str(source)]
    target = sqlite_file(url, instead=load)
    return store.restore(source=source, target=target, progress=progress, keep_as=keep_as)


def sqlite_file(url: str, *, instead: Sequence[str] = ()) -> Path:
    """Return the file of the database; `instead` is what does the same for a PostgreSQL.

    Raises:
        UsageError: it is none.
    """
    file = database_file(url)
    if file is None:
        raise UsageError(
            "this is done for SQLite only: PostgreSQL has programs of its own for it",
            hint=f"run: {shlex.join(instead)}" if instead else "",
        )
    return file


def _without_secrets(url: str) -> str:
    """Return the address as PostgreSQL's programs take it; they ask for the password themselves."""
    parsed = make_url(url)
    query = {name: value for name, value in parsed.query.items() if name not in SECRET}
    plain = URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, query
    )
    return plain.render_as_string(hide_password=False)
