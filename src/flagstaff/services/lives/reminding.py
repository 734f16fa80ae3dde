"""Which teams are to be reminded of which flags, once for each stage?

A stage is noted in the transaction that puts the reminder into the outbox, over the stage that was
read: whoever else does the same at this moment finds it noted. So nobody is told twice, however
often servers start again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from flagstaff.definitions import Definition
from flagstaff.errors import Unavailable
from flagstaff.flags.reminder import Reminder, reminder
from flagstaff.rollouts.effect import Post
from flagstaff.services.lives.due import Due, settled
from flagstaff.services.lives.stale import GROUP, team
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services
from flagstaff.services.unit import Unit
from flagstaff.store import flags as flag_store
from flagstaff.store import lives as store
from flagstaff.store import notices
from flagstaff.store import rollouts as rollout_store
from flagstaff.store.flags import FlagState
from flagstaff.store.notices import Notice

MOST_LINES: Final = 20

__all__ = [
    "Notice",
    "due_notices",
    "fail_notice",
    "finish_notice",
    "meet_flags",
    "remind",
    "take_notice",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A reminder that somebody should get; `told` is the stage that they were told last."""

    flag: str
    owner: str
    channel: str
    due: Due
    reminder: Reminder
    told: str


def meet_flags(services: Services) -> int:
    """Note when the flags that are new came into being; return how many were new."""
    new = services.ask(_unknown, ENGINE)
    if not new:
        return 0
    history = _history(services)
    with services.unit(ENGINE, write=True) as unit:
        for name in new:
            store.note(unit.connection, name, unit.now, introduced_at=history.get(name))
    return len(new)


def remind(services: Services) -> int:
    """Put the reminders into the outbox that it is time for; return how many flags they are about.

    One message tells a channel of all its flags.
    """
    if not services.ask(_wanted, ENGINE):
        return 0
    with services.unit(ENGINE, write=True) as unit:
        wanted = [
            each
            for each in _wanted(unit)
            if store.claim_reminder(unit.connection, each.flag, each.told, each.reminder.stage)
        ]
        wanted.sort(key=lambda each: (each.channel, each.owner, each.due.at, each.flag))
        for (channel, owner), flags in groupby(wanted, lambda each: (each.channel, each.owner)):
            notices.add(unit.connection, _post(channel, owner, list(flags)), unit.now)
    return len(wanted)


def due_notices(unit: Unit) -> list[Notice]:
    """Return the announcements that may be tried now."""
    return notices.due(unit.connection, unit.now)


def take_notice(unit: Unit, notice: Notice, until: datetime) -> bool:
    """Keep other replicas from making an announcement; return whether none does already."""
    return notices.take(unit.connection, notice.post.key, unit.now, until)


def finish_notice(unit: Unit, notice: Notice) -> None:
    """Note that an announcement was made."""
    notices.close(unit.connection, notice.post.key, "done", unit.now)


def fail_notice(unit: Unit, notice: Notice, error: str, *, again_at: datetime | None) -> None:
    """Note a failed try: again later or, with no `again_at`, not at all."""
    if again_at is None:
        notices.close(unit.connection, notice.post.key, "failed", unit.now, error)
    else:
        notices.postpone(unit.connection, notice.post.key, again_at, error)


def _unknown(unit: Unit) -> list[str]:
    rows = {each.flag for each in flag_store.find(unit.connection)}
    return sorted({*unit.context.definitions(), *rows} - store.find(unit.connection).keys())


def _history(services: Services) -> Mapping[str, datetime]:
    repository = services.context.repository
    if repository is None:
        return {}
    try:
        return repository.introductions(services.context.project.flags)
    except Unavailable:
        return {}


def _wanted(unit: Unit) -> list[_Wanted]:
    lives = store.find(unit.connection)
    running = rollout_store.active_flags(unit.connection)
    rows: dict[str, list[FlagState]] = {}
    for state in flag_store.find(unit.connection):
        rows.setdefault(state.flag, []).append(state)
    found = []
    for name, definition in unit.context.definitions().items():
        life = lives.get(name)
        channel = _channel(unit, definition)
        if life is None or name in running or not channel:
            continue
        due = settled(unit, definition, life, rows.get(name, ()))
        next_one = _reminder(unit, due) if due else None
        if due is None or next_one is None or next_one.stage == life.reminded:
            continue
        found.append(
            _Wanted(
                flag=name,
                owner=definition.group or "",
                channel=channel,
                due=due,
                reminder=next_one,
                told=life.reminded,
            )
        )
    return found


def _reminder(unit: Unit, due: Due) -> Reminder | None:
    settings = unit.context.project.lifecycle
    return reminder(due.at, unit.now, before=settings.remind_before, every=settings.remind_every)


def _channel(unit: Unit, definition: Definition) -> str:
    """Return the channel of a flag's team: by the group's name, by its short name, or the team's.

    Empty where the project names none.
    """
    channels = unit.context.project.channels
    group = definition.group or ""
    keys = (group, group.removeprefix(GROUP), "team")
    return next((channels[key] for key in keys if key in channels), "")


def _post(channel: str, owner: str, wanted: list[_Wanted]) -> Post:
    stages = "\n".join(sorted(f"{each.flag} {each.reminder.stage}" for each in wanted))
    key = hashlib.sha256(f"{channel}\n{stages}".encode()).hexdigest()[:32]
    count = "A flag" if len(wanted) == 1 else f"{len(wanted)} flags"
    whose = f" of {owner}" if owner else ""
    verb = "has" if len(wanted) == 1 else "have"
    lines = [f"{count}{whose} {verb} to be cleaned up:"]
    lines += [_line(each) for each in wanted[:MOST_LINES]]
    if len(wanted) > MOST_LINES:
        lines.append(f"and {len(wanted) - MOST_LINES} more")
    option = f" --owner {team(owner)}" if owner else ""
    lines.append(
        f"All of them: `feature stale{option}`; another date: `feature due FLAG DATE --reason WHY`"
    )
    return Post(key=f"life/{key}", step="", channels=(channel,), text="\n".join(lines))


def _line(each: _Wanted) -> str:
    day = f"{each.due.at:%Y-%m-%d}"
    why = f"{each.due.by}: {each.due.why}" if each.due.by else each.due.why
    if each.reminder.overdue is None:
        when = f"by {day}"
    elif each.reminder.overdue == 0:
        when = f"now, as of {day}"
    else:
        when = f"since {day}"
    return f"- `{each.flag}` {when} ({why})"
