"""How do clients hear that a definition has changed, with a version that says so?"""

from __future__ import annotations

import logging
import threading

from flagstaff.server.streams.hub import DEFINITIONS, Hub
from flagstaff.services.declared import note_definitions
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services

log = logging.getLogger(__name__)


class Declaring:
    """Notes the definitions in the database, and then tells those who listen."""

    def __init__(self, services: Services, hub: Hub) -> None:
        self._services = services
        self._hub = hub
        self._lock = threading.Lock()
        self._noted = ""
        self._threads: set[threading.Thread] = set()

    def note(self) -> None:
        """Note the definitions as they are.

        Raises:
            FlagstaffError: the database does not answer.
        """
        with self._lock, self._services.unit(ENGINE, write=True) as unit:
            self._noted = note_definitions(unit, self._noted)

    def changed(self) -> None:
        """Note them soon: whoever found the change may be in the middle of a transaction."""
        thread = threading.Thread(target=self._run, name="flagstaff-definitions", daemon=True)
        self._threads = {each for each in self._threads if each.is_alive()} | {thread}
        thread.start()

    def close(self) -> None:
        """Wait for what is being noted."""
        for thread in list(self._threads):
            thread.join()

    def _run(self) -> None:
        try:
            self.note()
        except Exception:
            log.exception("the definitions have changed, but the flags' versions have not")
        finally:
            self._hub.tell(frozenset({DEFINITIONS}))
