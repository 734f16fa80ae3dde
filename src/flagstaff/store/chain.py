"""Is the audit log still what was written?

Each entry carries the SHA-256 over its own canonical JSON, in which the hash of the entry before
stands as `previous`. So nothing can be changed, taken out or put in between without every hash
after it changing too. The format never changes: old entries have to stay verifiable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from flagstaff.store.tables import audit, audit_head

FIELDS: Final = (
    "at",
    "who",
    "source",
    "action",
    "flag",
    "environment",
    "rollout_id",
    "step",
    "before",
    "after",
    "text",
    "reason",
    "override",
)
"""What is hashed, beside `previous`; the database's own number is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a walk along the chain has found.

    Attributes:
        entries: how many entries are in order.
        head: the hash of the last of them.
        broken: the number of the first entry that is not; None when all are.
        why: what is wrong with it, or with the end of the log; empty when all is well.
    """

    entries: int
    head: str
    broken: int | None = None
    why: str = ""


def canonical(values: Mapping[Any, Any], previous: str) -> str:
    """Return the JSON that is hashed: keys in order, no blanks, ASCII, the time in UTC."""
    told = {name: values[name] for name in FIELDS}
    moment: datetime = values["at"]
    told["at"] = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps(
        {**told, "previous": previous},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
    )


def digest(values: Mapping[Any, Any], previous: str) -> str:
    """Return the hash of an entry that follows the one with the hash `previous`."""
    return hashlib.sha256(canonical(values, previous).encode()).hexdigest()


def verify(connection: Connection) -> Verification:
    """Walk along the whole log and return how far it is as it was written."""
    previous, entries = "", 0
    query = select(audit).order_by(audit.c.id).execution_options(yield_per=1000)
    with connection.execute(query) as rows:
        for row in rows.mappings():
            if why := _fault(row, previous):
                return Verification(entries=entries, head=previous, broken=row["id"], why=why)
            previous, entries = row["hash"], entries + 1
    head = connection.execute(select(audit_head)).mappings().one_or_none()
    if head is None or (head["entries"], head["hash"]) != (entries, previous):
        noted = head["entries"] if head else "no number of"
        why = f"there are {entries} entries, and {noted} were noted: the end is missing or changed"
        return Verification(entries=entries, head=previous, why=why)
    return Verification(entries=entries, head=previous)


def _fault(row: Mapping[Any, Any], previous: str) -> str:
    if row["previous"] != previous:
        return "it does not follow the entry before it: one between them is missing, or was added"
    if row["hash"] != digest(row, previous):
        return "it is not as it was written"
    return ""
