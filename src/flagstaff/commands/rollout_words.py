"""Which words move a rollout?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from flagstaff.commands.completing_here import rollouts, steps
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    ListRollouts,
    PauseRollout,
    PromoteRollout,
    RejectStep,
    ResumeRollout,
    RetryRollout,
    ShowEvidence,
    ShowRollout,
    SkipStep,
    StartRollout,
)
from flagstaff.commands.moments import check_moment
from flagstaff.commands.overrides import with_named_overrides
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.errors import UsageError

_EXAMPLES = """\b
Examples:
  rollout list --active
  rollout start 12
  rollout approve 12 --step verify --reason "tested on staging"
  rollout abort 12 --reason "error rate doubled"
"""


def _number(context: click.Context, _: click.Parameter, text: str) -> int:
    if not (
        text.removeprefix("#").isascii() and text.removeprefix("#").isdigit() and len(text) < _LONG
    ):
        raise UsageError(
            f"`{context.command_path.strip()}`: {text[:60]!r} is no number of a rollout",
            hint="`flagstaff rollout list` shows the numbers",
        )
    return int(text.removeprefix("#"))


which = click.argument("rollout_id", metavar="ID", callback=_number, shell_complete=rollouts)
"""The number of a rollout, with or without `#`."""

_LONG = 19
_step = click.option(
    "--step",
    default="",
    metavar="STEP",
    help="Which step; the waiting one when left out.",
    shell_complete=steps,
)
_why = click.option("--reason", default="", metavar="TEXT", help="Why; goes into the audit log.")


@click.group(
    "rollout", cls=Tree, context_settings=SETTINGS, epilog=_EXAMPLES, short_help="Move a rollout."
)
def rollout() -> None:
    """Start, steer and end rollouts."""


def _must_say_why(callback: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--reason", required=True, metavar="TEXT", help="Why; goes into the audit log."
    )(callback)


def _reason(reason: str, verb: str) -> str:
    if not reason.strip():
        raise UsageError(
            f"`rollout {verb}`: the reason is empty",
            hint='others will read it later: `--reason "…"`',
        )
    return reason.strip()


@rollout.command("list", context_settings=SETTINGS)
@click.option("--active", is_flag=True, help="Only those that are not over.")
def list_rollouts(*, active: bool) -> ListRollouts:
    """List the rollouts, newest first."""
    return ListRollouts(active=active)


@rollout.command("show", context_settings=SETTINGS)
@which
def show(*, rollout_id: int) -> ShowRollout:
    """Show where the rollout ID stands, step by step."""
    return ShowRollout(rollout=rollout_id)


@rollout.command("evidence", context_settings=SETTINGS)
@which
@click.option("--guard", default="", metavar="NAME", help="One guard; all when left out.")
@click.option("--since", default="", metavar="WHEN", help="A time, or how long ago, such as 2h.")
def evidence(*, rollout_id: int, guard: str, since: str) -> ShowEvidence:
    """Show what the guards of the rollout ID said, poll by poll."""
    return ShowEvidence(rollout=rollout_id, guard=guard, since=check_moment(since))


@rollout.command("start", context_settings=SETTINGS)
@which
def start(*, rollout_id: int) -> StartRollout:
    """Begin the rollout ID."""
    return StartRollout(rollout=rollout_id)


@rollout.command("approve", context_settings=SETTINGS)
@which
@_step
@with_named_overrides
@_why
def approve(*, rollout_id: int, step: str, overrides: tuple[str, ...], reason: str) -> ApproveStep:
    """Say yes to a step, or that it is done.

    A step that a policy holds goes on when the policy is named with `--override`.
    """
    return ApproveStep(rollout=rollout_id, step=step, overrides=overrides, reason=reason.strip())


@rollout.command("reject", context_settings=SETTINGS)
@which
@_step
@_must_say_why
def reject(*, rollout_id: int, step: str, reason: str) -> RejectStep:
    """Say no to a step; the rollout pauses."""
    return RejectStep(rollout=rollout_id, step=step, reason=_reason(reason, "reject"))


@rollout.command("skip", context_settings=SETTINGS)
@which
@_step
@with_named_overrides
@_must_say_why
def skip(*, rollout_id: int, step: str, overrides: tuple[str, ...], reason: str) -> SkipStep:
    """Leave a step out."""
    return SkipStep(
        rollout=rollout_id, step=step, overrides=overrides, reason=_reason(reason, "skip")
    )


@rollout.command("promote", context_settings=SETTINGS)
@which
@_must_say_why
def promote(*, rollout_id: int, reason: str) -> PromoteRollout:
    """End the current wait early."""
    return PromoteRollout(rollout=rollout_id, reason=_reason(reason, "promote"))


@rollout.command("pause", context_settings=SETTINGS)
@which
@_why
def pause(*, rollout_id: int, reason: str) -> PauseRollout:
    """Stop progress; guards go on watching."""
    return PauseRollout(rollout=rollout_id, reason=reason.strip())


@rollout.command("resume", context_settings=SETTINGS)
@which
@_why
def resume(*, rollout_id: int, reason: str) -> ResumeRollout:
    """Let a paused rollout go on."""
    return ResumeRollout(rollout=rollout_id, reason=reason.strip())


@rollout.command("retry", context_settings=SETTINGS)
@which
@_why
def retry(*, rollout_id: int, reason: str) -> RetryRollout:
    """Try the failed step again."""
    return RetryRollout(rollout=rollout_id, reason=reason.strip())


@rollout.command("abort", context_settings=SETTINGS)
@which
@_must_say_why
def abort(*, rollout_id: int, reason: str) -> AbortRollout:
    """Roll everything back to the gates before the rollout."""
    return AbortRollout(rollout=rollout_id, reason=_reason(reason, "abort"))
