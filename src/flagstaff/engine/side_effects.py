"""How does the outside hear of each change of a flag, and what when it does not answer?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flagstaff.engine.complaints import Complaints
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.services import side_effects
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services
from flagstaff.services.side_effects import Kind, Wanted, back_off

Tell = Callable[[Wanted], None]


class SideEffects:
    """Does what is wanted, one thing after the other.

    A receiver that does not answer rests, longer each time, so that the others do not wait for it
    again and again.

    Args:
        services: where it stands what is wanted.
        tell: does one thing; doing it again changes nothing more.
        complaints: says what goes wrong, once.
    """

    def __init__(self, services: Services, tell: Tell, complaints: Complaints) -> None:
        self._services = services
        self._tell = tell
        self._complaints = complaints
        self._silent: dict[Kind, int] = {}
        self._rest: dict[Kind, datetime] = {}

    def work(self, goes_on: Callable[[], bool]) -> None:
        """Do all that is due."""
        while goes_on():
            wanted = self._take()
            if wanted is None:
                return
            with self._complaints.about(f"side effect {wanted.kind}"):
                self._try(wanted)

    def _take(self) -> Wanted | None:
        now = self._now()
        resting = [kind for kind, until in self._rest.items() if now < until]
        if not self._services.ask(lambda unit: side_effects.is_due(unit, resting), ENGINE):
            return None
        with self._services.unit(ENGINE, write=True) as unit:
            return side_effects.take(unit, resting)

    def _try(self, wanted: Wanted) -> None:
        try:
            self._tell(wanted)
        except FlagstaffError as error:
            self._failed(wanted, error)
            raise
        except Exception as exc:
            fault = f"a fault in Flagstaff: {type(exc).__name__}: {exc}"
            self._failed(wanted, FlagstaffError(fault))
            raise
        self._silent.pop(wanted.kind, None)
        self._rest.pop(wanted.kind, None)
        with self._services.unit(ENGINE, write=True) as unit:
            side_effects.finish(unit, wanted)

    def _failed(self, wanted: Wanted, error: FlagstaffError) -> None:
        if isinstance(error, Unavailable):
            times = self._silent.get(wanted.kind, 0) + 1
            self._silent[wanted.kind] = times
            self._rest[wanted.kind] = self._now() + back_off(times)
        with self._services.unit(ENGINE, write=True) as unit:
            side_effects.fail(unit, wanted, error)

    def _now(self) -> datetime:
        clock = self._services.clock
        return clock.wall(clock.now())
