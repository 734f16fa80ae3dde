"""Who was asked about under a flag's draws, and whose first failures there were?

Everything is a set: what arrives twice, or in another order, leaves the same rows. An actor is on
the side of the latest draw. A failure counts under the draw it happened in, and only for those who
have not been drawn anew meanwhile; whoever has failed once is at risk no more under later draws.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, case, delete, func, or_, select, text

from flagstaff.store.tables import ACTIVE, actor_kind, actor_salt, failed_actor, seen_actor
from flagstaff.store.tables import rollout as rollout_table
from flagstaff.store.upsert import insert_new, inserting

MOST: Final = 100_000
"""Actors that are kept of one rollout; who comes later counts on neither side."""

AT_ONCE: Final = 500
"""Actors that are looked up in one query."""

OVER: Final = text(f"NOT ({ACTIVE.text})")

TABLES: Final = (failed_actor, seen_actor, actor_kind, actor_salt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one process noted under one draw of a flag.

    Attributes:
        rollout: its number.
        flag: the one that was asked for.
        draw: its number.
        seen: the side of each actor, True for on; those who failed among them.
        failed: whose first failures there were, by kind of outcome.
        kinds: of outcomes that are counted by actor.
        bare: of outcomes that are counted without saying whose they are.
    """

    rollout: int
    flag: str
    draw: int
    seen: Mapping[str, bool] = field(default_factory=dict)
    failed: Mapping[str, Collection[str]] = field(default_factory=dict)
    kinds: Collection[str] = ()
    bare: Collection[str] = ()

    @property
    def tells(self) -> bool:
        """Return whether there is anything to keep besides the sign of life."""
        return bool(self.seen or self.failed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """How many were asked about under a draw and had not failed before it, and failed since."""

    people: int = 0
    failed: int = 0


def salt(connection: Connection, rollout: int) -> str:
    """Return the salt of a rollout whose actors are counted, else nothing."""
    query = select(actor_salt.c.salt).where(actor_salt.c.rollout_id == rollout)
    return connection.execute(query).scalar() or ""


def salts(connection: Connection) -> dict[str, tuple[int, str]]:
    """Return the rollouts under way whose actors are counted, by flag, with the salt."""
    query = select(rollout_table.c.flag, rollout_table.c.id, actor_salt.c.salt)
    joined = query.join(actor_salt, actor_salt.c.rollout_id == rollout_table.c.id)
    return {row[0]: (row[1], row[2]) for row in connection.execute(joined.where(ACTIVE))}


def begin(connection: Connection, rollout: int, fresh: str) -> None:
    """Give a rollout a salt, unless it has one."""
    insert_new(connection, actor_salt, {"rollout_id": rollout, "salt": fresh})


def forget(connection: Connection, rollout: int) -> None:
    """Delete the salt of a rollout and everybody in it."""
    for table in TABLES:
        connection.execute(delete(table).where(table.c.rollout_id == rollout))


def sweep(connection: Connection) -> None:
    """Forget rollouts that are over: a version that knew of no actors ended them."""
    over = (
        select(rollout_table.c.id)
        .join(actor_salt, actor_salt.c.rollout_id == rollout_table.c.id)
        .where(OVER)
    )
    for number in list(connection.execute(over).scalars()):
        forget(connection, number)


def take(connection: Connection, report: Report) -> None:
    """Take in a report of a rollout that has a salt."""
    drawn: dict[str, int] = {}
    everybody = sorted(report.seen)  # in order, so that no two reports wait for each other
    for start in range(0, len(everybody), AT_ONCE):
        drawn |= _see(connection, report, everybody[start : start + AT_ONCE])
    for kind in sorted(report.failed):
        counted = [each for each in report.failed[kind] if drawn.get(each) == report.draw]
        rows = [
            {"rollout_id": report.rollout, "kind": kind, "actor": each, "draw": report.draw}
            for each in sorted(counted)
        ]
        if rows:
            statement = inserting(connection, failed_actor).on_conflict_do_nothing()
            connection.execute(statement, rows)


def hear(connection: Connection, rollout: int, kinds: Iterable[str], at: datetime) -> None:
    """Note that outcomes of these kinds are counted by actor."""
    _note(connection, rollout, kinds, "heard_at", at)


def hear_bare(connection: Connection, rollout: int, kinds: Iterable[str], at: datetime) -> None:
    """Note that outcomes of these kinds are counted without saying whose they are."""
    _note(connection, rollout, kinds, "bare_at", at)


def heard(
    connection: Connection, rollout: int, kind: str
) -> tuple[datetime | None, datetime | None]:
    """Return when outcomes of a kind were last counted by actor, and when without one."""
    row = connection.execute(
        select(actor_kind.c.heard_at, actor_kind.c.bare_at).where(
            actor_kind.c.rollout_id == rollout, actor_kind.c.kind == kind
        )
    ).first()
    return (None, None) if row is None else (row[0], row[1])


def levels(connection: Connection, rollout: int, kind: str, draw: int) -> dict[bool, Side]:
    """Return how both sides stand under a draw: neither number ever falls while it lasts."""
    seen, failed = seen_actor.c, failed_actor.c
    same = and_(
        failed.rollout_id == seen.rollout_id, failed.actor == seen.actor, failed.kind == kind
    )
    query = (
        select(seen.on, func.count(), func.sum(case((failed.draw == draw, 1), else_=0)))
        .select_from(seen_actor.outerjoin(failed_actor, same))
        .where(
            seen.rollout_id == rollout,
            seen.draw == draw,
            or_(failed.draw.is_(None), failed.draw >= draw),
        )
        .group_by(seen.on)
    )
    found = {bool(row[0]): (row[1], row[2]) for row in connection.execute(query)}
    return {
        on: Side(people=int(people), failed=int(failed))
        for on in (True, False)
        for people, failed in (found.get(on, (0, 0)),)
    }


def _see(connection: Connection, report: Report, some: Sequence[str]) -> dict[str, int]:
    """Note that these were asked about; return the draw each is under now, if they are kept."""
    known = _draws(connection, report.rollout, some)
    new = [each for each in some if each not in known]
    if new:
        counted = select(func.count()).where(seen_actor.c.rollout_id == report.rollout)
        room = max(0, MOST - (connection.execute(counted).scalar() or 0))
        new = new[:room]
    rows: list[dict[str, Any]] = [
        {
            "rollout_id": report.rollout,
            "actor": each,
            "draw": report.draw,
            "on": report.seen[each],
        }
        for each in sorted((*new, *(each for each in known if known[each] < report.draw)))
    ]
    if not rows:
        return known
    statement = inserting(connection, seen_actor)
    later = statement.on_conflict_do_update(
        index_elements=["rollout_id", "actor"],
        set_={"draw": statement.excluded.draw, "on": statement.excluded.on},
        where=seen_actor.c.draw < statement.excluded.draw,
    )
    connection.execute(later, rows)
    return _draws(connection, report.rollout, some)


def _draws(connection: Connection, rollout: int, some: Sequence[str]) -> dict[str, int]:
    query = select(seen_actor.c.actor, seen_actor.c.draw).where(
        seen_actor.c.rollout_id == rollout, seen_actor.c.actor.in_(some)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _note(
    connection: Connection, rollout: int, kinds: Iterable[str], column: str, at: datetime
) -> None:
    for kind in sorted(set(kinds)):
        row = {"rollout_id": rollout, "kind": kind, column: at}
        statement = inserting(connection, actor_kind).values(**row)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["rollout_id", "kind"], set_={column: at}
            )
        )
