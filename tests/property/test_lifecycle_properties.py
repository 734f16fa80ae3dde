"""What holds for the life of any flag?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from flagstaff.definitions.span import FOREVER, Span, parse_span
from flagstaff.flags.gates import State
from flagstaff.flags.reminder import reminder
from flagstaff.flags.stale import FlagFacts, Limits, StaleReason, Standing, findings

BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
moments = st.integers(0, 4_000 * 24).map(lambda hours: BEGIN + timedelta(hours=hours))
maybe = st.none() | moments
days = st.integers(1, 400).map(lambda n: timedelta(days=n))
limits = st.builds(Limits, fully_on=days, never_on=days, no_exposures=days, no_rows=days)
standings = st.lists(
    st.builds(
        Standing,
        environment=st.sampled_from(["dev", "staging", "production"]),
        state=st.sampled_from(State),
        since=maybe,
        is_set=st.booleans(),
    ),
    unique_by=lambda each: each.environment,
).map(tuple)
flags = st.builds(
    FlagFacts,
    name=st.just("x"),
    defined=st.booleans(),
    standings=standings,
    introduced_at=maybe,
    ends_at=maybe,
    rollout_by=st.none() | moments.map(datetime.date),
    due_at=maybe,
    exposed_at=maybe,
    exposures_since=maybe,
    exposures_until=maybe,
    referenced=st.none() | st.booleans(),
    in_rollout=st.booleans(),
)
LASTING = {StaleReason.NO_EXPOSURES}
"""Reasons that end by themselves: with nobody to be heard, nothing is known any more."""


def reasons(facts, limits_, now):
    return {each.reason for each in findings(facts, limits_, now)}


@given(flags, limits, moments, days)
def test_a_reason_stays_one_as_long_as_nothing_happens(facts, limit, now, later):
    before = reasons(facts, limit, now) - LASTING
    assert before <= reasons(facts, limit, now + later)


@given(flags, limits, moments)
def test_no_flag_is_both_on_for_all_and_for_none_and_each_reason_is_given_once(facts, limit, now):
    found = [each.reason for each in findings(facts, limit, now)]
    assert len(found) == len(set(found))
    assert not {StaleReason.FULLY_ON, StaleReason.NEVER_ON} <= set(found)
    assert not {StaleReason.NO_ROWS, StaleReason.NO_DEFINITION} <= set(found)


@given(flags, limits, moments)
def test_what_nobody_knows_is_no_reason(facts, limit, now):
    blind = replace(
        facts,
        standings=(),
        ends_at=None,
        due_at=None,
        rollout_by=None,
        exposures_since=None,
        referenced=None,
    )
    assert reasons(blind, limit, now) == set()


@given(flags, limits, moments)
def test_no_reason_began_in_the_future(facts, limit, now):
    for each in findings(facts, limit, now):
        assert each.since is None or each.since <= now


@given(moments, days, days, st.lists(st.integers(-500, 2_000), min_size=1))
def test_looking_in_order_never_comes_back_to_an_earlier_reminder(due, before, every, hours):
    looks = [due + timedelta(hours=each) for each in sorted(hours)]
    found = [reminder(due, now, before=before, every=every) for now in looks]
    stages = [each.stage for each in found if each is not None]
    met = [stage for n, stage in enumerate(stages) if n == 0 or stages[n - 1] != stage]
    assert len(met) == len(set(met))
    assert None not in found[found.index(next(filter(None, found), None)) :] or not stages


@given(moments, st.integers(1, 120))
def test_months_end_on_the_same_day_or_on_the_last(start, months):
    end = Span(months=months).after(start)
    assert end > start
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    assert end.day == start.day or (end + timedelta(days=1)).day == 1


@given(st.integers(1, 120), days)
def test_spans_are_read_as_they_are_written(months, length):
    for span in (Span(months=months), Span(length=length), FOREVER):
        assert parse_span(str(span)) == span
