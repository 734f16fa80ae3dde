"""How does one body come to have two names?"""

from __future__ import annotations

import logging
from typing import Any

from flagstaff.workers.rename import Rename

log = logging.getLogger("flagstaff")


def complete(app: Any, rename: Rename) -> bool:
    """Register whichever of the two names is missing; return whether a body is there at all.

    Each name gets a task object of its own around the body, so that what looks at the task that
    runs sees the name that the job has. A body may as well look at itself by its own global name,
    so both share one stack of requests under way: whoever asks either learns of the job that runs.
    """
    tasks = app.tasks
    old, new = _named(tasks, rename.old), _named(tasks, rename.new)
    if new is not None and old is None:
        _register(app, new, rename.old)
    elif old is not None and new is None:
        _register(app, old, rename.new)
    return not (old is None and new is None)


def _named(tasks: Any, name: str) -> Any:
    task = tasks.get(name)
    return task if task is not None and task.name == name else None


def _register(app: Any, body: Any, name: str) -> None:
    kind = type(body)
    # `__bound__` would be inherited, and the class would never be made ready for its application.
    alias = type(
        kind.__name__,
        (kind,),
        {"name": name, "__bound__": False, "__module__": kind.__module__, "__doc__": kind.__doc__},
    )()
    if "__qualname__" in vars(body):
        alias.__qualname__ = body.__qualname__
    app.tasks.pop(name, None)  # Celery warns of a name that is registered twice
    app.register_task(alias)
    if kind.request_stack is not None:
        type(alias).request_stack = kind.request_stack
    log.debug("%s is known as %s as well", body.name, name)
