"""Which actor stands for the current request, process or installation?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

_request: ContextVar[str | None] = ContextVar("flagstaff_request", default=None)


@contextmanager
def request_scope(identity: str | None = None) -> Iterator[str]:
    """Give everything inside one request actor: a web request, a job, a message.

    An inner scope is a new one. Tasks and threads that copy the context inherit it.

    >>> with request_scope("5f0c"):
    ...     request_actor()
    'Request:5f0c'

    Args:
        identity: an id the request has anyway; one is made up otherwise.
    """
    actor = f"Request:{identity or uuid4()}"
    token = _request.set(actor)
    try:
        yield actor
    finally:
        _request.reset(token)


def request_actor() -> str:
    """Return the actor of the current request, or a new one outside any request.

    A percentage of actors then means a share of requests, each of which sees one answer only.
    """
    return _request.get() or f"Request:{uuid4()}"


def process_actor() -> str:
    """Return the actor that stands for this process."""
    node = os.uname().nodename if hasattr(os, "uname") else "host"
    return f"Process:{node}:{os.getpid()}"


def instance_actor() -> str:
    """Return the actor of the whole installation, named by `FLAGSTAFF_INSTANCE`."""
    return f"Instance:{os.environ.get('FLAGSTAFF_INSTANCE') or 'default'}"
