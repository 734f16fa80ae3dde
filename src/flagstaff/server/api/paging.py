"""How is a long list read, a page at a time?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Response

from flagstaff.commands.model import HIGHEST

T = TypeVar("T")

MOST = 1_000
USUAL = 200

Limit = Annotated[int, Query(ge=1, le=MOST, description="At most so many.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What part of a list is wanted."""

    limit: int
    request: Request
    response: Response

    @property
    def one_more(self) -> int:
        """Return how many to ask for, to know whether there are more."""
        return self.limit + 1

    def of(self, found: Sequence[T], key: Callable[[T], object]) -> Sequence[T]:
        """Return the page, and name the next one in the header `Link` if there is one."""
        shown = found[: self.limit]
        if len(found) > self.limit:
            url = self.request.url.include_query_params(after=key(shown[-1]), limit=self.limit)
            self.response.headers["link"] = f'<{url.path}?{url.query}>; rel="next"'
        return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedPage(Page):
    """A page of things with numbers, the newest first; `after` is the last one seen."""

    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPage(Page):
    """A page of things with names, in their order; `after` is the last one seen."""

    after: str


def _numbered(
    request: Request,
    response: Response,
    limit: Limit = USUAL,
    after: Annotated[
        int | None,
        Query(ge=1, le=HIGHEST, description="Go on after this number; `Link` names the next page."),
    ] = None,
) -> NumberedPage:
    return NumberedPage(limit=limit, after=after, request=request, response=response)


def _named(
    request: Request,
    response: Response,
    limit: Limit = USUAL,
    after: Annotated[
        str, Query(max_length=255, description="Go on after this name; `Link` names the next page.")
    ] = "",
) -> NamedPage:
    return NamedPage(limit=limit, after=after, request=request, response=response)


Numbered = Annotated[NumberedPage, Depends(_numbered)]
Named = Annotated[NamedPage, Depends(_named)]
