"""How does one body come to have two names?"""

from __future__ import annotations

import logging
from functools import wraps
from types import CellType, FunctionType
from typing import Any

from flagstaff.workers.rename import Rename

log = logging.getLogger("flagstaff")

OF_ONE_NAME = {"name", "run", "_orig_run", "__trace__", "_default_request", "_exec_options"}
"""What Celery and we keep on the object of a task; the other object gets its own."""


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
    made: Any = type(
        kind.__name__,
        (kind,),
        {"name": name, "__bound__": False, "__module__": kind.__module__, "__doc__": kind.__doc__},
    )
    # As the body is, and not made anew: a class of the team's own may want to be told something.
    alias = made.__new__(made)
    vars(alias).update({word: it for word, it in vars(body).items() if word not in OF_ONE_NAME})
    app.tasks.pop(name, None)  # Celery warns of a name that is registered twice
    app.register_task(alias)
    if "_orig_run" in vars(body) and "_orig_run" not in vars(alias):
        # Whoever registered the body said when it is tried again, and told nobody else.
        vars(alias).update(_orig_run=alias.run, run=_tried_again(body, alias))
    if kind.request_stack is not None:
        type(alias).request_stack = kind.request_stack
    log.debug("%s is known as %s as well", body.name, name)


def _tried_again(body: Any, alias: Any) -> Any:
    """Return what Celery put around the body's `run` to try again, for the other object."""
    run = body.run
    cells = tuple(CellType(alias) if it.cell_contents is body else it for it in run.__closure__)
    made = FunctionType(run.__code__, run.__globals__, run.__name__, run.__defaults__, cells)
    return wraps(alias.run)(made)
