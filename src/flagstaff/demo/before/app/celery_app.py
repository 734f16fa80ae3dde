"""How are background jobs run, and in which queue does each one wait?"""

from __future__ import annotations

import os

from celery import Celery
from flagstaff.workers import watching
from kombu import Queue

from app import broker  # noqa: F401  (registers spool://)
from app.flags import flags
from app.settings import settings

QUEUES = [
    "project_service",
    "irker",
    "activate_service",
    "deactivate_service",
]

ROUTES = {
    "project_service": {"queue": "project_service"},
    "irker": {"queue": "irker"},
    "activate_service": {"queue": "activate_service"},
    "deactivate_service": {"queue": "deactivate_service"},
}

app = Celery("integrations", broker=settings.broker_url, include=["app.tasks", "app.job_events"])
app.conf.update(
    task_queues=[Queue(name, routing_key=name) for name in QUEUES],
    task_routes=ROUTES,
    task_default_queue="project_service",
    task_create_missing_queues=False,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    # Workers that read files cannot be asked anything.
    worker_enable_remote_control=not settings.broker_url.startswith("spool:"),
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    enable_utc=True,
)

if "FLAGSTAFF_URL" in os.environ:  # the dashboard shows what becomes of the jobs
    watching.watch(app, client=flags.client)
