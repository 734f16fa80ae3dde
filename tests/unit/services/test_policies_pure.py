"""Does each policy refuse what it is there for, and nothing else?"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fakes import START
from flagstaff.commands.overrides import IGNORING, OVERRIDES
from flagstaff.definitions import Freeze, Policies, Project
from flagstaff.flags.gates import Gates, State
from flagstaff.rollouts.event import Answer
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.policies.actorless import Actorless
from flagstaff.services.policies.change import Change
from flagstaff.services.policies.consistency import Consistency
from flagstaff.services.policies.deployed_code import DeployedCode
from flagstaff.services.policies.dwell import Dwell
from flagstaff.services.policies.environment_channel import EnvironmentChannel
from flagstaff.services.policies.four_eyes import FourEyes
from flagstaff.services.policies.freeze import ChangeLock
from flagstaff.services.policies.health import ProductionHealth
from flagstaff.services.policies.production_channel import ProductionChannel
from flagstaff.services.policies.step_size import StepSize
from flagstaff.services.policies.table import POLICIES, policies_of
from flagstaff.services.policies.time_share import TimeShare

ADA = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
OFF, ON = Gates(), Gates(boolean=True)
PAGE = Path(__file__).parents[3] / "docs/reference/policies.md"
NO, YES = Answer(yes=False, text="incident 7 is open"), Answer(yes=True, text="all well")
XMAS = Freeze(since=START, until=START + timedelta(days=2), reason="end of the year")
LOCK = ChangeLock(windows=(XMAS,))


def some(share="0", time="0", **more):
    return Gates(percentage_of_actors=Decimal(share), percentage_of_time=Decimal(time), **more)


def members(*names):
    return Gates(actors=frozenset(names))


def change(before, after, environment="production", **more):
    return Change(
        **{
            "flag": "new_navigation",
            "environment": environment,
            "before": before,
            "after": after,
            "default": False,
            "now": START,
            "by": ADA,
            **more,
        }
    )


@pytest.mark.parametrize(
    ("before", "after", "default", "wider"),
    [
        (None, ON, False, True),
        (None, ON, True, False),
        (None, OFF, False, False),
        (OFF, None, True, True),
        (OFF, None, False, False),
        (ON, some("25"), False, False),
        (ON, OFF, False, False),
        (some("25"), some("10"), False, False),
        (some("25"), some("25.001"), False, True),
        (some("0", "5"), some("5", "0"), False, True),
        (some("99"), ON, False, True),
        (members("User:1"), members("User:1", "User:2"), False, True),
        (members("User:1", "User:2"), members("User:1"), False, False),
        (some("50", groups=frozenset({"a"})), some("40", groups=frozenset({"b"})), False, True),
        (OFF, members("User:1:opt_out"), False, False),
        (some("50", actors=frozenset({"User:1:opt_out"})), some("50"), False, True),
        (Gates(boolean=True, actors=frozenset({"User:1:opt_out"})), ON, False, True),
        (OFF, Gates(expression={"==": [1, 1]}), False, True),
        (Gates(expression={"==": [1, 1]}), OFF, False, False),
    ],
)
def test_opening_wider_is_that_somebody_gets_it_who_had_it_not(before, after, default, wider):
    assert change(before, after, default=default).widens is wider


class TestConsistency:
    def judge(self, before, after, environment, staging, production, **more):
        standing = {"dev": State.OFF, "staging": staging, "production": production}
        return Consistency().refusal(change(before, after, environment, standing=standing, **more))

    @pytest.mark.parametrize("after", [ON, some("0.5"), some("0", "0.001"), members("User:1")])
    def test_not_in_production_first_however_little(self, after):
        refusal = self.judge(OFF, after, "production", State.OFF, after.state)
        assert "off in staging" in refusal.what
        assert "true --staging" in refusal.remedy
        assert self.judge(OFF, after, "production", State.CONDITIONAL, after.state) is None

    @pytest.mark.parametrize(("before", "after"), [(ON, OFF), (ON, some("5")), (some("9"), OFF)])
    def test_production_may_always_close(self, before, after):
        assert self.judge(before, after, "production", State.OFF, after.state) is None

    @pytest.mark.parametrize("after", [OFF, None])
    def test_not_out_of_staging_while_production_is_on(self, after):
        refusal = self.judge(ON, after, "staging", State.OFF, State.CONDITIONAL)
        assert "false --production" in refusal.remedy
        assert self.judge(ON, after, "staging", State.OFF, State.OFF) is None
        assert self.judge(OFF, after, "staging", State.OFF, State.ON) is None
        assert self.judge(ON, some("5"), "staging", State.CONDITIONAL, State.ON) is None

    def test_only_these_two_are_compared(self):
        assert self.judge(OFF, ON, "dev", State.OFF, State.OFF) is None
        alone = change(OFF, ON, standing={"production": State.ON})
        assert Consistency().refusal(alone) is None

    def test_a_clean_up_is_free(self):
        assert self.judge(ON, None, "staging", State.OFF, State.ON, cleanup=True) is None


ONLY_OPENING = [
    (LOCK, {}),
    (ProductionHealth(), {"healthy": NO}),
    (Dwell(least=timedelta(minutes=15)), {"changed_at": START - timedelta(minutes=14)}),
    (StepSize(most=Decimal(25)), {}),
]


@pytest.mark.parametrize(("policy", "facts"), ONLY_OPENING, ids=lambda each: type(each).__name__)
class TestWhatIsOnlyAboutOpening:
    def test_refuses_to_open_in_production(self, policy, facts):
        assert policy.refusal(change(OFF, ON, **facts))

    @pytest.mark.parametrize("environment", ["dev", "staging"])
    def test_has_nothing_to_say_elsewhere(self, policy, facts, environment):
        assert policy.refusal(change(OFF, ON, environment, **facts)) is None

    @pytest.mark.parametrize(
        ("before", "after"), [(ON, OFF), (some("50"), OFF), (ON, some("50")), (ON, None)]
    )
    def test_never_keeps_anybody_from_closing(self, policy, facts, before, after):
        assert policy.refusal(change(before, after, **facts)) is None


def test_a_freeze_has_a_beginning_and_an_end():
    def judge(now):
        return LOCK.refusal(change(OFF, ON, now=now))

    assert judge(XMAS.since - timedelta(seconds=1)) is None
    assert "end of the year" in judge(XMAS.since).what
    assert "2026-03-04 09:00 UTC" in judge(XMAS.until - timedelta(seconds=1)).remedy
    assert judge(XMAS.until) is None


def test_health_is_said_in_its_own_words():
    judge = ProductionHealth().refusal
    assert "incident 7 is open" in judge(change(OFF, ON, healthy=NO)).what
    assert judge(change(OFF, ON, healthy=YES)) is None
    assert judge(change(OFF, ON, healthy=None)) is None


def test_a_dwell_ends():
    policy = Dwell(least=timedelta(minutes=15))
    early = change(some("1"), some("10"), changed_at=START - timedelta(minutes=14))
    assert "09:01 UTC" in policy.refusal(early).remedy
    late = change(some("1"), some("10"), changed_at=START - timedelta(minutes=15))
    assert policy.refusal(late) is None
    assert policy.refusal(change(None, some("10"))) is None


@pytest.mark.parametrize(
    ("before", "after", "fine"),
    [
        (some("1"), some("26"), True),
        (some("1"), some("26.001"), False),
        (some("0", "75"), ON, True),
        (some("74"), ON, False),
        (None, members("User:1"), True),
        (None, some("0", "50"), False),
    ],
)
def test_a_step_is_measured_in_points(before, after, fine):
    assert (StepSize(most=Decimal(25)).refusal(change(before, after)) is None) is fine


def test_a_share_of_time_may_fall_but_not_rise():
    judge = TimeShare().refusal
    assert "--actors" in judge(change(OFF, some("0", "5"), "dev")).remedy
    assert judge(change(ON, some("0", "5")))
    assert judge(change(some("0", "50"), some("0", "5"))) is None
    assert judge(change(some("0", "50"), some("5", "50"))) is None


def test_without_actors_no_share_of_them():
    judge = Actorless().refusal
    assert "jobs" in judge(change(OFF, some("5"), "dev", actorless="it names jobs")).what
    assert judge(change(OFF, some("0", "5"), actorless="it names jobs")) is None
    assert judge(change(some("50"), some("5"), actorless="it names jobs")) is None
    assert judge(change(OFF, some("5"))) is None


def test_code_has_to_be_where_the_flag_opens():
    judge = DeployedCode().refusal
    assert judge(change(OFF, ON, "dev", deployed=NO))
    assert judge(change(ON, OFF, "dev", deployed=NO)) is None
    assert judge(change(OFF, ON, "dev", deployed=YES)) is None
    assert judge(change(OFF, ON, "dev")) is None


@pytest.mark.parametrize(
    ("source", "channel", "fine"),
    [
        (Source.CHAT, "#production", True),
        (Source.CHAT, "production", True),
        (Source.CHAT, "#random", False),
        (Source.CHAT, "", False),
        (Source.TERMINAL, "", True),
        (Source.ENGINE, "", True),
    ],
)
def test_chat_changes_production_in_its_channel(source, channel, fine):
    policy = ProductionChannel(channel="#production")
    by = Person(name="ada", source=source, channel=channel, roles=ADMIN_EVERYWHERE)
    assert (policy.refusal(change(ON, OFF, by=by)) is None) is fine
    assert policy.refusal(change(ON, OFF, "staging", by=by)) is None
    assert ProductionChannel(channel="").refusal(change(ON, OFF, by=by)) is None


@pytest.mark.parametrize(
    ("source", "channel", "environment", "fine"),
    [
        (Source.CHAT, "#staging", "staging", True),
        (Source.CHAT, "ops-test", "staging", True),
        (Source.CHAT, "#random", "staging", False),
        (Source.CHAT, "", "staging", False),
        (Source.CHAT, "#random", "dev", True),
        (Source.TERMINAL, "", "staging", True),
    ],
)
def test_chat_changes_other_environments_in_theirs(source, channel, environment, fine):
    policy = EnvironmentChannel(channels={"staging": ("#staging", "#ops-test")})
    by = Person(name="ada", source=source, channel=channel, roles=ADMIN_EVERYWHERE)
    refusal = policy.refusal(change(ON, OFF, environment, by=by))
    assert (refusal is None) is fine
    if refusal is not None:
        assert refusal.what == "staging changes only in #staging or #ops-test"


def test_four_eyes():
    assert FourEyes().refusal(approver="ada", starter="ada")
    assert FourEyes().refusal(approver="bob", starter="ada") is None
    assert FourEyes().refusal(approver="ada", starter="") is None


def test_every_policy_has_a_setting_an_override_a_docstring_and_a_row():
    rows = dict(re.findall(r"^\| (\w+) \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    del rows["Policy"]
    assert list(rows) == [each.__name__ for each in POLICIES]
    assert {each.override for each in POLICIES} == set(OVERRIDES)
    for each in POLICIES:
        assert each.setting in Policies.__dataclass_fields__
        assert each.__doc__.endswith(".")
        words = each.override if each.override in IGNORING else f"override {each.override}"
        assert rows[each.__name__].startswith(f"`{each.setting}` |")
        assert rows[each.__name__].endswith(f"| `--{words}`")
    # Quiet hours are freezes that come again and again.
    settings = {"quiet_hours", *(each.setting for each in POLICIES)}
    assert settings == set(Policies.__dataclass_fields__)


def test_without_settings_only_what_costs_nobody_anything_can_refuse():
    held = policies_of(Project())
    facts = {"healthy": NO, "changed_at": START, "standing": {"production": State.ON}}
    assert all(each.refusal(change(OFF, some("100"), **facts)) is None for each in held)
    drawn = [each for each in held if each.refusal(change(OFF, some("0", "100"), **facts))]
    assert [type(each) for each in drawn] == [TimeShare]
