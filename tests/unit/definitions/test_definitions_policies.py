"""Are policies read as they were written, and all that is wrong said at once?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from flagstaff.definitions import Freeze, HealthCheck, Policies, load_project
from flagstaff.errors import DefinitionError


@pytest.fixture
def read(tmp_path):
    def read(text):
        (tmp_path / "flagstaff.yml").write_text(text)
        return load_project(tmp_path).policies

    return read


@pytest.fixture
def wrong(read):
    def wrong(text):
        with pytest.raises(DefinitionError) as caught:
            read(text)
        return [(each.line, f"{each.what}; {each.remedy}") for each in caught.value.problems]

    return wrong


@pytest.mark.parametrize("text", ["main_branch: main", "policies:", "policies: {}"])
def test_none_are_the_defaults(read, text):
    assert read(text) == Policies()


def test_all_of_them(read):
    text = """
policies:
  consistency: no
  production_channel: off
  environment_channels: {staging: ["#staging", "#ops"], dev: "#dev"}
  freeze:
    - {from: 2026-12-20T18:00:00Z, to: 2027-01-02T09:00:00+01:00, reason: end of the year}
  health: {command: "bin/check --all 'two words'", timeout: 1m}
  require_deployed: true
  min_dwell: 15m
  max_step: 12.5
  allow_random: false
  allow_actorless: true
  four_eyes: true
"""
    end = datetime(2027, 1, 2, 8, tzinfo=UTC)
    assert read(text) == Policies(
        consistency=False,
        production_channel=False,
        environment_channels={"staging": ("#staging", "#ops"), "dev": ("#dev",)},
        freeze=(
            Freeze(
                since=datetime(2026, 12, 20, 18, tzinfo=UTC), until=end, reason="end of the year"
            ),
        ),
        health=HealthCheck(
            command=("bin/check", "--all", "two words"), timeout=timedelta(minutes=1)
        ),
        require_deployed=True,
        min_dwell=timedelta(minutes=15),
        max_step=Decimal("12.5"),
        allow_random=False,
        allow_actorless=True,
        four_eyes=True,
    )


def test_everything_wrong_is_said_at_once_with_the_line(wrong):
    text = """policies:
  consistancy: true
  freeze:
    - {from: 2026-12-20T10:00:00, to: tomorrow, reason: x}
    - {from: 2026-12-20T00:00:00Z, to: 2026-12-20T00:00:00Z, until: x}
  health: {timeout: 6m}
  max_step: 101
  min_dwell: 15
  four_eyes: maybe
"""
    found = wrong(text)
    assert [line for line, _ in found] == [2, 4, 4, 5, 5, 5, 6, 6, 7, 8, 9]
    said = "\n".join(what for _, what in found)
    for words in (
        "did you mean `consistency`?",
        "'2026-12-20T10:00:00' has no time zone",
        "'tomorrow' is no time",
        "unknown key 'until'",
        "has no `policies.freeze.reason`",
        "`policies.freeze.to` is not after `from`",
        "needs either `url` or `command`",
        "'6m' is no time to wait",
        "'101' is no number of percentage points",
        "'15' has no unit",
        "write true or false",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("policies: [consistency]", "not a mapping"),
        ("policies: {environment_channels: {stagin: '#a'}}", "is no environment"),
        ("policies: {environment_channels: {production: '#a'}}", "is set elsewhere"),
        ("policies: {freeze: {from: x}}", "not a list"),
        ("policies: {health: {url: javascript:alert}}", "no web address"),
        ('policies: {health: {command: "a \'b"}}', "close every quote"),
        ("policies: {health: {url: 'http://x', command: a}}", "either `url` or `command`"),
        ("policies: {max_step: 0}", "above 0"),
        ("policies: {max_step: 1e2}", "above 0"),
    ],
)
def test_what_is_wrong_alone(wrong, text, words):
    assert words in wrong(text)[0][1]
