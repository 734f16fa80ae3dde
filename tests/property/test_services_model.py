"""Do the services keep gates as a simple model of them does, whatever is asked?"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from rollout_strategies import changes

from fakes import START, FakeClock, FakeRepository, definitions_in, plan_of
from flagstaff.commands.model import (
    AbortRollout,
    DeleteFlag,
    PauseRollout,
    SetFlag,
    UndoEntry,
)
from flagstaff.definitions import Policies, Project
from flagstaff.errors import Conflict, UsageError
from flagstaff.flags.change import Actors
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.event import Observed
from flagstaff.rollouts.plan import SetGate
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.services import rollouts, running
from flagstaff.services.person import ADMIN_EVERYWHERE, ENGINE, Person, Source
from flagstaff.services.services import Services
from flagstaff.services.snapshots import snapshot
from flagstaff.services.unit import Context
from flagstaff.store import audit, chain, flags
from flagstaff.store import rollouts as store
from flagstaff.store.database import Database

ADA = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)
ENVIRONMENTS = ("dev", "staging", "production")
names = st.sampled_from(["new_navigation", "old_search"])
places = st.lists(st.sampled_from(ENVIRONMENTS), min_size=1, max_size=3, unique=True).map(tuple)
plans = st.lists(st.tuples(places, changes), min_size=1, max_size=3).map(
    lambda sets: plan_of(*(SetGate(environments=where, change=what) for where, what in sets))
)


class Model(RuleBasedStateMachine):
    """Gates in a dictionary, beside the real thing on SQLite."""

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(prefix="flagstaff-model-"))
        self.gates = {}
        self.versions = dict.fromkeys(ENVIRONMENTS, 0)
        self.rollouts = {}
        self.changes = []
        self.database = None
        self.restart()

    def teardown(self):
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)

    @rule()
    def restart(self):
        if self.database is not None:
            self.database.close()
        self.database = Database(f"sqlite:///{self.folder}/flagstaff.db")
        self.database.migrate()
        definitions = definitions_in(self.folder)
        context = Context(
            root=self.folder,
            project=Project(
                environments=ENVIRONMENTS, policies=Policies(consistency=False, allow_random=True)
            ),
            definitions=lambda: definitions,
            repository=FakeRepository(),
        )
        self.services = Services(self.database, context, FakeClock())

    @rule(flag=names, where=places, change=changes, dry_run=st.booleans())
    def set(self, flag, where, change, dry_run):
        command = SetFlag(flag=flag, environments=where, change=change)
        self.services.execute(command, ADA, dry_run=dry_run)
        if not dry_run:
            self._set(flag, where, change)

    @rule(flag=names, where=places)
    def set_what_is_wrong(self, flag, where):
        change = Actors(ids=("User:1", "has blanks"), value=True)
        command = SetFlag(flag=flag, environments=where, change=change)
        with pytest.raises(UsageError):
            self.services.execute(command, ADA)

    @rule(flag=names, where=places)
    def delete(self, flag, where):
        outcome = self.services.execute(DeleteFlag(flag=flag, environments=where), ADA)
        had = {each: (each, flag) in self.gates for each in where}
        assert outcome.data == had
        for each in where:
            self._write(each, flag, None)

    @precondition(lambda self: self.changes)
    @rule(data=st.data())
    def undo(self, data):
        with self.database.read() as connection:
            entries = audit.search(connection, audit.Search(action="flag"), limit=1000)
        entry = data.draw(st.sampled_from(entries))
        now = self.gates.get((entry.environment, entry.flag))
        command = UndoEntry(entry=entry.id)
        if entry.after != (now and now.to_json()):
            with pytest.raises(Conflict, match=f"changed since entry {entry.id}"):
                self.services.execute(command, ADA)
            return
        self.services.execute(command, ADA)
        before = entry.before and Gates.from_json(entry.before)
        self._write(entry.environment, entry.flag, before)

    @rule(flag=names, plan=plans)
    def begin(self, flag, plan):
        if flag in self.rollouts:
            return
        record = store.RolloutRecord(
            rollout=Rollout.of(replace(plan, flag=flag)),
            issue_path="",
            issue_text="",
            readings=(),
            revision=0,
            created_at=START,
            created_by="ada",
        )
        with self.services.unit(ADA, write=True) as unit:
            begun = rollouts.begin(unit, store.add(unit.connection, record))
        saved = {each: self.gates.get((each, flag)) for each in ENVIRONMENTS}
        self.rollouts[flag] = (begun.rollout.id, list(plan.steps), saved, [])

    @precondition(lambda self: self.rollouts)
    @rule(data=st.data())
    def look(self, data):
        flag = data.draw(st.sampled_from(sorted(self.rollouts)))
        number, left, _, touched = self.rollouts[flag]
        with self.services.unit(ENGINE, write=True) as unit:
            moved = running.step(unit, running.find(unit, number), Observed())
        if not left:
            assert moved.rollout.phase is Phase.COMPLETED
            del self.rollouts[flag]
            return
        action = left.pop(0).action
        touched += action.environments
        self._set(flag, action.environments, action.change)

    @precondition(lambda self: self.rollouts)
    @rule(data=st.data(), pause=st.booleans())
    def abort(self, data, pause):
        flag = data.draw(st.sampled_from(sorted(self.rollouts)))
        number, _, saved, touched = self.rollouts.pop(flag)
        if pause:
            self.services.execute(PauseRollout(rollout=number), ADA)
        self.services.execute(AbortRollout(rollout=number, reason="enough"), ADA)
        for environment in dict.fromkeys(touched):
            self._write(environment, flag, saved[environment])

    def _set(self, flag, where, change):
        for each in where:
            before = self.gates.get((each, flag))
            self._write(each, flag, change.apply(before or Gates()))

    def _write(self, environment, flag, gates):
        before = self.gates.pop((environment, flag), None)
        if gates is not None:
            self.gates[environment, flag] = gates
        if before is not None or gates is not None:
            self.versions[environment] += 1
            self.changes.append((environment, flag, before, gates))

    @invariant()
    def gates_and_versions_are_the_models(self):
        with self.database.read() as connection:
            found = flags.find(connection)
            versions = {each: flags.version(connection, each) for each in ENVIRONMENTS}
        assert {(each.environment, each.flag): each.gates for each in found} == self.gates
        assert versions == self.versions

    @invariant()
    def the_audit_log_tells_every_change_in_its_order(self):
        with self.database.read() as connection:
            entries = audit.find(connection, limit=10_000)[::-1]
        told = [
            (each.environment, each.flag, each.before, each.after)
            for each in entries
            if each.action.startswith("flag.")
        ]
        by_place = sorted(told, key=lambda change: change[:2])
        expected = [
            (*place, before and before.to_json(), after and after.to_json())
            for *place, before, after in self.changes
        ]
        assert by_place == sorted(expected, key=lambda change: change[:2])

    @invariant()
    def the_audit_log_is_one_chain(self):
        with self.database.read() as connection:
            assert chain.verify(connection).why == ""

    @invariant()
    def applications_see_the_same(self):
        for environment in ENVIRONMENTS:
            taken = self.services.ask(lambda unit, name=environment: snapshot(unit, name), ADA)
            assert taken.version == self.versions[environment]
            for name, flag in taken.flags.items():
                assert flag.gates == self.gates.get((environment, name))


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
