"""Is it known how often a flag answered, when, and within bounds?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flagstaff.services import answer_counts as module
from flagstaff.services.answer_counts import KEPT, SLOT, AnswerCounts, filled

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def counted(*reports, flag="a"):
    counts = AnswerCounts()
    for at, value, count in reports:
        counts.add(flag, "dev", at, value=value, count=count)
    return counts


def test_reports_within_five_minutes_add_up():
    counts = counted((AT, True, 2), (AT + SLOT / 2, False, 3), (AT + SLOT, True, 5))
    found = [(each.at, each.on, each.off) for each in counts.of("a")]
    assert found == [(AT, 2, 3), (AT + SLOT, 5, 0)]
    assert counts.of("b") == []


def test_a_time_without_questions_is_a_zero():
    counts = counted((AT, True, 2), (AT + 3 * SLOT, True, 4))
    assert [each.on for each in filled(counts.of("a"))] == [2, 0, 0, 4]


def test_only_the_last_day_is_told():
    counts = counted((AT, True, 1), (AT + KEPT, True, 2), (AT + KEPT + SLOT, True, 3))
    assert [each.on for each in counts.of("a")] == [2, 3]


def test_what_was_asked_for_longest_ago_makes_room(monkeypatch):
    monkeypatch.setattr(module, "MOST_SLOTS", 3)
    counts = AnswerCounts()
    for number, flag in enumerate("aabbb"):
        counts.add(flag, "dev", AT + timedelta(hours=number), value=True, count=1)
    assert counts.of("a") == []
    assert len(counts.of("b")) == 3
