"""What does beat bring, as far as an application knows?"""

from __future__ import annotations

import logging
import sys
import threading
from importlib import import_module
from typing import Any

from flagstaff.workers.messages import is_embedded

log = logging.getLogger("flagstaff")

DEFAULT_SCHEDULERS = ("celery.beat:PersistentScheduler", "celery.beat.PersistentScheduler")
DJANGO = "django_celery_beat"
"""Keeps entries in a table of Django's, also where `celery beat -S django` alone says so."""

PATIENCE = 1.0
"""Seconds for the database: whoever asks a worker waits somewhat longer."""


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


_asking = threading.Lock()


def _in_table(name: str) -> int | None:
    """Return how many entries of Django's table name the job; a worker must not wait for it."""
    if not _asking.acquire(blocking=False):
        return None  # the last question is still with the database
    found: list[int | None] = []

    def ask() -> None:
        try:
            found.append(_counted(name))
        finally:
            _asking.release()

    thread = threading.Thread(target=ask, name="flagstaff-beat", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the process may have no more threads
        _asking.release()
        return None
    thread.join(PATIENCE)
    return found[0] if found else None


def _counted(name: str) -> int | None:
    """Count the entries, those that are off too, on a connection of this thread."""
    try:
        entries: Any = import_module(f"{DJANGO}.models").PeriodicTask
        database: Any = import_module("django.db")
        connection = database.connections[database.router.db_for_read(entries)]
        try:
            return int(entries.objects.filter(task=name).count())
        finally:
            connection.close()
    except Exception as exc:  # noqa: BLE001 - each database has errors of its own
        log.warning("the entries of %s cannot be read: %s", DJANGO, exc)
        return None
