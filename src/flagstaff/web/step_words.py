"""What kind of step is it, in a sign and a word, and what does it still wait for?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.rollouts.schedule import Schedule
from flagstaff.services.views import RolloutView, StepView

CHANGES_FLAGS = frozenset({"SetGate", "DeleteFlag"})
_KINDS = {
    "SetGate": ("toggle", "sets the flag"),
    "Bake": ("clock", "holds and watches"),
    "Wait": ("clock", "waits"),
    "Approve": ("person", "needs a yes"),
    "AskPerson": ("person", "done by a person"),
    "Announce": ("bell", "tells people"),
    "RunCommand": ("terminal", "runs a command"),
    "CheckCommand": ("check", "asks a command"),
    "CheckDeployed": ("check", "checks deployments"),
    "CheckReleased": ("check", "checks releases"),
    "CheckFlag": ("check", "checks the flag"),
    "CheckHealth": ("check", "checks health"),
    "CheckHttp": ("check", "asks an address"),
    "CheckWorkersReady": ("check", "asks the workers"),
    "CheckDrained": ("check", "looks for what is left"),
    "MigrateJobs": ("terminal", "renames what waits"),
    "DeleteQueue": ("bin", "deletes a queue"),
    "OpenCleanup": ("branch", "writes the clean-up"),
    "AwaitMerge": ("branch", "waits for the merge"),
    "DeleteFlag": ("bin", "deletes the flag"),
    "Close": ("done", "closes an issue"),
    "Summary": ("todo", "done with its boxes"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of step: its sign and what it does."""

    sign: str
    word: str


def kind_of(step: StepView) -> Kind:
    """Return the kind of a step."""
    sign, word = _KINDS.get(step.kind, ("todo", step.kind))
    return Kind(sign=sign, word=word)


def needs(schedule: Schedule) -> dict[str, str]:
    """Return what each step needs that nobody can foresee, with what holds it, by id."""
    return {
        each.step.id: "; ".join(filter(None, (each.needs, *each.held))) for each in schedule.entries
    }


def next_change(view: RolloutView) -> StepView | None:
    """Return the change of the flag that comes next, once the step at hand is over."""
    current = view.summary.step
    if current is None:
        return None
    at = next(i for i, step in enumerate(view.steps) if step.id == current.id)
    later = (step for step in view.steps[at + 1 :] if not step.status.finished)
    return next((step for step in later if step.kind in CHANGES_FLAGS), None)
