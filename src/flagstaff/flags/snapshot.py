"""What are all flags of one environment at one version, and how do they travel?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from flagstaff.errors import SnapshotError
from flagstaff.flags.draw import Draw, read_draws
from flagstaff.flags.flag import Flag
from flagstaff.flags.wire import malformed, read_object, read_text, read_texts, read_whole

FORMAT = 1
"""Grows when an older SDK would give wrong answers from a newer snapshot."""

IN_ROLLOUT = "in_rollout"
DRAWN = "drawn"
"""Readers from before them pass them over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All flags of one environment at one version; never changed, only replaced.

    Attributes:
        environment: its name.
        version: grows with every change in the environment.
        flags: by name.
        in_rollout: names of those in a rollout that is not over, as far as its source knows; how it
            goes with these is worth counting.
        drawn: of those, the ones whose first failures are counted by actor, each with its draw.
    """

    environment: str
    version: int = 0
    flags: Mapping[str, Flag] = field(default_factory=dict, hash=False)
    in_rollout: frozenset[str] = frozenset()
    drawn: Mapping[str, Draw] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("flags", "drawn"):
            if not isinstance(found := getattr(self, name), MappingProxyType):
                object.__setattr__(self, name, MappingProxyType(dict(found)))

    def __reduce__(self) -> tuple[object, ...]:
        return (
            _rebuild,
            (self.environment, self.version, dict(self.flags), self.in_rollout, dict(self.drawn)),
        )

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        rollouts: dict[str, object] = {}
        if self.in_rollout:
            rollouts[IN_ROLLOUT] = sorted(self.in_rollout)
        if self.drawn:
            rollouts[DRAWN] = {name: self.drawn[name].to_json() for name in sorted(self.drawn)}
        return {
            "format": FORMAT,
            "environment": self.environment,
            "version": self.version,
            **rollouts,
            "flags": {name: self.flags[name].to_json() for name in sorted(self.flags)},
        }

    @classmethod
    def from_json(cls, data: object) -> Snapshot:
        """Return the snapshot that `to_json` wrote.

        Raises:
            SnapshotError: it is malformed or of another format; the place is named.
        """
        return SnapshotReader().read(data)

    def changed_by(self, data: object) -> Snapshot:
        """Return the snapshot after a change `{"version": 13, "flags": {name: flag or null}}`.

        A flag that is null is gone; flags that are not named stay the same objects. `in_rollout`
        and `drawn` are part of it when they are not as before.

        Raises:
            SnapshotError: the change is malformed, or is not newer than this snapshot.
        """
        found = read_object(data, "change")
        version = read_whole(found.get("version"), "version")
        if version <= self.version:
            raise malformed("version", f"newer than {self.version}", version)
        flags = dict(self.flags)
        for name, flag in read_object(found.get("flags"), "flags").items():
            if flag is None:
                flags.pop(name, None)
            else:
                flags[name] = _read_flag(name, flag)
        in_rollout = _in_rollout(found, self.in_rollout)
        drawn = _drawn(found, self.drawn)
        return replace(self, version=version, flags=flags, in_rollout=in_rollout, drawn=drawn)


class SnapshotReader:
    """Reads one snapshot after another; a flag that is written as before stays the same object.

    A server sends all flags when one of them changes, and reading takes far longer than comparing.
    """

    def __init__(self) -> None:
        self._written: Mapping[str, object] = {}
        self._flags: Mapping[str, Flag] = {}

    def read(self, data: object) -> Snapshot:
        """Return the snapshot that `to_json` wrote.

        Raises:
            SnapshotError: it is malformed or of another format; the place is named.
        """
        found = read_object(data, "snapshot")
        written_in = found.get("format")
        if written_in != FORMAT:
            raise malformed("format", f"the format this version reads ({FORMAT})", written_in)
        written = read_object(found.get("flags"), "flags")
        snapshot = Snapshot(
            environment=read_text(found.get("environment"), "environment"),
            version=read_whole(found.get("version"), "version"),
            flags={name: self._flag(name, flag) for name, flag in written.items()},
            in_rollout=_in_rollout(found, frozenset()),
            drawn=_drawn(found, {}),
        )
        self._written, self._flags = written, snapshot.flags
        return snapshot

    def _flag(self, name: str, written: object) -> Flag:
        known = self._flags.get(name)
        if known is not None and written == self._written.get(name) and not known.holds_json:
            return known
        return _read_flag(name, written)


def parse_json(text: str | bytes) -> object:
    """Return what the JSON `text` says.

    Raises:
        SnapshotError: it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SnapshotError(
            f"not JSON: {exc}", hint="the last good snapshot stays in force"
        ) from exc


def _read_flag(name: str, data: object) -> Flag:
    try:
        return Flag.from_json(read_text(name, "name"), data)
    except SnapshotError as exc:
        raise SnapshotError(f"flag {name!r}: {exc.message}", hint=exc.hint) from exc


def _in_rollout(found: Mapping[str, object], otherwise: frozenset[str]) -> frozenset[str]:
    return read_texts(found[IN_ROLLOUT], IN_ROLLOUT) if IN_ROLLOUT in found else otherwise


def _drawn(found: Mapping[str, object], otherwise: Mapping[str, Draw]) -> Mapping[str, Draw]:
    return read_draws(found[DRAWN]) if DRAWN in found else otherwise


def _rebuild(
    environment: str,
    version: int,
    flags: dict[str, Flag],
    in_rollout: frozenset[str],
    drawn: dict[str, Draw] | None = None,
) -> Snapshot:
    return Snapshot(
        environment=environment,
        version=version,
        flags=flags,
        in_rollout=in_rollout,
        drawn=drawn or {},
    )
