"""Does the plan of a rename hold until workers know, publish, drain, and roll back at every point?

Real workers and a real broker; only the engine's clock is the test's.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fleet import flagstaff, until

from flagstaff.cli.plan_sources import project_here
from flagstaff.commands.model import AbortRollout, ShowRollout
from flagstaff.definitions import load_project
from flagstaff.definitions.folder import load_definitions
from flagstaff.definitions.plans import read_plan
from flagstaff.engine.loop import Engine
from flagstaff.integrations.world import World
from flagstaff.rollouts.plan import Bake
from flagstaff.rollouts.rollout import Phase
from flagstaff.services.unit import Context
from flagstaff.store import flags
from flagstaff.store.database import Database

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

FLAG = "rename_notify"
OLD, NEW = "shop.notify", "integrations.notify"
SETTINGS = """
flags: flags
environments: [production]
policies: {consistency: false}
brokers:
  main: {url: "%s", workers: %d, timeout: 5s}
"""
WORDS = ("--old", OLD, "--new", NEW, "--old-queue", "shop", "--new-queue", "integrations")
WORDS += ("--percentages", "50", "--stable", "2s")


class Shop:
    """A rollout of the plan that our command writes, and producers that follow its flag."""

    def __init__(self, fleet, services, ada, added, look):
        self.fleet, self.services, self._ada = fleet, services, ada
        self._added, self._look = added, look
        self.engine = Engine(services, World(fleet.folder, services.context.project))
        self.engine._inquiries._every = 1.0
        self.published, self.jobs, self.number = 0, fleet.jobs("after"), 0

    def begin(self):
        """Begin a rollout of the plan that stands in the folder."""
        text = (self.fleet.folder / f"plans/{FLAG}.yml").read_text()
        self.number = self._added(read_plan(text, project_here()).plan)

    @property
    def rollout(self):
        return self._look(self.number).rollout

    def reach(self, step):
        """Go on until the rollout stands at the step, past every bake before it."""

        def there():
            self._look_around()
            current = self.rollout.current
            if current is not None and current.id != step and isinstance(current.action, Bake):
                self.services.clock.advance(days=2)
            self.follow()
            return current is not None and current.id == step

        until(there, within=240)
        return self.rollout.state(step)

    def hold(self, step, why):
        """Go on until the step holds for this reason; a slow worker's first answer may be none."""
        until(lambda: why in self.reach(step).note)

    def _look_around(self):
        """Look, as an engine does whose time goes on: what gave no answer is asked again."""
        self.services.clock.advance(seconds=5)
        self.engine.tick()
        self.engine.settle()
        self.engine.tick()

    def abort(self):
        """Roll everything back, and check that it is."""
        self.services.execute(AbortRollout(rollout=self.number, reason="no"), self._ada)

        def rolled_back():
            self._look_around()
            return self.rollout.phase is Phase.ROLLED_BACK

        until(rolled_back)
        self.follow()
        assert not self.on()

    def on(self):
        with self.services.database.read() as connection:
            state = flags.get(connection, "production", FLAG)
        return state is not None and bool(state.gates.boolean)

    def follow(self):
        """Let the producers know the flag, as the stream of a server would."""
        self.fleet.flag(on=self.on())

    def publish(self, count, **options):
        """Publish jobs, wait until all have run, and return under which names these have."""
        for _ in range(count):
            self.published += 1
            self.jobs.notify.apply_async((self.published,), **options)
        until(lambda: len(self.fleet.ran()) >= self.published)
        first = self.published - count
        return Counter(each["name"] for each in self.fleet.ran() if each["number"] > first)

    def nothing_is_lost(self):
        numbers = Counter(each["number"] for each in self.fleet.ran())
        assert set(numbers.values()) == {1}, "none was doubled"
        assert len(numbers) == self.published, "and none lost"

    def shown(self):
        return self.services.execute(ShowRollout(rollout=self.number), self._ada).text


@pytest.fixture
def database(sqlite_url):
    made = Database(sqlite_url)
    yield made
    made.close()


@pytest.fixture
def begin(tmp_path, monkeypatch, ada, request):
    """Return what opens a shop on a fleet."""

    def shop(fleet, workers):
        (tmp_path / "flagstaff.yml").write_text(SETTINGS % (fleet.broker, workers))
        monkeypatch.chdir(tmp_path)
        assert flagstaff("plan", "rename", FLAG, *WORDS)[0] == 0
        assert Path(f"plans/{FLAG}.yml").exists()
        return Shop(
            fleet,
            request.getfixturevalue("services"),
            ada,
            request.getfixturevalue("added"),
            request.getfixturevalue("look"),
        )

    return shop


@pytest.fixture
def context(tmp_path, repository):
    return Context(
        root=tmp_path,
        project=load_project(tmp_path),
        definitions=lambda: load_definitions(tmp_path / "flags"),
        repository=repository,
    )


def test_it_can_be_taken_back_before_and_while_it_publishes(fleet, begin):
    fleet.worker("one", "after", "shop,integrations")
    fleet.worker("two", "before", "shop")
    shop = begin(fleet, 2)

    shop.begin()
    shop.hold("knows-1", "two@test does not know integrations.notify")
    assert "✗ two@test, takes jobs from shop" in shop.shown()
    assert shop.publish(3) == {OLD: 3}, "nothing new is published while a worker does not know it"
    shop.abort()
    fleet.stop("two")
    fleet.worker("two", "after", "shop,integrations")

    shop.begin()
    shop.reach("watch-50")
    fleet.flag(on=True)  # a share of actors is the SDK's part; here every job
    assert shop.publish(5) == {NEW: 5}
    shop.abort()
    assert shop.publish(5) == {OLD: 5}
    shop.nothing_is_lost()


def test_it_can_be_taken_back_while_it_drains_and_after(fleet, begin):
    fleet.worker("one", "after", "shop,integrations", concurrency=2)
    fleet.worker("two", "after", "shop,integrations", concurrency=2)
    shop = begin(fleet, 2)

    (fleet.folder / "held").touch()
    shop.jobs.notify.delay(0, hold="held")
    until(lambda: [each for each in fleet.ran(OLD) if each["number"] == 0])
    shop.begin()
    shop.hold("drained-1", "running: found, 1 jobs")
    assert "✗ workers: running: found, 1 jobs" in shop.shown()
    shop.published += 1
    assert shop.publish(3) == {NEW: 3}
    shop.abort()
    (fleet.folder / "held").unlink()
    assert shop.publish(3) == {OLD: 3}

    shop.begin()
    shop.reach("cleanup-references")
    assert "shop.notify is drained: nothing found" in shop.rollout.state("drained-1").note
    assert shop.publish(3) == {NEW: 3}
    shop.abort()
    assert shop.publish(3) == {OLD: 3}, "both names are known until the cleanup is merged"

    shop.nothing_is_lost()


def test_a_worker_that_comes_back_with_the_old_deployment_stops_the_next_share(fleet, begin):
    fleet.worker("one", "after", "shop,integrations")
    shop = begin(fleet, 1)
    shop.begin()
    shop.reach("watch-50")
    fleet.worker("two", "before", "shop,integrations")
    shop.hold("knows-1-before-100", "two@test does not know integrations.notify")
    fleet.stop("two")
    shop.reach("verification-term")
    assert shop.on()
