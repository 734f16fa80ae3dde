"""What came of a request?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to a command.

    `text` is for people, one fact per line. `ok` is false when the answer is a well-understood no
    ("not deployed yet"), which is not an error. `next` is the command a person would likely want
    now. `data` is the same answer for programs. `replayed`: this is the answer of an earlier time,
    and nothing was done again.
    """

    ok: bool = True
    text: str
    next: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)
    replayed: bool = False
