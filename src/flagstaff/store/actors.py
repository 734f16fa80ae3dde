"""Who was asked about under a flag's draws, and whose first failures there were?

Everything is a set: what arrives twice, or in another order, leaves the same rows. Everybody is
enrolled anew under each draw, when first asked about. A failure counts under the draw it happened
in, and only for those who have not been drawn anew meanwhile; whoever has failed once is at risk no
more under later draws.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, case, delete, func, or_, select, text

from flagstaff.flags.draw import admits
from flagstaff.store.tables import ACTIVE, actor_kind, actor_salt, failed_actor, seen_actor
from flagstaff.store.tables import rollout as rollout_table
from flagstaff.store.upsert import insert_new, inserting

MOST: Final = 100_000
"""Actors under one draw who are all kept; of those who come later fewer, on both sides alike."""

MOST_KINDS: Final = 50
"""Kinds of outcomes that are kept of one rollout; applications name their own bounds."""

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


def lock(connection: Connection, rollout: int) -> bool:
    """Let reports of one rollout wait for each other; return whether its actors are counted."""
    salted = select(actor_salt.c.salt).where(actor_salt.c.rollout_id == rollout)
    return connection.execute(salted.with_for_update()).first() is not None


def take(connection: Connection, report: Report) -> None:
    """Take in a report; nothing of a rollout that has no salt (any more)."""
    if not lock(connection, report.rollout):
        return
    drawn = _draws(connection, report.rollout, sorted(report.seen))
    later = [each for each in sorted(report.seen) if drawn.get(each, -1) < report.draw]
    drawn |= dict.fromkeys(_enrol(connection, report, later), report.draw)
    rows = [
        {"rollout_id": report.rollout, "kind": kind, "actor": each, "draw": report.draw}
        for kind, actors in report.failed.items()
        for each in actors
        if drawn.get(each) == report.draw
    ]
    if rows:
        connection.execute(inserting(connection, failed_actor).on_conflict_do_nothing(), rows)


def hear(connection: Connection, rollout: int, heard_of: Iterable[str], at: datetime) -> None:
    """Note that outcomes of these kinds are counted by actor."""
    _note(connection, rollout, heard_of, "heard_at", at)


def hear_bare(connection: Connection, rollout: int, heard_of: Iterable[str], at: datetime) -> None:
    """Note that outcomes of these kinds are counted without saying whose they are."""
    _note(connection, rollout, heard_of, "bare_at", at)


def kinds(connection: Connection, rollout: int) -> frozenset[str]:
    """Return the kinds of outcomes that were heard of, by actor or not."""
    query = select(actor_kind.c.kind).where(actor_kind.c.rollout_id == rollout)
    return frozenset(connection.execute(query).scalars())


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


def _enrol(connection: Connection, report: Report, later: Sequence[str]) -> list[str]:
    """Note that these were asked about, as far as they are kept, and return those.

    Of whoever belongs to an older draw only who failed matters any more, and that is in a table of
    its own.
    """
    if not later:
        return []
    of_rollout = seen_actor.c.rollout_id == report.rollout
    connection.execute(delete(seen_actor).where(of_rollout, seen_actor.c.draw < report.draw))
    counted = select(func.count()).where(of_rollout, seen_actor.c.draw == report.draw)
    there: int = connection.execute(counted).scalar() or 0
    kept: list[str] = []
    for each in later:
        if admits(each, there + len(kept), MOST):
            kept.append(each)
    if kept:
        common = {"rollout_id": report.rollout, "draw": report.draw}
        rows = [{**common, "actor": each, "on": report.seen[each]} for each in kept]
        connection.execute(inserting(connection, seen_actor), rows)
    return kept


def _draws(connection: Connection, rollout: int, actors: Sequence[str]) -> dict[str, int]:
    """Return the draw that each of the actors is under, of those who are kept."""
    found: dict[str, int] = {}
    for start in range(0, len(actors), AT_ONCE):
        query = select(seen_actor.c.actor, seen_actor.c.draw).where(
            seen_actor.c.rollout_id == rollout,
            seen_actor.c.actor.in_(actors[start : start + AT_ONCE]),
        )
        found |= {row[0]: row[1] for row in connection.execute(query)}
    return found


def _note(
    connection: Connection, rollout: int, heard_of: Iterable[str], column: str, at: datetime
) -> None:
    known = kinds(connection, rollout)
    new = sorted({*heard_of} - known)[: max(0, MOST_KINDS - len(known))]
    for kind in sorted((known & {*heard_of}) | {*new}):
        row = {"rollout_id": rollout, "kind": kind, column: at}
        statement = inserting(connection, actor_kind).values(**row)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["rollout_id", "kind"], set_={column: at}
            )
        )
