"""Do whole rollouts end as they should? Gates B7, B8 and B10 to B12, on the core itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.guards_fleet import Fleet, World
from benchmarks.guards_gate import Row, false_alarms
from benchmarks.guards_worlds import POLL, RAMP, constant, world
from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.evidence.actors import Crowd, first_failures
from flagstaff.rollouts.evidence.counts import Counts, Missing, Tally
from flagstaff.rollouts.evidence.durations import (
    DurationEvidence,
    DurationGuard,
    Durations,
    advance_durations,
)
from flagstaff.rollouts.evidence.judging import standing
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence, log_harm, log_safe
from flagstaff.rollouts.evidence.settings import RatioGuard
from flagstaff.rollouts.evidence.standing import Decision, Says, decide

Generator = np.random.Generator

STRICT = RatioGuard(name="strict", harm_ratio=1.0, min_excess=0.0, min_bad=0, min_units=0)


def b7(rng: Generator, scale: float) -> Iterator[Row]:
    """Actors who fail again and again roll nothing back when each counts once."""
    runs = max(40, int(200 * scale))
    actors, calls = 0, 0
    for _ in range(runs):
        by_actor, by_call = _crowd(rng, harm=0.0)
        actors += np.isfinite(by_actor)
        calls += np.isfinite(by_call)
    yield false_alarms("B7", "sticky, heavy tails, first failures", actors, runs, 0.05)
    share = 100 * calls / runs
    yield Row(
        gate="B7",
        cell="the same world shows what counting calls does",
        value=10.0,
        limit=share,
        unit="%",
        note=f"{share:.1f} % rolled back by calls",
    )
    found = [_crowd(rng, harm=0.01, ramp=constant(0.1, 60))[0] for _ in range(max(20, runs // 8))]
    median = float(np.median(found))
    yield Row(gate="B7", cell="one more in 100 fails, 10 %", value=median, limit=2.0, unit="min")


def _crowd(
    rng: Generator, harm: float, ramp: tuple[tuple[float, float], ...] = RAMP
) -> tuple[float, float]:
    """Return the minutes of rollback by first failures and by calls.

    20,000 actors, volumes log-normal with 1.5, of whom one in a hundred fails in 30 % of the calls;
    100 calls a second.
    """
    count = 20_000
    weight = rng.lognormal(0, 1.5, count)
    calls = weight / weight.sum() * 100 * POLL
    fails = np.where(rng.random(count) < 0.01, 0.3, 0.001)  # noqa: PLR2004
    bucket = rng.random(count)
    failed, seen = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    actor, call = Evidence(), Evidence()
    at = [np.inf, np.inf]
    poll = 0
    for stage, (share, minutes) in enumerate(ramp):
        on = bucket < share
        for _ in range(round(minutes * 60 / POLL)):
            poll += 1
            made = rng.poisson(calls)
            bad = rng.binomial(made, np.minimum(fails + harm * on, 1.0))
            fresh = (bad > 0) & ~failed
            seen |= made > 0
            crowds = [
                Crowd(
                    enrolled=int((seen & side).sum()),
                    failed_before=int((failed & side).sum()),
                    failed_now=int((fresh & side).sum()),
                )
                for side in (on, ~on)
            ]
            failed |= fresh
            elapsed = poll * POLL
            first = first_failures(crowds[0], crowds[1], poll=poll, elapsed=elapsed, stage=stage)
            actor = advance_evidence(actor, first, STRICT)
            sides = [Tally(total=int(made[s].sum()), bad=int(bad[s].sum())) for s in (on, ~on)]
            plain = Counts(
                poll=poll, elapsed=elapsed, stage=stage, treatment=sides[0], control=sides[1]
            )
            call = advance_evidence(call, plain, STRICT)
            for each, state in enumerate((actor, call)):
                if state.harmful_at is not None and not np.isfinite(at[each]):
                    at[each] = elapsed / 60
            if np.isfinite(at[0]) and (harm or np.isfinite(at[1])):
                return at[0], at[1]
    return at[0], at[1]


def b8(rng: Generator, scale: float) -> Iterator[Row]:
    """Durations: few false alarms, slower calls and slow tails found in time."""
    runs = max(40, int(400 * scale))
    hits = sum(np.isfinite(_durations(rng, rate=10, ramp=RAMP)) for _ in range(runs))
    yield false_alarms("B8", "durations with shared drift, 10 req/s", hits, runs, 0.05)
    ties = sum(np.isfinite(_durations(rng, rate=10, ramp=RAMP, grain=0.05)) for _ in range(runs))
    yield false_alarms("B8", "durations in steps of 50 ms", ties, runs, 0.05)
    repeats = max(15, int(100 * scale))
    for share, rate, least in ((0.1, 10, 4.4), (0.01, 100, 4.0)):
        took = [
            _durations(rng, rate=rate, ramp=constant(share, 60), times=1.1, bounds=())
            for _ in range(repeats)
        ]
        value = float(np.mean(took)) / least
        cell = f"10 % slower at {share:.0%}, {rate} req/s, ranks"
        yield Row(gate="B8", cell=cell, value=value, limit=1.7, unit="x bound")
    took = [
        _durations(rng, rate=100, ramp=constant(0.01, 30), tail=0.02)
        for _ in range(max(10, repeats // 2))
    ]
    median = float(np.median(took))
    cell = "2 % of calls 1 s slower at 1 %, 100 req/s"
    yield Row(gate="B8", cell=cell, value=median, limit=2.5, unit="min")


def _durations(  # noqa: PLR0913 a world has many sides
    rng: Generator,
    *,
    rate: float,
    ramp: tuple[tuple[float, float], ...],
    times: float = 1.0,
    tail: float = 0.0,
    grain: float = 0.0,
    bounds: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0),
) -> float:
    """Return the minute of rollback: log-normal calls of 100 ms, whose level drifts for all."""
    guard = DurationGuard(name="d", margin=1.0, bounds=bounds, min_calls=0)
    state, drift, poll = DurationEvidence(), 0.0, 0
    for stage, (share, minutes) in enumerate(ramp):
        for _ in range(round(minutes * 60 / POLL)):
            poll += 1
            drift = 0.95 * drift + rng.normal(0, 0.05)
            on, off = rng.poisson(rate * POLL * share), rng.poisson(rate * POLL * (1 - share))
            slow = rng.lognormal(np.log(0.1) + drift, 0.6, on) * times
            slow += rng.random(on) < tail
            usual = rng.lognormal(np.log(0.1) + drift, 0.6, off)
            if grain:
                slow, usual = np.ceil(slow / grain) * grain, np.ceil(usual / grain) * grain
            seen = Durations(
                poll=poll,
                elapsed=poll * POLL,
                stage=stage,
                treatment=tuple(slow.tolist()),
                control=tuple(usual.tolist()),
            )
            state = advance_durations(state, seen, guard)
            if state.harmful_at is not None:
                return state.harmful_at / 60
    return float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of a plan: its share, how long at least and at most (minutes), and its margin."""

    share: float
    least: float
    most: float
    safe_ratio: float


