"""What does `lifecycle:` in flagstaff.yml say, and what is wrong with it?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from flagstaff.definitions import load_project
from flagstaff.definitions.flag_types import FLAG_TYPES
from flagstaff.definitions.lifecycle import Lifecycle
from flagstaff.definitions.span import FOREVER, Span, parse_span
from flagstaff.errors import DefinitionError, UsageError

DAY = timedelta(days=1)


@pytest.fixture
def read(tmp_path):
    def load(text):
        (tmp_path / "flagstaff.yml").write_text(text)
        return load_project(tmp_path).lifecycle

    return load


def test_the_lifespans_are_gitlabs_where_nothing_is_said(read):
    found = read("main_branch: main\n")
    assert found == Lifecycle()
    assert {name: str(span) for name, span in found.lifespans.items()} == {
        "development": "6 months",
        "gitlab_com_derisk": "2 months",
        "wip": "4 months",
        "beta": "6 months",
        "ops": "none",
        "experiment": "6 months",
        "worker": "none",
        "licensed": "none",
        "undefined": "none",
    }
    assert set(found.lifespans) == set(found.cleanup) == set(FLAG_TYPES)


def test_everything_can_be_set_and_the_rest_stays(read):
    found = read(
        "lifecycle:\n"
        "  lifespans: {ops: 12 months, beta: none, wip: 3w}\n"
        "  cleanup: {beta: 14d}\n"
        "  milestones: {'15.1': 2026-05-22}\n"
        "  stale_after: {fully_on: 10d, no_rows: 2w}\n"
        "  references: false\n"
        "  remind_before: 3d\n"
        "  remind_every: 1d\n"
    )
    assert found.lifespans["ops"] == Span(months=12)
    assert found.lifespans["beta"] == FOREVER
    assert found.lifespans["wip"] == Span(length=21 * DAY)
    assert found.lifespans["development"] == Span(months=6)
    assert found.cleanup["beta"] == Span(length=14 * DAY)
    assert found.milestones == {"15.1": date(2026, 5, 22)}
    assert (found.fully_on, found.never_on, found.no_rows) == (10 * DAY, 90 * DAY, 14 * DAY)
    assert found.references is False
    assert (found.remind_before, found.remind_every) == (3 * DAY, DAY)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("lifespan: {}", "unknown key 'lifespan'"),
        ("lifespans: {bet: 2 months}", "unknown key 'bet'"),
        ("lifespans: {beta: soon}", "lifespans.beta"),
        ("lifespans: {beta: 0d}", "no time at all"),
        ("lifespans: {beta: 200 months}", "longer than ten years"),
        ("milestones: {'15.1': soon}", "no day"),
        ("stale_after: {fully_on: 5h}", "less than a day"),
        ("references: maybe", "references"),
    ],
)
def test_what_is_wrong_is_named(read, text, what):
    with pytest.raises(DefinitionError) as caught:
        read(f"lifecycle:\n  {text}\n")
    assert what in str(caught.value)


def test_spans_count_by_the_calendar():
    assert Span(months=6).after(datetime(2026, 8, 31, tzinfo=UTC)) == datetime(
        2027, 2, 28, tzinfo=UTC
    )
    assert FOREVER.after(datetime(2026, 8, 31, tzinfo=UTC)) is None
    assert parse_span("1 month") == parse_span("1mo") == Span(months=1)
    with pytest.raises(UsageError):
        parse_span("6 moons")
