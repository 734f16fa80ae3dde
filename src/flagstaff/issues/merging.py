"""What has to be added so that a rollout waits for its own cleanup, and asks about it?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.setting import Setting
from flagstaff.rollouts.plan import AwaitMerge, CheckReleased, CleanupPart, OpenCleanup, Preset

_REQUEST = re.compile(r"https?://[^\s()<>\[\]`]+/merge_requests/[0-9]+|(?<!\w)![0-9]+")


def with_merge(drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """Return the steps with the cleanup and its merge where the issue leaves them unsaid.

    Parts of a cleanup without a request above them are merged after the last of them; a release
    check of the rollout's own cleanup opens it first.
    """
    if any(isinstance(draft.action, AwaitMerge) for draft in drafts):
        return tuple(drafts)
    parts = [at for at, draft in enumerate(drafts) if _open_part(draft)]
    if parts:
        last = parts[-1]
        return (*drafts[: last + 1], _merge(drafts[last]), *drafts[last + 1 :])
    for at, draft in enumerate(drafts):
        if _asks_for_own(draft):
            first = replace(
                draft,
                slug="cleanup-references",
                title="Write the branch that removes the flag",
                action=OpenCleanup(part=CleanupPart.REFERENCES),
                understood=Understood.MERGE_REQUEST,
            )
            return (*drafts[:at], first, _merge(draft), *drafts[at:])
    return tuple(drafts)


def with_request(drafts: Sequence[Draft], setting: Setting) -> tuple[Draft, ...]:
    """Return the steps, asking for the request that people made when they did the cleanup."""
    merges = [draft for draft in drafts if isinstance(draft.action, AwaitMerge)]
    if not merges or any(draft.preset is Preset.OPEN for draft in merges):
        return tuple(drafts)
    named = next((found[0] for each in merges if (found := _REQUEST.search(each.anchor))), "")
    steps = []
    for draft in drafts:
        if isinstance(draft.action, CheckReleased) and _asks_for_own(draft):
            if not named:
                setting.problem(
                    draft.line,
                    "the cleanup is marked as dealt with, but the issue does not say where",
                    "give `--set merge-request-url=URL`, or write the request beside its box",
                )
            title = f"Check that {named} is in {draft.action.version or 'a release'}"
            asked = replace(draft.action, request=named)
            steps.append(replace(draft, title=title, action=asked))
        else:
            steps.append(draft)
    return tuple(steps)


def _merge(beside: Draft) -> Draft:
    return replace(
        beside,
        slug="merge",
        title="Merge the cleanup",
        action=AwaitMerge(),
        understood=Understood.MERGE_REQUEST,
        reason="",
    )


def _open_part(draft: Draft) -> bool:
    return isinstance(draft.action, OpenCleanup) and draft.preset is Preset.OPEN


def _asks_for_own(draft: Draft) -> bool:
    own = isinstance(draft.action, CheckReleased) and not draft.action.request
    return own and draft.preset is Preset.OPEN