PLAN = (
    Stage(share=0.01, least=15, most=60, safe_ratio=4.0),
    Stage(share=0.10, least=15, most=60, safe_ratio=2.5),
    Stage(share=0.50, least=15, most=60, safe_ratio=1.5),
)


def b10(rng: Generator, scale: float) -> Iterator[Row]:
    """Nothing is called safe at the margin, harmless rollouts end, harmful ones never do."""
    runs = max(200, int(2000 * scale))
    for margin in (1.25, 1.5, 2.0):
        ramp = constant(0.5, 1440)
        hits = 0
        for start in range(0, runs, 500):
            some = min(500, runs - start)
            seen = world(rng, some, base=0.01, rate=10, ratio=margin, ramp=ramp, seconds=60)
            hits += _called_safe(seen, margin)
        yield false_alarms("B10", f"safe at the margin {margin:g}, 24 h", hits, runs, 0.1)
    runs = max(40, int(1000 * scale))
    for base, rate in ((0.01, 100.0), (0.01, 1000.0)):
        ends = [_rollout(rng, base, rate, 1.0) for _ in range(runs)]
        unfinished = 100 * (1 - ends.count("done") / runs)
        cell = f"harmless, base {base:.1%}, {rate:g} req/s: not finished"
        # What chance alone allows on top with so few runs.
        most = 3.0 + (0 if runs >= 1000 else 300 / runs**0.5)  # noqa: PLR2004
        yield Row(gate="B10", cell=cell, value=unfinished, limit=most, unit="%")
    for base, rate in ((0.01, 100.0), (0.01, 10.0), (0.001, 100.0)):
        ends = [_rollout(rng, base, rate, 2.0) for _ in range(runs)]
        cell = f"twice as many failures, base {base:.1%}, {rate:g} req/s: finished"
        yield Row(gate="B10", cell=cell, value=ends.count("done"), limit=0, note=f"of {runs}")


def _called_safe(seen: World, margin: float) -> int:
    polls, runs = seen.shape
    fleet, ever = Fleet(runs, safe=margin), np.zeros(runs, dtype=bool)
    for poll in range(polls):
        fleet.poll(seen.at(poll), 0, float(seen.elapsed[poll]))
        ever |= fleet.safe >= 10  # noqa: PLR2004
    return int(ever.sum())


