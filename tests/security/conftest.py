"""A server on which people and programs of every role are known.

`world` makes them: `world.token("operator@staging")` is the token of a program with that role,
`world.person("ada", "viewer")` an account, `world.session("ada")` the cookie of its browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asking import Wire, wired
from worlds import World

from flagstaff.commands.roles import parse_roles
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.plan import Plan, SetGate, Step
from flagstaff.rollouts.rollout import Rollout
from flagstaff.server.app import Application, build
from flagstaff.server.settings import Settings
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.services import Services
from flagstaff.store import rollouts as store
from flagstaff.store.rollouts import RolloutRecord

FLAG = "new_navigation"
DEFINITION = """\
name: new_navigation
type: development
default_enabled: false
group: group::integrations
milestone: "15.1"
introduced_by_url: https://example.com/1
rollout_issue_url: https://example.com/2
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "shop-of-ours/config/feature_flags/development/new_navigation.yml"
    path.parent.mkdir(parents=True)
    path.write_text(DEFINITION)
    folder = tmp_path / "shop-of-ours"
    (folder / "flagstaff.yml").write_text("policies:\n  consistency: false\n")
    return folder


@pytest.fixture
def application(root: Path, put_tables: Callable[[Path], None]) -> Iterator[Application]:
    put_tables(root)
    built = build(Settings(root=root, engine=False))
    yield built
    built.close()


@pytest.fixture
def wire(application: Application) -> Iterator[Wire]:
    with wired(application.asgi) as wire:
        yield wire


@pytest.fixture
def world(application: Application) -> World:
    return World(application)


@pytest.fixture
def bearing() -> Callable[[str], dict[str, str]]:
    """Return the header that shows a token."""
    return lambda token: {"authorization": f"Bearer {token}"}


@pytest.fixture
def rollout(application: Application) -> Callable[..., int]:
    """Return what keeps a rollout that has not begun, and changes its flag in the environments."""

    def add(*environments: str) -> int:
        steps = tuple(
            Step(
                id=f"set-{name}",
                stage=name,
                title=f"Set it in {name}",
                action=SetGate(environments=(name,), change=Boolean(value=True)),
            )
            for name in environments
        )
        record = RolloutRecord(
            rollout=Rollout.of(Plan(flag=FLAG, title="A rollout", steps=steps)),
            issue_path="",
            issue_text="- [ ] Set it\n",
            readings=(),
            revision=0,
            created_at=datetime(2026, 3, 1, tzinfo=UTC),
            created_by="root",
        )
        with application.services.unit(ENGINE, write=True) as unit:
            return store.add(unit.connection, record).rollout.id

    return add


@pytest.fixture
def services_of(application: Application) -> Callable[..., tuple[Services, Person]]:
    """Return the services, and somebody with roles."""

    def make(*roles: str) -> tuple[Services, Person]:
        person = Person(name="ada", source=Source.WEB, roles=parse_roles(roles), account="ada")
        return application.services, person

    return make
