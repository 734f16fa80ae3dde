"""Several servers on one PostgreSQL: changes are everywhere at once, and faults lose nothing."""

from __future__ import annotations

import itertools
import json
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from functools import partial

import pytest
from cluster import FLAG, PLACES, TOKEN, Asker, Replica, Writer, add_actor, evaluate, within
from network import Network
from sqlalchemy import create_engine, text

from flagstaff import Client
from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import VerifyAudit
from postgres import KillablePostgres

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.postgres,
    pytest.mark.enable_socket,
    pytest.mark.timeout(600),
    pytest.mark.alone,
]

CONVERGED = 5.0
"""Seconds after the end of a fault, within which everybody has the same flags again."""
QUICK = 12.0
"""Seconds for an answer while the database is away; the longest are those under way at the cut."""


class Cluster:
    """Three replicas, the last one behind a network that can be cut, and a load balancer."""

    def __init__(self, folder):
        self.postgres = KillablePostgres()
        self.wire = Network(lambda: [self.postgres.port])
        direct, behind = self.postgres.url(), self.postgres.url(self.wire.port)
        self.replicas = [
            Replica(folder / name, url)
            for name, url in (("one", direct), ("two", direct), ("three", behind))
        ]
        for each in self.replicas:
            each.start()
            each.wait()
        self.balancer = Network(self._ports)
        self.turn = itertools.count()
        self.numbers = itertools.count()
        self.url = f"http://127.0.0.1:{self.balancer.port}"

    def _ports(self):
        ports = [each.port for each in self.replicas]
        first = next(self.turn) % len(ports)
        return ports[first:] + ports[:first]

    def close(self):
        for each in self.replicas:
            each.stop()
        self.balancer.close()
        self.wire.close()
        self.postgres.stop()

    def query(self, statement):
        engine = create_engine(self.postgres.url().replace("postgresql:", "postgresql+psycopg:"))
        try:
            with engine.connect() as connection:
                return connection.execute(text(statement)).all()
        finally:
            engine.dispose()

    def converged(self, *clients):
        """Return whether all replicas and clients have what the database has."""
        versions = {
            (name, version)
            for name, version in self.query("SELECT name, version FROM environment")
            if name in PLACES
        }
        seen = [{(name, each.version(name)) for name in PLACES} for each in self.replicas]
        dev = dict(versions)["dev"]
        return all(each == versions for each in seen) and all(
            each.readiness().version == dev for each in clients
        )

    def check_writes(self, writer):
        """Check that what was accepted is there, what was refused is not, and nothing by half."""
        kept = self.replicas[0].actors("dev")
        for each in self.replicas:
            assert each.actors("dev") == each.actors("staging") == kept
        refused = {number for number, _, code in writer.refused if code == "unavailable"}
        assert names(writer.accepted) <= kept
        assert names(refused) & kept == set()
        pairs = self.query(
            "SELECT count(*), count(DISTINCT environment) FROM audit WHERE action = 'flag.set'"
            " GROUP BY after::text"
        )
        assert {tuple(each) for each in pairs} == {(2, 2)}
        command = encode_command(VerifyAudit())
        assert self.replicas[0].ask("/api/v1/commands", command)["ok"]


def names(numbers):
    return {f"User:{number}" for number in numbers}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with closing(Cluster(tmp_path_factory.mktemp("cluster"))) as found:
        yield found


@pytest.fixture
def clients(cluster, tmp_path):
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                closing(
                    Client.connect(url, environment="dev", token=TOKEN, cache=tmp_path / str(n))
                )
            )
            for n, url in enumerate((cluster.url, cluster.replicas[1].url, cluster.url))
        ]


@contextmanager
def in_use(clients, urls):
    """Let clients ask, by SDK and OFREP, while the block lasts; everything has to be answered."""
    with ExitStack() as stack:
        asking = [
            stack.enter_context(Asker(lambda each=each: each.evaluate(FLAG, "User:0")))
            for each in clients
        ]
        asking += [stack.enter_context(Asker(lambda url=url: evaluate(url))) for url in urls]
        yield
    for each in asking:
        assert each.problems == []
        assert each.answers > 0
        assert each.slowest < QUICK


def wait_for(condition):
    within(60, condition)


