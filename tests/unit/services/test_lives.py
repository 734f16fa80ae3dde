"""Until when have flags to be gone, who settles it, and when may an issue be closed?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fakes import FakeWorld, plan_of, ramp, turn_on
from flagstaff.commands.life_model import ListStale, SetDue
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    DeleteFlag,
    GetFlag,
    SetFlag,
    ShowRollout,
)
from flagstaff.commands.roles import Role
from flagstaff.definitions import Definitions, parse_definition
from flagstaff.engine.lives import Lives
from flagstaff.engine.loop import Engine
from flagstaff.errors import Forbidden, NotFound, Unavailable, UsageError
from flagstaff.flags.change import Boolean
from flagstaff.issues.notes import notes_for
from flagstaff.rollouts.effect import CloseIssue, Post
from flagstaff.rollouts.plan import Approve, AwaitMerge, Close, CloseTarget
from flagstaff.rollouts.rollout import Phase
from flagstaff.services.lives import reminding
from flagstaff.services.lives.due import due_of
from flagstaff.services.lives.remembering import Remembering
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Answered, Heartbeat, Telemetry
from flagstaff.store import audit, lives

CLOSE = Close(target=CloseTarget.ROLLOUT_ISSUE)


def defined(root, name="new_navigation", kind="beta", **keys):
    path = root / "config/feature_flags" / kind / f"{name}.yml"
    keys = {"name": name, "type": kind, "default_enabled": "false", "group": "group::nav"} | keys
    text = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return parse_definition(text.encode(), path=path, folder=path.parent.parent)


@pytest.fixture
def given():
    """Return the definitions of the project, for a test to fill."""
    return {}


@pytest.fixture
def definitions(tmp_path, given):
    given["new_navigation"] = defined(tmp_path)
    return given


@pytest.fixture
def context(context, given):
    from dataclasses import replace  # noqa: PLC0415
    from types import MappingProxyType  # noqa: PLC0415

    project = replace(
        context.project, channels=MappingProxyType({"nav": "#nav", "team": "#everybody"})
    )
    return replace(
        context,
        project=project,
        definitions=lambda: Definitions(given.values()),
        telemetry=Telemetry(),
    )


@pytest.fixture
def world():
    return FakeWorld()


@pytest.fixture
def tick(services, world):
    """Look, with an engine that has just begun, as after a restart."""

    def look(times=2):
        engine = Engine(services, world)
        for _ in range(times):
            engine.tick()

    return look


@pytest.fixture
def due(services):
    return lambda flag="new_navigation": services.ask(lambda unit: due_of(unit, flag), ENGINE)


def stale(services, ada, **asked):
    data = services.execute(ListStale(**asked), ada).data["flags"]
    return {each["flag"]: [one["reason"] for one in each["reasons"]] for each in data}


def test_a_rollout_to_everybody_sets_the_date_and_says_it_in_its_issue(added, tick, due, look):
    number = added(plan_of(ramp(50), turn_on("production"), Approve()))
    tick(4)
    assert str(due()) == f"to be gone by 2026-04-01 (rollout {number} has reached everybody)"
    rollout = look(number).rollout
    assert rollout.state("s2").note.endswith("in production; to be gone by 2026-04-01")
    assert "to be gone by 2026-04-01" in notes_for(rollout.plan.steps[1:2], rollout)[0]


def test_the_date_is_shown_and_in_the_log(services, added, tick, ada):
    number = added(plan_of(turn_on("production"), Approve()))
    tick(3)
    command = GetFlag(flag="new_navigation", environments=("production",))
    assert "to be gone by 2026-04-01" in services.execute(command, ada).text
    shown = services.execute(ShowRollout(rollout=number), ada)
    assert "new_navigation: to be gone by 2026-04-01" in shown.text
    assert shown.data["due"]["due"] == "2026-04-01"
    with services.database.read() as connection:
        actions = [each.action for each in audit.find(connection, flag="new_navigation")]
    assert actions.count("due.set") == 1


def test_less_than_everybody_and_a_rollback_leave_no_date(services, added, tick, due, ada):
    before = str(due())
    assert "flags of type `beta` live 6 months" in before
    number = added(plan_of(ramp(99), turn_on("production"), Approve()))
    tick(3)
    assert str(due()) != before
    services.execute(AbortRollout(rollout=number, reason="no"), ada)
    tick(1)
    assert str(due()) == before


def test_a_person_settles_the_date_with_a_reason(services, due, ada, added, tick):
    command = SetDue(flag="new_navigation", due="2026-12-24", reason="after the sale")
    told = services.execute(command, ada)
    assert told.text == "new_navigation: to be gone by 2026-12-24 (ada: after the sale)"
    added(plan_of(turn_on("production"), Approve()))
    tick(3)
    assert due().by == "ada"  # what a person has said, a rollout leaves alone
    services.execute(SetDue(flag="new_navigation", due="none", reason="as usual"), ada)
    assert due().by == ""


def test_a_length_of_time_is_a_day_from_now(services, due, ada):
    services.execute(SetDue(flag="new_navigation", due="10d", reason="r"), ada)
    assert due().at == datetime(2026, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (SetDue(flag="new_navigation", due="2026-03-02", reason="r"), UsageError),
        (SetDue(flag="new_navigation", due="2020-01-01", reason="r"), UsageError),
        (SetDue(flag="new_navigation", due="soon", reason="r"), UsageError),
        (SetDue(flag="new_navigation", due="2026-13-01", reason="r"), UsageError),
        (SetDue(flag="new_navigation", due="2026-12-24", reason=" "), UsageError),
        (SetDue(flag="no_such", due="2026-12-24", reason="r"), NotFound),
    ],
)
def test_what_is_no_date_or_has_no_reason_is_refused(services, ada, due, command, error):
    before = due()
    with pytest.raises(error):
        services.execute(command, ada)
    assert due() == before


def test_who_may_not_change_production_may_not_settle_it(services):
    bob = Person(name="bob", source=Source.API, roles={"dev": Role.ADMIN})
    with pytest.raises(Forbidden):
        services.execute(SetDue(flag="new_navigation", due="2026-12-24", reason="r"), bob)


def test_the_issue_stays_open_until_a_person_says_when_the_flag_will_be_gone(
    services, added, tick, look, world, ada
):
    number = added(plan_of(turn_on("production"), CLOSE))
    tick(4)
    rollout = look(number).rollout
    assert rollout.current.id == "s2"
    assert "say until when it will be gone" in rollout.state("s2").note
    assert notes_for(rollout.plan.steps[1:], rollout)[0].startswith("**held** since")
    assert not [each for each in world.done if isinstance(each, CloseIssue)]
    # A yes to the step is not what is asked for.
    services.execute(ApproveStep(rollout=number, step="s2"), ada)
    tick(3)
    assert look(number).rollout.phase is Phase.RUNNING
    services.execute(SetDue(flag="new_navigation", due="2026-12-24", reason="the sale"), ada)
    tick(4)
    rollout = look(number).rollout
    assert rollout.phase is Phase.COMPLETED
    assert len([each for each in world.done if isinstance(each, CloseIssue)]) == 1
    assert rollout.state("s2").note == "done; to be gone by 2026-12-24 (ada: the sale)"


def test_a_date_that_has_passed_closes_nothing(services, added, tick, look, clock, ada):
    services.execute(SetDue(flag="new_navigation", due="10d", reason="r"), ada)
    clock.advance(days=11)
    number = added(plan_of(CLOSE))
    tick(3)
    assert look(number).rollout.phase is Phase.RUNNING


def test_the_issue_is_closed_when_the_cleanup_is_merged(services, added, tick, look, ada):
    number = added(plan_of(AwaitMerge(), CLOSE))
    tick(2)
    services.execute(ApproveStep(rollout=number), ada)
    tick(4)
    assert look(number).rollout.phase is Phase.COMPLETED


def test_the_issue_of_a_flag_that_is_gone_or_may_stay_is_closed(added, tick, look, given, tmp_path):
    number = added(plan_of(CLOSE))
    tick(4)
    assert look(number).rollout.phase is Phase.RUNNING
    given["new_navigation"] = defined(tmp_path, kind="ops")
    tick(4)
    assert look(number).rollout.phase is Phase.COMPLETED
    del given["new_navigation"]
    number = added(plan_of(CLOSE))
    tick(4)
    assert look(number).rollout.phase is Phase.COMPLETED


def test_the_issue_of_the_feature_is_closed_by_itself(added, tick, look):
    number = added(plan_of(Close(target=CloseTarget.FEATURE_ISSUE)))
    tick(4)
    assert look(number).rollout.phase is Phase.COMPLETED


def test_lifespans_count_from_the_first_day_that_is_known(
    given, tmp_path, tick, due, repository, clock
):
    assert due().at == clock.now().replace(month=9)
    repository.introduced_at["new_navigation"] = datetime(2026, 1, 31, tzinfo=UTC)
    tick()
    assert due().at == datetime(2026, 7, 31, tzinfo=UTC)
    given["new_navigation"] = defined(tmp_path, introduced_on="2025-12-01")
    assert due().at == datetime(2026, 6, 1, tzinfo=UTC)


def test_a_milestone_counts_from_the_day_that_the_project_gives_it(services, given, tmp_path, due):
    from dataclasses import replace  # noqa: PLC0415

    given["new_navigation"] = defined(tmp_path, milestone="'15.1'")
    project = services.context.project
    lifecycle = replace(project.lifecycle, milestones={"15.1": date(2026, 2, 22)})
    services.context = replace(services.context, project=replace(project, lifecycle=lifecycle))
    assert due().at == datetime(2026, 8, 22, tzinfo=UTC)


def posts(world):
    return [each for each in world.done if isinstance(each, Post)]


def test_a_team_hears_of_a_flag_once_before_once_on_the_day_and_then_weekly(tick, clock, world):
    heard = []
    for day in range(215):
        tick(3)  # each with a new engine: nothing is remembered but what is in the database
        heard += [day] * len(posts(world))
        world.done.clear()
        clock.advance(days=1)
    # Introduced on 2 March, due six months later, on 2 September: 184 days.
    assert heard == [170, 184, 191, 198, 205, 212]


def test_the_reminder_goes_to_the_owners_and_names_the_flags(tick, clock, world, given, tmp_path):
    given["other"] = defined(tmp_path, "other")
    given["ours"] = defined(tmp_path, "ours", group="group::unknown")
    given["stays"] = defined(tmp_path, "stays", kind="ops")
    tick()
    clock.advance(days=190)
    tick()
    first, second = sorted(posts(world), key=lambda each: each.channels)
    assert first.channels == ("#everybody",)
    assert "`ours` now, as of 2026-09-02" in first.text
    assert second.channels == ("#nav",)
    assert "2 flags of group::nav have to be cleaned up" in second.text
    assert "`new_navigation`" in second.text
    assert "`other`" in second.text


def test_a_flag_that_is_being_rolled_out_is_let_be(tick, clock, world, added, services, ada):
    tick()
    number = added(plan_of(Approve()))
    clock.advance(days=200)
    tick()
    assert posts(world) == []
    services.execute(AbortRollout(rollout=number, reason="r"), ada)
    tick()
    assert len(posts(world)) == 1


def test_a_new_date_is_told_anew(tick, clock, world, services, ada):
    tick()
    clock.advance(days=190)
    tick()
    services.execute(SetDue(flag="new_navigation", due="20d", reason="sale"), ada)
    tick()
    assert len(posts(world)) == 1
    clock.advance(days=10)
    tick()
    assert len(posts(world)) == 2
    assert "ada: sale" in posts(world)[1].text


def test_a_chat_that_does_not_answer_is_tried_again_and_hears_it_once(tick, clock, world):
    tick()
    clock.advance(days=190)
    world.errors.append(Unavailable("away"))
    tick(1)
    assert posts(world) == []
    clock.advance(seconds=2)
    tick(3)
    assert len(posts(world)) == 1


def test_servers_that_look_at_one_moment_tell_it_once(services, clock, tick):
    tick()
    clock.advance(days=190)
    others = [Services(services.database, services.context, clock) for _ in range(3)]
    assert sorted(reminding.remind(each) for each in others) == [0, 0, 1]
    assert len(services.ask(reminding.due_notices, ENGINE)) == 1


def test_replicas_that_find_one_reminder_at_a_time_send_it_once(services, clock, tick, world):
    tick()
    clock.advance(days=190)
    reminding.remind(services)
    replicas = [Lives(services, world) for _ in range(3)]
    found = [(each, each.waiting()) for each in replicas]
    for replica, (notice,) in found:
        replica.perform(notice)
    assert len(posts(world)) == 1


def test_a_reminder_whose_server_was_killed_is_sent_by_another(services, clock, tick, world):
    tick()
    clock.advance(days=190)
    reminding.remind(services)
    (notice,) = services.ask(reminding.due_notices, ENGINE)
    with services.unit(ENGINE, write=True) as unit:
        assert reminding.take_notice(unit, notice, clock.after(30))
    tick(1)
    assert posts(world) == []
    clock.advance(seconds=31)
    tick(1)
    assert len(posts(world)) == 1


def test_stale_flags_are_listed_with_their_reasons(services, ada, clock, given, tmp_path, tick):
    given["on"] = defined(tmp_path, "on", kind="ops")
    everywhere = services.context.environments
    for flag in ("on", "new_navigation"):
        command = SetFlag(flag=flag, environments=everywhere, change=Boolean(value=flag == "on"))
        services.execute(command, ada)
    given["gone"] = defined(tmp_path, "gone")
    services.execute(SetFlag(flag="gone", environments=("dev",), change=Boolean(value=True)), ada)
    del given["gone"]
    tick()
    assert stale(services, ada) == {"gone": ["no_definition"]}
    clock.advance(days=95)
    assert stale(services, ada) == {
        "gone": ["no_definition"],
        "new_navigation": ["never_on"],
        "on": ["fully_on"],
    }
    assert list(stale(services, ada, reason="fully_on")) == ["on"]
    assert list(stale(services, ada, type="beta")) == ["new_navigation"]
    assert list(stale(services, ada, owner="NAV")) == ["new_navigation", "on"]
    assert list(stale(services, ada, owner="group::other")) == []
    assert services.execute(ListStale(reason="no_rows", fail=True), ada).ok
    failed = services.execute(ListStale(fail=True), ada)
    assert not failed.ok
    assert failed.text.endswith("3 flags should go, or be looked at")
    assert services.execute(ListStale(), ada).ok


def test_what_was_deleted_is_off_since_then(services, ada, clock, tick):
    tick()
    place = {"flag": "new_navigation", "environments": ("production",)}
    clock.advance(days=100)
    services.execute(SetFlag(**place, change=Boolean(value=True)), ada)
    assert stale(services, ada) == {}
    services.execute(DeleteFlag(**place), ada)
    clock.advance(days=29)
    assert stale(services, ada) == {}
    clock.advance(days=1)
    assert stale(services, ada) == {"new_navigation": ["no_rows"]}
    clock.advance(days=60)
    assert "never_on" in stale(services, ada)["new_navigation"]


def test_unknown_reasons_and_types_are_named(services, ada):
    for asked in ({"reason": "old"}, {"type": "bet"}):
        with pytest.raises(UsageError, match="there is no"):
            services.execute(ListStale(**asked), ada)


def test_others_see_only_where_they_may_look(services, ada, given):
    given["x"] = given["new_navigation"]
    for place in ("staging", "production"):
        command = SetFlag(flag="new_navigation", environments=(place,), change=Boolean(value=True))
        services.execute(command, ada)
    given.clear()
    bob = Person(name="bob", source=Source.API, roles={"staging": Role.VIEWER})
    text = services.execute(ListStale(), bob).text
    assert "set in staging, and defined nowhere" in text
    assert "production" not in text


def test_exposures_outlive_the_server(services, clock, ada, tick, given, tmp_path):
    given["other"] = defined(tmp_path, "other", kind="ops")
    for flag in given:
        command = SetFlag(flag=flag, environments=("dev",), change=Boolean(value=True))
        services.execute(command, ada)
    tick()
    report(services, clock, "new_navigation", "other")
    clock.advance(days=20)
    report(services, clock, "other")
    clock.advance(days=20)
    services.context.telemetry.__init__()  # as a server that has begun again
    assert stale(services, ada, reason="no_exposures") == {"new_navigation": ["no_exposures"]}
    clock.advance(days=20)  # now no application at all is heard, so nothing is known
    assert stale(services, ada, reason="no_exposures") == {}


def test_what_was_heard_is_written_down_once_an_hour(services, clock):
    telemetry = services.context.telemetry
    keeping = Remembering(services, telemetry)
    first = clock.now()
    for minutes, kept in ((0, first), (30, first), (40, first + timedelta(minutes=70))):
        clock.advance(minutes=minutes)
        report(services, clock, "new_navigation", keep=keeping)
        with services.database.read() as connection:
            assert lives.get(connection, "new_navigation").exposed_at == kept


def report(services, clock, *flags, keep=None):
    beat = Heartbeat(instance="1", environment="dev", at=clock.now())
    answers = [
        Answered(environment="dev", flag=flag, value=True, gate="boolean", count=1)
        for flag in flags
    ]
    services.context.telemetry.report(beat, answers)
    (keep or Remembering(services, services.context.telemetry)).keep()
