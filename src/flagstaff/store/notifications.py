"""How does every server on one PostgreSQL hear of what another has changed?

The names of what changed travel in the transaction that changes it, so there is never one without
the other. Who listens does so on a connection of its own, asks it for signs of life, and after a
break is told that anything may have changed meanwhile. An SQLite file has one server only, which
knows what it does.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from flagstaff.errors import Unavailable
from flagstaff.store.database import Database

CHANNEL: Final = "flagstaff"
MOST_BYTES: Final = 7_900
"""PostgreSQL refuses 8,000 and more in one notification."""
MOST_NOTICES: Final = 20
"""Notifications of one transaction, beyond which it is shorter to say that all has changed."""

SIGN_OF_LIFE: Final = 1.0
"""Seconds between looks whether the connection is still there."""
PATIENCE: Final = 2.0
TURN: Final = 0.2
"""Seconds between looks whether the server ends."""
LONGEST_BREAK: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one transaction has changed; `names` is `None` when that may be anything."""

    sender: str
    names: frozenset[str] | None


ANYTHING: Final = Notice(sender="", names=None)


def send(connection: Connection, sender: str, names: Iterable[str]) -> None:
    """Let the other servers hear of the names when this transaction is committed."""
    if connection.dialect.name != "postgresql":
        return
    for payload in payloads(sender, names):
        connection.execute(select(func.pg_notify(CHANNEL, payload)))


def payloads(sender: str, names: Iterable[str]) -> list[str]:
    """Return the names as texts that each fit into one notification."""
    found: list[str] = []
    fitting: list[str] = []
    for name in sorted(names):
        if fitting and len(_payload(sender, [*fitting, name])) > MOST_BYTES:
            found.append(_payload(sender, fitting))
            fitting = []
        fitting.append(name)
    if fitting:
        found.append(_payload(sender, fitting))
    if len(found) > MOST_NOTICES or any(len(each) > MOST_BYTES for each in found):
        return [_payload(sender, None)]
    return found


def notice_of(payload: str) -> Notice:
    """Return what a notification says; one that is not ours may mean anything."""
    try:
        sender, names = json.loads(payload)
    except (ValueError, TypeError):
        return ANYTHING
    if not isinstance(names, list):
        return Notice(sender=str(sender), names=None)
    return Notice(sender=str(sender), names=frozenset(map(str, names)))


def _payload(sender: str, names: list[str] | None) -> str:
    return json.dumps([sender, names], separators=(",", ":"))  # ASCII: a character is a byte


class Listening:
    """Hears what others have changed, in a thread of its own, until it is closed.

    Args:
        database: on PostgreSQL.
        heard: is called with every notification, and with `ANYTHING` whenever it listens again.
    """

    def __init__(self, database: Database, heard: Callable[[Notice], None]) -> None:
        self._database = database
        self._heard = heard
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flagstaff-listening", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Hear no more."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                with closing(self._database.dedicated(patience=PATIENCE)) as connection:
                    connection.execute(text(f"LISTEN {CHANNEL}"))
                    if failures:
                        log.warning("changes of other servers are heard again")
                    failures = 0
                    self._heard(ANYTHING)
                    self._listen(connection)
            except (Unavailable, DBAPIError) as exc:
                if not failures:
                    log.warning("changes of other servers are not heard at the moment: %s", exc)
                failures += 1
                longest = min(LONGEST_BREAK, 0.1 * 2**failures)
                self._stopping.wait(random.uniform(longest / 2, longest))  # noqa: S311 no secret

    def _listen(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        turns = 0
        while not self._stopping.is_set():
            try:
                for each in driver.notifies(timeout=TURN):
                    turns = 0
                    self._heard(notice_of(each.payload))
            except driver_errors(connection) as exc:
                raise Unavailable(str(exc)) from exc
            turns += 1
            if turns * TURN >= SIGN_OF_LIFE:
                turns = 0
                connection.execute(select(1))


def driver_errors(connection: Connection) -> type[Exception]:
    """Return what the driver raises where SQLAlchemy does not stand between."""
    errors: type[Exception] = connection.dialect.loaded_dbapi.Error
    return errors
