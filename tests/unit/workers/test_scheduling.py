"""Are entries of beat found in the settings and in Django's table, and is all else unknown?"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import uuid

import pytest
from celery import Celery, signature

from flagstaff.workers.scheduling import beat_entries

OLD = "shop.notify"


@pytest.fixture
def app():
    app = Celery(uuid.uuid4().hex, broker="memory://", set_as_current=False)
    yield app
    app.close()


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"task": OLD}, 1),
        ({"task": "other"}, 0),
        ({"task": "other", "options": {"link": [dict(signature(OLD))]}}, 1),
        ({"task": "celery.starmap", "kwargs": {"task": dict(signature(OLD)), "it": []}}, 1),
    ],
)
def test_entries_are_found_in_the_settings(app, entry, found):
    app.conf.beat_schedule = {"one": {"schedule": 10.0, **entry}}
    assert beat_entries(app, OLD) == {"beat": found, "scheduler": ""}


def test_another_scheduler_has_a_place_of_its_own(app):
    app.conf.beat_scheduler = "redbeat.RedBeatScheduler"
    assert beat_entries(app, OLD) == {"beat": 0, "scheduler": "redbeat.RedBeatScheduler"}


TABLE = """
import django
from django.conf import settings

settings.configure(
    INSTALLED_APPS=["django_celery_beat"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "beat.sqlite"}},
)
django.setup()
import json
from celery import Celery
from django.db import connection
from django_celery_beat.models import PeriodicTask
from flagstaff.workers import scheduling
from flagstaff.workers.scheduling import beat_entries

scheduling.PATIENCE = 60
app = Celery("shop", broker="memory://")
told = [beat_entries(app, "shop.notify")]
with connection.schema_editor() as editor:
    editor.create_model(PeriodicTask)
for task, enabled in (("shop.notify", True), ("shop.notify", False), ("other", True)):
    PeriodicTask.objects.create(task=task, enabled=enabled)
told.append(beat_entries(app, "shop.notify"))
app.conf.beat_scheduler = "django"
told += [beat_entries(app, "other"), beat_entries(app, "gone")]
scheduling._asking.acquire()  # as while a database does not answer
told.append(beat_entries(app, "other"))
scheduling._asking.release()
told.append(beat_entries(app, "other"))
print(json.dumps(told))
"""

MODELS = """
from django.db import models


class PeriodicTask(models.Model):
    task = models.CharField(max_length=200)
    enabled = models.BooleanField()
"""


def test_entries_are_found_in_the_table_of_django(tmp_path):
    package = tmp_path / "django_celery_beat"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").write_text(textwrap.dedent(MODELS))
    (tmp_path / "asks.py").write_text(TABLE)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "asks.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        {"beat": 0, "scheduler": "django_celery_beat, which cannot be read"},
        {"beat": 2, "scheduler": ""},
        {"beat": 1, "scheduler": ""},
        {"beat": 0, "scheduler": ""},
        {"beat": 0, "scheduler": "django_celery_beat, which cannot be read"},
        {"beat": 1, "scheduler": ""},
    ]
