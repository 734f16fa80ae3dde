"""The parts of an edge: reports within bounds, readiness by age, settings that go together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flagstaff.errors import NotTaken, Refused, Unavailable, UsageError
from flagstaff.sdk.readiness import Mode
from flagstaff.sdk.transport import Address
from flagstaff.server.edge import forwarding, forwarding_actors
from flagstaff.server.edge.following import Standing
from flagstaff.server.edge.forwarding import Forwarder
from flagstaff.server.edge.places import Served
from flagstaff.server.edge.readiness import Readiness
from flagstaff.server.edge.settings import EdgeSettings, check_edge
from flagstaff.server.report_bodies import ReportBody
from flagstaff.services.actors import Report
from flagstaff.services.jobs import JobCount, JobsReport, QueueSeen, Sums
from flagstaff.services.telemetry import Answered, Heartbeat, Outcome, Unknown


class FakeTransport:
    """Keeps batches, or fails as it is told."""

    def __init__(self):
        self.batches = []
        self.error = None

    def reports(self, bodies):
        if self.error:
            raise self.error
        self.batches.append([json.loads(each) for each in bodies])


@pytest.fixture
def forwarder(monkeypatch):
    found = Forwarder(Address(url="http://x", environment="e"))
    monkeypatch.setattr(found, "_transport", FakeTransport())
    return found


def report(forwarder, instance="web-1", version="1", **counts):
    beat = Heartbeat(instance=instance, environment="e", version=version, at=datetime.now(UTC))
    answers = [
        Answered(environment="e", flag=flag, value=True, gate="boolean", count=count)
        for flag, count in counts.items()
    ]
    forwarder.report(beat, answers, [Unknown(environment="e", flag="?", application="", count=1)])


def sent(forwarder):
    return [each for batch in forwarder._transport.batches for each in batch]


def test_reports_of_one_process_are_added_up(forwarder):
    report(forwarder, a=1, b=2)
    report(forwarder, a=3, version="2")
    forwarder.send()
    [found] = sent(forwarder)
    assert found["version"] == "2"
    counts = {each["flag"]: each["count"] for each in found["exposures"]}
    assert counts == {"a": 4, "b": 2}
    assert found["unknown"] == [{"flag": "?", "count": 2}]
    assert 0 <= found["seconds_ago"] < 60
    forwarder.send()
    assert len(forwarder._transport.batches) == 1


def test_what_cannot_be_sent_waits_and_is_added_to_what_comes(forwarder):
    forwarder._transport.error = Unavailable("away")
    report(forwarder, a=1, version="1")
    forwarder.send()
    report(forwarder, a=2, version="2")
    forwarder.send()
    assert forwarder.waiting == 5
    forwarder._transport.error = None
    forwarder.send()
    [found] = sent(forwarder)
    assert (found["version"], found["exposures"][0]["count"]) == ("2", 3)
    assert (forwarder.waiting, forwarder.dropped) == (0, 0)


def test_the_oldest_make_room_and_are_counted(forwarder, monkeypatch):
    monkeypatch.setattr(forwarding, "MOST_PROCESSES", 2)
    forwarder._transport.error = Unavailable("away")
    for instance in ("a", "b", "c"):
        report(forwarder, instance, x=10)
        forwarder.send()
    assert (forwarder.waiting, forwarder.dropped) == (22, 11)
    monkeypatch.setattr(forwarding, "MOST_COUNTS", 2)
    report(forwarder, "d", x=10)
    assert (forwarder.waiting, forwarder.dropped) == (11, 33)
    forwarder._transport.error = None
    forwarder.send()
    assert [each["instance"] for each in sent(forwarder)] == ["d"]


def test_what_is_never_taken_is_dropped_and_counted_and_the_rest_goes_on(forwarder):
    forwarder._transport.error = NotTaken("answered 422")
    report(forwarder, a=4)
    forwarder.send()
    assert (forwarder.waiting, forwarder.dropped) == (0, 5)


def test_long_reports_are_cut_and_batches_stay_below_the_limit_of_a_body(forwarder, monkeypatch):
    monkeypatch.setattr(forwarding, "COUNTS_IN_ONE", 10)
    monkeypatch.setattr(forwarding, "BYTES_AT_ONCE", 3_000)
    for instance in ("a", "b"):
        report(forwarder, instance, **{f"flag_{number}": 1 for number in range(25)})
    forwarder.send()
    assert len(sent(forwarder)) == 6
    assert len(forwarder._transport.batches) > 1
    assert sum(len(each["exposures"]) for each in sent(forwarder)) == 50
    assert sum(len(each["unknown"]) for each in sent(forwarder)) == 2
    assert all(len(json.dumps(batch)) < 4_000 for batch in forwarder._transport.batches)


class FakeFollower:
    def __init__(self, environment, **standing):
        self.environment = environment
        usual = {"version": 1, "mode": Mode.LIVE, "age": 1.0, "problem": ""}
        self._standing = Standing(environment=environment, **{**usual, **standing})

    def standing(self):
        return self._standing

    def encoded(self):
        if self._standing.version is None:
            raise Unavailable("no flags yet")


def readiness(forwarder, *followers, max_stale=None):
    found = Readiness(
        followers={each.environment: each for each in followers},
        forwarder=forwarder,
        max_stale=max_stale,
    )
    answer = found.answer(None)
    return answer.status_code, json.loads(answer.body)


def test_an_edge_is_ready_at_any_age_unless_told_otherwise(forwarder):
    old = FakeFollower("production", mode=Mode.STALE, age=7_200.0, problem="http://secret away")
    status, body = readiness(forwarder, old)
    assert (status, body["ok"]) == (200, True)
    assert body["environments"]["production"]["seconds_since_contact"] == 7200.0
    assert "secret" not in json.dumps(body)
    status, body = readiness(forwarder, old, max_stale=timedelta(hours=1))
    assert (status, body["ok"]) == (503, False)
    reason = "production: the control plane has not been heard for more than 1 h"
    assert body["reasons"] == [reason]
    assert readiness(forwarder, old, max_stale=timedelta(hours=3))[0] == 200


def test_one_environment_that_is_not_there_is_enough(forwarder):
    followers = FakeFollower("production"), FakeFollower("dev", version=None, mode=Mode.STARTING)
    status, body = readiness(forwarder, *followers)
    assert (status, body["reasons"]) == (503, ["dev: there are no flags yet"])


def test_places_are_those_followed_and_there():
    there, coming = FakeFollower("production"), FakeFollower("dev", version=None)
    places = Served({"production": there, "dev": coming})
    assert places.environments == ("production", "dev")
    assert dict(places.stages) == {"canary": "production"}
    places.check_environments(("production",))
    with pytest.raises(Unavailable):
        places.check_environments(("production", "dev"))
    with pytest.raises(UsageError, match="no environment staging"):
        places.check_environments(("staging", "dev"))


@pytest.fixture
def settings(tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text("secret\n")

    def made(**changed):
        given = {"upstream": "http://flags.internal", "token_file": token_file, **changed}
        return EdgeSettings(**given)

    return made


def test_settings_that_go_together(settings):
    assert check_edge(settings()) == "secret"
    chosen = settings(
        environments=" production, staging ,production",
        host="10.0.0.7",
        public_url="https://Flags-EU.internal:8443",
        max_stale=timedelta(minutes=10),
    )
    assert check_edge(chosen) == "secret"
    assert chosen.names == ("production", "staging")
    assert chosen.public_host == "flags-eu.internal:8443"


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"upstream": "flags.internal"}, UsageError, "is not the address of a server"),
        ({"environments": " , "}, UsageError, "no environment is named"),
        ({"host": "10.0.0.7"}, Refused, "without --public-url"),
        ({"public_url": "flags"}, UsageError, "no web address"),
        ({"max_stale": timedelta(seconds=10)}, UsageError, "too short"),
        ({"public": True, "environments": "a,b"}, UsageError, "serves one environment, not 2"),
        ({"token_file": "/nowhere/token"}, UsageError, "cannot be read"),
        ({"tls_cert": "/nowhere/cert"}, UsageError, "belong together"),
    ],
)
def test_settings_that_do_not(settings, changed, error, words):
    with pytest.raises(error, match=words):
        check_edge(settings(**changed))


def test_an_empty_token_file(settings, tmp_path):
    (tmp_path / "token").write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        check_edge(settings())


def test_outcomes_are_totals_so_the_newest_of_a_process_is_sent(forwarder):
    now = datetime.now(UTC)
    beat = Heartbeat(instance="web-1", environment="e", at=now)
    for on in (10, 25):
        outcome = Outcome(
            environment="e",
            instance="web-1",
            flag="a",
            kind="5xx",
            on=on,
            on_bad=1,
            off=4,
            began=now - timedelta(seconds=60),
            heard=now,
        )
        forwarder.report(beat, [], outcomes=[outcome])
    forwarder.send()
    [found] = sent(forwarder)
    assert found["outcomes"] == [
        {
            "flag": "a",
            "kind": "5xx",
            "on": 25,
            "on_bad": 1,
            "off": 4,
            "off_bad": 0,
            "seconds": 60.0,
        }
    ]


def test_jobs_count_from_the_beginning_so_the_newest_is_sent(forwarder):
    beat = Heartbeat(instance="w1", environment="e", at=datetime.now(UTC))

    def tell(started, depth, task="a"):
        count = JobCount(task=task, queue="q", seconds=2.0, sums=Sums(started=started))
        seen = QueueSeen(queue="q", depth=depth)
        forwarder.report(beat, [], jobs=JobsReport(counts=(count,), queues=(seen,)))

    tell(1, 10)
    tell(5, 30)
    tell(2, 20, "b")
    forwarder.send()
    [found] = sent(forwarder)
    body = ReportBody.model_validate(found)
    told = {each.task: (each.started, each.seconds >= 2.0) for each in body.jobs}
    assert told == {"a": (5, True), "b": (2, True)}
    assert [(each.queue, each.depth) for each in body.queues] == [("q", 20)]


def test_what_is_said_of_actors_is_added_up_cut_and_kept_until_it_is_taken(forwarder, monkeypatch):
    monkeypatch.setattr(forwarding_actors, "ACTORS_IN_ONE", 2)
    beat = Heartbeat(instance="web-1", environment="e", at=datetime.now(UTC))
    first = Report(rollout=1, flag="a", draw=5, seen={"x": True, "y": False}, kinds=["5xx"])
    second = replace(first, seen={"x": True, "z": False}, failed={"5xx": ["z"]}, bare=["302"])
    forwarder.report_actors(beat, [])
    forwarder.report_actors(beat, [first])
    forwarder._transport.error = Unavailable("down")
    forwarder.send()
    forwarder.report_actors(beat, [second])
    forwarder._transport.error = None
    forwarder.send()
    said = [each for body in sent(forwarder) for each in body["actors"]]
    assert [(each["on"], each["off"]) for each in said] == [(["x"], ["y"]), ([], ["z"])]
    assert said[1]["failed"] == {"5xx": {"on": [], "off": ["z"]}}
    assert {(*each["kinds"], *each["bare"]) for each in said} == {("5xx", "302")}
    assert {(each["flag"], each["rollout"], each["draw"]) for each in said} == {("a", 1, 5)}
    forwarder.send()
    assert len(sent(forwarder)) == 2
