"""Do guards keep their promises over hundreds of rollouts? The gates of the benchmark, in short.

`python -m benchmarks.guards` runs them at length. Here a few hundred rollouts tell a promise kept
from one that is broken, not from one that is nearly kept; the limits leave room for chance.
"""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from math import exp, inf, isfinite
from random import Random
from statistics import fmean, median

import pytest

from flagstaff.rollouts.evidence.actors import Crowd, first_failures
from flagstaff.rollouts.evidence.counts import Counts, Missing, Tally
from flagstaff.rollouts.evidence.durations import (
    DurationEvidence,
    DurationGuard,
    Durations,
    advance_durations,
)
from flagstaff.rollouts.evidence.judging import standing
from flagstaff.rollouts.evidence.planner import least_requests
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence, log_harm, log_safe
from flagstaff.rollouts.evidence.settings import RatioGuard
from flagstaff.rollouts.evidence.several import together
from flagstaff.rollouts.evidence.standing import Decision, Says, decide

pytestmark = pytest.mark.slow

POLL = 15.0
RAMP = ((0.01, 30), (0.10, 30), (0.50, 60))
GUARD = RatioGuard(name="g", harm_ratio=1.0, min_excess=0.0, min_bad=0, min_units=0)


def poisson(rng, mean):
    if mean > 40:
        return max(0, round(rng.gauss(mean, mean**0.5)))
    left, count = exp(-mean), 0
    chance = rng.random()
    while chance > left:
        count += 1
        chance *= rng.random()
    return count


def steady(_):
    return 1.0


def incident(minutes):
    return 10.0 if 62 <= minutes < 72 else 1.0


def traffic(rng, *, base, rate, ratio=1.0, ramp=RAMP, shape=steady, onset=0.0, seconds=POLL):
    """Yield what each poll sees: calls come and fail as Poisson counts."""
    poll = 0
    for stage, (share, minutes) in enumerate(ramp):
        for _ in range(round(minutes * 60 / seconds)):
            now = poll * seconds / 60
            poll += 1
            failing = base * shape(now)
            on, off = (poisson(rng, rate * seconds * part) for part in (share, 1 - share))
            worse = failing * (ratio if now >= onset else 1.0)
            bad_on, bad_off = poisson(rng, on * worse), poisson(rng, off * failing)
            yield Counts(
                poll=poll,
                elapsed=poll * seconds,
                stage=stage,
                treatment=Tally(total=max(on, bad_on), bad=bad_on),
                control=Tally(total=max(off, bad_off), bad=bad_off),
            )


def rolled_back(polls, guard=GUARD):
    """Return the minute of the rollback, infinite for none."""
    state = Evidence()
    for counts in polls:
        state = advance_evidence(state, counts, guard)
        if state.harmful_at is not None:
            return state.harmful_at / 60
    return inf


def false_alarms(runs, worlds):
    return sum(isfinite(rolled_back(polls)) for polls in worlds) / runs


def overlapping(polls, of=4):
    """Yield what a query over the last minute tells when it is read every poll."""
    polls = list(polls)
    for place, counts in enumerate(polls):
        last = polls[max(0, place - of + 1) : place + 1]
        yield replace(
            counts,
            treatment=sum((each.treatment for each in last), Tally()),
            control=sum((each.control for each in last), Tally()),
        )


@pytest.mark.parametrize(("base", "rate"), [(0.001, 100), (0.01, 10), (0.05, 1)])
def test_b1_a_harmless_rollout_is_rarely_rolled_back(base, rate):
    rng = Random(11)
    worlds = (traffic(rng, base=base, rate=rate) for _ in range(60))
    assert false_alarms(60, worlds) <= 0.1


def test_b1_sees_that_overlapping_windows_break_the_promise():
    rng = Random(12)
    worlds = (overlapping(traffic(rng, base=0.01, rate=100)) for _ in range(30))
    assert false_alarms(30, worlds) > 0.4


def test_b2_nor_under_an_incident_that_both_sides_share():
    rng = Random(13)
    worlds = (traffic(rng, base=0.005, rate=10, shape=incident) for _ in range(60))
    assert false_alarms(60, worlds) <= 0.1


@pytest.mark.parametrize(("base", "ratio", "share"), [(0.01, 2, 0.1), (0.01, 10, 0.5)])
def test_b3_harm_is_found_near_the_least_number_of_requests(base, ratio, share):
    rng, took = Random(14), []
    bound = least_requests(base, ratio, share, 0.05)
    each = bound / 100
    for _ in range(60):
        state, polls = Evidence(), 0
        while state.harmful_at is None:
            polls += 1
            counts = Counts(
                poll=polls,
                elapsed=polls * each / 100,
                treatment=Tally(total=each * share, bad=poisson(rng, each * share * base * ratio)),
                control=Tally(
                    total=each * (1 - share), bad=poisson(rng, each * (1 - share) * base)
                ),
            )
            state = advance_evidence(state, counts, GUARD)
        took.append(polls * each)
    assert fmean(took) / bound <= 1.8


