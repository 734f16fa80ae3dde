"""What does beat bring, as far as an application knows?"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any

from flagstaff.workers.messages import is_embedded

log = logging.getLogger("flagstaff")

DEFAULT_SCHEDULERS = ("celery.beat:PersistentScheduler", "celery.beat.PersistentScheduler")
DJANGO = "django_celery_beat"
"""Keeps entries in a table of Django's, also where `celery beat -S django` alone says so."""


def beat_entries(app: Any, name: str) -> dict[str, Any]:
    """Return how many entries of the beat schedule name the job, and who keeps others.

    Returns:
        `beat`: the number in the settings and in Django's table; `scheduler`: another place that
        entries may be in, empty when there is none.
    """
    found = 0
    for entry in (app.conf.beat_schedule or {}).values():
        found += is_embedded(entry, name) or getattr(entry, "task", None) == name
    scheduler = str(app.conf.beat_scheduler)
    in_table = None
    if scheduler == "django" or DJANGO in scheduler or f"{DJANGO}.models" in sys.modules:
        in_table = _in_table(name)
        scheduler = "" if in_table is not None else f"{DJANGO}, which cannot be read"
    if scheduler in DEFAULT_SCHEDULERS:
        scheduler = ""
    return {"beat": found + (in_table or 0), "scheduler": scheduler}


def _in_table(name: str) -> int | None:
    """Return how many entries of Django's table name the job, those that are off too."""
    try:
        entries: Any = import_module(f"{DJANGO}.models").PeriodicTask
        database: Any = import_module("django.db")
        found = int(entries.objects.filter(task=name).count())
        # A child that is forked later must not share the connection.
        database.connections[database.router.db_for_read(entries)].close()
    except Exception as exc:  # noqa: BLE001 - each database has errors of its own
        log.warning("the entries of %s cannot be read: %s", DJANGO, exc)
        return None
    return found
