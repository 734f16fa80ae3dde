"""As what is a step in words, without a command, understood?"""

from __future__ import annotations

import re
from datetime import timedelta

from flagstaff.definitions.duration import format_duration
from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.prose import is_by_calendar
from flagstaff.issues.wording import duration_in, headline, plain
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
    AskPerson,
    Bake,
    CleanupPart,
    Close,
    CloseTarget,
    OpenCleanup,
    Summary,
)

_LEADING = re.compile(
    r"(?:\(?\s*optional(?:ly)?\)?[:,]?|(?:if|when|once) [^,]*,|then,?|please|also|and)\s+",
    re.IGNORECASE,
)
_WAIT = re.compile(r"wait\b|let it (?:run|bake|soak)|bake\b|soak\b", re.IGNORECASE)
_HOLDS = re.compile(r"\b(?:wait|hold|pause|leave|bake|soak)")
_LEAST = re.compile(r"\bat least\b")
_BETWEEN = re.compile(r"\bbetween\b|\b(?:each|every) (?:step|increase|increment|change|percent)")
_TERM = re.compile(r"verification (?:term|period)")
_SAYS_YES = re.compile(
    r"(?:ensure|make sure|verify|check|confirm|validate|test|review|consider|observe|monitor"
    r"|double[ -]check|watch|look)\b"
)
_TELL = re.compile(
    r"(?:announce|notify|inform|cross-?\s?post|tell|let .* know|comment on"
    r"|post (?:a|an|the|to|in)\b|leave a (?:comment|note)|add a comment|write a comment|send)"
)
_CLOSE = re.compile(r"close (?:the|this|that)\b[^.]*\bissue|close this$")
_CLOSE_ROLLOUT = re.compile(r"close (?:this|(?:the|that) (?:feature flag )?roll ?out)\b")
_PARTS = (
    (CleanupPart.OLD_QUEUES, re.compile(r"\b(?:remove|delete|drop)\b.*\bqueues?\b")),
    (
        CleanupPart.OLD_JOBS,
        re.compile(r"\b(?:remove|delete|drop)\b.*\bold\b.*\b(?:workers?|jobs?|tasks?|classes)\b"),
    ),
    (CleanupPart.DEFINITION, re.compile(r"\b(?:remove|delete)\b.*\b(?:yaml|yml|definitions?)\b")),
    (CleanupPart.REFERENCES, re.compile(r"\b(?:remove|delete)\b.*\b(?:references?|usages?)\b")),
    (CleanupPart.CHANGELOG, re.compile(r"\b(?:add|create|write|include)\b.*\bchangelog\b")),
)
_FROM_CODE = re.compile(
    r"(?:remove|delete|drop|take|strip|clean up)\b.*\bflags?\b.*\b(?:from|out of)"
    r" (?:the |our )?(?:source |application(?:'s)? )?(?:code|code ?base|repository|repo|sources?)\b"
    r"|clean up (?:the )?(?:(?:feature )?flag|code)(?: in (?:the )?code)?$"
)
_REQUEST = re.compile(r"\b(?:merge request|pull request|mr|pr)\b")
_REMOVES = re.compile(r"\b(?:remov|delet|clean)")


def is_cleanup_request(text: str) -> bool:
    """Return whether the item asks for the request that removes the flag."""
    words = _words(text)
    if _SAYS_YES.match(words):
        return False
    return bool(_REQUEST.search(words) and _REMOVES.search(words))


def wait_between_rungs(text: str) -> timedelta | None:
    """Return the wait that the text demands between the steps of a ramp, if it does."""
    words = plain(text).lower()
    # "Make sure that somebody is around for at least two hours" has a person wait, not the rollout.
    holds = _HOLDS.search(words) or (_LEAST.search(words) and not _SAYS_YES.match(words))
    if holds and _BETWEEN.search(words):
        return duration_in(words)
    return None


def recognise(text: str, *, term: timedelta, below_cleanup: bool) -> Draft:
    """Return what a step's own words ask for; what is not understood is left to a person.

    Args:
        text: The item's text as Markdown.
        term: The configured verification term.
        below_cleanup: The item belongs to the request that removes the flag.
    """
    words, title = _words(text), headline(text)
    if below_cleanup and (part := _part(words)):
        return cleanup(part, title)
    if wait := _wait(words, title, term):
        return wait
    if _SAYS_YES.match(words):
        return _step(Approve(), Understood.APPROVAL, title)
    if _TELL.match(words):
        return _step(Announce(channels=(), text=""), Understood.ANNOUNCEMENT, title)
    if _CLOSE.match(words):
        return _close(words, title)
    if _FROM_CODE.match(words.strip(" .:!")):
        return cleanup(CleanupPart.REFERENCES, title)
    return _step(AskPerson(), Understood.PERSON, title)


def cleanup(part: CleanupPart, title: str) -> Draft:
    """Return the step that opens the cleanup and verifies one part of it."""
    return Draft(
        slug=f"cleanup-{part.value.replace('_', '-')}",
        title=title,
        action=OpenCleanup(part=part),
        understood=Understood.MERGE_REQUEST,
    )


def _words(text: str) -> str:
    words = plain(text).lower()
    while found := _LEADING.match(words):
        words = words[found.end() :]
    return words


def _part(words: str) -> CleanupPart | None:
    return next((part for part, pattern in _PARTS if pattern.search(words)), None)


def _wait(words: str, title: str, term: timedelta) -> Draft | None:
    if wait_between_rungs(words) is not None:
        return _step(Summary(), Understood.WAIT, title)
    if not _WAIT.match(words) or is_by_calendar(words):
        return None
    length = duration_in(words)
    if _TERM.search(words):
        length = max(length or term, term)
        return Draft(
            slug="verification-term",
            title=f"Wait {format_duration(length)} for the verification term",
            action=Bake(duration=length),
            understood=Understood.WAIT,
        )
    if length is None:
        return None
    return Draft(
        slug=f"wait-{format_duration(length)}".replace(" ", "-"),
        title=title,
        action=Bake(duration=length),
        understood=Understood.WAIT,
    )


def _close(words: str, title: str) -> Draft:
    rollout = _CLOSE_ROLLOUT.match(words) is not None
    target = CloseTarget.ROLLOUT_ISSUE if rollout else CloseTarget.FEATURE_ISSUE
    return Draft(
        slug=f"close-{target.value.replace('_', '-')}",
        title=title,
        action=Close(target=target),
        understood=Understood.CLOSE,
    )


def _step(action: Approve | AskPerson | Announce | Summary, kind: Understood, title: str) -> Draft:
    return Draft(slug="", title=title, action=action, understood=kind)
