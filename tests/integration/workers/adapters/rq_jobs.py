"""A job of RQ under its new name; it once was in a module that is no more."""

from __future__ import annotations

from rq import get_current_job

RAN = []


def notify(number, fails=False):  # noqa: FBT002 arguments of a job
    job = get_current_job()
    RAN.append((job.func_name, number, job.origin))
    if fails and sum(each[1] == number for each in RAN) == 1:
        raise ZeroDivisionError
