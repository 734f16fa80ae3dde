"""Every relative link in the documents leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL_ISSUES = {"issue-before.md", "transcript-issue.md", "rolled-back-issue.md"}
DOCUMENTS = [
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if path.name not in TUTORIAL_ISSUES
]
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document):
    links = LINK.findall(document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("after", ["transcript-issue.md", "rolled-back-issue.md"])
def test_only_marks_and_notes_of_the_tutorials_issue_changed(after):
    folder = ROOT / "docs" / "tutorial"
    box = re.compile(rb"\[[x~ -]\]")
    before = (folder / "issue-before.md").read_bytes()
    kept = b"".join(
        line
        for line in (folder / after).read_bytes().splitlines(keepends=True)
        if not line.rstrip().endswith(b"<!-- flagstaff -->")
    )
    assert box.sub(b"[ ]", kept) == box.sub(b"[ ]", before)
