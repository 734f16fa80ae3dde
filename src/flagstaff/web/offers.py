"""What may a person do with a rollout right now, and how is it said in a terminal?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services.views import RolloutView, StepView

ENDED_EARLY = {"Bake", "Wait"}
DOES_IT_ONESELF = {"AskPerson"}
DECIDES = {"Approve", *DOES_IT_ONESELF}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing a person may do.

    `about` is the step it is about, empty for the rollout as a whole. `must_say_why` asks for a
    reason.
    """

    verb: str
    label: str
    command: str
    about: str = ""
    must_say_why: bool = False
    main: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What may be done about the step at hand, and about the rollout as a whole."""

    step: tuple[Offer, ...]
    rollout: tuple[Offer, ...]


def offers(view: RolloutView) -> Offers:
    """Return what the rollout's state allows."""
    summary = view.summary
    if summary.phase.finished:
        return Offers(step=(), rollout=())
    begun = summary.phase is not Phase.PENDING
    label = "Abort and roll back …" if begun else "Abort …"
    abort = _rollout(summary.id, "abort", label, why=True)
    if not begun:
        return Offers(step=(), rollout=(_rollout(summary.id, "start", "Start", main=True), abort))
    if summary.phase is Phase.EXPIRED:
        again = _rollout(summary.id, "resume", "Take it up again", main=True)
        return Offers(step=(), rollout=(again, abort))
    failed = summary.step is not None and summary.step.status is StepStatus.FAILED
    whole = [abort]
    if summary.phase is not Phase.PAUSED:
        whole.insert(0, _rollout(summary.id, "pause", "Pause"))
    elif not failed:
        whole.insert(0, _rollout(summary.id, "resume", "Resume", main=True))
    return Offers(step=_for_step(summary.id, summary.step), rollout=tuple(whole))


def _for_step(number: int, step: StepView | None) -> tuple[Offer, ...]:
    if step is None:
        return ()
    skip = _step(number, "skip", "Skip this step", step)
    if step.status is StepStatus.FAILED:
        retry = _rollout(number, "retry", "Try again", main=True)
        return (retry, skip)
    if step.status is StepStatus.WAITING or step.kind in DECIDES:
        label = "It is done" if step.kind in DOES_IT_ONESELF else "Approve"
        return (
            _step(number, "approve", label, step, main=True),
            _step(number, "reject", "Reject", step),
            skip,
        )
    if step.kind in ENDED_EARLY:
        return (_rollout(number, "promote", "End the wait early", why=True), skip)
    return (skip,)


def _rollout(number: int, verb: str, label: str, *, why: bool = False, main: bool = False) -> Offer:
    command = f"flagstaff rollout {verb} {number}"
    return Offer(
        verb=verb,
        label=label,
        command=f'{command} --reason "…"' if why else command,
        must_say_why=why,
        main=main,
    )


def _step(number: int, verb: str, label: str, step: StepView, *, main: bool = False) -> Offer:
    why = verb != "approve"
    command = f"flagstaff rollout {verb} {number} --step {step.id}"
    return Offer(
        verb=verb,
        label=label,
        command=f'{command} --reason "…"' if why else command,
        about=step.id,
        must_say_why=why,
        main=main,
    )
