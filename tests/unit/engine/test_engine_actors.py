"""Is each actor's first failure evidence once, whatever processes, reports and engines do?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from fakes import plan_of, ramp
from flagstaff.commands.model import AbortRollout, PromoteRollout
from flagstaff.engine.loop import Engine
from flagstaff.flags.bucketing import bucket
from flagstaff.rollouts.guard import Arm, Counting, Guard, Standing
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.query import Query
from flagstaff.rollouts.rollout import Phase
from flagstaff.sdk.client import Client
from flagstaff.server.report_bodies import ActorsBody
from flagstaff.services import actors, looking
from flagstaff.services.flags import Place, change_gates
from flagstaff.services.person import ENGINE
from flagstaff.services.snapshots import snapshot
from flagstaff.store import actors as store
from flagstaff.store.tables import actor_kind, failed_actor, seen_actor

FLAG = "new_navigation"
GUARD = Guard(
    name="errors",
    logs=(),
    control=("variant=off",),
    treatment=("variant=on",),
    query=Query(source="flagstaff", bad="outcomes", flag=FLAG),
    counts="people",
    unit=Counting.ACTORS,
)
PLAN = plan_of(
    ramp(10),
    Bake(duration=timedelta(hours=1)),
    ramp(50),
    Bake(duration=timedelta(hours=1)),
    guards=(GUARD,),
)
USERS = [f"User:{number}" for number in range(600)]


def users(low, high, count):
    """Return users who are drawn between two percentages."""
    found = [each for each in USERS if low * 1000 <= bucket(FLAG, each) < high * 1000]
    return found[:count]


class Process:
    """An application's process with the real SDK, which reports when it is told to."""

    def __init__(self, lab):
        self.lab = lab
        self.flags = Client.memory({}, environment="production")
        self.follow()

    @property
    def crowds(self):
        return self.flags.holder.crowds

    def follow(self):
        found = self.lab.services.ask(lambda unit: snapshot(unit, "production"), ENGINE)
        self.flags.holder.replace(found)

    def ask(self, names, *, failing=()):
        for each in names:
            on = self.flags.is_enabled(FLAG, each)
            self.flags.outcome(FLAG, on, each not in failing, actor=each)

    def report(self, *, answered=True):
        """Report what is new; the answer may be lost."""
        parts = self.crowds.take()
        reports = [ActorsBody.model_validate(each.to_json()).report() for each in parts]
        with self.lab.services.unit(ENGINE, write=True) as unit:
            actors.take(unit, reports)
        if answered:
            self.crowds.taken(parts)


@pytest.fixture
def number(lab):
    number = lab.added(PLAN)
    lab.engine.tick()
    return number


def poll(lab, *processes):
    for each in processes:
        each.report()
    lab.clock.advance(seconds=20)
    lab.engine.tick()


def watch(lab, number):
    return lab.look(number).rollout.watches[0]


def counted(lab, number):
    found = watch(lab, number)
    return (
        (found.treatment.total, found.treatment.failed),
        (found.control.total, found.control.failed),
    )


def test_the_salt_comes_with_the_first_change_in_production_and_goes_with_the_rollout(lab):
    number = lab.added(PLAN, begin=False)
    assert Process(lab).flags.holder.snapshot.drawn == {}
    lab.execute(AbortRollout(rollout=number, reason="not this one"))
    number = lab.added(PLAN)
    lab.engine.tick()
    process = Process(lab)
    draw = process.flags.holder.snapshot.drawn[FLAG]
    assert draw.rollout == number
    assert len(draw.key) == 16
    process.ask(USERS, failing=USERS[:3])
    process.report()
    lab.execute(AbortRollout(rollout=number, reason="enough"))
    assert Process(lab).flags.holder.snapshot.drawn == {}
    with lab.services.database.read() as connection:
        assert store.salt(connection, number) == ""
        for table in (seen_actor, failed_actor, actor_kind):
            assert connection.execute(table.select()).all() == []
    process.report()  # of a rollout that is over
    with lab.services.database.read() as connection:
        assert connection.execute(seen_actor.select()).all() == []


def test_an_actor_counts_once_in_many_processes_and_reports(lab, number):
    unlucky = users(0, 10, 2) + users(10, 100, 3)
    processes = [Process(lab) for _ in range(3)]
    for _ in range(4):
        for each in processes:
            each.ask(USERS, failing=unlucky)
            each.report(answered=False)
        poll(lab, *processes)
    on = len(users(0, 10, 600))
    assert counted(lab, number) == ((on, 2), (600 - on, 3))
    assert watch(lab, number).evidence.units == 2


