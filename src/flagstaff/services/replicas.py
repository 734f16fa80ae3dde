"""How do several servers on one database keep each other up to date?"""

from __future__ import annotations

from flagstaff.services.services import EVERYTHING, Services
from flagstaff.store.notifications import Listening, Notice


class Replicas:
    """Tells this server's listeners what the others on the same database have changed.

    What this one has changed it has told them itself, at the commit; but where that went wrong it
    may have been kept nevertheless, and then the notification is the one that counts.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._listening: Listening | None = None
        if services.database.engine.dialect.name == "postgresql":
            self._listening = Listening(services.database, self._hear)

    def start(self) -> None:
        """Begin to hear of changes; at first anything may have changed."""
        if self._listening is not None:
            self._listening.start()

    def close(self) -> None:
        """Hear no more."""
        if self._listening is not None:
            self._listening.close()

    def _hear(self, notice: Notice) -> None:
        if notice.sender and self._services.has_told(notice.sender):
            return
        self._services.tell(frozenset({EVERYTHING}) if notice.names is None else notice.names)
