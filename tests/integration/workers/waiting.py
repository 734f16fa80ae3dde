"""Where may a job wait, and what does one look find?"""

from __future__ import annotations

from contextlib import closing

from celery import Celery, chain, chord
from celery.backends.base import Backend
from fleet import until

from flagstaff.workers.asking import Asker
from flagstaff.workers.draining import scan
from flagstaff.workers.rabbitmq_management import management_of

OLD = "shop.notify"
QUEUE, UNACKED, BEAT = "queue shop", "unacked", "beat entries"
SCHEDULED, RESERVED = "workers: waiting for their time", "workers: reserved"
RUNNING, FOLLOWING = "workers: running", "workers: to follow what runs"
LIMITED = "workers: held back by a rate limit"
HELD = "workers: to follow what waits there"


def look(fleet, name=OLD, timeout=1.0, *, cleaned_up=False, **more):
    """Look once with nothing but the broker's address, and that of its management if it has one."""
    app = Celery(broker=fleet.broker, set_as_current=False)
    try:
        with closing(Asker(app, timeout=timeout, **more)) as asker:
            told = management_of(app, fleet.management) if fleet.management else None
            places = scan(app, asker, name, own=False, management=told, cleaned_up=cleaned_up)
    finally:
        app.close()
    assert len({each.place for each in places}) == len(places)
    return {each.place: each for each in places}


def prove_after_the_cleanup(fleet, held):
    """Say that workers which declare nothing are believed once the code is cleaned up."""
    jobs = fleet.jobs("before")
    fleet.worker("one", "before", "shop,integrations")
    jobs.hold.delay(held.name)
    until(lambda: fleet.ran("shop.hold"))
    until(lambda: {FOLLOWING, BEAT} <= unknown(look(fleet)))
    until(lambda: {each.state for each in look(fleet, cleaned_up=True).values()} == {"empty"})
    jobs.notify.apply_async((1,), countdown=900)
    until(lambda: found(look(fleet, cleaned_up=True)))


def unknown(places):
    return {place for place, each in places.items() if each.state == "unknown"}


def found(places):
    return {
        place: (each.count, each.embedded)
        for place, each in places.items()
        if each.state == "found"
    }


WAITING = {
    "a queue": (lambda jobs: jobs.notify.delay(1), {QUEUE: (1, 0)}),
    "a priority": (lambda jobs: jobs.notify.apply_async((1,), priority=6), {QUEUE: (1, 0)}),
    "due later": (lambda jobs: jobs.notify.apply_async((1,), countdown=900), {QUEUE: (1, 0)}),
    "a queue nobody knows": (
        lambda jobs: jobs.notify.apply_async((1,), queue="forgotten"),
        {"queue forgotten": (1, 0)},
    ),
    "a chain": (
        lambda jobs: chain(jobs.collect.si([]), jobs.collect.si([]), jobs.notify.si(1)).delay(),
        {QUEUE: (0, 1)},
    ),
    "a chord's body": (
        lambda jobs: chord([jobs.collect.si([]), jobs.collect.si([])])(jobs.notify.si(1)),
        {QUEUE: (0, 2)},
    ),
    "a chord's header": (
        lambda jobs: chord([jobs.notify.si(1), jobs.notify.si(2)])(jobs.collect.s()),
        {QUEUE: (2, 0)},
    ),
    "a callback": (
        lambda jobs: jobs.collect.apply_async(([],), link=jobs.notify.si(1)),
        {QUEUE: (0, 1)},
    ),
    "an error callback": (
        lambda jobs: jobs.collect.apply_async(([],), link_error=jobs.notify.si(1)),
        {QUEUE: (0, 1)},
    ),
    "compressed": (
        lambda jobs: jobs.collect.apply_async(([],), link=jobs.notify.si(1), compression="zlib"),
        {QUEUE: (0, 1)},
    ),
    "pickled": (
        lambda jobs: jobs.collect.apply_async(([],), link=jobs.notify.si(1), serializer="pickle"),
        {QUEUE: (0, 1)},
    ),
    "a text that is no job": (lambda jobs: jobs.collect.delay([OLD]), {}),
    "a longer name": (lambda jobs: jobs.app.send_task(f"{OLD}.all"), {}),
}


def polled_chord(jobs, *header, body):
    """Publish a chord as on a store of results that does not count: a job polls, and has the body.

    So it is with most stores other than Redis.
    """
    backend = jobs.app.backend
    backend.apply_chord = lambda *args, **more: Backend.apply_chord(backend, *args, **more)
    chord(header)(body)
