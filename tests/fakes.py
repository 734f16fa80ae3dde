"""What stands in for time, history and the outside in tests?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from flagstaff.definitions import Definitions, parse_definition
from flagstaff.errors import Unavailable
from flagstaff.flags.change import Boolean, PercentageOfActors
from flagstaff.rollouts.event import Answer, EffectDone
from flagstaff.rollouts.guard import Arm, Guard, Measurement
from flagstaff.rollouts.plan import Plan, SetGate, Step
from flagstaff.services.ports import Commit

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FLAGS = {"new_navigation": "false", "old_search": "true", "rename_integrations_workers": "false"}


class FakeClock:
    """Stands still until it is told to go on; real time and shown time are the same."""

    def __init__(self, now=START):
        self.moment = now

    def now(self):
        return self.moment

    def wall(self, moment):
        return moment

    def after(self, seconds):
        return self.moment + timedelta(seconds=seconds)

    def seconds_until(self, moment):
        return (moment - self.moment).total_seconds()

    def advance(self, **length):
        self.moment += timedelta(**length)


@dataclass
class FakeRepository:
    """A history that a test writes down: `lines` are branches as lists of hashes, oldest first."""

    titles: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=lambda: {"main": []})
    merges: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    stable: dict[str, str] = field(default_factory=dict)
    introduced: str = ""
    introduced_at: dict[str, datetime] = field(default_factory=dict)
    down: bool = False

    def add(self, sha, title="A change", *, branch="main"):
        self.titles[sha] = title
        self.lines.setdefault(branch, list(self.lines["main"])).append(sha)
        return sha

    def merge(self, sha, merge):
        self.add(merge, f"Merge {sha}")
        self.merges[sha] = merge

    def find(self, name):
        self._answer()
        for sha, title in self.titles.items():
            if len(name) >= 4 and sha.startswith(name):
                return Commit(sha=sha, title=title)
        line = self.lines.get(name)
        return Commit(sha=line[-1], title=self.titles[line[-1]]) if line else None

    def contains(self, descendant, ancestor):
        self._answer()
        for line in self.lines.values():
            if descendant in line and ancestor in line[: line.index(descendant) + 1]:
                return True
        return bool(self.lines.get(descendant)) and ancestor in self.lines[descendant]

    def merge_of(self, commit, branch):
        self._answer()
        return self.merges.get(commit) or (commit if commit in self.lines[branch] else "")

    def first_release(self, commit):
        self._answer()
        return next((tag for tag, sha in self.tags.items() if self.contains(sha, commit)), "")

    def stable_branch(self, version):
        self._answer()
        return self.stable.get(version, "")

    def introduction(self, pattern):
        self._answer()
        del pattern
        return self.find(self.introduced) if self.introduced else None

    def introductions(self, folder):
        self._answer()
        del folder
        return self.introduced_at

    def _answer(self):
        if self.down:
            raise Unavailable("the repository is gone", hint="put it back")


@dataclass
class FakeWorld:
    """An outside that remembers what was done to it, and fails when told to.

    `errors` are raised by the next tries, first first; `results` answer effects of a step.
    """

    measurements: dict[str, Measurement] = field(default_factory=dict)
    done: list[object] = field(default_factory=list)
    followed: list[object] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    stamps: dict[str, object] = field(default_factory=dict)
    heard: dict[str, tuple] = field(default_factory=dict)
    issue_error: Exception | None = None
    results: dict[str, EffectDone] = field(default_factory=dict)
    checked: dict[str, Answer] = field(default_factory=dict)

    def measure(self, guard, since):
        del since
        return self.measurements.get(guard.name, Measurement(guard=guard.name, error="no logs"))

    def check(self, check, *, key, flag):
        del key, flag
        return self.checked.get(
            getattr(check, "command", ""), Answer(yes=False, text="nobody answers")
        )

    def perform(self, effect, plan):
        del plan
        if self.errors:
            raise self.errors.pop(0)
        self.done.append(effect)
        return self.results.get(effect.step, EffectDone(step=effect.step, note="done"))

    def issue_stamp(self, path):
        return self.stamps.get(str(path))

    def hear_issue(self, path, rollout):
        del rollout
        return self.heard.get(str(path), ())

    def announce(self, post):
        if self.errors:
            raise self.errors.pop(0)
        self.done.append(post)

    def follow_issue(self, path, rollout):
        if self.issue_error is not None:
            raise self.issue_error
        self.followed.append((path, rollout))
        return ""


GUARD = Guard(name="jobs", logs=("log/*.jsonl",), control=("Old",), treatment=("New",))


def reading(treatment, control, *, guard=GUARD, error=""):
    """Return a measurement from two pairs `(total, failed)`."""
    return Measurement(
        guard=guard.name,
        treatment=Arm(total=treatment[0], failed=treatment[1]),
        control=Arm(total=control[0], failed=control[1]),
        error=error,
    )


CALM = reading((1000, 1), (1000, 1))
CALMER = reading((3000, 3), (3000, 3))
HARM = reading((3100, 43), (3100, 4))
THIN = reading((3, 0), (100, 1))
BLIND = reading((0, 0), (0, 0), error="no file matches log/*.jsonl")


def share(percent):
    return PercentageOfActors(value=Decimal(percent))


def turn_on(*environments):
    return SetGate(environments=environments, change=Boolean(value=True))


def ramp(percent, *environments):
    return SetGate(environments=environments or ("production",), change=share(percent))


def plan_of(*actions, **settings):
    """Return a plan whose steps `s1`, `s2` … do the actions; whole steps are taken as they are."""
    steps = tuple(
        action
        if isinstance(action, Step)
        else Step(id=f"s{number}", stage="Stage", title=f"Step {number}", action=action)
        for number, action in enumerate(actions, start=1)
    )
    return Plan(**{"flag": "new_navigation", "title": "Roll out", "steps": steps, **settings})


def preset(step_id, action, how, reason=""):
    step = Step(id=step_id, stage="Stage", title=step_id, action=action)
    return replace(step, preset=how, reason=reason)


def definitions_in(root):
    """Return the definitions of `FLAGS`, as if kept under `root`."""
    found = []
    for name, default in FLAGS.items():
        path = root / "config/feature_flags/ops" / f"{name}.yml"
        text = f"name: {name}\ntype: ops\ndefault_enabled: {default}\ngroup: group::navigation\n"
        found.append(parse_definition(text.encode(), path=path, folder=path.parent.parent))
    return Definitions(found)
