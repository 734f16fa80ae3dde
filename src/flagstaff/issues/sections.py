"""What is a section of an issue about, going by its headings?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum


class Section(StrEnum):
    """Steps are done, information is read, and a rollback is never done by itself."""

    STEPS = "steps"
    INFORMATION = "information"
    ROLLBACK = "rollback"


_ROLLBACK = re.compile(r"\broll(?:ing|ed)?[ -]?back\b", re.IGNORECASE)
_INFORMATION = re.compile(
    r"(?:the )?(?:feature$|summary|owners?\b|stakeholders?|expectations?|what\b|when\b|why\b|how\b"
    r"|which\b|references?|links?\b|related|events?\b|visuali|dashboards?|testing groups?|context"
    r"|background|description|notes?$|roll[ -]?out plan:?$|status updates?|discussion)",
    re.IGNORECASE,
)
_STEPS = re.compile(
    r"roll(?:ing)?[ -]?out|release|clean[ -]?up|prepar|\bsteps?\b|production|staging|enabl|global"
    r"|checklist|deploy|remov",
    re.IGNORECASE,
)
_OPTIONAL = re.compile(r"\boptional\b", re.IGNORECASE)


def section_of(headings: Sequence[str], inherited: Section = Section.STEPS) -> Section:
    """Return what the text below `headings`, outermost first, is about.

    A heading that says nothing leaves the answer to the one above it, at last to `inherited`.
    """
    found = inherited
    for heading in headings:
        words = heading.strip().strip("*_: ")
        if _ROLLBACK.search(words):
            return Section.ROLLBACK
        if _INFORMATION.match(words):
            found = Section.INFORMATION
        elif _STEPS.search(words):
            found = Section.STEPS
    return found


def is_optional(headings: Sequence[str]) -> bool:
    """Return whether the section leaves it to the team."""
    return any(_OPTIONAL.search(heading) for heading in headings)
