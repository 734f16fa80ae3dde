"""Does every job do its work, under every name it has?"""

from __future__ import annotations

import dataclasses

import pytest

from app import incidents, integrations
from app.celery_app import ROUTES, app
from app.settings import settings


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


def test_a_rehearsed_incident_fails_the_renamed_jobs(called, monkeypatch):
    broken = dataclasses.replace(settings, incident="new-workers")
    monkeypatch.setattr(incidents, "settings", broken)
    app.loader.import_default_modules()
    with pytest.raises(LookupError, match="new-workers"):
        app.tasks["integrations.execute"].apply(args=(7, "push"), throw=True)
    assert called == []
