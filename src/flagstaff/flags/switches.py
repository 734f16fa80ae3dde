"""Which flags are switches of background jobs, named after the job and defined nowhere?"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What a switch says: which share of the jobs runs, or which is thrown away."""

    RUN = "run"
    DROP = "drop"


PREFIXES: Final = {
    "run_jobs_": Kind.RUN,
    "drop_jobs_": Kind.DROP,
    "run_sidekiq_jobs_": Kind.RUN,
    "drop_sidekiq_jobs_": Kind.DROP,
}
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")


class Switch(NamedTuple):
    """What a flag with such a name switches."""

    kind: Kind
    task: str


def switch_of(flag: str) -> Switch | None:
    """Return what a flag switches, `None` for all other flags.

    >>> switch_of("run_jobs_shop.notify")
    Switch(kind=<Kind.RUN: 'run'>, task='shop.notify')
    """
    for prefix, kind in PREFIXES.items():
        if flag.startswith(prefix) and _NAME.fullmatch(task := flag.removeprefix(prefix)):
            return Switch(kind, task)
    return None


def flag_of(kind: Kind, task: str) -> str:
    """Return the name of the flag that switches a job.

    >>> flag_of(Kind.DROP, "shop.notify")
    'drop_jobs_shop.notify'
    """
    return f"{kind}_jobs_{task}"


def is_task_name(text: str) -> bool:
    """Say whether a job of this name can be switched."""
    return _NAME.fullmatch(text) is not None
