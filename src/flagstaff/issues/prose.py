"""Which change of the flag do words ask for that stand without a command?"""

from __future__ import annotations

import re

from flagstaff.flags.change import Boolean
from flagstaff.issues.meaning import Draft, Understood
from flagstaff.issues.setting import PRODUCTION, Setting
from flagstaff.issues.wording import headline, plain
from flagstaff.rollouts.plan import AskPerson, SetGate

_PLACES = {
    "dev": "dev",
    "development": "dev",
    "staging": "staging",
    "gstg": "staging",
    "staging-ref": "staging-ref",
    "gstg-ref": "staging-ref",
    "pre": "pre",
    "preprod": "pre",
    "pre-production": "pre",
    "ops": "ops",
    "production": PRODUCTION,
    "prod": PRODUCTION,
    "gprd": PRODUCTION,
    "gitlab.com": PRODUCTION,
}
_NOT_PRODUCTION = re.compile(r"(?:all )?(?:the )?non-?\s?prod(?:uction)?")
_ENABLE = re.compile(
    r"(?:please )?(?:enable|turn on|switch on|activate)"
    r"(?P<what>(?: (?!in |on |for )[\w:.'-]+){0,5}?)(?: globally)? (?:in|on|for) (?P<where>.+)"
)
_TURN = re.compile(
    r"(?:please )?(?:turn|switch)(?P<what>(?: [\w:.'-]+){1,5}?) on (?:in|on) (?P<where>.+)"
)
_CALENDAR = re.compile(
    r"\b(?:wait|let|leave|keep|hold|pause)\b.*\b(?:weekend|overnight|tomorrow|until"
    r"|(?:working|business) days?|few (?:days|hours|minutes)"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
)
_SHARE = re.compile(
    r"(?:production|prod|go|ramp|raise|open)?\b[ :]*(?:it )?(?:to )?([0-9]{1,3}) ?%"
)
_DELETE = re.compile(r"(?:delete|remove) (?:the )?(?:feature )?flag (?:from|in|on)\b")

IN_PRODUCTION = (
    "a change in production is made by a command only: write `/chatops run feature set {flag} "
    "\u2026` beside it, or make it and tick the box"
)
BY_COMMAND = (
    "a percentage is set by a command only: write `/chatops run feature set {flag} {share} "
    "--actors` beside it, or set it and tick the box"
)
BY_CALENDAR = (
    "this wait goes by the calendar: tick the box when it is over, or write a length such as "
    "`3 days`"
)
DELETING = "write `/chatops run feature delete {flag} …` beside it to have it done"
BY_HAND = "do it, then tick the box; or write a command beside it to have it done"


def step_in_words(text: str, setting: Setting) -> Draft | None:
    """Return the step of words that ask to turn the flag on where nobody is hurt.

    In production a change needs a command: whoever writes "enable it on production" may mean
    anything from one project to everyone.
    """
    words = plain(text).lower().strip().rstrip(".:! ")
    found = _ENABLE.fullmatch(words) or _TURN.fullmatch(words)
    environments = _environments(found["where"], setting) if found else ()
    if found is None or not environments or not _about(found["what"], setting.flag):
        return None
    if PRODUCTION in environments:
        return Draft(
            slug="",
            title=headline(text),
            action=AskPerson(),
            understood=Understood.PERSON,
            hint=IN_PRODUCTION.format(flag=setting.flag),
        )
    place = environments[0] if len(environments) == 1 else "non-production"
    return Draft(
        slug=f"set-{place}",
        title=f"Set {setting.flag} to true in {', '.join(environments)}",
        action=SetGate(environments=environments, change=Boolean(value=True)),
        understood=Understood.WORDS,
    )


def hint_for(text: str, flag: str) -> str:
    """Return what somebody can do about an item that is left to a person."""
    words = plain(text).lower()
    if _CALENDAR.search(words):
        return BY_CALENDAR
    if share := _SHARE.match(words):
        return BY_COMMAND.format(flag=flag, share=share[1])
    return DELETING.format(flag=flag) if _DELETE.match(words) else BY_HAND


def is_by_calendar(text: str) -> bool:
    """Return whether the text asks for a wait that no length of time says."""
    return _CALENDAR.search(plain(text).lower()) is not None


def _about(what: str, flag: str) -> bool:
    """Return whether the words name this flag as a whole and nothing that is only a part of it."""
    known = {"the", "this", "feature", "flag", "it", "code", flag.lower()}
    return all(word.strip(":'") in known for word in what.split())


def _environments(where: str, setting: Setting) -> tuple[str, ...]:
    """Return the environments that `where` lists, none when it says anything else too."""
    words = re.sub(r"\benvironments?\b|\bthe\b|\bour\b", " ", where)
    names = [name.strip() for name in re.split(r",|\band\b|&|\+|/", words)]
    found: dict[str, None] = {}
    for name in names:
        if not name:
            continue
        if _NOT_PRODUCTION.fullmatch(name):
            found |= dict.fromkeys(setting.testing)
        elif _PLACES.get(name) in setting.project.environments:
            found[_PLACES[name]] = None
        else:
            return ()
    return tuple(name for name in setting.project.environments if name in found)
