"""Why did the server refuse, in words that name the place and the remedy?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import urllib3

_MOST = 16_384
_SHOWN = 300


def server_words(response: urllib3.BaseHTTPResponse) -> str:
    """Return what the server says about it, behind a colon; empty if it says nothing to read."""
    import urllib3  # noqa: PLC0415 - `import flagstaff` loads no third-party module

    try:
        found = json.loads(response.read(_MOST, decode_content=True))
    except (urllib3.exceptions.HTTPError, OSError, ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    said = [_one_line(found.get(name)) for name in ("detail", "hint")]
    words = "; ".join(filter(None, said))
    return f": {words}" if words else ""


def token_words(place: str, token: str, file: Path | None) -> str:
    """Return what is the matter with the token that the server does not know."""
    if file is not None:
        wrong = "is wrong, has expired or was revoked" if token else "is missing: the file is empty"
        return f"{place} refuses the token (401): the token in {file.absolute()} {wrong}"
    if token:
        return f"{place} refuses the token (401): it knows no such token, or not any more"
    return (
        f"{place} wants a token (401), and no token was given: "
        "give token_file, or set FLAGSTAFF_TOKEN_FILE"
    )


def _one_line(said: object) -> str:
    if not isinstance(said, str):
        return ""
    words = " ".join(said.split())
    shown = words if len(words) <= _SHOWN else words[: _SHOWN - 1] + "…"
    return "".join(each for each in shown if each.isprintable())
