"""Does a change stand in a file once, on one line of its own, whatever was written about it?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flagstaff.errors import Unavailable
from flagstaff.integrations.notify.change_note import add_to_issue, add_to_log, mark_of, note_of
from flagstaff.issues.lines import split_lines
from flagstaff.issues.notes import without_notes
from flagstaff.services.side_effects import FlagChanged

CHANGE = FlagChanged(
    id="ab12",
    at=datetime(2026, 3, 2, 9, tzinfo=UTC),
    who="ada",
    source="terminal",
    channel="",
    action="flag.set",
    flag="x",
    environment="dev",
    text="x set to true in dev",
    words="on for everyone",
    before=None,
    after={},
    rollout=None,
    step="",
    reason="",
    override="",
    issue="",
    issue_path="",
    url="",
)


def test_the_log_is_made_and_grows_by_a_line_for_each_change(tmp_path):
    path = tmp_path / "log" / "flags.md"
    for change in (CHANGE, CHANGE, replace(CHANGE, id="cd34", rollout=7, override="max-step")):
        add_to_log(path, change)
    said = "2026-03-02 09:00 UTC, ada: x set to true in dev; now on for everyone"
    assert path.read_text().splitlines() == [
        "# Changes of feature flags",
        "",
        f"- {said} <!-- flagstaff change ab12 -->",
        f"- {said}; overruled max-step; rollout 7 <!-- flagstaff change cd34 -->",
    ]


def test_an_issue_keeps_every_byte_and_the_note_stays_when_the_issue_follows(tmp_path):
    path = tmp_path / "issue.md"
    path.write_bytes("- [ ] größe\r\n\r\nno line break at the end".encode())
    add_to_issue(path, CHANGE)
    before = path.read_bytes()
    assert before.startswith("- [ ] größe\r\n\r\nno line break at the end\n\n> 2026".encode())
    add_to_issue(path, CHANGE)
    assert path.read_bytes() == before
    lines = split_lines(before.decode())
    assert without_notes(lines) == tuple(lines)


@pytest.mark.parametrize(
    "reason", ["a\nb", "-->", "<!-- open", "- [x] ticked", "\u2028next", "<!-- flagstaff -->"]
)
def test_what_people_write_opens_nothing_and_stays_on_its_line(reason):
    note = note_of(replace(CHANGE, reason=reason))
    assert len(note.splitlines()) == 1
    said = note.removesuffix(mark_of(CHANGE))
    assert "<!--" not in said
    assert "-->" not in said


def test_what_cannot_be_written_comes_later(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot be written"):
        add_to_log(tmp_path / "file" / "flags.md", CHANGE)
    with pytest.raises(Unavailable, match="cannot be kept up to date"):
        add_to_issue(tmp_path / "missing.md", CHANGE)
