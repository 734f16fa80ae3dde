"""How does one thing that goes wrong not stop the others, and not fill the log?"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flagstaff.errors import FlagstaffError

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt:
    """Whether what was tried went well."""

    good: bool = False


class Complaints:
    """Says each complaint once, until it changes or what it is about goes well again."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    @contextmanager
    def about(self, name: str) -> Iterator[Attempt]:
        """Keep what goes wrong here from going further, and say it."""
        attempt = Attempt()
        try:
            yield attempt
        except FlagstaffError as exc:
            self._say(name, exc, fault=False)
        except Exception as exc:  # noqa: BLE001 - whatever it is, the others go on
            self._say(name, exc, fault=True)
        else:
            attempt.good = True
            if self._said.pop(name, None) is not None:
                log.info("%s: well again", name)

    def _say(self, name: str, error: Exception, *, fault: bool) -> None:
        words = f"{type(error).__name__}: {error}"
        if self._said.get(name) == words:
            return
        self._said[name] = words
        if fault:
            log.error("%s met a fault, the others go on", name, exc_info=error)
        else:
            log.warning("%s: %s", name, error)
