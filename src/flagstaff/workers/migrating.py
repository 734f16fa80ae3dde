"""How are jobs that wait under an old name given the new one?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flagstaff.errors import UsageError
from flagstaff.workers.asking import Asker
from flagstaff.workers.knowing import who_knows
from flagstaff.workers.migrated import Moved, Outcome, Tell
from flagstaff.workers.redis_migrating import RedisMigrating
from flagstaff.workers.rewriting import Migration

PASSES = 20
"""Jobs that move while they are read are found by the next pass; somebody may publish for ever."""


def dangers(asker: Asker, migration: Migration) -> tuple[str, ...]:
    """Return why jobs would be lost under the new name: a worker discards what it does not know."""
    known = who_knows(asker, migration.new, migration.new_queue)
    return known.problems


def migrate(
    app: Any,
    migration: Migration,
    *,
    queues: Iterable[str] = (),
    own: bool,
    tell: Tell,
    dry: bool,
) -> Outcome:
    """Rename and move what waits at the broker, again and again until nothing is found.

    It may be killed at any time and begun anew: each job is there once, under one of the names.

    Args:
        app: a Celery application with the address of the broker.
        migration: what is wanted.
        queues: to look into besides those that the broker names.
        own: whether `app` is the team's own, with its settings, or one made up for the address.
        tell: hears how far it is.
        dry: whether everything is only counted.

    Raises:
        UsageError: the broker is of another kind.
    """
    known = {*queues, *(app.amqp.queues if own else ())} | {migration.old_queue} - {""}
    with app.connection_for_write() as connection:
        if connection.transport.driver_type != "redis":
            raise UsageError(
                f"jobs on {connection.transport.driver_type} cannot be migrated",
                hint="wait until workers have run them: flagstaff workers drained",
            )
        work = RedisMigrating(connection.default_channel, migration, known, tell=tell, dry=dry)
        return _until_settled(migration, work.look, 1 if dry else PASSES)


def _until_settled(migration: Migration, look: Callable[[], list[Moved]], passes: int) -> Outcome:
    sums: dict[str, Moved] = {}
    for _ in range(passes):
        found = {each.place: each for each in look()}
        for place in sums.keys() | found.keys():
            now, sum_ = found.get(place), sums.setdefault(place, Moved(place=place))
            sum_.left = 0 if now is None else now.left
            if now is not None:
                sum_.jobs += now.jobs
                sum_.embedded += now.embedded
        settled = not any(each.changed for each in found.values())
        if settled:
            break
    places = (sums[place] for place in sorted(sums))
    told = tuple(each for each in places if each.changed or each.left)
    return Outcome(migration=migration, places=told, settled=settled)
