"""Which actors were asked about, on which side, and which of them have failed?

For flags whose guards count each actor's first failure. An actor is noted when first asked about,
whatever comes of it: to note them at the first outcome instead would let the flag choose. Only
answers that were drawn by lot count: not those that an id, a group or an expression gave.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from flagstaff.errors import FlagstaffError
from flagstaff.flags.actor import actor_id, flatten, quick_id
from flagstaff.flags.bucketing import combined
from flagstaff.flags.draw import Draw, admits
from flagstaff.flags.evaluation import Gate
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.snapshot import Snapshot

LIMIT: Final = 50_000
"""Actors of one process, all flags together, who are all noted; of those who come later fewer."""

BATCH: Final = 2_000
"""Actors and failures in one report; more go with the next, which follows at once."""

ID_BYTES: Final = 8

_NOBODY: Final[Mapping[Gate, bool]] = {}
_EVERYBODY: Final = {Gate.BOOLEAN: True}
_DRAWN: Final = {Gate.PERCENTAGE_OF_ACTORS: True, Gate.NONE: False}


class Mark(NamedTuple):
    """An actor as noted for one question: the flag, its draw, the hashed id and the answer."""

    flag: str
    draw: Draw
    actor: str
    on: bool


class Unmarked:
    """Stands for whoever was asked about and is not counted, where a mark is expected."""


UNMARKED: Final = Unmarked()


@dataclass(slots=True)
class _Crowd:
    """Those asked about under one draw; what is new since the last report that was taken."""

    draw: Draw
    seen: dict[str, bool] = field(default_factory=dict)
    failed: set[tuple[str, str]] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    new: dict[str, bool] = field(default_factory=dict)
    newly_failed: dict[tuple[str, str], bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """What one report says of one flag."""

    crowd: _Crowd
    flag: str
    new: Mapping[str, bool]
    newly_failed: Mapping[tuple[str, str], bool]

    def to_json(self) -> dict[str, object]:
        """Return the wire form."""
        failed: dict[str, dict[str, list[str]]] = {}
        for (kind, actor), on in self.newly_failed.items():
            sides = failed.setdefault(kind, {"on": [], "off": []})
            sides["on" if on else "off"].append(actor)
        return {
            "flag": self.flag,
            "rollout": self.crowd.draw.rollout,
            "draw": self.crowd.draw.number,
            "kinds": sorted(self.crowd.kinds),
            "bare": sorted(self.crowd.bare),
            "on": [actor for actor, on in self.new.items() if on],
            "off": [actor for actor, on in self.new.items() if not on],
            "failed": failed,
        }


class Crowds:
    """The actors of one process; safe in threads."""

    def __init__(self) -> None:
        self._crowds: dict[str, _Crowd] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return sum(len(each.seen) for each in list(self._crowds.values()))

    def asked(self, flag: Flag, draw: Draw, actors: tuple[object, ...], gate: Gate) -> Mark | None:
        """Note who was asked about; `None` for those who were not drawn, and for nobody."""
        on = sides(flag.gates).get(gate)
        if on is None or flag.gates is None:
            return None
        ids = _ids(actors)
        if not ids or not flag.gates.opted_out.isdisjoint(ids):
            return None
        crowd = self._crowd(flag.name, draw)
        if crowd is None:
            return None
        actor = hashed(draw, ids)
        known = crowd.seen.get(actor)
        if known is None:
            with self._lock:
                if not admits(actor, len(self), LIMIT):
                    return None
                crowd.seen[actor] = crowd.new[actor] = on
        elif known is not on:
            return None
        return Mark(flag.name, draw, actor, on)

    def noted(
        self, snapshot: Snapshot, name: str, actors: tuple[object, ...], gate: Gate
    ) -> Mark | None:
        """Note the same, if the snapshot has a draw of the flag."""
        draw = snapshot.drawn.get(name)
        return None if draw is None else self.asked(snapshot.flags[name], draw, actors, gate)

    def count(self, name: str, kind: str, actor: object, *, on: bool, ok: bool) -> None:
        """Note how it went.

        Args:
            name: of the flag.
            kind: of outcome.
            actor: who was asked about, a mark, or `UNMARKED`; `None` was not said.
            on: the answer that was used.
            ok: whether it went well.
        """
        crowd = self._crowds.get(name)
        if crowd is None:
            return
        mark: Mark | None = None
        if isinstance(actor, Mark):
            mark = actor
        elif actor is not UNMARKED:
            mark, said = _found(crowd, name, actor, on=on)
            if not said:
                self._add(crowd.bare, kind)
                return
        if mark is None or mark.draw != crowd.draw:
            return
        # Only now: whoever names actors in another way than the flag is asked counts nobody.
        self._add(crowd.kinds, kind)
        if ok:
            return
        key = (kind, mark.actor)
        if key not in crowd.failed:
            with self._lock:
                crowd.failed.add(key)
                crowd.newly_failed[key] = mark.on

    def follow(self, drawn: Mapping[str, Draw]) -> None:
        """Forget whoever belongs to a draw that is over."""
        with self._lock:
            for name in [
                name for name, each in self._crowds.items() if drawn.get(name) != each.draw
            ]:
                del self._crowds[name]
            for name, draw in drawn.items():
                self._crowds.setdefault(name, _Crowd(draw))

    def take(self) -> list[Part]:
        """Return what to report next: what is new, and which outcomes are counted."""
        left, parts = BATCH, []
        with self._lock:
            for name, each in self._crowds.items():
                new = dict(islice(each.new.items(), left))
                left -= len(new)
                newly_failed = dict(islice(each.newly_failed.items(), left))
                left -= len(newly_failed)
                if new or newly_failed or each.kinds or each.bare:
                    parts.append(Part(each, name, new, newly_failed))
        return parts

    def taken(self, parts: Collection[Part]) -> bool:
        """Forget to report what was taken in; return whether there is more."""
        with self._lock:
            for part in parts:
                for actor in part.new:
                    part.crowd.new.pop(actor, None)
                for key in part.newly_failed:
                    part.crowd.newly_failed.pop(key, None)
            return any(each.new or each.newly_failed for each in self._crowds.values())

    def after_fork(self) -> None:
        """Leave the parent's actors to the parent; whoever is asked about here is noted anew."""
        self._lock = threading.Lock()
        self._crowds = {name: _Crowd(each.draw) for name, each in self._crowds.items()}

    def _add(self, kinds: set[str], kind: str) -> None:
        if kind not in kinds:
            with self._lock:
                kinds.add(kind)

    def _crowd(self, name: str, draw: Draw) -> _Crowd | None:
        """Return those of a draw; `None` when another has come while the question was answered."""
        crowd = self._crowds.get(name)
        return crowd if crowd is not None and crowd.draw == draw else None


