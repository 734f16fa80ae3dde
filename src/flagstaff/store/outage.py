"""Is the database away, and who finds out that it is back?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flagstaff.errors import Unavailable

AGAIN = "nothing was changed; try again when it is back"


class Outage:
    """Lets one caller at a time look whether the database is back; the others hear no at once.

    Everybody would otherwise wait until their own attempt to connect has failed, and keep a thread
    busy as long, of which a server has only so many.
    """

    def __init__(self) -> None:
        self._why = ""
        self._looking = threading.Lock()

    @contextmanager
    def reaching(self) -> Iterator[None]:
        """Surround an attempt to get a connection.

        Raises:
            Unavailable: the database was away a moment ago, and somebody is looking already.
        """
        looks = bool(self._why)
        if looks and not self._looking.acquire(blocking=False):
            raise Unavailable(self._why, hint=AGAIN)
        try:
            yield
            self._why = ""
        except Unavailable as exc:
            self._why = exc.message
            raise
        finally:
            if looks:
                self._looking.release()
