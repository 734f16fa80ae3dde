"""What do tests of several parts need?

`database` is a migrated, empty database, once on SQLite and once on a real PostgreSQL; leave the
second out with `-m "not postgres"`. `services` does commands on it, `clock` stands still and
`repository` is a history that the test writes down. `git_sandbox` is a real repository.
"""

from __future__ import annotations

import gc
import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

from fakes import FakeClock, FakeRepository, definitions_in
from flagstaff.definitions import Policies, Project
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.unit import Context
from flagstaff.store.database import Database
from git_sandbox import SURROUNDINGS, GitSandbox
from postgres import Postgres

settings.register_profile(  # a busy machine is no fault, nor are plans that cannot be edited so
    "untimed",
    settings(),
    deadline=None,
    # Whether a change lands is no matter of luck; new examples are looked for at one's desk.
    derandomize=os.environ.get("FLAGSTAFF_TESTS") == "complete",
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("untimed")


def pytest_configure(config):
    config.addinivalue_line("markers", "postgres: needs the PostgreSQL server of the tests")


def pytest_collection_modifyitems(items):
    for item in items:
        if "postgres_server" in item.fixturenames or "[postgresql" in item.name:
            item.add_marker("postgres")
    if "PYTEST_XDIST_WORKER" in os.environ:  # no long one is left for the end, by itself
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish():
    # What was imported stays: looking through it again and again took a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session")
def postgres_server():
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "flagstaff.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()  # the last connection to go writes the log back into the file
    return path


@pytest.fixture
def sqlite_url(tmp_path, sqlite_template):
    path = tmp_path / "database" / "flagstaff.db"
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def put_tables(sqlite_template):
    """Return what puts migrated tables where the server of a folder has its own."""

    def put(root):
        (root / ".flagstaff").mkdir(mode=0o700)
        shutil.copy(sqlite_template, root / ".flagstaff" / "state.db")

    return put


@pytest.fixture
def postgres_url(postgres_server):
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    short = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    database = Database(request.getfixturevalue(short))
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """Return the address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create("template0")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def repository():
    return FakeRepository()


@pytest.fixture
def definitions(tmp_path):
    return definitions_in(tmp_path)


@pytest.fixture
def policies():
    """Return what the project has settled; here that any flag may change anywhere."""
    return Policies(consistency=False, allow_random=True)


@pytest.fixture
def context(tmp_path, repository, definitions, policies):
    return Context(
        root=tmp_path,
        project=Project(policies=policies),
        definitions=lambda: definitions,
        repository=repository,
    )


@pytest.fixture
def services(database, context, clock):
    # Imported here: the services know every part, and tests of one part should not wait for all.
    from flagstaff.services.services import Services  # noqa: PLC0415

    return Services(database, context, clock)


@pytest.fixture
def ada():
    return Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE, owner=True)


@pytest.fixture
def git_sandbox(tmp_path, monkeypatch):
    for name, value in SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    return GitSandbox(tmp_path / "repository")


@pytest.fixture
def added(services, ada):
    """Add a rollout of a plan, begun unless told otherwise, and return its number."""
    from flagstaff.rollouts.rollout import Rollout  # noqa: PLC0415
    from flagstaff.services import rollouts  # noqa: PLC0415
    from flagstaff.store import rollouts as store  # noqa: PLC0415

    def add(plan, *, issue="", begin=True):
        record = store.RolloutRecord(
            rollout=Rollout.of(plan),
            issue_path=issue,
            issue_text="",
            readings=(),
            revision=0,
            created_at=services.clock.now(),
            created_by=ada.name,
        )
        with services.unit(ada, write=True) as unit:
            record = store.add(unit.connection, record)
            if begin:
                rollouts.begin(unit, record)
        return record.rollout.id

    return add


@pytest.fixture
def look(services, ada):
    """Return the rollout with a number as it now stands."""
    from flagstaff.services import running  # noqa: PLC0415

    return lambda number: services.ask(lambda unit: running.find(unit, number), ada)