def refusal(replica, number):
    """Return the status, the code and the seconds it takes to refuse a write."""
    begun = time.monotonic()
    with pytest.raises(urllib.error.HTTPError) as caught:
        add_actor(replica.url, number)
    with caught.value as answer:
        return answer.code, json.load(answer)["code"], time.monotonic() - begun


def status(replica, path):
    try:
        with urllib.request.urlopen(replica.url + path, timeout=20) as answer:  # noqa: S310 - ours
            return answer.status
    except urllib.error.HTTPError as exc:
        exc.close()
        return exc.code


def test_a_change_at_one_replica_is_at_the_others_in_well_under_a_second(cluster, clients):
    one, two, three = cluster.replicas
    follower = clients[1]  # of the second one
    took = []
    for here, there in ((one, two), (two, three), (three, one), (one, two), (three, two)) * 3:
        number = next(cluster.numbers)
        add_actor(here.url, number)
        took.append(within(5, partial(evaluate, there.url, number)))
        if there is two:
            took.append(within(5, partial(follower.is_enabled, FLAG, f"User:{number}")))
    within(5, lambda: cluster.converged(*clients))
    assert sorted(took)[len(took) // 2] < 1


def test_a_replica_that_is_killed_takes_nothing_with_it(cluster, clients):
    one, two, three = cluster.replicas
    writing = Writer(cluster.replicas, cluster.numbers)
    with in_use(clients, [two.url, three.url]), writing as writer:
        wait_for(lambda: len(writer.accepted) > 20)
        one.kill()
        kept = len(writer.accepted)
        wait_for(lambda: len(writer.accepted) > kept + 20)
    one.start()
    one.wait()
    within(CONVERGED, lambda: cluster.converged(*clients))
    cluster.check_writes(writer)


def test_a_database_that_is_killed_and_comes_back(cluster, clients):
    with in_use(clients, [each.url for each in cluster.replicas]):
        with Writer(cluster.replicas, cluster.numbers) as writer:
            wait_for(lambda: len(writer.accepted) > 20)
            cluster.postgres.kill()
            wait_for(lambda: len(writer.refused) > 10)
            for each in cluster.replicas:
                assert status(each, "/healthz") == 200
                assert status(each, "/readyz") == 503
                assert refusal(each, next(cluster.numbers))[:2] == (503, "unavailable")
                assert each.actors()  # the snapshot is still served
            cluster.postgres.start()
            before = len(writer.accepted)
            took = within(CONVERGED, lambda: len(writer.accepted) > before + 10)
        assert took < CONVERGED
        within(CONVERGED, lambda: cluster.converged(*clients))
    assert {(code, word) for _, code, word in writer.refused} <= {
        (503, "unavailable"),
        (503, "undecided"),
    }
    assert writer.slowest < QUICK
    cluster.check_writes(writer)
    for each in cluster.replicas:
        assert status(each, "/readyz") == 200


def test_a_network_that_is_cut_between_a_replica_and_the_database(cluster, clients):
    one, two, three = cluster.replicas
    near = Client.connect(three.url, environment="dev", token=TOKEN, cache=None)
    with closing(near), in_use([*clients, near], [each.url for each in cluster.replicas]):
        with Writer(cluster.replicas, cluster.numbers) as writer:
            wait_for(lambda: len(writer.accepted) > 20)
            cluster.wire.cut()
            wait_for(lambda: any(code == 503 for _, code, _ in writer.refused))
            code, word, seconds = refusal(three, next(cluster.numbers))
            assert (code, word) == (503, "unavailable")
            assert seconds < QUICK
            assert status(three, "/healthz") == 200
            assert status(three, "/readyz") == 503
            number = next(cluster.numbers)
            add_actor(one.url, number)
            within(5, lambda: f"User:{number}" in two.actors())
            assert not near.is_enabled(FLAG, f"User:{number}")
            assert not evaluate(three.url, number)
            cluster.wire.mend()
            within(CONVERGED, lambda: near.is_enabled(FLAG, f"User:{number}"))
            within(CONVERGED, lambda: evaluate(three.url, number))
        within(CONVERGED, lambda: cluster.converged(*clients, near))
    assert writer.slowest < QUICK
    cluster.check_writes(writer)
    assert status(three, "/readyz") == 200