def sides(gates: Gates | None) -> Mapping[Gate, bool]:
    """Return which gates' answers were drawn by lot, and the side of each.

    With a percentage of time nobody keeps a side, and groups are asked only of those whom the lot
    has left out: then nobody is counted. Where the flag is on for everyone, all are on one side.
    """
    if gates is None:
        return _NOBODY
    if gates.boolean:
        return _EVERYBODY
    if not gates.percentage_of_actors or gates.percentage_of_time or gates.groups:
        return _NOBODY
    return _DRAWN


def hashed(draw: Draw, ids: tuple[str, ...]) -> str:
    """Return the first 64 bits of the HMAC-SHA-256 of whom the lot is drawn for, hexadecimal."""
    return hmac.digest(draw.key, combined(ids).encode(), "sha256")[:ID_BYTES].hex()


def _found(crowd: _Crowd, name: str, actor: object, *, on: bool) -> tuple[Mark | None, bool]:
    """Return the mark of who was asked about and answered so, and whether an actor was named."""
    try:
        ids = _ids((actor,))
    except FlagstaffError:
        return None, False
    if not ids:
        return None, False
    identity = hashed(crowd.draw, ids)
    same = crowd.seen.get(identity) is on
    return (Mark(name, crowd.draw, identity, on) if same else None), True


def _ids(actors: tuple[object, ...]) -> tuple[str, ...]:
    if len(actors) == 1 and (identity := quick_id(actors[0])) is not None:
        return (identity,)
    return tuple(actor_id(each) for each in flatten(actors))
