from __future__ import annotations

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


@pytest.fixture
def rabbit_fleet(tmp_path, redis, redis_server):
    """A fleet on a RabbitMQ of its own; results are kept in Redis."""
    assert redis.dbsize() == 0
    folder = tmp_path / "rabbitmq"
    folder.mkdir()
    server = RabbitMQ(folder)
    fleet = Fleet(tmp_path, server.url(), redis_server.url(1))
    yield fleet
    fleet.close()
    server.stop()
