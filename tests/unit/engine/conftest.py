"""An engine with everything around it, at a test's command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from fakes import FakeWorld
from flagstaff.engine.loop import Engine
from flagstaff.services.person import ENGINE
from flagstaff.store import flags
from flagstaff.store.deployments import Deployment
from flagstaff.store.deployments import add as add_deployment


@dataclass
class Lab:
    """An engine with everything around it, at a test's command."""

    services: Any
    clock: Any
    repository: Any
    added: Any
    look: Any
    ada: Any
    world: FakeWorld = field(default_factory=FakeWorld)

    def __post_init__(self):
        self.engine = Engine(self.services, self.world)

    def execute(self, command):
        return self.services.execute(command, self.ada)

    def gates(self, environment):
        with self.services.database.read() as connection:
            state = flags.get(connection, environment, "new_navigation")
        return state.gates if state else None

    def deploy(self, environment, sha):
        deployment = Deployment(environment=environment, sha=sha, at=self.clock.now(), who="ci")
        with self.services.unit(ENGINE, write=True) as unit:
            add_deployment(unit.connection, deployment)

    def at(self, number):
        """Look twice and return the step the rollout then stands at."""
        self.engine.tick()
        self.engine.tick()
        step = self.look(number).rollout.current
        return step.id if step else None


@pytest.fixture
def lab(services, clock, repository, added, look, ada):
    return Lab(services, clock, repository, added, look, ada)
