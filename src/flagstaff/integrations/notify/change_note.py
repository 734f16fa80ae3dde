"""How does a change of a flag read as a line in a file or an issue, once?"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Final

from flagstaff.errors import Unavailable
from flagstaff.integrations.forge.issue_file import rewrite
from flagstaff.services.side_effects import FlagChanged

HEADING: Final = "# Changes of feature flags\n\n"


def mark_of(change: FlagChanged) -> str:
    """Return what nobody sees and by which the note of a change is found again."""
    return f"<!-- flagstaff change {change.id} -->"


def note_of(change: FlagChanged) -> str:
    """Return what is said about a change, in one line that ends with its mark."""
    parts = [f"{change.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {change.title}"]
    if change.words:
        parts.append(f"now {change.words}")
    if change.reason:
        parts.append(f"“{change.reason}”")
    if change.override:
        parts.append(f"overruled {change.override}")
    if change.rollout:
        parts.append(f"rollout {change.rollout}")
    return f"{_plain('; '.join(parts))} {mark_of(change)}"


def add_to_log(path: Path, change: FlagChanged) -> None:
    """Append a change to a file, unless it stands there already.

    Raises:
        Unavailable: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with suppress(FileExistsError), path.open("x", encoding="utf-8") as file:
                file.write(HEADING)
        rewrite(path, lambda text: _appended(text, f"- {note_of(change)}", change))
    except (OSError, Unavailable) as exc:
        why = exc.strerror if isinstance(exc, OSError) else exc.message
        raise Unavailable(
            f"the log of changes {path} cannot be written: {why}",
            hint="correct `side_effects: log: file:` in flagstaff.yml, or the permissions",
        ) from exc


def add_to_issue(path: Path, change: FlagChanged) -> None:
    """Append a note on a change to a rollout issue that is a file, unless it stands there already.

    Raises:
        Unavailable: the file cannot be written.
    """
    rewrite(path, lambda text: _appended(text, f"\n> {note_of(change)}", change))


def _appended(text: str, line: str, change: FlagChanged) -> str:
    if mark_of(change) in text:
        return text
    gap = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{gap}{line}\n"


def _plain(text: str) -> str:
    """Return a text that stays on its line and opens no comment; the first words name no box."""
    return " ".join(text.split()).replace("<!--", "<! --").replace("-->", "-- >")
