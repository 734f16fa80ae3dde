"""When is everything that RabbitMQ has handed out with workers that answer?"""

from __future__ import annotations

import pytest

from flagstaff.errors import UsageError
from flagstaff.workers.rabbitmq_management import LATE, Management, Queue, Report, _queue
from flagstaff.workers.rabbitmq_places import handed_out, is_delayed

ROW = {
    "name": "shop",
    "type": "classic",
    "messages_ready": 1,
    "messages_unacknowledged": 2,
    "consumers": 3,
    "arguments": {"x-max-priority": 10},
}


def report(unacked, consumers=1, idle=0):
    queue = _queue(ROW | {"messages_unacknowledged": unacked, "consumers": consumers})
    return Report(queues=(queue,), workers=1, idle_holders=idle)


class Says:
    """A management that says one thing after the other, and a clock that goes on between."""

    def __init__(self, *reports):
        self.reports, self.now = [*reports], 0.0

    def report(self):
        return self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]

    def sleep(self, seconds):
        self.now += seconds

    def place(self, takers):
        return handed_out(self, lambda: takers, clock=lambda: self.now, sleep=self.sleep)


@pytest.mark.parametrize(
    ("told", "takers", "doubt"),
    [
        (report(0), {}, ""),
        (report(5), {"shop": 1}, ""),
        (report(5, consumers=2), {"shop": 1}, "2 consumers, and 1 workers"),
        (report(5, consumers=0), {"shop": 1}, "0 consumers, and 1 workers"),
        (report(5, idle=2), {"shop": 1}, "2 messages are held by somebody who takes no jobs"),
        (report(None), {}, "no figures yet of shop"),
    ],
)
def test_what_is_handed_out_is_known_when_workers_have_it(told, takers, doubt):
    says = Says(told)
    place = says.place(takers)
    assert doubt in place.doubt
    assert bool(place.doubt) == bool(doubt)
    # A doubt has to hold for as long as figures may be late.
    assert (says.now >= LATE) == bool(doubt)


def test_a_doubt_that_goes_away_is_none():
    says = Says(report(1, idle=1), report(1, idle=1), report(0))
    assert says.place({}).state == "empty"


@pytest.mark.parametrize(
    ("row", "is_"),
    [
        ({}, {}),
        ({"type": "quorum"}, {"counts_deliveries": True}),
        ({"type": "stream"}, {"counts_deliveries": True}),
        ({"arguments": {"x-max-length": 1}}, {"limited": True}),
        ({"effective_policy_definition": {"max-length-bytes": 9}}, {"limited": True}),
        ({"effective_policy_definition": []}, {}),
        ({"exclusive": True}, {"private": True}),
    ],
)
def test_a_queue_is_read_by_what_it_is(row, is_):
    plain = {"counts_deliveries": False, "limited": False, "private": False}
    assert _queue(ROW | row) == Queue(name="shop", ready=1, unacked=2, consumers=3, **plain | is_)


@pytest.mark.parametrize(
    ("queue", "is_"),
    [
        ("celery_delayed_0", True),
        ("shop_celery_delayed_27", True),
        ("celery_delayed", False),
        ("celery_delayed_mails", False),
        ("shop", False),
    ],
)
def test_queues_of_delayed_delivery_are_known_by_their_names(queue, is_):
    assert is_delayed(queue) is is_


def test_two_workers_of_one_name_and_a_beat_are_counted_as_what_they_are(monkeypatch):
    queues = [
        ROW | {"name": "one@host.celery.pidbox", "consumers": 2},
        ROW | {"name": "celerybeat@host.celery.pidbox", "consumers": 1},
        ROW,
    ]
    management = Management("http://rabbitmq:15672", ("a", "b"), "/")
    answers = {"queues/%2F": queues, "vhosts/%2F/channels": []}
    monkeypatch.setattr(management, "_get", answers.__getitem__)
    told = management.report()
    assert (told.workers, [each.name for each in told.queues]) == (2, ["shop"])


def test_an_address_has_to_be_one():
    with pytest.raises(UsageError, match="no web address"):
        Management("rabbitmq:15672", ("a", "b"), "/")
