"""Has a rollout gone forward lately, and what when it has not for long?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flagstaff.rollouts.effect import Effect, Post
from flagstaff.rollouts.rollout import Phase, Rollout
from flagstaff.rollouts.rules import WARNING

Moved = tuple[Rollout, tuple[Effect, ...]]


def idle_since(rollout: Rollout) -> datetime | None:
    """Return since when nothing has gone forward, or will by itself; `None` before it began.

    What ends at a known time is not idle until then.
    """
    moments = [rollout.progress_at, rollout.started_at]
    for state in rollout.states:
        moments += [state.since, state.finished_at]
    current = rollout.current
    if current is not None and rollout.phase is not Phase.PAUSED:
        state = rollout.state(current.id)
        moments += [state.until, state.retry_at]
    return max((each for each in moments if each is not None), default=None)


def expires_at(rollout: Rollout) -> datetime | None:
    """Return when the rollout expires unless something goes forward; `None` for never.

    Nobody is surprised: however late the warning was, there is time after it.
    """
    since = idle_since(rollout)
    if since is None or not rollout.plan.expiry or rollout.phase.finished:
        return None
    at = since + rollout.plan.expiry
    return max(at, rollout.warned_at + _notice(rollout)) if rollout.warned_at else at


def warns_at(rollout: Rollout) -> datetime | None:
    """Return when people are told that it is going to expire; `None` for never, or not again."""
    at = expires_at(rollout)
    return None if at is None or rollout.warned_at else at - _notice(rollout)


def expire(rollout: Rollout, now: datetime) -> Moved:
    """Return the rollout warned of, or expired, once it is time; the gates stay as they are."""
    warning, end = warns_at(rollout), expires_at(rollout)
    if warning is not None and now >= warning:
        warned = replace(rollout, warned_at=now)
        return warned, _told(warned, _warned(warned), now)
    if warning is None and end is not None and now >= end:
        days = _days(rollout.plan.expiry)
        reason = f"expired: nothing has gone forward for {days}; the gates stay as they are"
        paused = rollout.paused_at or now
        over = replace(rollout, phase=Phase.EXPIRED, reason=reason, paused_at=paused)
        how = f"take it up again: flagstaff rollout resume {rollout.id}"
        text = f"`{rollout.plan.flag}`: rollout {rollout.id} has {reason}; {how}"
        return over, _told(over, text, now)
    return rollout, ()


def with_progress(before: Rollout, after: Rollout, now: datetime) -> Rollout:
    """Return the rollout with the time noted, if anything went forward."""
    over = after.phase.finished or after.phase is Phase.EXPIRED
    if over or _position(before) == _position(after):
        return after
    return replace(after, progress_at=now, warned_at=None)


def _position(rollout: Rollout) -> object:
    """Return what changes when a rollout goes forward, or a person has done something about it."""
    still = {Phase.PENDING, Phase.PAUSED, Phase.EXPIRED}
    stopped = rollout.phase if rollout.phase in still else None
    return stopped, [
        (each.status.finished, each.approved_by, each.approvals) for each in rollout.states
    ]


def _notice(rollout: Rollout) -> timedelta:
    """Return how long before the end people are told: a third of the time where that is short."""
    return min(WARNING, rollout.plan.expiry / 3)


def _warned(rollout: Rollout) -> str:
    end = expires_at(rollout)
    when = f"{end.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if end else "soon"
    step = rollout.current
    where = f" It stands at {step.id}: {step.title}." if step else ""
    return (
        f"`{rollout.plan.flag}`: rollout {rollout.id} has not gone forward for long and expires "
        f"{when}.{where}"
    )


def _told(rollout: Rollout, text: str, now: datetime) -> tuple[Effect, ...]:
    if not rollout.plan.announce_to:
        return ()
    key = f"{rollout.id}/expiry/{now.isoformat()}"
    return (Post(key=key, step="", channels=rollout.plan.announce_to, text=text),)


def _days(length: timedelta) -> str:
    days = length / timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"
