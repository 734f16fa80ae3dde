"""What does the engine do through the services?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from flagstaff.errors import Conflict, FlagstaffError, NotFound, UsageError
from flagstaff.rollouts.event import Answer, EffectDone, EffectFailed, EffectHeld, Event, Observed
from flagstaff.rollouts.needs import Needs, needs
from flagstaff.rollouts.rollout import Rollout
from flagstaff.services.deployments import deployed, released
from flagstaff.services.finding import find_rollout
from flagstaff.services.lives.due import may_close
from flagstaff.services.moving import move
from flagstaff.services.policies import judging
from flagstaff.services.policies.steps import allowed
from flagstaff.services.unit import Unit
from flagstaff.store import outbox
from flagstaff.store import rollouts as store
from flagstaff.store.leases import Claimant
from flagstaff.store.outbox import Outgoing
from flagstaff.store.rollouts import RolloutRecord

__all__ = [
    "Outgoing",
    "RolloutRecord",
    "active_numbers",
    "allowed",
    "answers",
    "any_effect_due",
    "claim_effect",
    "closing",
    "effect",
    "fail_effect",
    "find",
    "finish_effect",
    "followed_numbers",
    "hold_effect",
    "one_line",
    "owns_issue",
    "put_back",
    "recent_numbers",
    "step",
]


def one_line(error: FlagstaffError) -> str:
    """Return the message and the hint as a reason to be kept: lists show one line of each rollout.

    >>> one_line(NotFound("there is no branch x", hint="push it"))
    'there is no branch x; push it'
    """
    lines = [*error.message.splitlines(), *error.hint.splitlines()]
    return "; ".join(line for each in lines if (line := each.strip()))


def active_numbers(unit: Unit) -> list[int]:
    """Return the numbers of the rollouts that are not over, oldest first."""
    return store.active_numbers(unit.connection)


def followed_numbers(unit: Unit) -> list[int]:
    """Return the numbers of those that are not over and have an issue that is a file."""
    return store.active_numbers(unit.connection, with_file=True)


def recent_numbers(unit: Unit) -> list[int]:
    """Return the numbers of the newest rollouts, over or not."""
    return store.recent_numbers(unit.connection, limit=50)


def owns_issue(unit: Unit, record: RolloutRecord) -> bool:
    """Return whether the rollout is the newest of its issue, whose text says where it stands."""
    if not record.issue_path:
        return False
    return store.newest_of(unit.connection, record.issue_path) == record.rollout.id


def find(unit: Unit, number: int) -> RolloutRecord:
    """Return one rollout.

    Raises:
        NotFound: there is none with this number.
    """
    return find_rollout(unit, number)


def answers(unit: Unit, questions: Needs) -> tuple[Answer | None, Answer | None, str | None]:
    """Return what history and deployments say: deployed, released, and the merge commit."""
    deploys = releases = None
    if questions.deployed is not None:
        deploys = deployed(unit, questions.deployed.sha, questions.deployed.environments)
    if questions.released is not None:
        try:
            releases = released(unit, questions.released.request, questions.released.version)
        except (NotFound, UsageError) as exc:
            releases = Answer(yes=False, text=one_line(exc))
    merged = None
    if questions.merged:
        merged = unit.context.history.merge_of(questions.merged, unit.context.project.main_branch)
    return deploys, releases, merged


def closing(unit: Unit, rollout: Rollout) -> Answer:
    """Return whether the rollout's issue may be closed now."""
    return may_close(unit, rollout)


def step(unit: Unit, seen: RolloutRecord, event: Event) -> RolloutRecord:
    """Move a rollout by what was observed of it, under the lease it was read under.

    Raises:
        Conflict: it has been moved since `seen` was read, or is another's to move; observe again.
    """
    record = store.get(unit.connection, seen.rollout.id, lock=True)
    if record is None or record.revision != seen.revision:
        raise Conflict(f"rollout {seen.rollout.id} has moved meanwhile")
    record = replace(record, lease_token=seen.lease_token)
    if isinstance(event, Observed) and needs(record.rollout).policy and not event.harmful:
        event = _allowed_still(unit, record.rollout, event)
    return move(unit, record, event, leased=True)


