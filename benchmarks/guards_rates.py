"""Do guards on rates keep their promises? Gates B1 to B6 and B9, on thousands of rollouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np

from benchmarks import guards_worlds as worlds
from benchmarks.guards_fleet import Array, Fleet, World, crossings, same_as_core
from benchmarks.guards_gate import Row, false_alarms
from benchmarks.guards_tools import LEAST_BAD, RULES, Minutes, Rule, z_values
from benchmarks.guards_worlds import constant, world
from flagstaff.rollouts.evidence.planner import least_requests

RISKS = (0.05, 0.01)
BASES = (0.001, 0.005, 0.01, 0.05)
RATES = (10.0, 100.0, 1000.0)
CHUNK = 500

Change = Callable[[World], World]

# (base, ratio, share, requests each second): median minutes at 5 %, at 1 % and with margin 1.1.
DELAYS: dict[tuple[float, float, float, float], tuple[float, float, float]] = {
    (0.01, 2, 0.01, 10): (162, 245, 213),
    (0.01, 2, 0.01, 100): (17.8, 26.8, 23.1),
    (0.01, 2, 0.01, 1000): (2, 2.88, 2.75),
    (0.01, 2, 0.1, 10): (19.5, 29, 25.2),
    (0.01, 2, 0.1, 100): (2.25, 3.25, 3),
    (0.01, 2, 0.1, 1000): (0.5, 0.5, 0.5),
    (0.01, 2, 0.5, 10): (7.75, 11.5, 10.4),
    (0.01, 2, 0.5, 100): (1, 1.25, 1.25),
    (0.01, 2, 0.5, 1000): (0.25, 0.25, 0.25),
    (0.001, 5, 0.01, 10): (158, 231, 172),
    (0.001, 5, 0.01, 100): (16.6, 25.2, 18),
    (0.001, 5, 0.01, 1000): (2, 2.75, 2.25),
    (0.001, 5, 0.1, 10): (19.1, 27.8, 21.1),
    (0.001, 5, 0.1, 100): (2.25, 3.25, 2.5),
    (0.001, 5, 0.1, 1000): (0.25, 0.5, 0.5),
    (0.001, 5, 0.5, 10): (8.25, 12.8, 9.5),
    (0.001, 5, 0.5, 100): (1, 1.5, 1.25),
    (0.001, 5, 0.5, 1000): (0.25, 0.25, 0.25),
    (0.005, 1.1, 0.01, 1000): (256, 392, np.inf),
    (0.005, 1.1, 0.1, 100): (290, 426, np.inf),
    (0.005, 1.1, 0.1, 1000): (32.1, 45.5, np.inf),
    (0.005, 1.1, 0.5, 100): (112, 162, np.inf),
    (0.005, 1.1, 0.5, 1000): (11.8, 17, np.inf),
}

DAY = 24 * 60
"""Minutes of the shortest verification term."""

EARLIER = 1.15
"""So many times another rule's delay may be ours."""


def _alarms(
    rng: np.random.Generator, runs: int, change: Change | None = None, **settings: Any
) -> dict[float, int]:
    """Return how many of `runs` harmless rollouts were rolled back, for each risk."""
    hits = dict.fromkeys(RISKS, 0)
    margin = settings.pop("margin", 1.0)
    for start in range(0, runs, CHUNK):
        seen = world(rng, min(CHUNK, runs - start), **settings)
        if change is not None:
            seen = change(seen)
        for risk, at in crossings(seen, RISKS, margin=margin).items():
            hits[risk] += int(np.isfinite(at).sum())
    return hits


def _rows(gate: str, cell: str, hits: dict[float, int], runs: int) -> Iterator[Row]:
    for risk, count in hits.items():
        yield false_alarms(gate, f"{cell}, risk {risk:g}", count, runs, risk)


