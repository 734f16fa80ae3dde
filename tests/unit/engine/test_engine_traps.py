"""Thirteen ways in which engines like this one go wrong, each tried on both databases."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from fakes import CALM, GUARD, HARM, FakeWorld, plan_of, ramp, turn_on
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    PauseRollout,
    RecordDeployment,
    ResumeRollout,
    SetFlag,
)
from flagstaff.engine.looking import MOST_MOVES
from flagstaff.engine.loop import Engine
from flagstaff.errors import Conflict
from flagstaff.flags.change import Boolean
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import EffectDone, Observed
from flagstaff.rollouts.next_look import SETTLED
from flagstaff.rollouts.plan import Announce, Approve, Bake, CheckDeployed
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import looking, running
from flagstaff.services.looking import Claimant, Looked
from flagstaff.services.person import ENGINE
from flagstaff.store import flags, looks, tables
from flagstaff.store.flags import FlagState

HELLO = Announce(channels=("#ops",), text="Hello")
SHORT = timedelta(seconds=30)
BRIEF = timedelta(seconds=1)
LONG = timedelta(minutes=1)


def claimant(lab, name, term=LONG):
    return Claimant(name=name, term=term, wall=lab.clock.now())


def claim(lab, name, term=LONG, limit=10):
    with lab.services.unit(ENGINE, write=True) as unit:
        return looking.claim(unit, claimant(lab, name, term), {}, limit=limit)


def end(lab, looked):
    with lab.services.unit(ENGINE, write=True) as unit:
        return [*looking.end(unit, looked, not_before=lab.clock.now()).written]


def lapse(lab):
    """Let short leases end, by whichever clock they are kept; PostgreSQL keeps them by its own."""
    if lab.services.database.engine.dialect.name == "postgresql":
        with lab.services.database.write() as connection:
            for table in ("look", "effect"):
                connection.exec_driver_sql(
                    f"UPDATE {table} SET lease_until = lease_until - interval '31 seconds'"  # noqa: S608
                )
    lab.clock.advance(seconds=SHORT.total_seconds())


def row(lab, number):
    with lab.services.database.read() as connection:
        query = select(tables.look).where(tables.look.c.rollout_id == number)
        return connection.execute(query).one()


def later(lab, **length):
    lab.clock.advance(**length)
    lab.engine.look()


def history(lab):
    with lab.services.database.read() as connection:
        entries = connection.execute(select(func.count()).select_from(tables.audit)).scalar()
        revisions = connection.execute(select(tables.rollout.c.revision)).scalars().all()
    return entries, revisions


class TestLostWakeUp:
    """1. What arrives during a look is not overwritten by its end."""

    def test_a_word_said_during_a_look_is_heard_in_the_next(self, lab):
        number = lab.added(plan_of(ramp(10), Approve(), guards=(GUARD,)))
        said = []

        class Interrupted(FakeWorld):
            def measure(self, guard, since):
                if lab.look(number).rollout.phase is Phase.WAITING and not said:
                    said.append(lab.execute(ApproveStep(rollout=number)))
                return super().measure(guard, since)

        Engine(lab.services, Interrupted()).look()
        assert len(said) == 1
        assert lab.look(number).rollout.phase is Phase.COMPLETED

    def test_the_end_of_a_look_leaves_the_time_that_a_signal_has_set(self, lab):
        number = lab.added(plan_of(Approve()))
        (look,) = claim(lab, "one")
        with lab.services.unit(ENGINE, write=True) as unit:
            looks.wake(unit.connection, number)
        end(lab, [Looked(due=look.due, record=look.record)])
        assert row(lab, number).next_look_at == looks.AT_ONCE
        assert row(lab, number).lease_owner == ""
        (again,) = claim(lab, "two")
        end(lab, [Looked(due=again.due, record=again.record)])
        assert row(lab, number).next_look_at > lab.clock.now()


def test_2_an_approval_before_its_step_is_remembered(lab):
    number = lab.added(plan_of(Bake(duration=timedelta(hours=1)), Approve(), turn_on("dev")))
    lab.engine.look()
    lab.execute(ApproveStep(rollout=number, step="s2"))
    later(lab, minutes=30)
    assert lab.look(number).rollout.current.id == "s1"
    later(lab, minutes=30)
    assert lab.look(number).rollout.phase is Phase.COMPLETED


def test_3_a_rollback_outranks_an_effect_that_is_half_done(lab):
    number = lab.added(plan_of(ramp(10), HELLO))
    lab.engine.look()
    with lab.services.unit(ENGINE, write=True) as unit:
        key, token = running.claim_effect(unit, claimant(lab, "dies", SHORT))
        outgoing, _ = running.effect(unit, key, token)
    lab.execute(AbortRollout(rollout=number, reason="harm"))
    lapse(lab)
    lab.engine.tick()
    assert lab.world.done == []
    assert lab.gates("production") is None
    with lab.services.unit(ENGINE, write=True) as unit:
        assert running.finish_effect(unit, outgoing, EffectDone(step="s2")) is None


class TestZombie:
    """4. Whoever slept through their lease writes nothing any more."""

    def test_no_move(self, lab):
        number = lab.added(plan_of(turn_on("dev"), Approve()))
        (old,) = claim(lab, "sleeps", SHORT)
        assert claim(lab, "early") == []
        lapse(lab)
        (new,) = claim(lab, "takes over")
        assert new.due.lease_token == old.due.lease_token + 1
        with pytest.raises(Conflict), lab.services.unit(ENGINE, write=True) as unit:
            running.step(unit, old.record, Observed())
        assert (lab.gates("dev"), lab.look(number).revision) == (None, old.record.revision)
        with lab.services.unit(ENGINE, write=True) as unit:
            running.step(unit, new.record, Observed())
        assert lab.gates("dev") == Gates(boolean=True)

    def test_no_end_of_a_look(self, lab):
        number = lab.added(plan_of(Approve()))
        (old,) = claim(lab, "sleeps", SHORT)
        lapse(lab)
        claim(lab, "takes over")
        before = row(lab, number)
        end(lab, [Looked(due=old.due, record=old.record)])
        assert row(lab, number) == before

    def test_no_readings(self, lab):
        number = lab.added(plan_of(ramp(10), Approve(), guards=(GUARD,)))
        lab.engine.look()
        lab.clock.advance(minutes=1)
        (old,) = claim(lab, "sleeps", SHORT)
        lapse(lab)
        claim(lab, "takes over")
        assert end(lab, [Looked(due=old.due, record=old.record, read=old.record.rollout)]) == []
        assert lab.look(number).revision == old.record.revision

    def test_no_end_of_an_effect(self, lab):
        lab.added(plan_of(HELLO))
        lab.engine.look()
        with lab.services.unit(ENGINE, write=True) as unit:
            key, token = running.claim_effect(unit, claimant(lab, "sleeps", SHORT))
            outgoing, _ = running.effect(unit, key, token)
            assert running.claim_effect(unit, claimant(lab, "early")) is None
        lapse(lab)
        with lab.services.unit(ENGINE, write=True) as unit:
            _, newer = running.claim_effect(unit, claimant(lab, "takes over"))
            assert running.effect(unit, key, token) is None
            assert running.finish_effect(unit, outgoing, EffectDone(step="s1")) is None
            assert running.effect(unit, key, newer)


def test_4_a_replica_that_cannot_prolong_its_lease_moves_nothing(lab):
    number = lab.added(plan_of(ramp(10), Approve(), guards=(GUARD,)))
    lab.world.measurements["jobs"] = CALM
    lab.engine.look()
    lab.world.measurements["jobs"] = HARM

    class Slow(FakeWorld):
        def measure(self, guard, since):
            time.sleep(BRIEF.total_seconds())
            return super().measure(guard, since)

    slow = Slow(measurements=lab.world.measurements)
    lab.clock.advance(minutes=1)
    Engine(lab.services, slow, term=BRIEF)._looker.look()
    assert lab.look(number).rollout.phase is Phase.WAITING
    lab.engine.look()
    assert lab.look(number).rollout.phase is Phase.ROLLED_BACK


class TestSettling:
    """5. A rollout that is over is looked at for a while: its flag stays as it left it."""

    @pytest.fixture
    def over(self, lab):
        plan = plan_of(turn_on("dev"), ramp(10), Approve(), announce_to=("#prod",))
        number = lab.added(plan)
        lab.engine.tick()
        lab.execute(AbortRollout(rollout=number, reason="harm"))
        lab.engine.tick()
        lab.world.done.clear()
        return number

    def write_by_hand(self, lab):
        state = FlagState(
            environment="production",
            flag="new_navigation",
            gates=Gates(percentage_of_actors=Decimal(10)),
            updated_at=lab.clock.now(),
            updated_by="nobody",
        )
        with lab.services.database.write() as connection:
            flags.put(connection, state)

    def test_what_nobody_answers_for_is_put_back(self, lab, over):
        self.write_by_hand(lab)
        later(lab, seconds=5)
        assert lab.gates("production") is None
        for _ in range(20):
            later(lab, minutes=1)
        self.write_by_hand(lab)
        later(lab, minutes=10)
        assert lab.gates("production") is None
        assert lab.look(over).rollout.phase is Phase.ROLLED_BACK

    def test_what_a_person_does_is_theirs_and_told_once(self, lab, over):
        change = Boolean(value=True)
        lab.execute(SetFlag(flag="new_navigation", environments=("production",), change=change))
        for _ in range(30):
            lab.clock.advance(minutes=2)
            lab.engine.look()
            lab.engine._do()
        assert lab.gates("production") == Gates(boolean=True)
        (told,) = lab.world.done
        assert told.text.startswith(
            f"`new_navigation`: ada has changed it besides rollout {over}, which is over"
        )

    def test_it_ends(self, lab, over):
        lab.clock.advance(seconds=SETTLED.total_seconds())
        lab.engine.look()
        assert row(lab, over).next_look_at is None


def test_6_alone_on_its_file_a_server_need_not_wait_for_the_dead(lab):
    number = lab.added(plan_of(turn_on("dev"), HELLO))
    claim(lab, "killed")
    lab.engine.look()
    assert lab.gates("dev") is None
    with lab.services.unit(ENGINE, write=True) as unit:
        looking.break_leases(unit)
    lab.engine.tick()
    lab.engine.tick()
    assert lab.look(number).rollout.phase is Phase.COMPLETED


def test_7_many_that_claim_at_once_get_no_more_than_they_ask_for_and_nothing_twice(lab):
    wanted = {lab.added(plan_of(Approve(), flag=f"flag_{number}")) for number in range(12)}
    found, together = [], threading.Barrier(4)

    def take(name):
        together.wait(60)
        while mine := claim(lab, name, limit=2):
            found.append([each.due.rollout_id for each in mine])
            end(lab, [Looked(due=each.due, record=each.record) for each in mine])

    threads = [threading.Thread(target=take, args=(f"replica {n}",)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert all(len(each) <= 2 for each in found)
    assert sorted(number for each in found for number in each) == sorted(wanted)


def test_8_one_that_moves_and_moves_lets_the_others_have_their_turn(lab):
    order = []
    long = lab.added(plan_of(*[turn_on("dev")] * (MOST_MOVES + 10), flag="old_search"))
    short = lab.added(plan_of(turn_on("dev")))
    lab.services.listen(lambda names: order.extend(n for n in names if n.startswith("rollout:")))
    lab.engine.look()
    assert lab.look(long).rollout.phase is lab.look(short).rollout.phase is Phase.COMPLETED
    assert order.index(f"rollout:{short}") <= MOST_MOVES


def test_9_quiet_looks_write_no_history(lab):
    lab.world.measurements["jobs"] = CALM
    waits = CheckDeployed(sha="fea", environments=("production",))
    lab.added(plan_of(ramp(10), Bake(duration=timedelta(days=1)), guards=(GUARD,)))
    lab.added(plan_of(waits, flag="old_search"))
    lab.engine.tick()
    later(lab, minutes=1)
    before = history(lab)
    for _ in range(20):
        later(lab, minutes=1)
    assert history(lab) == before


def test_10_a_pause_stops_the_time_of_a_wait(lab):
    number = lab.added(plan_of(Bake(duration=timedelta(hours=1))))
    lab.engine.look()
    later(lab, minutes=50)
    lab.execute(PauseRollout(rollout=number, reason="lunch"))
    later(lab, hours=3)
    lab.execute(ResumeRollout(rollout=number))
    later(lab, minutes=9)
    assert lab.look(number).rollout.phase is Phase.RUNNING
    later(lab, minutes=1)
    assert lab.look(number).rollout.phase is Phase.COMPLETED


def test_11_what_a_newer_version_has_moved_is_left_to_it(lab):
    newer = lab.added(plan_of(turn_on("dev"), flag="old_search"))
    ours = lab.added(plan_of(turn_on("dev")))
    with lab.services.database.write() as connection:
        theirs = tables.look.c.rollout_id == newer
        connection.execute(update(tables.look).where(theirs).values(min_code=looks.CODE + 1))
    lab.engine.look()
    assert lab.look(newer).rollout.phase is Phase.RUNNING
    assert lab.look(ours).rollout.phase is Phase.COMPLETED


class Asleep:
    """A driver that wakes nobody."""

    def start(self, engine):
        self.engine = engine

    def wake(self, number=None, at=None):
        pass

    def stop(self):
        pass


def test_12_whatever_the_driver_does_what_is_due_is_done_once(lab):
    engine = Engine(lab.services, lab.world, driver=Asleep())
    number = lab.added(plan_of(turn_on("dev"), HELLO))
    threads = [threading.Thread(target=engine.look) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    engine._do()
    engine.look()
    assert lab.look(number).rollout.phase is Phase.COMPLETED
    assert [each.key for each in lab.world.done] == [f"{number}/s2/0"]


def test_13_what_the_dead_have_claimed_is_free_when_their_lease_ends(lab):
    number = lab.added(plan_of(turn_on("dev")))
    claim(lab, "killed", SHORT)
    lapse(lab)
    lab.engine.look()
    assert lab.look(number).rollout.phase is Phase.COMPLETED
    assert row(lab, number).lease_owner == ""


class TestSignals:
    """What a rollout waits for wakes it, and nothing else makes it look before its time."""

    def test_a_deployment_wakes_those_that_wait_for_it(self, lab):
        sha = lab.repository.add("fea" + "0" * 37)
        number = lab.added(plan_of(CheckDeployed(sha=sha, environments=("dev",)), Approve()))
        other = lab.added(plan_of(Approve(), flag="old_search"))
        lab.engine.look()
        lab.execute(RecordDeployment(environment="dev", sha=sha))
        woken = row(lab, other).wake_seq
        lab.engine.look()
        assert lab.look(number).rollout.current.id == "s2"
        assert row(lab, other).wake_seq == woken

    def test_one_that_waits_for_a_person_is_left_in_peace(self, lab):
        lab.added(plan_of(Approve()))
        lab.engine.look()
        later(lab, minutes=9)
        assert claim(lab, "test") == []
        lab.clock.advance(minutes=1)
        assert len(claim(lab, "test")) == 1

    def test_one_that_cannot_be_read_is_complained_about_once_and_left_for_longer(
        self, lab, caplog
    ):
        number = lab.added(plan_of(turn_on("dev")))
        with lab.services.database.write() as connection:
            broken = update(tables.rollout).where(tables.rollout.c.id == number)
            connection.execute(broken.values(body={"v": "newer"}))
        caplog.set_level(logging.WARNING)
        waits = []
        for _ in range(4):
            lab.engine.look()
            at = row(lab, number).next_look_at
            waits.append((at - lab.clock.now()).total_seconds())
            lab.clock.advance(seconds=waits[-1])
        assert waits == [2, 4, 8, 16]
        assert sum(each.startswith(f"rollout {number}") for each in caplog.messages) == 1
