"""What does the audit log say, to people and to programs?"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC
from typing import Any

from flagstaff.commands.model import HIGHEST, AuditSearch, ExportAudit, ListAudit, VerifyAudit
from flagstaff.commands.moments import parse_moment
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.errors import UsageError
from flagstaff.services.permissions import visible_places
from flagstaff.services.unit import Unit
from flagstaff.store import audit, chain
from flagstaff.store.audit import AuditEntry, Search

MOST = 100_000
"""Entries of one export; the next one goes on with `--before`."""

MOST_LISTED = 1_000

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would compute a text that begins so, so tables have a quote before it."""


def answer(unit: Unit, command: ListAudit | ExportAudit | VerifyAudit) -> Outcome:
    """Answer a question about the audit log."""
    match command:
        case ListAudit():
            return _listed(unit, command)
        case ExportAudit():
            return _exported(unit, command)
        case VerifyAudit():
            return _verified(unit)


def search_of(unit: Unit, asked: AuditSearch) -> Search:
    """Return which entries are wanted, of those that the asker may read.

    Raises:
        UsageError: a time is none, or a number is too large.
    """
    for name, number in (("rollout", asked.rollout), ("before", asked.before)):
        if not 0 <= number <= HIGHEST:
            raise UsageError(f"{number} is no number of a {name}", hint="flagstaff audit list")
    return Search(
        flag=asked.flag or None,
        who=asked.person or None,
        environment=asked.environment or None,
        action=asked.action or None,
        rollout_id=asked.rollout or None,
        since=parse_moment(asked.since, now=unit.now) if asked.since else None,
        until=parse_moment(asked.until, now=unit.now) if asked.until else None,
        below=asked.before or None,
        places=visible_places(unit),
    )


def _listed(unit: Unit, command: ListAudit) -> Outcome:
    if not 1 <= command.limit <= MOST_LISTED:
        raise UsageError(f"the limit is 1 to {MOST_LISTED}, not {command.limit}")
    found = audit.search(unit.connection, search_of(unit, command), limit=command.limit)
    more = f"flagstaff audit list --before {found[-1].id}" if len(found) == command.limit else ""
    return Outcome(
        text="\n".join(_line(each) for each in found) or "nothing like that was done",
        data={"entries": [_json(each) for each in found]},
        next=more,
    )


def _exported(unit: Unit, command: ExportAudit) -> Outcome:
    if command.form not in {"jsonl", "csv"}:
        raise UsageError(f"there is no format {command.form[:20]!r}", hint="write jsonl or csv")
    found = audit.search(unit.connection, search_of(unit, command), limit=MOST)[::-1]
    more = f"flagstaff audit export --before {found[0].id}" if len(found) == MOST else ""
    text = _table(found) if command.form == "csv" else _lines(found)
    return Outcome(text=text, data={"entries": len(found)}, next=more)


def _verified(unit: Unit) -> Outcome:
    found = chain.verify(unit.connection)
    data: dict[str, Json] = {
        "entries": found.entries,
        "head": found.head,
        "broken": found.broken,
        "why": found.why,
    }
    if not found.why:
        text = f"all {found.entries} entries are as they were written"
        text += f"\nthe last hash is {found.head}" if found.head else ""
        return Outcome(text=text, data=data)
    where = f"entry {found.broken}" if found.broken is not None else "the end of the log"
    text = f"{where} is broken: {found.why}\n{found.entries} entries before it are in order"
    last = f"flagstaff audit list --before {found.broken + 1}" if found.broken else ""
    return Outcome(ok=False, text=text, data=data, next=last)


def _line(entry: AuditEntry) -> str:
    when = f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    what = entry.text or entry.action
    about = "" if not entry.flag or entry.flag in what else f"{entry.flag}: "
    rollout = f" (rollout {entry.rollout_id})" if entry.rollout_id else ""
    reason = f"; “{entry.reason}”" if entry.reason else ""
    overruled = f"; overruled {entry.override}" if entry.override else ""
    words = f"{about}{what}{rollout}{reason}{overruled}".replace("\n", " ")
    return f"{entry.id}  {when}  {entry.who} ({entry.source})  {entry.action}  {words}"


def _json(entry: AuditEntry) -> dict[str, Any]:
    """Return the entry as it is hashed, with its number and hash."""
    hashed = json.loads(
        chain.canonical({name: getattr(entry, name) for name in chain.FIELDS}, entry.previous)
    )
    return {"id": entry.id, **hashed, "hash": entry.hash}


def _lines(entries: list[AuditEntry]) -> str:
    return "\n".join(json.dumps(_json(each), separators=(",", ":")) for each in entries)


def _table(entries: list[AuditEntry]) -> str:
    page = io.StringIO()
    names = ["id", *chain.FIELDS, "previous", "hash"]
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(names)
    for each in entries:
        values = _json(each)
        writer.writerow([_cell(values[name]) for name in names])
    return page.getvalue().rstrip("\n")


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            text = " ".join(value.splitlines())
            return f"'{text}" if text.startswith(FORMULA) else text
        case dict():
            return json.dumps(value, sort_keys=True)
        case _:
            return str(value)
