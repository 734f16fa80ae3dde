"""Are those at risk compared, and everyone told of once?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fakes import GUARD, START, plan_of, ramp
from flagstaff.commands.codec import decode, encode
from flagstaff.rollouts.event import Observed, Started
from flagstaff.rollouts.evidence.actors import Crowd, first_failures
from flagstaff.rollouts.evidence.counts import Tally
from flagstaff.rollouts.evidence.ratio import Evidence, advance_evidence
from flagstaff.rollouts.guard import Arm, Counting, Guard, Measurement
from flagstaff.rollouts.judging import judgements, words
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.query import Query
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.rollouts.watching import settings, watch_of

PEOPLE = replace(
    GUARD,
    query=Query(source="flagstaff", bad="5xx", flag="new_navigation"),
    counts="people",
    unit=Counting.ACTORS,
)
SECOND = timedelta(seconds=1)


def begun(guard=PEOPLE):
    """Return a rollout that has set the flag to 10 %, and waits."""
    plan = plan_of(ramp(10, "production"), Bake(duration=timedelta(hours=1)), guards=(guard,))
    rollout = advance(Rollout.of(plan, rollout_id=7), Started(by="ada"), START)[0]
    return advance(rollout, Observed(), START)[0]


def watched(rollout, *polls):
    """Return the rollout after polls, 15 s apart: people so far and failures so far, on and off."""
    before = (0, 0, 0, 0)
    for number, now in enumerate(polls, start=1):
        people_on, failed_on, people_off, failed_off = now
        measured = Measurement(
            guard=rollout.plan.guards[0].name,
            treatment=Arm(total=people_on, failed=failed_on),
            control=Arm(total=people_off, failed=failed_off),
            on_crowd=Crowd(
                enrolled=people_on, failed_before=before[1], failed_now=failed_on - before[1]
            ),
            off_crowd=Crowd(
                enrolled=people_off, failed_before=before[3], failed_now=failed_off - before[3]
            ),
        )
        before = now
        at = START + 15 * number * SECOND
        rollout = advance(rollout, Observed(measurements=(measured,)), at)[0]
    return rollout


def evidence(rollout):
    return watch_of(rollout, rollout.plan.guards[0]).evidence


def test_a_poll_without_newcomers_compares_everyone_at_risk_and_adds_nobody():
    rollout = watched(begun(), (100, 1, 900, 9), (100, 4, 900, 9))
    found, guard = evidence(rollout), rollout.plan.guards[0]
    assert (found.treatment, found.control) == (Tally(total=100, bad=4), Tally(total=900, bad=9))
    assert found.units == 4
    expected = Evidence()
    spec = settings(rollout, guard, watch_of(rollout, guard))
    for poll, (on, off) in enumerate(
        (
            (Crowd(enrolled=100, failed_now=1), Crowd(enrolled=900, failed_now=9)),
            (
                Crowd(enrolled=100, failed_before=1, failed_now=3),
                Crowd(enrolled=900, failed_before=9),
            ),
        )
    ):
        counts = first_failures(on, off, poll=poll, elapsed=15.0 * (poll + 1), stage=1)
        expected = advance_evidence(expected, counts, spec)
    assert found.harm == pytest.approx(expected.harm)
    assert found.safe == expected.safe
    assert found.expected == expected.expected


def test_nothing_new_is_no_poll():
    once = watched(begun(), (100, 1, 900, 9))
    again = watched(begun(), (100, 1, 900, 9), (100, 1, 900, 9))
    assert evidence(again).poll == evidence(once).poll


def test_what_it_says_is_of_people():
    rollout = watched(begun(), (100, 0, 900, 1), (110, 12, 990, 1))
    assert rollout.phase is Phase.ROLLED_BACK
    assert "12 of 110 people with the flag on against 1 of 990" in rollout.reason
    assert rollout.reason.endswith("About 12 people had a failure who would not have.")
    still = watched(begun(), (100, 0, 900, 1))
    (said,) = judgements(still, START + 20 * SECOND)
    assert (said.measurement.treatment, said.measurement.control.failed) == (Arm(total=100), 1)


@pytest.mark.parametrize(
    ("bad", "slower_than", "words_of"),
    [
        ("5xx", 0.0, "had a failure"),
        ("302", 0.0, "had a redirect"),
        ("requests", 1.5, "had to wait over 1.5 s"),
    ],
)
def test_each_kind_has_its_words(bad, slower_than, words_of):
    query = replace(PEOPLE.query, bad=bad, slower_than=slower_than)
    guard = replace(PEOPLE, query=query, slower_than=slower_than)
    assert guard.went_badly == words_of
    assert guard.go_badly == words_of.replace("had", "have", 1)
    assert guard.noun == "people with the flag on"


def test_the_split_is_that_of_newcomers_however_often_they_are_at_risk():
    guard = replace(PEOPLE, split=True)
    right = watched(begun(guard), *[(100 + poll, 0, 900 + 9 * poll, 0) for poll in range(40)])
    assert "percentage says" not in words(right, guard, START + 600 * SECOND)
    wrong = watched(begun(guard), *[(300 + poll, 0, 900 + 9 * poll, 0) for poll in range(40)])
    assert "people with the flag on and" in words(wrong, guard, START + 600 * SECOND)


def test_servers_of_before_can_read_guards_that_count_calls():
    assert "unit" not in encode(GUARD)
    assert decode(encode(PEOPLE), Guard) == PEOPLE
    assert not {"on_crowd", "off_crowd"} & encode(Measurement(guard="g")).keys()
