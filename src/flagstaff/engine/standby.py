"""Which of several servers runs the rollouts, and who goes on when that one ends?"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from flagstaff.engine.loop import Engine
from flagstaff.errors import Unavailable

LOOK_EVERY: Final = 1.0
"""Real seconds between tries to become the one, and between looks whether we still are."""

log = logging.getLogger(__name__)


class Claim(Protocol):
    """Being the one server that runs the rollouts."""

    def holds(self) -> bool:
        """Ask whether it is still so, and say that we are there."""
        ...

    def is_sure(self) -> bool:
        """Return whether it is so, without asking."""
        ...

    def release(self) -> None:
        """Be it no longer."""
        ...


class Standby:
    """Runs an engine whenever this server is the one, and waits for its turn otherwise.

    Args:
        take: returns the claim, or `None` while another server has it; may raise `Unavailable`.
        make: returns an engine that asks whether it may go on.
    """

    def __init__(
        self,
        take: Callable[[], Claim | None],
        make: Callable[[Callable[[], bool]], Engine],
        *,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._take = take
        self._make = make
        self._look_every = look_every
        self._claim: Claim | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flagstaff-standby", daemon=True)

    @property
    def runs(self) -> bool:
        """Return whether this server is the one."""
        return self._claim is not None

    def claim(self) -> bool:
        """Try to become the one; return whether we are.

        Raises:
            Unavailable: the database does not answer.
        """
        if self._claim is None:
            self._claim = self._take()
        return self.runs

    def start(self) -> None:
        """Begin to run the rollouts, or to wait for that."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the step at hand, and let the next server have its turn."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._release()

    def _run(self) -> None:
        waited = False
        while not self._stopping.is_set():
            if not self._claimed():
                waited = True
                self._stopping.wait(self._look_every)
                continue
            if waited:
                log.warning("this server runs the rollouts from now on")
            self._run_engine()
            waited = True
            if not self._stopping.is_set():
                log.warning("this server runs the rollouts no more: it has lost its claim to")

    def _claimed(self) -> bool:
        try:
            return self.claim()
        except Unavailable:
            return False  # whoever asks for something hears of it; this only waits

    def _run_engine(self) -> None:
        claim = self._claim
        if claim is None:
            return
        engine = self._make(claim.is_sure)
        engine.start()
        try:
            while not self._stopping.wait(self._look_every) and claim.holds():
                pass
        finally:
            engine.stop()
            self._release()

    def _release(self) -> None:
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()
