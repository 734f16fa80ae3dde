"""Is a job published after the clean-up as it was while the flag stayed where it is?"""

from __future__ import annotations

import pytest
from celery.signals import before_task_publish

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

SOURCE = """\
from celery import Celery
from flagstaff.workers import renames

app = Celery("shop", broker="memory://", set_as_current=False)
app.conf.task_routes = {routes}


{body}


def publish():
    {publish}


renames.declare(app, flag="flag", old="shop.notify", new="mail.notify", client=FLAGS{queues})
"""
BODIES = {
    "old": '@app.task(name="shop.notify", shared=False)\ndef notify(n):\n    pass',
    "new": '@app.task(name="mail.notify", bind=True, shared=False)\ndef notify(self, n):\n    pass',
    "own queue": '@app.task(name="shop.notify", queue="own", shared=False)\ndef notify(n): ...',
    "old queue": '@app.task(name="shop.notify", queue="shop", shared=False)\ndef notify(n): ...',
}
ROUTES = {
    "none": "{}",
    "both": '{"shop.notify": {"queue": "shop"}, "mail.notify": {"queue": "mail"}}',
    "old": '{"shop.notify": {"queue": "shop", "priority": 3}, "other": {"queue": "o"}}',
    "no literal": "(lambda name, *_, **__: None,)",
    "patterns": '{"shop.*": {"queue": "shop"}, "mail.*": {"queue": "letters"}}',
}
QUEUES = {"given": ', old_queue="shop", new_queue="mail"', "left out": ""}


pytestmark = pytest.mark.filterwarnings(
    "ignore::celery.exceptions.CDeprecationWarning"  # of a queue that the job itself says
)


class Flags:
    def __init__(self, answer):
        self._answer = answer

    def is_enabled(self, _flag, *_actors):
        return self._answer


def published(source, answer):
    found = []

    def note(sender=None, routing_key=None, **_):
        found.append((sender, routing_key))

    before_task_publish.connect(note)
    try:
        space = {"FLAGS": Flags(answer), "__name__": "shop_jobs"}
        exec(compile(source, "shop_jobs.py", "exec"), space)  # noqa: S102 it is ours, above
        space["publish"]()
    finally:
        before_task_publish.disconnect(note)
    return found


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("queues", QUEUES)
@pytest.mark.parametrize("routes", ROUTES)
@pytest.mark.parametrize("body", BODIES)
def test_it_has_the_same_name_and_queue(body, routes, queues, keep):
    publish = "notify.delay(1)\n    notify.s(2).apply_async()"
    if body != "own queue":  # there, `send_task` took the declared queue, and now takes its own
        publish += '\n    app.send_task("shop.notify", (3,))'
    source = SOURCE.format(
        body=BODIES[body], routes=ROUTES[routes], queues=QUEUES[queues], publish=publish
    )
    tree = MemoryTree({"shop_jobs.py": source.encode()})
    plan = plan_in(tree, CleanupRequest(flag="flag", keep=keep))
    cleaned = plan.changes[0].after.decode()
    assert "declare" not in cleaned
    before = published(source, keep)
    assert len(before) >= 2
    assert published(cleaned, keep) == before
