"""Does every job do its work, under every name it has?"""

from __future__ import annotations

import pytest

from app import integrations
from app.celery_app import ROUTES, app


@pytest.fixture
def called(monkeypatch):
    paths = []
    monkeypatch.setattr(integrations, "_call_service", paths.append)
    return paths


@pytest.mark.parametrize("name", ROUTES)
def test_every_routed_job_calls_its_service(name, called):
    app.loader.import_default_modules()
    app.tasks[name].apply(args=(7, "prometheus"), throw=True)
    [path] = called
    assert "/7/prometheus" in path