def b1(rng: np.random.Generator, scale: float, fault: str = "") -> Iterator[Row]:
    """Harmless rollouts are rolled back at most as often as promised."""
    change = {
        "": None,
        "overlap": worlds.overlapping,
        "twice": lambda seen: worlds.twice(rng, seen),
    }[fault]
    probe = world(rng, 4, base=0.01, rate=100, ratio=1.2)
    yield Row(gate="B1", cell="arrays against core", value=same_as_core(probe, 4, 1.0), limit=1e-6)
    runs = max(500, int(4000 * scale))
    for base, rate in product(BASES, RATES):
        hits = _alarms(rng, runs, change, base=base, rate=rate)
        yield from _rows("B1", f"2 h, base {base:.1%}, {rate:g} req/s", hits, runs)
    if fault:
        return
    runs = max(300, int(3000 * scale))
    for base, rate, margin in ((0.005, 10, 1.0), (0.01, 100, 1.1)):
        ramp = constant(0.5, 1440)
        hits = _alarms(rng, runs, base=base, rate=rate, ramp=ramp, margin=margin, ratio=margin)
        cell = f"24 h at the margin {margin:g}, base {base:.1%}, {rate:g} req/s"
        yield from _rows("B1", cell, hits, runs)
    settings = {"ramp": worlds.DAY, "shape": worlds.diurnal}
    hits = _alarms(rng, runs, base=0.005, rate=10, **settings)
    yield from _rows("B1", "24 h, diurnal 80 %, base 0.5%, 10 req/s", hits, runs)


def b2(rng: np.random.Generator, scale: float) -> Iterator[Row]:
    """So they are under shared incidents, drift, changing percentages and missing polls."""
    runs = max(500, int(2000 * scale))
    zigzag = ((0.01, 20), (0.5, 20), (0.05, 20), (0.5, 20), (0.1, 20), (0.9, 20))
    cells = {
        "incident x10": {"shape": worlds.incident},
        "rising 4x": {"shape": worlds.rising},
        "falling 4x": {"shape": worlds.falling},
        "percentage up and down": {"ramp": zigzag, "shape": worlds.incident},
        "few calls, incident": {"shape": worlds.incident, "rate": 0.3, "base": 0.05},
        "few calls, rising": {"shape": worlds.rising, "rate": 0.3, "base": 0.02},
    }
    for name, settings in cells.items():
        for rate in (10, 1000):
            if rate == 1000 and "rate" in settings:  # noqa: PLR2004
                continue
            hits = _alarms(rng, runs, **{"base": 0.005, "rate": rate, **settings})
            yield from _rows("B2", f"{name}, {settings.get('rate', rate):g} req/s", hits, runs)
    hits = _alarms(rng, runs, lambda seen: worlds.missing(rng, seen), base=0.005, rate=100)
    yield from _rows("B2", "30 % of the polls fail and are caught up", hits, runs)


def b3(rng: np.random.Generator, scale: float) -> Iterator[Row]:
    """Mean requests until rollback, as a multiple of what the best rule needs."""
    runs = max(300, int(2000 * scale))
    for (base, ratio), share in product(
        ((0.01, 2), (0.001, 5), (0.005, 1.1), (0.01, 10)), (0.01, 0.1, 0.5)
    ):
        need = needed(rng, runs, base, ratio, share)
        for risk, most in zip(RISKS, (1.8, 1.6), strict=True):
            bound = least_requests(base, ratio, share, risk)
            cell = f"{base:.1%} -> {base * ratio:.2%} at {share:.0%}, risk {risk:g}"
            yield Row(gate="B3", cell=cell, value=need[risk] / bound, limit=most, unit="x bound")


def needed(
    rng: np.random.Generator, runs: int, base: float, ratio: float, share: float
) -> dict[float, float]:
    """Return the mean number of requests until rollback; polls of a hundredth of the bound."""
    each = least_requests(base, ratio, share, RISKS[0]) / 100
    fleet = Fleet(runs)
    need = {risk: np.full(runs, np.inf) for risk in RISKS}
    on, off = np.full(runs, each * share), np.full(runs, each * (1 - share))
    for poll in range(1, 5000):
        seen = np.stack([on, off, rng.poisson(on * base * ratio), rng.poisson(off * base)])
        fleet.poll(seen, 0, poll * each / 100)
        for risk, when in need.items():
            when[(fleet.harm >= 1 / risk) & np.isinf(when)] = poll * each
        if np.isfinite(need[RISKS[-1]]).all():
            break
    return {risk: float(when.mean()) for risk, when in need.items()}


def delays(
    rng: np.random.Generator, runs: int, cell: tuple[float, float, float, float], horizon: float
) -> World:
    """Return a constant ramp of harm, for `horizon` minutes."""
    base, ratio, share, rate = cell
    ramp = constant(share, horizon)
    return world(rng, runs, base=base, ratio=ratio, rate=rate, ramp=ramp)


def named(cell: tuple[float, float, float, float]) -> str:
    """Return what a cell is called in the report."""
    return f"{cell[0]:.1%} x{cell[1]:g} at {cell[2]:.0%}, {cell[3]:g} req/s"


