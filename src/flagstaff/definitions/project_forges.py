"""What does `forges:` in `flagstaff.yml` say?"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Final

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.forges import PROJECT, USUAL_POLL, Forge, ForgeKind
from flagstaff.definitions.problems import quote
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import UsageError

_KEYS: Final = (
    "kind",
    "url",
    "project",
    "token_env",
    "token_file",
    "webhook_secret_env",
    "webhook_secret_file",
    "poll",
)
_URLS: Final = {ForgeKind.GITLAB: "https://gitlab.com", ForgeKind.GITHUB: "https://github.com"}
_NAME: Final = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST: Final = timedelta(seconds=1)


def read_forges(project: Fields) -> tuple[Forge, ...]:
    """Return the forges, and note what is wrong about them."""
    fields = project.mapping("forges")
    if fields is None:
        return ()
    found = []
    for name in fields:
        one = fields.mapping(name)
        if one is None:
            continue
        if not _NAME.fullmatch(name):
            fields.problems.error(
                f"{fields.label(name)} is no name of a forge: webhooks are sent to /forges/NAME",
                line=fields.line(name),
                remedy="write small letters and digits, with single `-`, `_` or `.` between",
            )
        found.append(_forge(name, one))
    return tuple(found)


def _forge(name: str, fields: Fields) -> Forge:
    fields.unknown(_KEYS, fields.problems.error)
    usual = name if name in set(ForgeKind) else None
    word = fields.choice("kind", tuple(ForgeKind)) or usual
    if word is None and not fields.has("kind"):
        fields.problems.error(
            f"{fields.label('kind')} is missing",
            line=fields.line("kind"),
            remedy=f"write one of {', '.join(ForgeKind)}",
        )
    kind = ForgeKind(word or ForgeKind.GITLAB)
    variable = f"FLAGSTAFF_{kind.upper()}"
    token_file = fields.text("token_file")
    secret_file = fields.text("webhook_secret_file")
    return Forge(
        name=name,
        kind=kind,
        url=fields.parsed("url", _web_address) or _URLS[kind],
        project=fields.parsed("project", _project) or "",
        token_env=fields.parsed("token_env", _variable) or f"{variable}_TOKEN",
        token_file=Path(token_file) if token_file else None,
        webhook_secret_env=fields.parsed("webhook_secret_env", _variable)
        or f"{variable}_WEBHOOK_SECRET",
        webhook_secret_file=Path(secret_file) if secret_file else None,
        poll=fields.parsed("poll", _poll) or USUAL_POLL,
    )


def _web_address(text: str) -> str:
    if is_web_address(text) and "@" not in text and "?" not in text and "#" not in text:
        return text.rstrip("/")
    raise UsageError(
        f"{quote(text)} is no address of a forge",
        hint="write one such as https://gitlab.example.com, and the token elsewhere",
    )


def _project(text: str) -> str:
    if PROJECT.fullmatch(text):
        return text
    raise UsageError(f"{quote(text)} is no project", hint="write its path, such as group/project")


def _variable(text: str) -> str:
    if _VARIABLE.fullmatch(text):
        return text
    # The text itself stays out of the message: it may be the token.
    raise UsageError(
        "this is no name of an environment variable",
        hint="write the name of the variable that holds the secret, never the secret itself",
    )


def _poll(text: str) -> timedelta:
    length = parse_duration(text)
    if length < _SHORTEST:
        raise UsageError("a forge is asked once a second at most", hint="write such as 1m")
    return length
