from __future__ import annotations

import uuid

import pytest
from celery import Celery


@pytest.fixture
def app():
    """Return an application with a broker in memory, whose queue no other test uses."""
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)
    app.conf.task_default_queue = f"default-{app.main}"
    yield app
    app.close()
