"""Sample issues in the shapes that templates have had, and a project to import them into."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from flagstaff.definitions.project import JobGuard, JobRename, Project, RampSettings
from flagstaff.issues.importer import import_issue

SAMPLES = Path(__file__).parent / "samples"
RENAMED = "rename_integrations_workers"
FLAGS = frozenset(
    {
        RENAMED,
        "quick_search",
        "faster_diffs",
        "rename_mailers",
        "new_sidebar",
        "dark_charts",
        "fast_export",
    }
)


@pytest.fixture
def project():
    return Project(
        ramp=RampSettings(percentages=(Decimal(10), Decimal("50.5")), dwell=timedelta(minutes=5)),
        channels={},
        placeholders={"milestone": "15.2"},
        renames=(
            JobRename(flag=RENAMED, old="OldJob", new="NewJob"),
            JobRename(flag="rename_mailers", old="MailerJob", new="SendJob"),
        ),
        guards=(JobGuard(name="failures", flag=RENAMED, jobs=("jobs/*.jsonl",)),),
    )


@pytest.fixture
def sample():
    return lambda name: (SAMPLES / name).read_text(encoding="utf-8")


@pytest.fixture
def importing(project):
    def read(text, **changes):
        wanted = {
            "project": project,
            "known_flags": FLAGS,
            "resolve": {"merge-commit-of-your-feature": "abc1234"},
            **changes,
        }
        return import_issue(text, **wanted)

    return read