def _rollout(rng: Generator, base: float, rate: float, ratio: float) -> str:
    """Return how a rollout ends: done, rolled back or held."""
    state, poll = Evidence(), 0
    for number, stage in enumerate(PLAN):
        guard = RatioGuard(name="g", safe_ratio=stage.safe_ratio, min_excess=0.0)
        begun = poll
        while True:
            poll += 1
            on, off = rng.poisson([rate * POLL * stage.share, rate * POLL * (1 - stage.share)])
            counts = Counts(
                poll=poll,
                elapsed=poll * POLL,
                stage=number,
                treatment=Tally(total=int(on), bad=int(rng.binomial(on, base * ratio))),
                control=Tally(total=int(off), bad=int(rng.binomial(off, base))),
            )
            state = advance_evidence(state, counts, guard)
            minutes = (poll - begun) * POLL / 60
            says = standing(state, guard, stage.most * 60)
            decision = decide((Says(standing=says),), time_is_up=minutes >= stage.least)
            if decision is Decision.ROLLBACK:
                return "rolled back"
            if decision is Decision.HOLD:
                return "held"
            if decision is Decision.ADVANCE:
                break
    return "done"


def b11(rng: Generator, scale: float) -> Iterator[Row]:
    """Counters read through crashes, gaps and restarts: nothing counted twice, nothing lost."""
    runs = max(30, int(400 * scale))
    hits, differing = 0, 0
    for _ in range(runs):
        harmful, same = _through_faults(rng)
        hits += harmful
        differing += not same
    yield false_alarms("B11", "crashes, failed scrapes, restarts", hits, runs, 0.05)
    yield Row(gate="B11", cell="runs whose replay differs", value=differing, limit=0)


def _through_faults(rng: Generator) -> tuple[bool, bool]:
    """Return whether a harmless rollout was rolled back, and whether its replay is the same.

    One row holds the reader's place and the evidence. A crash between reading and committing loses
    both, and the next reading starts from the row; a failed scrape commits that it failed.
    """
    seen = world(rng, 1, base=0.01, rate=100)
    parts = np.stack([seen.on, seen.off, seen.bad_on, seen.bad_off])[:, :, 0]
    totals = np.cumsum(parts, axis=1)
    row = {"place": [0, 0, 0, 0], "evidence": encode(Evidence())}
    readings = []
    polls = totals.shape[1]
    for poll in range(polls):
        stage, elapsed = int(seen.stage[poll]), float(seen.elapsed[poll])
        last = poll == polls - 1 or seen.stage[poll + 1] != seen.stage[poll]
        if not last and rng.random() < 0.1:  # noqa: PLR2004
            reading: Counts | Missing = Missing(
                poll=poll, elapsed=elapsed, stage=stage, reason="time-out"
            )
            place = row["place"]
        else:
            place = totals[:, poll].tolist()
            on, off, bad_on, bad_off = (
                now - then for now, then in zip(place, row["place"], strict=True)
            )
            reading = Counts(
                poll=poll,
                elapsed=elapsed,
                stage=stage,
                treatment=Tally(total=on, bad=bad_on),
                control=Tally(total=off, bad=bad_off),
            )
        state = advance_evidence(decode(row["evidence"], Evidence), reading, STRICT)
        if not last and rng.random() < 0.1:  # noqa: PLR2004
            continue
        row = json.loads(json.dumps({"place": place, "evidence": encode(state)}))
        readings.append(reading)
    replayed = Evidence()
    for reading in readings:
        replayed = advance_evidence(replayed, reading, STRICT)
        replayed = advance_evidence(replayed, reading, STRICT)
    kept = decode(row["evidence"], Evidence)
    same = kept == replayed and kept.treatment.total == totals[0, -1]
    return kept.harmful_at is not None, bool(same)


def b12(rng: Generator, scale: float) -> Iterator[Row]:
    """What a poll costs."""
    guard = RatioGuard(name="g")
    seen = world(rng, 1, base=0.01, rate=100, ramp=constant(0.1, 100 + 400 * scale))
    polls = [
        Counts(
            poll=poll,
            elapsed=float(seen.elapsed[poll]),
            treatment=Tally(total=int(seen.on[poll, 0]), bad=int(seen.bad_on[poll, 0])),
            control=Tally(total=int(seen.off[poll, 0]), bad=int(seen.bad_off[poll, 0])),
        )
        for poll in range(seen.shape[0])
    ]
    best = float("inf")
    for _ in range(3):
        state, begun = Evidence(), time.process_time()
        for counts in polls:
            state = advance_evidence(state, counts, guard)
        best = min(best, (time.process_time() - begun) / len(polls))
    yield Row(gate="B12", cell="one poll of one guard", value=best * 1000, limit=0.3, unit="ms")
    begun = time.process_time()
    for _ in range(1000):
        moved = advance_evidence(state, polls[-1], guard)
        standing(moved, guard)
        log_harm(moved, guard)
        log_safe(moved, guard)
    took = best * 1000 + time.process_time() - begun
    yield Row(gate="B12", cell="1000 guards, decided", value=took, limit=POLL / 10, unit="s")
    size = len(json.dumps(asdict(state)))
    yield Row(gate="B12", cell="state of one guard", value=size, limit=2000, unit="bytes")
