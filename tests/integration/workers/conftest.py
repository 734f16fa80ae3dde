from __future__ import annotations

from uuid import uuid4

import pytest
from fleet import Fleet

from brokers import RabbitMQ, Redis


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    server = Redis(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture
def redis(redis_server):
    """An empty Redis."""
    import redis  # noqa: PLC0415 - the fixture's own name

    client = redis.Redis.from_url(redis_server.url())
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def fleet(tmp_path, redis, redis_server):
    assert redis.dbsize() == 0
    fleet = Fleet(tmp_path, redis_server.url(), redis_server.url(1))
    yield fleet
    fleet.close()


@pytest.fixture(scope="session")
def rabbit_server(tmp_path_factory):
    """A RabbitMQ for all tests that take a virtual host of it each."""
    server = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    yield server
    server.stop()


@pytest.fixture
def rabbit_fleet(tmp_path, redis, redis_server, rabbit_server):
    """A fleet in a virtual host of its own; results are kept in Redis."""
    assert redis.dbsize() == 0
    fleet = Fleet(tmp_path, rabbit_server.place(uuid4().hex), redis_server.url(1))
    yield fleet
    fleet.close()


@pytest.fixture
def rabbit_place(tmp_path, redis, redis_server, rabbit_server):
    """A fleet in a virtual host of its own, whose management can be asked."""
    assert redis.dbsize() == 0
    url, management = rabbit_server.place(uuid4().hex), rabbit_server.management()
    fleet = Fleet(tmp_path, url, redis_server.url(1), management=management)
    yield fleet
    fleet.close()


@pytest.fixture
def held(tmp_path):
    """A file that holds jobs while it is there."""
    file = tmp_path / "held"
    file.touch()
    yield file
    file.unlink(missing_ok=True)
