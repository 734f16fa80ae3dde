"""Does the address of a request ask for something that its route does not know?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fastapi import Request
from fastapi.dependencies.models import Dependant

from flagstaff.definitions.problems import nearest
from flagstaff.errors import UsageError


async def no_unknown_parameter(request: Request) -> None:
    """Refuse what would be passed over: `?dryrun=true` would do what was only to be tried.

    Raises:
        UsageError: a parameter of the query has a name that the route does not know.
    """
    if not request.query_params:
        return
    known = sorted(set(_names(request.scope["route"].dependant)))
    unknown = sorted(set(request.query_params) - set(known))
    if not unknown:
        return
    word = unknown[0][:100]
    near = nearest(word, known) or _same_letters(word, known)
    if near:
        hint = f"did you mean {near}?"
    elif known:
        hint = f"there are: {', '.join(known)}"
    else:
        hint = "leave it out: this address takes none"
    raise UsageError(f"unknown parameter {word}", hint=hint)


def _same_letters(word: str, known: Sequence[str]) -> str:
    return next((each for each in known if _letters(each) == _letters(word)), "")


def _letters(word: str) -> str:
    return "".join(filter(str.isalnum, word)).lower()


def _names(dependant: Dependant) -> Iterator[str]:
    for each in dependant.query_params:
        yield each.alias
    for below in dependant.dependencies:
        yield from _names(below)
