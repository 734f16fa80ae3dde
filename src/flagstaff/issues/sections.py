"""What is a section of an issue about, going by its headings?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum


class Section(StrEnum):
    """Steps are done, information is read, and a rollback is never done by itself.

    What is `CLOSING` says no word of a rollback, and still can be nothing else.
    """

    STEPS = "steps"
    INFORMATION = "information"
    ROLLBACK = "rollback"
    CLOSING = "closing"

    @property
    def undoes(self) -> bool:
        """Return whether what stands here is how the rollout is undone."""
        return self in {Section.ROLLBACK, Section.CLOSING}


_ROLLBACK = re.compile(r"\broll(?:ing|ed)?[ -]?back\b", re.IGNORECASE)
_IT = r"(?:it|(?:the |this )?(?:(?:feature )?flag|feature|change)|everything)"
_OFF = r"(?:disabl|deactivat|stop)(?:e|ing)?"
_GOES_WRONG = (
    r"wrong|fail|break|broke|problem|trouble|issues\b|error|incident|emergenc|unexpected|worse"
    r"|regress|outage|alert|bad(?:ly)?\b|disaster|fire\b|degrad"
)
_LEADS = r"how|what|steps?|ways?|commands?|instructions?|procedure|plan|things"
_CASE = r"(?:if|when(?:ever)?|in (?:the )?(?:case|event)(?: of)?)\b"
_UNDOES = re.compile(
    rf"(?:the |our |an? )?(?:(?:(?:{_LEADS})(?: to| for)?(?: do)?|to)\s+)*(?:"
    rf"{_CASE}(?!.*\b(?:no|not|nothing|without)\b).*\b(?:{_GOES_WRONG})"
    r"|in case of\b|just in case\b|(?:in an |for |on )?emergenc(?:y|ies)\b(?! contact)"
    r"|in an incident|incident|contingenc|kill[ -]?switch|fall[ -]?back\b|panic|break[ -]glass"
    r"|escape hatch|plan b\b|back(?:ing)?[ -]?(?:it[ -])?out\b|undo(?:ing)?\b|revert(?:ing)?\b"
    r"|rever(?:sal|se|sing)\b|abort(?:ing)?\b|disaster|trouble[ -]?shoot|recover(?:y|ing)\b"
    r"|(?:stop|failure) (?:criteria|conditions?|plan|scenarios?)"
    rf"|{_OFF} {_IT}(?: again| quickly| in production)?$"
    rf"|(?:turn|switch)(?:ing)? (?:off {_IT}|{_IT} (?:back )?off)"
    r"(?: again| quickly| in production)?$)",
    re.IGNORECASE,
)
"""How to undo it in other words: from the beginning of a heading, since titles name features."""
_INFORMATION = re.compile(
    r"(?:the )?(?:feature$|summary|owners?\b|stakeholders?|expectations?|what\b|when\b|why\b|how\b"
    r"|which\b|references?|links?\b|related|events?\b|visuali|dashboards?|testing groups?|context"
    r"|background|description|notes?$|roll[ -]?out plan:?$|status updates?|discussion)",
    re.IGNORECASE,
)
_TO_DO = re.compile(
    r"(?:the |our )?(?:(?:what|things) (?:(?:is|we have|we need|has|needs) )?to do\b"
    r"|what (?:we|i)(?:'ll| will|'re going to)? do\b|how (?:we|to)(?:'ll| will)? (?:roll|ramp)\b)",
    re.IGNORECASE,
)
"""What reads like a heading of information, and is none."""
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
        if _ROLLBACK.search(words) or _UNDOES.match(words):
            return Section.ROLLBACK
        if _TO_DO.match(words):
            found = Section.STEPS
        elif _INFORMATION.match(words):
            found = Section.INFORMATION
        elif _STEPS.search(words):
            found = Section.STEPS
    return found


def says_rollback(headings: Sequence[str]) -> bool:
    """Return whether a heading calls what stands below it a rollback, by this very word."""
    return any(_ROLLBACK.search(heading) for heading in headings)


def is_optional(headings: Sequence[str]) -> bool:
    """Return whether the section leaves it to the team."""
    return any(_OPTIONAL.search(heading) for heading in headings)
