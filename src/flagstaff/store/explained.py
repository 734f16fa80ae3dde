"""What does an error of the database mean to whoever asked?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy.exc import DatabaseError, DataError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree

from flagstaff.errors import Unavailable, Undecided, UsageError
from flagstaff.store.outage import AGAIN

READ_ONLY = "25006"
"""PostgreSQL's code for writing where one may only read, such as on a server that follows."""

LOOK = "whether the change was kept is not known: look before you try again"


@dataclass(slots=True)
class Progress:
    """How far a transaction has come.

    Attributes:
        writes: whether it may write; one that reads and tries to is a fault of ours.
        committing: whether it is being kept; an error then leaves open whether it was.
    """

    writes: bool = False
    committing: bool = False


@contextmanager
def explained() -> Iterator[Progress]:
    """Turn errors of the database into ours.

    Raises:
        Undecided: it was lost while it was to keep the changes.
        Unavailable: it does not answer, or cannot be read or written at the moment.
        UsageError: it cannot keep what it was given.
    """
    progress = Progress()
    try:
        yield progress
    except OperationalError as exc:
        why = f"the database does not answer: {_first_line(exc.orig)}"
        if progress.committing and exc.connection_invalidated:
            raise Undecided(why, hint=LOOK) from exc
        raise Unavailable(why, hint=AGAIN) from exc
    except NoneFree as exc:
        raise Unavailable(
            "the database does not answer: all connections to it are busy", hint=AGAIN
        ) from exc
    except DataError as exc:
        raise UsageError(
            f"the database cannot keep this: {exc.orig}", hint="nothing was changed"
        ) from exc
    except InternalError as exc:
        if not progress.writes or getattr(exc.orig, "sqlstate", "") != READ_ONLY:
            raise
        raise Unavailable(
            "the database can only be read at the moment",
            hint="it may be one that follows another: name the one that is written to",
        ) from exc
    except DatabaseError as exc:
        if type(exc) is not DatabaseError:
            raise  # one of its more telling children: a fault of ours
        raise Unavailable(
            f"the database cannot be read: {exc.orig}",
            hint="is this the right file? If it is damaged, put back a copy of it",
        ) from exc


def _first_line(error: BaseException | None) -> str:
    """Return what the driver says first; below it, it guesses."""
    return str(error).partition("\n")[0]
