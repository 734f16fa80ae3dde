"""Do rollouts, effects, deployments and the audit log come back as they were?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from fakes import BLIND, CALM, GUARD, START, plan_of, preset, ramp, share, turn_on
from flagstaff.commands.codec import decode, encode
from flagstaff.errors import Conflict
from flagstaff.flags.change import Actors, Groups, PercentageOfTime
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.effect import CloseIssue, Post, WriteCleanup
from flagstaff.rollouts.guard import Judgement, Verdict
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
    AskPerson,
    AwaitMerge,
    Bake,
    CheckDeployed,
    CheckReleased,
    CleanupPart,
    Close,
    CloseTarget,
    DeleteFlag,
    OpenCleanup,
    Plan,
    Preset,
    SetGate,
    Step,
    Summary,
)
from flagstaff.rollouts.query import Query
from flagstaff.rollouts.rollout import (
    Cleanup,
    Phase,
    Rollout,
    SavedGates,
    StepState,
    StepStatus,
)
from flagstaff.store import audit, deployments, outbox, rollouts, tables
from flagstaff.store.audit import AuditEntry
from flagstaff.store.deployments import Deployment
from flagstaff.store.outbox import Outgoing
from flagstaff.store.rollouts import RolloutRecord

EVERYTHING = plan_of(
    CheckDeployed(sha="abc", environments=("dev", "production")),
    turn_on("dev"),
    ramp("0.125"),
    SetGate(environments=("dev",), change=PercentageOfTime(value=share("99.9").value)),
    SetGate(environments=("dev",), change=Actors(ids=("User:ü",), value=False)),
    SetGate(environments=("dev",), change=Groups(names=("staff",), value=True)),
    Bake(duration=timedelta(days=3, microseconds=1)),
    Announce(channels=("#ops", "#größe"), text="“Hello”\n\n🚩"),
    Approve(),
    AskPerson(),
    *(OpenCleanup(part=part) for part in CleanupPart),
    AwaitMerge(),
    CheckReleased(request="!12", version="15.2"),
    DeleteFlag(environments=("dev",)),
    Close(target=CloseTarget.FEATURE_ISSUE, reference="#12"),
    Summary(),
    preset("last", Approve(), Preset.SKIPPED, "not needed"),
    Step(id="where", stage="S", title="T", action=Approve(), line=12, anchor="- [ ] say yes"),
    guards=(GUARD,),
    production=("production", "canary"),
    announce_to=("#prod",),
    owner="ada",
    notes=("a note",),
)


def full(plan=EVERYTHING):
    rollout = Rollout.of(plan)
    state = StepState(
        id="s1",
        status=StepStatus.FAILED,
        since=START,
        until=START + timedelta(seconds=0.5),
        finished_at=START,
        note="ä",
        by="ada",
        approved_by="bob",
        approval_note="fine",
    )
    return replace(
        rollout.with_state(state),
        phase=Phase.PAUSED,
        before=(
            SavedGates(environment="dev", gates=None),
            SavedGates(environment="production", gates=Gates(actors=frozenset({"User:1"}))),
        ),
        watch_since=START,
        cleanup=Cleanup(
            branch="b", commit="c", parts=tuple(CleanupPart), files=2, residues=("x:1: y",)
        ),
        merged="m",
        reason="why",
        epoch=3,
        paused_at=START,
        started_at=START,
        finished_at=None,
    )


def record(rollout, **changes):
    values = {
        "rollout": rollout,
        "issue_path": "/issues/ü.md",
        "issue_text": "- [ ] “say”\r\n",
        "readings": (),
        "revision": 0,
        "created_at": START,
        "created_by": "ada",
    }
    return RolloutRecord(**{**values, **changes})


def add(connection, flag="new_navigation", *, phase=Phase.RUNNING):
    rollout = Rollout.of(replace(plan_of(Approve()), flag=flag))
    return rollouts.add(connection, record(replace(rollout, phase=phase)))


class TestRollouts:
    def test_everything_in_one_comes_back(self, database):
        with database.write() as connection:
            written = rollouts.add(connection, record(full()))
        assert (written.rollout.id, written.revision) == (1, 1)
        with database.read() as connection:
            found = rollouts.get(connection, 1)
        assert found == written
        assert found.rollout == replace(full(), id=1)

    def test_who_has_not_seen_the_latest_cannot_write(self, database):
        with database.write() as connection:
            first = add(connection)
            done = replace(first.rollout, phase=Phase.COMPLETED)
            second = rollouts.save(connection, first, done)
            assert second.revision == 2
            assert rollouts.save(connection, first, first.rollout) is None
            assert rollouts.get(connection, 1) == second

    def test_readings_are_written_with_the_rollout(self, database):
        readings = tuple(
            Judgement(guard="jobs", verdict=verdict, evidence="so", measurement=measurement)
            for verdict, measurement in ((Verdict.PASS, CALM), (Verdict.ERROR, BLIND))
        )
        with database.write() as connection:
            before = add(connection)
            saved = rollouts.save(connection, replace(before, readings=readings), before.rollout)
            assert rollouts.get(connection, 1) == saved
            assert saved.readings == readings

    def test_only_guards_on_durations_have_what_older_servers_do_not_know(self):
        query = Query(source="main")
        body = encode(replace(EVERYTHING, guards=(replace(GUARD, query=query),)))
        assert not {"slower_than", "ranked"} & {*json.dumps(body).split('"')}
        slow = replace(GUARD, slower_than=0.5, query=replace(query, slower_than=0.5))
        plan = replace(EVERYTHING, guards=(slow,))
        assert decode(encode(plan), Plan).guards == (slow,)

    def test_a_rollout_that_was_begun_under_the_old_rule_is_still_read(self, database):
        with database.write() as connection:
            before = add(connection)
            body = encode(replace(before.rollout, plan=replace(EVERYTHING, guards=(GUARD,))))
            body["plan"]["guards"] = [
                {
                    "name": "jobs",
                    "logs": ["log/*.jsonl"],
                    "control": ["Old"],
                    "treatment": ["New"],
                    "max_ratio": 2.0,
                    "min_jobs": 50,
                }
            ]
            del body["watches"], body["plan"]["statistics"]
            arm = {"total": 9, "failed": 1}
            measured = {"guard": "jobs", "treatment": arm, "control": arm, "error": ""}
            reading = {"guard": "jobs", "verdict": "pass", "evidence": "", "measurement": measured}
            connection.execute(update(tables.rollout).values(body=body, readings=[reading]))
            found = rollouts.get(connection, 1)
        assert found.rollout.plan.guards == (GUARD,)
        assert found.rollout.watches == ()
        assert found.readings[0].measurement.treatment.total == 9

    def test_one_flag_has_one_rollout_that_is_not_over(self, database):
        with database.write() as connection:
            first = add(connection)

        def again():
            with database.write() as connection:
                add(connection)

        with pytest.raises(Conflict, match="another rollout of new_navigation"):
            again()
        with database.write() as connection:
            rollouts.save(connection, first, replace(first.rollout, phase=Phase.ROLLED_BACK))
            second = add(connection)
            add(connection, "old_search")
            assert rollouts.active_numbers(connection) == [
                second.rollout.id,
                second.rollout.id + 1,
            ]

    def test_they_are_found_newest_first(self, database):
        with database.write() as connection:
            for flag, phase in [("a", Phase.COMPLETED), ("a", Phase.RUNNING), ("b", Phase.PENDING)]:
                add(connection, flag, phase=phase)

            def found(**criteria):
                return [each.rollout.id for each in rollouts.find(connection, **criteria)]

            assert found() == [3, 2, 1]
            assert found(active=True) == [3, 2]
            assert found(flag="a") == [2, 1]
            assert found(flag="a", active=True, limit=1) == [2]
            assert rollouts.recent_numbers(connection, limit=2) == [3, 2]

    def test_one_that_is_not_there_is_none(self, database):
        with database.read() as connection:
            assert rollouts.get(connection, 1) is None


POST = Post(key="1/s1/0", step="s1", channels=("#ops",), text="Hello")
WRITE = WriteCleanup(key="1/s2/0", step="s2")
CLOSE = CloseIssue(key="1/s3/0", step="s3", target=CloseTarget.ROLLOUT_ISSUE, reference="")


class TestOutbox:
    @pytest.fixture
    def connection(self, database):
        with database.write() as connection:
            add(connection)
            yield connection

    @pytest.mark.parametrize("effect", [POST, WRITE, CLOSE])
    def test_each_kind_comes_back(self, connection, effect):
        outbox.add(connection, 1, (effect,), START)
        expected = Outgoing(rollout_id=1, effect=effect, attempts=0)
        assert outbox.get(connection, effect.key) == expected

    def test_the_same_key_is_the_same_effect(self, connection):
        outbox.add(connection, 1, (POST,), START)
        outbox.close(connection, POST.key, "done", START)
        outbox.add(connection, 1, (POST, POST), START)
        assert outbox.due(connection, START) == []

    def test_what_is_longest_due_comes_first(self, connection):
        outbox.add(connection, 1, (WRITE,), START + timedelta(seconds=1))
        outbox.add(connection, 1, (CLOSE, POST), START)
        assert outbox.due(connection, START) == [POST.key, CLOSE.key]
        assert outbox.due(connection, START + timedelta(seconds=1), limit=3) == [
            POST.key,
            CLOSE.key,
            WRITE.key,
        ]

    def test_a_postponed_one_waits_and_counts(self, connection):
        outbox.add(connection, 1, (POST,), START)
        outbox.postpone(connection, POST.key, START + timedelta(seconds=2), "no answer")
        assert outbox.due(connection, START + timedelta(seconds=1)) == []
        assert outbox.due(connection, START + timedelta(seconds=2)) == [POST.key]
        assert outbox.get(connection, POST.key).attempts == 1

    @pytest.mark.parametrize("status", ["done", "failed", "abandoned"])
    def test_a_closed_one_is_not_tried_again(self, connection, status):
        outbox.add(connection, 1, (POST,), START)
        outgoing = outbox.get(connection, POST.key)
        assert outbox.holds(connection, outgoing)
        outbox.close(connection, POST.key, status, START, "why")
        assert not outbox.holds(connection, outgoing)
        assert outbox.due(connection, START + timedelta(days=1)) == []

    def test_giving_up_a_step_or_a_rollout_leaves_the_rest(self, connection):
        other = add(connection, "old_search").rollout.id
        foreign = replace(POST, key=f"{other}/s1/0")
        outbox.add(connection, 1, (POST, WRITE, CLOSE), START)
        outbox.add(connection, other, (foreign,), START)
        outbox.close(connection, CLOSE.key, "done", START)
        outbox.abandon(connection, 1, START, step="s1")
        assert outbox.due(connection, START) == [WRITE.key, foreign.key]
        outbox.abandon(connection, 1, START)
        assert outbox.due(connection, START) == [foreign.key]

    def test_an_unknown_one_is_not_pending(self, connection):
        assert outbox.get(connection, "1/s9/0") is None


def test_audit_entries_come_back_newest_first(database):
    plain = AuditEntry(at=START, who="ada", source="terminal", action="flag.set")
    rich = AuditEntry(
        at=START,
        who="Zoë",
        source="chat",
        action="flag.set",
        flag="new_navigation",
        environment="production",
        rollout_id=4,
        step="s1",
        before=None,
        after=Gates(boolean=True).to_json(),
        text="set",
        reason="“why”",
    )
    with database.write() as connection:
        audit.append(connection, [plain, rich])
    with database.read() as connection:
        found = audit.find(connection)
        bare = [replace(each, previous="", hash="") for each in found]
        assert bare == [replace(rich, id=2), replace(plain, id=1)]
        assert [each.id for each in audit.find(connection, flag="new_navigation")] == [2]
        assert [each.id for each in audit.find(connection, rollout_id=4, limit=1)] == [2]
        assert audit.find(connection, rollout_id=5) == []


def test_the_newest_deployment_of_each_environment_counts(database):
    def deployment(environment, sha, **later):
        at = START + timedelta(**later)
        return Deployment(environment=environment, sha=sha, at=at, who="ci")

    newest = deployment("production", "b" * 40)
    with database.write() as connection:
        deployments.add(connection, deployment("production", "a" * 40, hours=1))
        deployments.add(connection, newest)
        deployments.add(connection, deployment("canary", "c" * 64))
    with database.read() as connection:
        found = deployments.current(connection)
    assert list(found) == ["canary", "production"]
    assert found["production"] == newest