def _allowed_still(unit: Unit, rollout: Rollout, event: Observed) -> Observed:
    """Return what was observed, with what policies say while nobody else can change flags."""
    judging.lock(unit, rollout.plan.changed_environments)
    if event.policy is not None and not event.policy.yes:
        return event
    return replace(event, policy=allowed(unit, rollout))


def any_effect_due(unit: Unit, *, besides: Collection[str] = ()) -> bool:
    """Return whether there is an effect whose time has come, besides some."""
    return bool(outbox.due(unit.connection, unit.now, limit=1, besides=besides))


def claim_effect(
    unit: Unit, claimant: Claimant, *, besides: Collection[str] = ()
) -> tuple[str, int] | None:
    """Take the effect that is longest due, besides some; return its key and fencing token."""
    return outbox.claim(unit.connection, claimant, unit.now, besides=besides)


def effect(unit: Unit, key: str, token: int) -> tuple[Outgoing, RolloutRecord] | None:
    """Return an effect and its rollout, or `None` if it is not ours to do any more."""
    outgoing = outbox.get(unit.connection, key)
    if outgoing is None or outgoing.lease_token != token:
        return None
    return outgoing, find(unit, outgoing.rollout_id)


def put_back(unit: Unit, key: str, token: int, again_at: datetime) -> None:
    """Let an effect that could not even be tried wait for another try, by whomever."""
    outbox.put_back(unit.connection, key, token, again_at)


def finish_effect(
    unit: Unit, outgoing: Outgoing, result: EffectDone | EffectFailed
) -> RolloutRecord | None:
    """Note that an effect has happened, or failed, and let its rollout hear of it, together."""
    record = store.get(unit.connection, outgoing.rollout_id, lock=True)
    if record is None or not outbox.holds(unit.connection, outgoing):
        return None
    if isinstance(result, EffectFailed):
        return _failed(unit, record, outgoing, result)
    outbox.close(unit.connection, outgoing.effect.key, "done", unit.now)
    if result.issue:
        store.put_issue(unit.connection, outgoing.rollout_id, result.issue)
        unit.changed.add(f"rollout:{outgoing.rollout_id}")
        unit.record(
            "rollout.issue",
            flag=record.rollout.plan.flag,
            rollout_id=outgoing.rollout_id,
            text=f"its issue is {result.issue}",
        )
    return move(unit, record, result)


def hold_effect(
    unit: Unit, outgoing: Outgoing, held: EffectHeld, again_at: datetime
) -> RolloutRecord | None:
    """Note that an effect could not happen yet; its step says why."""
    record = store.get(unit.connection, outgoing.rollout_id, lock=True)
    if record is None or not outbox.holds(unit.connection, outgoing):
        return None
    outbox.postpone(unit.connection, outgoing.effect.key, again_at, held.reason)
    return move(unit, record, held)


def fail_effect(
    unit: Unit, outgoing: Outgoing, error: FlagstaffError, *, again_at: datetime | None
) -> RolloutRecord | None:
    """Note a failed try: again later or, with no `again_at`, the step has failed."""
    key = outgoing.effect.key
    record = store.get(unit.connection, outgoing.rollout_id, lock=True)
    if record is None or not outbox.holds(unit.connection, outgoing):
        return None
    if again_at is not None:
        outbox.postpone(unit.connection, key, again_at, error.message)
        return None
    failed = EffectFailed(step=outgoing.effect.step, error=one_line(error))
    return _failed(unit, record, outgoing, failed)


def _failed(
    unit: Unit, record: RolloutRecord, outgoing: Outgoing, failed: EffectFailed
) -> RolloutRecord:
    outbox.close(unit.connection, outgoing.effect.key, "failed", unit.now, failed.error)
    unit.record(
        "effect.fail",
        flag=record.rollout.plan.flag,
        rollout_id=record.rollout.id,
        step=outgoing.effect.step,
        text=f"{type(outgoing.effect).__name__} failed: {failed.error}",
    )
    return move(unit, record, failed)