@pytest.mark.parametrize(
    ("cell", "floor"),
    [((0.01, 2, 0.1, 100), 2.25), ((0.001, 5, 0.5, 10), 8.25), ((0.01, 2, 0.01, 1000), 2.0)],
)
def test_b4_harm_is_found_in_the_minutes_promised(cell, floor):
    rng = Random(15)
    base, ratio, share, rate = cell
    ramp = ((share, 60),)
    took = [
        rolled_back(traffic(rng, base=base, ratio=ratio, rate=rate, ramp=ramp)) for _ in range(80)
    ]
    assert median(took) <= 1.25 * floor


def test_b5_fixed_thresholds_are_late_or_roll_back_what_is_harmless():
    """At a base rate of 1 % "99 % must succeed" fires on everything, "95 %" never."""
    rng = Random(16)

    def failed_minutes(ratio, least):
        polls = list(traffic(rng, base=0.01, rate=100, ratio=ratio, ramp=((0.1, 60),), seconds=60))
        return [each.treatment.rate > 1 - least for each in polls]

    argo = [sum(failed_minutes(1.0, 0.99)) > 3 for _ in range(20)]
    flagger = [sum(failed_minutes(1.0, 0.99)) >= 10 for _ in range(20)]
    assert all(argo)
    assert all(flagger)
    assert not any(sum(failed_minutes(2.0, 0.95)) > 3 for _ in range(20))


@pytest.mark.parametrize(("onset", "most"), [(60, 6.0), (240, 8.5)])
def test_b6_harm_that_begins_late_is_found_in_minutes(onset, most):
    rng, ramp = Random(17), ((0.1, onset + 40),)
    took = [
        rolled_back(traffic(rng, base=0.01, rate=100, ratio=2, ramp=ramp, onset=onset)) - onset
        for _ in range(30)
    ]
    assert median([each for each in took if each > 0]) <= most


def crowd(rng, ramp, size=2000):
    """Return whether actors who fail again and again roll back: by first failures, by calls."""
    often = [rng.random() < 0.02 for _ in range(size)]
    bucket = [rng.random() for _ in range(size)]
    failed = [False] * size
    by_actor, by_call = Evidence(), Evidence()
    poll = 0
    for stage, (share, polls) in enumerate(ramp):
        on = [each < share for each in bucket]
        for _ in range(polls):
            poll += 1
            bad = [rng.random() < (0.3 if each else 0.001) for each in often]
            fresh = [now and not before for now, before in zip(bad, failed, strict=True)]
            sides, calls = [], []
            for side in (True, False):
                of = [each for each in range(size) if on[each] is side]
                sides.append(
                    Crowd(
                        enrolled=len(of),
                        failed_before=sum(failed[each] for each in of),
                        failed_now=sum(fresh[each] for each in of),
                    )
                )
                calls.append(Tally(total=len(of), bad=sum(bad[each] for each in of)))
            failed = [before or now for before, now in zip(failed, fresh, strict=True)]
            first = first_failures(*sides, poll=poll, elapsed=poll * POLL, stage=stage)
            plain = replace(first, treatment=calls[0], control=calls[1], units=None)
            by_actor = advance_evidence(by_actor, first, GUARD)
            by_call = advance_evidence(by_call, plain, GUARD)
    return by_actor.harmful_at is not None, by_call.harmful_at is not None


def test_b7_actors_who_fail_again_and_again_roll_nothing_back():
    rng = Random(18)
    ends = [crowd(rng, ((0.05, 20), (0.3, 30))) for _ in range(30)]
    assert sum(actor for actor, _ in ends) <= 3
    assert sum(call for _, call in ends) >= 6


def durations(rng, *, times=1.0, tail=0.0, minutes=60, share=0.1, rate=10):
    guard = DurationGuard(name="d", margin=1.0, bounds=(0.1, 0.5, 1.0), min_calls=0)
    state, drift = DurationEvidence(), 0.0
    for poll in range(1, round(minutes * 60 / POLL)):
        drift = 0.95 * drift + rng.gauss(0, 0.05)
        seen = Durations(
            poll=poll,
            elapsed=poll * POLL,
            treatment=tuple(
                rng.lognormvariate(drift - 2.3, 0.6) * times + (rng.random() < tail)
                for _ in range(poisson(rng, rate * POLL * share))
            ),
            control=tuple(
                rng.lognormvariate(drift - 2.3, 0.6)
                for _ in range(poisson(rng, rate * POLL * (1 - share)))
            ),
        )
        state = advance_durations(state, seen, guard)
        if state.harmful_at is not None:
            return state.harmful_at / 60
    return inf


def test_b8_slower_calls_are_found_and_shared_drift_is_not_blamed():
    rng = Random(19)
    assert sum(isfinite(durations(rng, minutes=30)) for _ in range(40)) <= 5
    assert median(durations(rng, times=1.3) for _ in range(15)) <= 2
    assert median(durations(rng, tail=0.02, share=0.01, rate=100) for _ in range(11)) <= 4


