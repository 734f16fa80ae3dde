"""How is a snapshot made quick to ask?

Each flag becomes a function over constants, once per change of that flag.
"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.errors import SnapshotError
from flagstaff.flags.actor import actor_id, flatten, quick_id
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.evaluation import SHUT, Gate
from flagstaff.flags.expression import Setting, asks
from flagstaff.flags.fast import Check, fast_check, is_plainly_on
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import State
from flagstaff.flags.nesting import Decide, guarded
from flagstaff.flags.opening import opening_steps
from flagstaff.flags.snapshot import Snapshot
from flagstaff.flags.surroundings import Counter, Hit, Surroundings
from flagstaff.flags.variant import Choose, chooser


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledFlag:
    """One flag, ready to be asked: `check` for the answer, `decide` for the gate behind it."""

    flag: Flag
    check: Check
    decide: Decide
    choose: Choose | None

    def value(self, gate: Gate) -> bool:
        """Return the answer that `gate` stands for."""
        return self.flag.default if gate is Gate.DEFAULT else gate not in SHUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A snapshot, ready to be asked; `checks` is what the hot path looks into."""

    snapshot: Snapshot
    flags: dict[str, CompiledFlag]
    checks: dict[str, Check]


def compile_snapshot(
    snapshot: Snapshot, surroundings: Surroundings, previous: Compiled | None = None
) -> Compiled:
    """Return `snapshot` ready to be asked, taking unchanged flags over from `previous`.

    Flags that ask other flags are always compiled anew, so that a question is answered from one
    snapshot only.

    Raises:
        SnapshotError: an expression is malformed; the flag is named.
    """
    known = previous.flags if previous else {}
    flags: dict[str, CompiledFlag] = {}

    def enabled(name: str, actors: tuple[object, ...]) -> bool:
        asked = flags.get(name)
        return asked is not None and asked.value(asked.decide(actors))

    for name, flag in snapshot.flags.items():
        old = known.get(name)
        if old is not None and _still_right(old.flag, flag):
            flags[name] = old
            continue
        try:
            setting = Setting(flag=name, surroundings=surroundings, enabled=enabled)
            flags[name] = compile_flag(flag, setting)
        except SnapshotError as exc:
            raise SnapshotError(f"flag {name!r}: {exc.message}", hint=exc.hint) from exc
    checks = {name: compiled.check for name, compiled in flags.items()}
    return Compiled(snapshot=snapshot, flags=flags, checks=checks)


def compile_flag(flag: Flag, setting: Setting) -> CompiledFlag:
    """Return one flag ready to be asked.

    Raises:
        SnapshotError: its expression is malformed.
    """
    decide = _decider(flag, setting)
    counter = setting.surroundings.counter
    check = fast_check(flag, decide, setting) or _counting_check(flag, decide, counter)
    choose = _chooser(flag, setting.surroundings) if flag.variants else None
    return CompiledFlag(flag=flag, check=check, decide=decide, choose=choose)


def _chooser(flag: Flag, around: Surroundings) -> Choose:
    as_flagd = around.murmur3 if flag.bucketing is Bucketing.FLAGD else None
    return chooser(flag.name, flag.variants, around.draw, as_flagd)


def _decider(flag: Flag, setting: Setting) -> Decide:
    decide = _gate_decider(flag, setting)
    if flag.prerequisites:
        decide = _after_prerequisites(flag, decide, setting)
    if _asks_others(flag) or (flag.gates is not None and flag.gates.groups):
        decide = guarded(flag.name, decide)
    return decide


def _after_prerequisites(flag: Flag, decide: Decide, setting: Setting) -> Decide:
    prerequisites, enabled = flag.prerequisites, setting.enabled

    def decide_after(actors: tuple[object, ...]) -> Gate:
        for name, wanted in prerequisites:
            if enabled(name, actors) is not wanted:
                return Gate.PREREQUISITE
        return decide(actors)

    return decide_after


def _gate_decider(flag: Flag, setting: Setting) -> Decide:
    gates = flag.gates
    if gates is None or gates.state is State.OFF or is_plainly_on(gates):
        gate = Gate.DEFAULT if gates is None else Gate.BOOLEAN if gates.boolean else Gate.NONE
        return lambda _actors: gate
    steps, opted_out = opening_steps(flag, gates, setting), gates.opted_out

    def decide(actors: tuple[object, ...]) -> Gate:
        if len(actors) == 1 and (identity := quick_id(actors[0])) is not None:
            ids: tuple[str, ...] = (identity,)
        else:
            actors = flatten(actors)
            ids = tuple([actor_id(actor) for actor in actors])
        for gate, opens in steps:
            if opens(ids, actors):
                return gate if opted_out.isdisjoint(ids) else Gate.OPT_OUT
        return Gate.NONE

    return decide


def _counting_check(flag: Flag, decide: Decide, counter: Counter) -> Check:
    values = {gate: flag.default if gate is Gate.DEFAULT else gate not in SHUT for gate in Gate}
    hits = _Hits(flag.name, values, counter)

    def check(actors: tuple[object, ...]) -> bool:
        gate = decide(actors)
        hits[gate]()
        return values[gate]

    return check


class _Hits(dict[Gate, Hit]):
    """The counters of one flag, made when first needed: most gates of most flags never decide."""

    def __init__(self, name: str, values: dict[Gate, bool], counter: Counter) -> None:
        super().__init__()
        self._name, self._values, self._counter = name, values, counter

    def __missing__(self, gate: Gate) -> Hit:
        hit = self[gate] = self._counter(self._name, self._values[gate], gate)
        return hit


def _asks_others(flag: Flag) -> bool:
    if flag.prerequisites:
        return True
    expression = None if flag.gates is None else flag.gates.expression
    return expression is not None and bool(asks(expression))


def _still_right(old: Flag, new: Flag) -> bool:
    if _asks_others(new):
        return False
    return old is new or (not new.holds_json and old == new)
