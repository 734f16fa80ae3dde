"""How are flags held by a test or a script itself?"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from flagstaff.errors import UsageError
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot
from flagstaff.sdk.holder import Holder
from flagstaff.sdk.readiness import Mode

Spec = bool | Decimal | Gates | Flag | None
"""What a flag may be given as: on or off, a percentage of actors, gates, or None: not set."""


class MemorySource:
    """Flags in a dictionary, which may be changed while clients read them.

    >>> source = MemorySource({"new_search": True})
    >>> source.set("new_search", False)
    """

    def __init__(self, flags: Mapping[str, Spec], environment: str = "test") -> None:
        named = {name: as_flag(name, spec) for name, spec in flags.items()}
        self._snapshot = Snapshot(environment=environment, version=1, flags=named)
        self._holders: list[Holder] = []
        self._lock = threading.Lock()

    @property
    def environment(self) -> str:
        """Return the environment whose flags these are."""
        return self._snapshot.environment

    def __repr__(self) -> str:
        return "memory"

    def set(self, name: str, spec: Spec) -> None:
        """Define or change one flag; every client has seen it when this returns."""
        self._change({**self._snapshot.flags, name: as_flag(name, spec)})

    def delete(self, name: str) -> None:
        """Forget one flag; it is unknown from now on."""
        self._change({key: flag for key, flag in self._snapshot.flags.items() if key != name})

    def start(self, holder: Holder) -> None:
        """Put the flags in force."""
        with self._lock:
            holder.replace(self._snapshot)
            holder.report(Mode.FIXED)
            self._holders.append(holder)

    def after_fork(self) -> None:
        """Go on: each process has its own dictionary."""
        self._lock = threading.Lock()

    def close(self, timeout: float) -> None:
        """End: there is nothing to wait for."""
        del timeout

    def _change(self, flags: Mapping[str, Flag]) -> None:
        with self._lock:
            version = self._snapshot.version + 1
            self._snapshot = replace(self._snapshot, version=version, flags=flags)
            for holder in self._holders:
                holder.replace(self._snapshot)


def as_flag(name: str, spec: Spec) -> Flag:
    """Return the flag that `spec` stands for.

    Raises:
        UsageError: it stands for none.
    """
    match spec:
        case Flag():
            return replace(spec, name=name)
        case bool():
            return Flag(name=name, gates=Gates(boolean=spec))
        case Decimal():
            return Flag(name=name, gates=Gates().set_percentage_of_actors(spec))
        case Gates() | None:
            return Flag(name=name, gates=spec)
    raise UsageError(
        f"{name}: {spec!r} is no flag",
        hint="give True, False, None (not set), Decimal(25) (per cent of actors) or Gates(…)",
    )
