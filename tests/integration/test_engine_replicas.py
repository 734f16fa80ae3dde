"""Engines as processes of their own on one PostgreSQL: frozen, killed, and thawed too late."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import pytest
from cluster import within

from fakes import FakeRepository, definitions_in, plan_of, ramp, turn_on
from flagstaff.commands.model import AbortRollout
from flagstaff.definitions import Policies, Project
from flagstaff.errors import Unavailable
from flagstaff.flags.gates import Gates
from flagstaff.rollouts.plan import Announce, Approve
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.services import rollouts, running
from flagstaff.services.clock import SystemClock
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.services import Services
from flagstaff.services.unit import Context
from flagstaff.store import flags
from flagstaff.store import rollouts as store
from flagstaff.store.database import Database

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.postgres,
    pytest.mark.enable_socket,
    pytest.mark.timeout(900),
]

ADA = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE, owner=True)
HELLO = Announce(channels=("#ops",), text="Hello")
TESTS = Path(__file__).parent.parent
LONG = 120.0


class Process:
    """One engine; what it does outside is in the file `done`."""

    def __init__(self, folder, url, mode="plain"):
        self.folder = folder
        script = TESTS / "integration" / "engine_replica.py"
        self.process = subprocess.Popen(
            [sys.executable, script, folder, url, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        assert self.process.stdout.readline() == b"ready\n"

    def is_at(self, place):
        return (self.folder / f"{place}-{self.process.pid}").exists()

    def send(self, number):
        os.kill(self.process.pid, number)

    def close(self):
        with suppress(ProcessLookupError):
            self.send(signal.SIGCONT)
            self.process.kill()
        self.process.communicate(timeout=LONG)


class Site:
    """One database with the processes on it, and a person who works there."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.processes = []
        definitions = definitions_in(folder)
        context = Context(
            root=folder,
            project=Project(policies=Policies(consistency=False, allow_random=True)),
            definitions=lambda: definitions,
            repository=FakeRepository(),
        )
        self.services = Services(Database(url), context, SystemClock())

    def engine(self, mode="plain"):
        self.processes.append(Process(self.folder, self.url, mode))
        return self.processes[-1]

    def begin(self, plan):
        record = store.RolloutRecord(
            rollout=Rollout.of(plan),
            issue_path="",
            issue_text="",
            readings=(),
            revision=0,
            created_at=self.services.clock.now(),
            created_by=ADA.name,
        )
        with self.services.unit(ADA, write=True) as unit:
            record = store.add(unit.connection, record)
            rollouts.begin(unit, record)
        return record.rollout.id

    def phase(self, number):
        record = self.services.ask(lambda unit: running.find(unit, number), ADA)
        return record.rollout.phase

    def production(self):
        with self.services.database.read() as connection:
            state = flags.get(connection, "production", "new_navigation")
        return state.gates if state else None

    def abort(self, number):
        """Roll back, as soon as nobody holds the rollout."""
        try:
            self.services.execute(AbortRollout(rollout=number, reason="harm"), ADA)
        except Unavailable:
            return False
        return True

    @property
    def done(self):
        file = self.folder / "done"
        return [line.split()[1] for line in file.read_text().splitlines()] if file.exists() else []

    def close(self):
        for each in self.processes:
            each.close()
        self.services.database.close()


@pytest.fixture
def site(tmp_path, postgres_url):
    with closing(Site(tmp_path, postgres_url)) as found:
        yield found


@pytest.mark.parametrize("where", ["before", "after"])
def test_one_that_thaws_after_the_rollback_changes_nothing(site, where):
    """It was frozen as it set the flag: before it wrote, or with the write not yet committed."""
    frozen = site.engine(where)
    number = site.begin(plan_of(ramp(10), Approve()))
    within(LONG, lambda: frozen.is_at("in-set"))
    frozen.send(signal.SIGSTOP)
    site.engine()
    if where == "before":
        within(LONG, lambda: site.production() is not None)  # the other one has taken over
    within(LONG, lambda: site.abort(number))
    assert site.production() is None
    (site.folder / "go-on").touch()
    frozen.send(signal.SIGCONT)
    other = site.begin(plan_of(turn_on("dev"), HELLO, flag="old_search"))
    within(LONG, lambda: site.phase(other) is Phase.COMPLETED)
    assert site.production() is None
    assert site.phase(number) is Phase.ROLLED_BACK
    later = site.begin(plan_of(ramp(20), Approve()))
    within(LONG, lambda: site.phase(later) is Phase.WAITING)
    assert site.production() == Gates(percentage_of_actors=ramp(20).change.value)


def test_what_a_killed_engine_was_doing_another_does_again_under_the_same_key(site):
    killed = site.engine("slow")
    numbers = [site.begin(plan_of(HELLO, flag="new_navigation"))]
    within(LONG, lambda: killed.is_at("in-effect"))
    killed.send(signal.SIGKILL)
    site.engine()
    within(LONG, lambda: all(site.phase(each) is Phase.COMPLETED for each in numbers))
    assert site.done == [f"{numbers[0]}/s1/0"] * 2


def test_three_engines_do_everything_once(site):
    engines = [site.engine("calm") for _ in range(3)]
    numbers = [
        site.begin(plan_of(turn_on("dev"), HELLO, ramp(5), HELLO, flag=f"flag_{number}"))
        for number in range(15)
    ]
    within(LONG, lambda: all(site.phase(each) is Phase.COMPLETED for each in numbers))
    keys = [f"{number}/s{step}/0" for number in numbers for step in (2, 4)]
    assert sorted(site.done) == sorted(keys)
    assert all(each.process.poll() is None for each in engines)