def test_b9_one_harmed_metric_of_eight_is_found_soon():
    rng = Random(20)
    names = [f"m{each}" for each in range(8)]
    shared = dict.fromkeys(names, 1 / 8)

    def minutes(first):
        worlds = {
            name: traffic(
                rng, base=0.01, rate=100, ratio=first if name == "m0" else 1.0, ramp=((0.1, 20),)
            )
            for name in names
        }
        states = dict.fromkeys(names, Evidence())
        for poll in zip(*worlds.values(), strict=True):
            for name, counts in zip(names, poll, strict=True):
                states[name] = advance_evidence(states[name], counts, GUARD)
            logs = {name: log_harm(state, GUARD) for name, state in states.items()}
            if together(logs, shared, 0.05).harmful:
                return poll[0].elapsed / 60
        return inf

    assert sum(isfinite(minutes(1.0)) for _ in range(25)) <= 3
    assert median(minutes(2.0) for _ in range(15)) <= 1.6 * 2.75


PLAN = ((0.01, 4.0), (0.10, 2.5), (0.50, 1.5))


def rollout(rng, ratio, rate=100):
    state, poll = Evidence(), 0
    for stage, (share, margin) in enumerate(PLAN):
        guard = RatioGuard(name="g", safe_ratio=margin)
        begun = poll
        while True:
            poll += 1
            counts = next(traffic(rng, base=0.01, rate=rate, ratio=ratio, ramp=((share, 1),)))
            counts = replace(counts, poll=poll, elapsed=poll * POLL, stage=stage)
            state = advance_evidence(state, counts, guard)
            says = standing(state, guard, 3600)
            time_is_up = (poll - begun) * POLL >= 900
            decision = decide((Says(standing=says),), time_is_up=time_is_up)
            if decision in {Decision.ROLLBACK, Decision.HOLD}:
                return decision
            if decision is Decision.ADVANCE:
                break
    return Decision.ADVANCE


def test_b10_harmless_rollouts_end_and_harmful_ones_never_do():
    rng = Random(21)
    assert [rollout(rng, 1.0) for _ in range(30)].count(Decision.ADVANCE) >= 28
    assert [rollout(rng, 2.0) for _ in range(30)].count(Decision.ROLLBACK) == 30


def test_b10_what_lies_at_the_margin_is_rarely_called_safe():
    rng, called, guard = Random(22), 0, RatioGuard(name="g", safe_ratio=1.5)
    for _ in range(60):
        state, safe = Evidence(), False
        for counts in traffic(rng, base=0.01, rate=20, ratio=1.5, ramp=((0.5, 400),), seconds=60):
            state = advance_evidence(state, counts, guard)
            safe = safe or log_safe(state, guard) >= 2.303
        called += safe
    assert called / 60 <= 0.15


def test_b11_crashes_and_gaps_change_no_evidence():
    """Counters catch up after a gap; a crash loses the reading and its evidence together."""
    rng, hits = Random(23), 0
    for _ in range(30):
        totals = [(0, 0, 0, 0, 0)]
        for each in traffic(rng, base=0.01, rate=100):
            now = (each.treatment.total, each.treatment.bad, each.control.total, each.control.bad)
            totals.append((*(a + b for a, b in zip(totals[-1], now, strict=False)), each.stage))
        place, state, seen = totals[0][:4], Evidence(), []
        ends = {at for at, (a, b) in enumerate(pairwise(totals[1:]), 1) if a[4] != b[4]}
        for poll, total in enumerate(totals[1:], 1):
            chance = rng.random()
            must = poll in ends or poll == len(totals) - 1
            delta = [a - b for a, b in zip(total, place, strict=False)]
            reading = Counts(
                poll=poll,
                elapsed=poll * POLL,
                stage=total[4],
                treatment=Tally(total=delta[0], bad=delta[1]),
                control=Tally(total=delta[2], bad=delta[3]),
            )
            if chance < 0.1 and not must:
                reading = Missing(poll=poll, elapsed=poll * POLL, stage=total[4], reason="x")
            after = advance_evidence(state, reading, GUARD)
            if 0.1 <= chance < 0.2 and not must:
                continue
            state = after
            seen.append(reading)
            place = place if isinstance(reading, Missing) else total[:4]
        replayed = Evidence()
        for reading in seen:
            replayed = advance_evidence(replayed, reading, GUARD)
        assert replayed == state
        assert state.treatment.total + state.control.total == totals[-1][0] + totals[-1][2]
        hits += state.harmful_at is not None
    assert hits <= 4


def test_b12_a_poll_costs_a_fraction_of_a_millisecond():
    polls = list(traffic(Random(24), base=0.01, rate=100, ramp=((0.1, 100),)))
    best = inf
    for _ in range(3):
        state, begun = Evidence(), time.process_time()
        for counts in polls:
            state = advance_evidence(state, counts, GUARD)
        best = min(best, (time.process_time() - begun) / len(polls))
    assert best < 0.001
