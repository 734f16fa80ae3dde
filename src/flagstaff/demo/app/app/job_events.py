"""What happens to each job, from being enqueued to its end?

Every job carries the answers of the flags that were asked before it was enqueued, so each of
its lines tells to which side of a rollout it belongs.
"""

from __future__ import annotations

import os
import time
from datetime import datetime

from celery import signals

from app import job_log
from app.flags import flags

_started: dict[str, float] = {}


@signals.before_task_publish.connect
def label(headers: dict, **_: object) -> None:
    headers["created_at"] = job_log.timestamp(job_log.now())
    headers["feature_flag_states"] = flags.take_states()


@signals.after_task_publish.connect
def enqueued(sender: str, headers: dict, routing_key: str, **_: object) -> None:
    _write(
        "web",
        "enqueued",
        {
            "class": sender,
            "jid": headers["id"],
            "queue": routing_key,
            "created_at": headers["created_at"],
            "enqueued_at": job_log.timestamp(job_log.now()),
            "feature_flag_states": headers["feature_flag_states"],
        },
    )


@signals.task_prerun.connect
def started(task_id: str, task: object, **_: object) -> None:
    _started[task_id] = time.monotonic()
    fields = _fields_of(task)
    waited = job_log.now() - datetime.fromisoformat(str(fields["enqueued_at"]))
    fields["queue_duration_s"] = round(max(waited.total_seconds(), 0.0), 6)
    _write("worker", "start", fields)


@signals.task_postrun.connect
def finished(task_id: str, task: object, retval: object, **_: object) -> None:
    fields = _fields_of(task)
    fields["duration_s"] = round(time.monotonic() - _started.pop(task_id), 6)
    fields["completed_at"] = job_log.timestamp(job_log.now())
    if isinstance(retval, Exception):
        fields["exception.class"] = type(retval).__name__
        fields["exception.message"] = str(retval)
        _write("worker", "fail", fields)
    else:
        _write("worker", "done", fields)


def _fields_of(task: object) -> dict[str, object]:
    request = task.request
    created_at = request.get("created_at")
    return {
        "class": task.name,
        "jid": request.id,
        "queue": request.delivery_info["routing_key"],
        "created_at": created_at,
        "enqueued_at": created_at,
        "feature_flag_states": request.get("feature_flag_states") or [],
    }


def _write(role: str, status: str, fields: dict[str, object]) -> None:
    job_log.write(
        role,
        {
            "severity": "WARN" if status == "fail" else "INFO",
            "time": job_log.timestamp(job_log.now()),
            "message": _message(status, fields),
            "job_status": status,
            "pid": os.getpid(),
            **fields,
        },
    )


def _message(status: str, fields: dict[str, object]) -> str:
    message = f"{fields['class']} JID-{fields['jid']}: {status}"
    return f"{message}: {fields['duration_s']} sec" if "duration_s" in fields else message
