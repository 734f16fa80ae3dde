"""Which steps look at something, run something, or wait?

None of them names a program: commands are declared in `flagstaff.yml`, and plans and issues name
them, so that whoever writes an issue runs nothing of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from flagstaff.flags.change import GateChange

HTTP_TIMEOUT = timedelta(seconds=10)
OK = 200
STABLE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFlag:
    """Hold until the flag's gates in every environment are as `change` would leave them."""

    environments: tuple[str, ...]
    change: GateChange


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckHealth:
    """Hold until the guards named show safety; without names, until production is well.

    Production is what the health check of the project is asked about.
    """

    guards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCommand:
    """Hold until a command of the project ends with 0; it is run again and again until then."""

    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckHttp:
    """Hold until a web address answers as expected.

    Args:
        url: who is asked, with GET.
        status: the status that the answer has to have.
        path: names and numbers with dots between, into the JSON of the answer; empty for none.
        equals: what stands there, as text; JSON's own words for true, false and null.
        timeout: how long an answer may take.
    """

    url: str
    status: int = OK
    path: str = ""
    equals: str = ""
    timeout: timedelta = HTTP_TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckWorkersReady:
    """Hold until every worker that is alive knows the name of a background job.

    Args:
        name: that is to be published.
        broker: whose workers, as the project calls it.
        queue: where it will wait; a worker has to take jobs from it. Empty for any.
    """

    name: str
    broker: str
    queue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDrained:
    """Hold until it is proven that no job of a name is left anywhere.

    Args:
        name: that is looked for.
        broker: where, as the project calls it.
        queues: to look into besides those that the broker and its workers know.
        stable: for so long nothing may be found.
        cleaned_up: whether the declaration of the rename is gone from the code, so that workers no
            longer say what follows their jobs and what beat brings; an earlier check proved that.
    """

    name: str
    broker: str
    queues: tuple[str, ...] = ()
    stable: timedelta = STABLE
    cleaned_up: bool = False


AskedOutside = CheckCommand | CheckHttp | CheckWorkersReady | CheckDrained
"""Checks whose answer may take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCommand:
    """Run a command of the project, once; anything but 0 is a failure."""

    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateJobs:
    """Give jobs that wait under an old name the new one; what cannot be rewritten runs as it is.

    It holds until every worker knows the new name, and nobody publishes the old one any more.

    Args:
        name: that they have.
        to: that they get.
        broker: where, as the project calls it.
        old_queue: jobs that wait there move to `new_queue`; others stay in their queues.
        new_queue: given when `old_queue` is.
    """

    name: str
    to: str
    broker: str
    old_queue: str = ""
    new_queue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteQueue:
    """Delete a queue of jobs; it holds as long as a job could be lost with it.

    Args:
        queue: its name.
        broker: where, as the project calls it.
    """

    queue: str
    broker: str


BrokerWork = MigrateJobs | DeleteQueue
"""What is done at a broker, again and again until it is done: begun anew, it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Hold for a time, until a moment, or until a condition holds: one of the three.

    Unlike a bake it asks no guard.
    """

    duration: timedelta | None = None
    until: datetime | None = None
    condition: str = ""


class ShareOf(StrEnum):
    """Of what a ramp takes a percentage: `request` asks with the request as the actor."""

    ACTORS = "actors"
    TIME = "time"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """Open the flag in stages; what plans are written with, and no step of a rollout.

    `rollouts.ramp` makes the steps of it.
    """

    environments: tuple[str, ...]
    percentages: tuple[Decimal, ...]
    dwell: timedelta
    by: ShareOf = ShareOf.ACTORS