def test_who_failed_is_at_risk_no_more(lab, number):
    process = Process(lab)
    process.ask(USERS, failing=users(0, 10, 1) + users(60, 100, 1) + users(20, 50, 1))
    poll(lab, process)
    lab.execute(PromoteRollout(rollout=number, reason="go on"))
    lab.engine.tick()
    assert lab.look(number).rollout.percentage == 50
    before = counted(lab, number)
    process.follow()
    process.ask(USERS, failing=users(0, 10, 2) + users(60, 100, 2) + users(20, 50, 2))
    poll(lab, process)
    (on, on_failed), (off, off_failed) = counted(lab, number)
    assert on - before[0][0] == len(users(0, 50, 600)) - 2
    assert off - before[1][0] == len(users(50, 100, 600)) - 1
    assert (on_failed - before[0][1], off_failed - before[1][1]) == (2, 1)


def test_a_poll_compares_those_at_risk_and_tells_of_people(lab, number):
    process = Process(lab)
    process.ask(USERS, failing=users(0, 10, 1))
    poll(lab, process)
    process.ask(USERS, failing=users(0, 10, 3))
    poll(lab, process)
    found = watch(lab, number)
    on = len(users(0, 10, 600))
    assert (found.evidence.treatment.total, found.evidence.treatment.bad) == (on, 3)
    expected = found.evidence.expected
    assert expected == 0  # none failed with the flag off
    assert found.evidence.extra == 3


class Killed(BaseException):
    """The process ends here."""


def test_a_kill_between_reading_and_committing_changes_no_evidence(lab, number, monkeypatch):
    process = Process(lab)
    process.ask(USERS, failing=users(0, 10, 1) + users(10, 100, 2))
    process.report()
    lab.clock.advance(seconds=20)

    def killed(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("flagstaff.services.evidence.keep", killed)
        with pytest.raises(Killed):
            lab.engine.tick()
    with lab.services.unit(ENGINE, write=True) as unit:
        looking.break_leases(unit)
    process.ask(USERS, failing=users(0, 10, 2))
    process.report()
    lab.engine = Engine(lab.services, lab.world)
    poll(lab)
    on = len(users(0, 10, 600))
    assert counted(lab, number) == ((on, 2), (600 - on, 2))
    poll(lab, process)
    assert counted(lab, number) == ((on, 2), (600 - on, 2))


def test_harm_to_people_rolls_back_in_their_words(lab, number):
    process = Process(lab)
    for count in (0, 5, 10, 15, 20):
        process.ask(USERS, failing=users(0, 10, count) + users(10, 100, 1))
        poll(lab, process)
    rollout = lab.look(number).rollout
    assert rollout.phase is Phase.ROLLED_BACK
    assert "people with the flag on against 1 of" in rollout.reason
    assert "people had a failure who would not have." in rollout.reason


def test_outcomes_of_nobody_are_no_data_and_never_healthy(lab, number):
    process = Process(lab)
    for each in USERS:
        process.flags.outcome(FLAG, process.flags.is_enabled(FLAG, each), True)
    process.ask(USERS)
    for _ in range(3):
        poll(lab, process)
    (said,) = lab.look(number).readings
    assert said.standing is Standing.NO_DATA
    assert "without saying whose they are" in said.evidence


def test_silence_is_no_data(lab, number):
    for _ in range(4):
        poll(lab)
    (said,) = lab.look(number).readings
    assert said.standing is Standing.NO_DATA
    assert "no application has reported whose outcomes there were" in said.evidence
    process = Process(lab)
    process.ask(USERS)
    poll(lab, process)
    assert watch(lab, number).treatment != Arm()
    for _ in range(6):
        poll(lab)
    assert lab.look(number).readings[0].standing is Standing.NO_DATA


@pytest.mark.usefixtures("number")
def test_a_change_of_the_gates_by_hand_is_a_new_draw(lab):
    process = Process(lab)
    before = process.flags.holder.snapshot.drawn[FLAG]
    lab.clock.advance(seconds=1)
    with lab.services.unit(ENGINE, write=True) as unit:
        change_gates(unit, Place(flag=FLAG, environment="production"), ramp(20).change)
    process.follow()
    after = process.flags.holder.snapshot.drawn[FLAG]
    assert after.salt == before.salt
    assert after.number > before.number