def b4(rng: np.random.Generator, scale: float, only: str = "") -> Iterator[Row]:
    """Median minutes until rollback at polls of 15 s, at most a tenth above the prototype's.

    `only` is a part of the names of the cells that are wanted.
    """
    runs = max(100, int(600 * scale))
    for cell, (five, one, margin) in DELAYS.items():
        if (five > 60 and scale < 1) or only not in named(cell):  # noqa: PLR2004 hours of polls
            continue
        seen = delays(rng, runs, cell, max(10, 3 * one))
        plain = crossings(seen, RISKS)
        tolerant = crossings(seen, RISKS[:1], margin=1.1)
        name = named(cell)
        for label, at, floor in (
            ("risk 0.05", plain[0.05], five),
            ("risk 0.01", plain[0.01], one),
            ("margin 1.1", tolerant[0.05], margin),
        ):
            if np.isfinite(floor):
                # A median between two polls may fall on either.
                most = max(1.1 * floor, floor + 0.25 if floor < 2.5 else 0)  # noqa: PLR2004
                yield Row(
                    gate="B4",
                    cell=f"{name}, {label}",
                    value=float(np.median(at)),
                    limit=most,
                    unit="min",
                )


def b5(rng: np.random.Generator, scale: float, only: str = "") -> Iterator[Row]:
    """No rule that keeps its false alarms under 5 % is earlier by more than 15 %.

    A rule keeps them when it rolls back at most 5 % of harmless rollouts in the standard two hours,
    and at the cell's own share within the time it takes itself, two hours at least. One that is
    earlier than ours has to keep them for a day, the shortest time that a rollout is watched; if it
    does not, that is a row of its own. `only` is a part of the names of the cells that are wanted.
    """
    runs = max(60, int(200 * scale))
    tame: dict[tuple[float, float, str], bool] = {}
    for cell, (median, _, _) in DELAYS.items():
        base, ratio, share, rate = cell
        if (median > 60 and scale < 1) or only not in named(cell):  # noqa: PLR2004
            continue
        least = least_requests(base, ratio, share, RISKS[0]) / rate / 60
        seen = delays(rng, runs, cell, max(60, 3 * median))
        ours = float(np.median(crossings(seen, RISKS[:1])[0.05]))
        minutes = Minutes(seen)
        for name, rule in RULES.items():
            key = (base, rate, name)
            if key not in tame:
                tame[key] = _alarm_share(rng, rule, base, rate, worlds.RAMP) <= 0.05  # noqa: PLR2004
            if not tame[key]:
                continue
            theirs = float(np.median(rule(minutes)))
            length = max(120, theirs if np.isfinite(theirs) else 0)
            if _alarm_share(rng, rule, base, rate, constant(share, length)) > 0.05:  # noqa: PLR2004
                continue
            note = f"ours {ours:g} min, {name} {theirs:g} min"
            text = f"{named(cell)} against {name}"
            if ours / theirs > EARLIER:
                wrong = _alarm_share(rng, rule, base, rate, constant(share, DAY))
                if wrong > 0.05:  # noqa: PLR2004
                    yield _too_early(text, note, name, least, wrong)
                    continue
            yield Row(gate="B5", cell=text, value=ours / theirs, limit=EARLIER, unit="x", note=note)
    yield from _calibrated(rng, max(300, int(1500 * scale)), only)


def _too_early(text: str, note: str, name: str, least: float, wrong: float) -> Row:
    """Return the row of a rule that is early because it rolls back what is harmless, too.

    It says `least` as well: the mean minutes of the best rule that keeps its 5 % for ever.
    """
    said = f"{note}, the best at 5 % for ever {least:.3g}; of harmless ones in a day {name}"
    return Row(
        gate="B5",
        cell=f"{text}: its 5 % by what it rolls back",
        value=0.05 / wrong,
        limit=1,
        unit="x",
        note=f"{said} rolls back {100 * wrong:.0f} %",
    )


def _alarm_share(
    rng: np.random.Generator,
    rule: Rule,
    base: float,
    rate: float,
    ramp: tuple[tuple[float, float], ...],
) -> float:
    """Return the share of harmless rollouts that a rule of another tool rolls back."""
    calm = world(rng, 150, base=base, rate=rate, ramp=ramp, seconds=60)
    return float(np.isfinite(rule(Minutes(calm))).mean())


