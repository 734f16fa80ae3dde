"""Do commands obey the policies of a project, and what are people told?"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from fakes import START, share
from flagstaff.commands.model import DeleteFlag, GetFlag, RecordDeployment, SetFlag
from flagstaff.definitions import Freeze, HealthCheck, JobRename, Policies, Project
from flagstaff.errors import Refused, Unavailable, UsageError
from flagstaff.flags.change import Boolean, PercentageOfTime
from flagstaff.rollouts.event import Answer
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Answered, Heartbeat, Telemetry
from flagstaff.services.unit import Context

ON, OFF = Boolean(value=True), Boolean(value=False)
FLAG = "new_navigation"
IGNORE = "ignore-feature-flag-consistency-check"


class Probe:
    """Says what it is told to say about production, and counts how often it is asked."""

    def __init__(self):
        self.answer = Answer(yes=False, text="incident 7 is open")
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.answer


@pytest.fixture
def make(database, definitions, repository, clock, tmp_path):
    def make(*, probe=None, telemetry=None, renames=(), **policies):
        project = Project(
            policies=Policies(**policies),
            channels={"production": "#production"},
            renames=renames,
        )
        context = Context(
            root=tmp_path,
            project=project,
            definitions=lambda: definitions,
            repository=repository,
            health=probe,
            telemetry=telemetry,
        )
        services = Services(database, context, clock)
        ada = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)

        def run(change, *environments, by=ada, dry_run=False, **more):
            kind = DeleteFlag if change is None else SetFlag
            rest = {} if change is None else {"change": change}
            where = environments or ("production",)
            command = kind(flag=FLAG, environments=where, **rest, **more)
            return services.execute(command, by, dry_run=dry_run)

        run.services = services
        run.state = lambda name: services.execute(
            GetFlag(flag=FLAG, environments=(name,)), ada
        ).data[name]["words"]
        return run

    return make


class TestConsistency:
    def test_by_default_staging_comes_first(self, make):
        run = make()
        with pytest.raises(Refused, match="off in staging") as caught:
            run(share("0.5"))
        assert caught.value.hint == (
            "turn it on there first: flagstaff feature set new_navigation true --staging\n"
            f"or overrule it: --{IGNORE} --reason WHY"
        )
        assert run.state("production").startswith("not set")
        run(share(50), "staging")
        run(ON)
        with pytest.raises(Refused, match="on in production"):
            run(OFF, "staging")
        with pytest.raises(Refused, match="on in production"):
            run(None, "staging")
        run(OFF)
        run(None, "staging")

    def test_one_command_may_do_both(self, make):
        run = make()
        run(ON, "staging", "production")
        run(OFF, "staging", "production")
        run(ON, "staging", "production")
        run(None, "staging", "production")

    def test_a_refusal_changes_nothing_anywhere(self, make):
        run = make()
        with pytest.raises(Refused):
            run(ON, "dev", "production")
        assert run.state("dev").startswith("not set")

    def test_a_dry_run_is_refused_too(self, make):
        with pytest.raises(Refused):
            make()(ON, dry_run=True)

    def test_it_can_be_overruled_with_a_reason(self, make):
        run = make()
        with pytest.raises(UsageError, match="needs a reason"):
            run(ON, overrides=(IGNORE,), reason=" ")
        run(ON, overrides=(IGNORE,), reason="staging is broken")
        assert run.state("production") == "on for everyone"

    def test_an_override_that_is_not_needed_needs_no_reason(self, make):
        make()(ON, "dev", overrides=(IGNORE,))

    def test_an_unknown_override_is_no_override(self, make):
        with pytest.raises(UsageError) as caught:
            make()(ON, "dev", overrides=("change-loc",), reason="x")
        assert caught.value.hint == "did you mean `change-lock`?"


def test_everything_in_the_way_is_said_at_once(make):
    freeze = Freeze(since=START, until=START + timedelta(days=1), reason="big launch")
    run = make(freeze=(freeze,), max_step=Decimal(25))
    with pytest.raises(Refused) as caught:
        run(ON)
    assert [line.split(":")[0] for line in caught.value.message.splitlines()] == [
        "new_navigation cannot be turned on in production while it is off in staging",
        "production is frozen",
        "a step of 100 percentage points in production is too large, 25 is the most",
    ]
    assert caught.value.hint.splitlines()[-1] == (
        f"or overrule it: --{IGNORE} --override change-lock --override max-step --reason WHY"
    )
    with pytest.raises(Refused, match="too large"):
        run(ON, overrides=(IGNORE, "change-lock"), reason="launch")
    run(ON, overrides=(IGNORE, "change-lock", "max-step"), reason="launch")


class TestHealth:
    @pytest.fixture
    def probe(self):
        return Probe()

    @pytest.fixture
    def run(self, make, probe):
        return make(probe=probe, health=HealthCheck(url="http://x"), consistency=False)

    def test_a_no_is_passed_on_in_its_words(self, run, probe):
        with pytest.raises(Refused, match="incident 7 is open") as caught:
            run(ON)
        assert "--ignore-production-check --reason WHY" in caught.value.hint
        probe.answer = Answer(yes=True, text="fine")
        assert run(ON).ok

    def test_nobody_is_asked_about_other_places_or_for_turning_off(self, run, probe):
        run(ON, "dev", "staging")
        run(OFF)
        assert probe.asked == 0

    def test_whoever_overrules_it_does_not_wait_for_it(self, run, probe):
        with pytest.raises(UsageError, match="needs a reason"):
            run(ON, overrides=("ignore-production-check",))
        run(ON, overrides=("ignore-production-check",), reason="the fix is behind it")
        assert probe.asked == 0

    def test_a_check_that_fails_is_a_no(self, run):
        def down():
            raise Unavailable("the check is gone")

        run.services.health._check = down
        with pytest.raises(Refused, match="the check is gone"):
            run(ON)
        run.services.health._check = lambda: 1 // 0
        with pytest.raises(Refused, match="a fault: ZeroDivisionError"):
            run(ON)


def test_steps_of_one_flag_in_production_are_apart(make, clock):
    run = make(min_dwell=timedelta(minutes=15), consistency=False)
    run(share(1))
    clock.advance(minutes=14)
    with pytest.raises(Refused, match="at least 15 min apart"):
        run(share(10))
    run(ON, "staging")
    run(OFF)
    clock.advance(minutes=15)
    run(share(10))


def test_code_that_is_not_deployed_is_not_turned_on(make, repository, ada):
    run = make(require_deployed=True, consistency=False)
    with pytest.raises(Refused, match="not on main yet"):
        run(ON, "dev")
    old, new = repository.add("0" * 40), repository.add("f" * 40, "Add the navigation")
    repository.introduced = new
    run.services.execute(RecordDeployment(environment="dev", sha=old), ada)
    with pytest.raises(Refused, match=r"ffffffffffff.*not yet deployed to dev"):
        run(ON, "dev")
    run.services.execute(RecordDeployment(environment="dev", sha=new), ada)
    run(ON, "dev")
    repository.down = True
    with pytest.raises(Unavailable):
        run(ON, "staging")


class TestRandomAndActorless:
    def test_random_only_where_it_is_allowed(self, make):
        change = PercentageOfTime(value=Decimal(5))
        make(allow_random=True)(change, "dev")
        run = make()
        with pytest.raises(Refused, match="draws anew"):
            run(PercentageOfTime(value=Decimal(6)), "dev")
        run(PercentageOfTime(value=Decimal(4)), "dev")

    def test_random_where_there_is_nothing_else_to_choose_by(self, make):
        run = make(renames=(JobRename(flag=FLAG, old="a", new="b"),))
        run(PercentageOfTime(value=Decimal(6)), "dev")

    def test_a_flag_that_names_jobs_has_no_actors(self, make):
        run = make(renames=(JobRename(flag=FLAG, old="a", new="b"),))
        with pytest.raises(Refused, match="opens new_navigation for nobody"):
            run(share(5), "dev")
        run(share(5), "dev", overrides=("actorless",), reason="it has one")

    def test_unless_applications_say_that_there_are_some(self, make):
        telemetry = Telemetry()
        told = Answered(
            environment="dev", flag=FLAG, value=True, gate="percentage_of_actors", count=1
        )
        beat = Heartbeat(instance="a", environment="dev", sdk="", at=START)
        telemetry.report(beat, [told])
        make(telemetry=telemetry, renames=(JobRename(flag=FLAG, old="a", new="b"),))(
            share(5), "dev"
        )


def test_chat_changes_production_in_its_channel(make):
    run = make(consistency=False)
    here = Person(name="ada", source=Source.CHAT, channel="#production", roles=ADMIN_EVERYWHERE)
    there = Person(name="ada", source=Source.CHAT, channel="#random", roles=ADMIN_EVERYWHERE)
    with pytest.raises(Refused, match="only in #production"):
        run(ON, by=there)
    run(ON, by=here)
    with pytest.raises(Refused, match="only in #production"):
        run(None, by=there)
    run(ON, "staging", by=there)
