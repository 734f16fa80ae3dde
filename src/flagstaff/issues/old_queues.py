"""Which queues go at the broker, once the code that took jobs from them is gone?

Whoever writes "remove the old queues" means both. The request takes them out of the code; nothing
of it deletes them where jobs waited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.setting import Setting
from flagstaff.rollouts.checks import DeleteQueue
from flagstaff.rollouts.plan import CleanupPart, Close, CloseTarget, DeleteFlag, OpenCleanup, Preset


def with_old_queues(drafts: Sequence[Draft], setting: Setting) -> tuple[Draft, ...]:
    """Return the steps, with those that delete old queues behind those that delete the flag.

    They belong to the box that asks for it, which is open until the queues are gone. Only where the
    project says which queues those are, and has one broker for them to be on.
    """
    box = next((draft for draft in drafts if _asks(draft)), None)
    brokers = tuple(setting.project.brokers)
    queues = _old_queues(setting)
    if box is None or len(brokers) != 1 or not queues:
        return tuple(drafts)
    at = _behind(drafts)
    added = (
        replace(
            box,
            slug=f"delete-queue-{queue.replace('_', '-')}",
            title=f"Delete the queue {queue}",
            action=DeleteQueue(queue=queue, broker=brokers[0]),
            understood=Understood.DELETE,
            stage=drafts[at - 1].stage,
            hint="",
        )
        for queue in queues
    )
    return (*drafts[:at], *added, *drafts[at:])


def _asks(draft: Draft) -> bool:
    part = draft.action.part if isinstance(draft.action, OpenCleanup) else None
    return part is CleanupPart.OLD_QUEUES and draft.preset is Preset.OPEN


def _old_queues(setting: Setting) -> tuple[str, ...]:
    """Return the queues that nothing waits in any more, each once."""
    renames = [each for each in setting.project.renames if each.flag == setting.flag]
    new = {each.new_queue for each in renames}
    old = (each.old_queue for each in renames if each.old_queue)
    return tuple(dict.fromkeys(queue for queue in old if queue not in new))


def _behind(drafts: Sequence[Draft]) -> int:
    """Return where they come: then the code that knows no old queue runs everywhere."""
    deleted = [at for at, each in enumerate(drafts) if isinstance(each.action, DeleteFlag)]
    if deleted:
        return deleted[-1] + 1
    closed = (
        at
        for at, each in enumerate(drafts)
        if isinstance(each.action, Close) and each.action.target is CloseTarget.ROLLOUT_ISSUE
    )
    return next(closed, len(drafts))
