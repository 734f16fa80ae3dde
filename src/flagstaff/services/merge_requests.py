"""Which commit is a merge request, as the forge says, and has it been merged at all?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flagstaff.errors import NotFound, Unavailable, UsageError
from flagstaff.rollouts.event import Answer
from flagstaff.services.unit import Unit

_ADDRESS = re.compile(
    r"https?://[^/\s]+/[^\s?#]+?/(?:(?:-/)?merge_requests|pull)/[0-9]{1,12}(?:[/?#]\S*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """What is known of a request.

    Attributes:
        answer: the whole answer, where there is nothing more to ask.
        commit: what brought it to its branch; empty where git has to find that.
        note: what a person should know about the answer.
    """

    answer: Answer | None = None
    commit: str = ""
    note: str = ""


def look_up(unit: Unit, request: str) -> LookedUp:
    """Return what the forge says of a request; without one, or with it silent, git has to say.

    Raises:
        UsageError: the address is none of a merge request, or of one elsewhere.
        NotFound: the forge, or the repository, does not know it.
        Refused: the forge does not let us look.
    """
    if "://" in request and not _ADDRESS.fullmatch(request):
        raise UsageError(
            f"{request[:200]} is not the address of a merge request",
            hint="they look like https://gitlab.com/group/project/-/merge_requests/7",
        )
    if unit.context.requests is None:
        return LookedUp()
    try:
        found = unit.context.requests.find(request)
    except Unavailable as error:
        return LookedUp(note=f"({error.message}; this is what git alone says)")
    if found is None:
        return LookedUp()
    if not found.commit:
        what = "was closed without being merged" if found.state == "closed" else "is not merged yet"
        return LookedUp(answer=Answer(yes=False, text=f"{found.name} {what}: {found.title}"))
    if unit.context.history.find(found.commit) is None:
        raise NotFound(
            f"{found.name} was merged as {found.commit[:12]}, which the repository here does not "
            "have yet",
            hint="run `git fetch --tags` there, then ask again",
        )
    return LookedUp(commit=found.commit)