def _calibrated(rng: np.random.Generator, runs: int, only: str) -> Iterator[Row]:
    """Compare with a z test whose limit was found by simulating this very rollout."""
    for cell in ((0.01, 2, 0.01, 100), (0.01, 2, 0.1, 10), (0.01, 2, 0.5, 10), (0.001, 5, 0.1, 10)):
        if only not in named(cell):
            continue
        base, ratio, share, rate = cell
        ramp = constant(share, 120)
        calm = world(rng, runs, base=base, rate=rate, ramp=ramp)
        harm = world(rng, runs, base=base, rate=rate, ramp=ramp, ratio=ratio)
        alarms = np.isfinite(crossings(calm, RISKS[:1], least_bad=LEAST_BAD)[0.05]).mean()
        ours = float(np.median(crossings(harm, RISKS[:1], least_bad=LEAST_BAD)[0.05]))
        limit = float(np.quantile(_z(calm).max(axis=0), 1 - max(alarms, 1 / runs)))
        above = _z(harm) > limit
        theirs = float(np.median(np.where(above.any(axis=0), above.argmax(axis=0) + 1, np.inf))) / 4
        note = f"ours {ours:g} min, z {theirs:g} min at {100 * alarms:.1f} % false alarms"
        text = f"{named(cell)}, calibrated z"
        yield Row(gate="B5", cell=text, value=ours / theirs, limit=1.15, unit="x", note=note)


def _z(seen: World) -> Array:
    values = z_values(seen.on, seen.off, seen.bad_on, seen.bad_off)
    values[np.cumsum(seen.bad_on, axis=0) < LEAST_BAD] = 0.0
    return values


def b6(rng: np.random.Generator, scale: float) -> Iterator[Row]:
    """Harm that begins hours later is found in minutes."""
    runs = max(300, int(1500 * scale))
    for onset, most in ((60, 5.0), (240, 7.5)):
        ramp = constant(0.1, onset + 40)
        seen = world(rng, runs, base=0.01, rate=100, ratio=2, ramp=ramp, onset=onset)
        at = crossings(seen, RISKS[:1])[0.05]
        delay = float(np.median(at[at > onset] - onset))
        note = f"{100 * float((at <= onset).mean()):.1f} % rolled back before"
        yield Row(
            gate="B6",
            cell=f"harm after {onset} min",
            value=delay,
            limit=most,
            unit="min",
            note=note,
        )


def b9(rng: np.random.Generator, scale: float) -> Iterator[Row]:
    """Eight metrics with a shared shock: as few false alarms, and little delay."""
    runs = max(400, int(2000 * scale))
    calm, _ = _eight(rng, runs, 1.0, worlds.RAMP)
    yield false_alarms("B9", "eight metrics, risk 0.05", int(np.isfinite(calm).sum()), runs, 0.05)
    runs = max(200, int(1000 * scale))
    mean, single = _eight(rng, runs, 2.0, constant(0.1, 30))
    value = float(np.median(mean) / np.median(single))
    note = f"{np.median(single):g} -> {np.median(mean):g} min"
    yield Row(
        gate="B9", cell="one of eight harmed", value=value, limit=1.6, unit="x alone", note=note
    )


def _eight(
    rng: np.random.Generator, runs: int, ratio: float, ramp: tuple[tuple[float, float], ...]
) -> tuple[Array, Array]:
    """Return the minutes at which the mean evidence and the harmed metric alone cross."""
    shock = np.exp(rng.normal(0, 0.5))

    def shared(minutes: Array) -> Array:
        return 1 + shock * (np.sin(minutes / 9) > 0.6)  # noqa: PLR2004

    seen = [
        world(
            rng,
            runs,
            base=0.01,
            rate=100,
            ramp=ramp,
            shape=shared,
            ratio=ratio if each == 0 else 1.0,
        )
        for each in range(8)
    ]
    fleets = [Fleet(runs) for _ in seen]
    together, alone = np.full(runs, np.inf), np.full(runs, np.inf)
    for poll in range(seen[0].shape[0]):
        for fleet, one in zip(fleets, seen, strict=True):
            fleet.poll(one.at(poll), int(one.stage[poll]), float(one.elapsed[poll]))
        mean = np.mean([fleet.harm for fleet in fleets], axis=0)
        minute = seen[0].elapsed[poll] / 60
        together[(mean >= 20) & np.isinf(together)] = minute  # noqa: PLR2004
        alone[(fleets[0].harm >= 20) & np.isinf(alone)] = minute  # noqa: PLR2004
    return together, alone
