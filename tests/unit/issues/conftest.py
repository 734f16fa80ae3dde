"""Sample issues in the shapes that templates have had, and a project to import them into."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from flagstaff.definitions.project import JobGuard, JobRename, Project, RampSettings
from flagstaff.issues.importer import import_issue
from flagstaff.rollouts.effect import CloseIssue, Post, WriteCleanup
from flagstaff.rollouts.event import Answer, Approved, EffectDone, Observed, Started
from flagstaff.rollouts.guard import Arm, Measurement
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.plan import CleanupPart
from flagstaff.rollouts.rollout import Cleanup, Phase, Rollout

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


START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Driver:
    """Runs a rollout to its end as the engine would, an hour per turn, saying yes to everything."""

    def __init__(self, plan):
        self.now = START
        self.jobs = 0
        self.rollout = Rollout.of(plan, rollout_id=7)
        self._tell(Started(by="anna", before=()))

    def _tell(self, event):
        self.rollout, effects = advance(self.rollout, event, self.now)
        for effect in effects:
            if isinstance(effect, WriteCleanup):
                cleanup = Cleanup(
                    branch="remove-it", commit="c" * 40, parts=tuple(CleanupPart), files=3
                )
                self._tell(EffectDone(step=effect.step, cleanup=cleanup))
            elif isinstance(effect, Post | CloseIssue):
                self._tell(EffectDone(step=effect.step, note="told everyone"))

    def turn(self, failed=0):
        self.now += timedelta(hours=1)
        self.jobs += 1000
        if self.rollout.phase is Phase.WAITING:
            self._tell(Approved(step=self.rollout.current.id, by="bea", reason="looks good"))
        measurements = tuple(
            Measurement(
                guard=guard.name,
                treatment=Arm(total=self.jobs, failed=failed),
                control=Arm(total=self.jobs),
            )
            for guard in self.rollout.plan.guards
        )
        yes = Answer(yes=True, text="yes, everywhere")
        self._tell(Observed(deployed=yes, released=yes, merged="d" * 40, measurements=measurements))

    def run(self, turns=1000):
        for _ in range(turns):
            if self.rollout.phase.finished:
                break
            self.turn()
        return self.rollout

    def run_until(self, step_id):
        for _ in range(1000):
            if self.rollout.current.id == step_id:
                return self.rollout
            self.turn()
        raise AssertionError(step_id)


@pytest.fixture
def driver():
    return Driver
