"""What does the answer of somebody outside mean for whoever asked?"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import httpx2

from flagstaff.errors import Refused, Unavailable

TIMEOUT: Final = 10.0
"""Seconds; far below the time after which a try counts as lost."""

LATER: Final = {408, 425, 429}
"""Refusals that mean "not now"."""


@cache
def _trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def client(headers: Mapping[str, str] | None = None, timeout: float = TIMEOUT) -> httpx2.Client:
    """Return a client; reading whom to trust takes longer than asking, so that is done once."""
    return httpx2.Client(timeout=timeout, headers=dict(headers or {}), verify=_trust())


def asked(name: str, hint: str, ask: Callable[[], httpx2.Response]) -> httpx2.Response:
    """Return a good answer. Addresses may be secrets, so no message repeats one.

    Raises:
        Unavailable: nobody answers, or the answer is "later".
        Refused: the answer is a no.
    """
    try:
        answer = ask()
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as exc:
        raise Refused(f"{name} has no usable address", hint=hint) from exc
    except httpx2.HTTPError as exc:
        why = str(exc) or type(exc).__name__
        raise Unavailable(f"{name} does not answer: {why}") from exc
    if answer.status_code in LATER or answer.is_server_error:
        raise Unavailable(f"{name} answers {answer.status_code}")
    if not answer.is_success:
        raise Refused(f"{name} refuses it with {answer.status_code}", hint=hint)
    return answer


def json_of(name: str, answer: httpx2.Response) -> Any:
    """Return what an answer holds.

    Raises:
        Unavailable: that is no JSON, as when a proxy answers in its place.
    """
    try:
        return answer.json()
    except ValueError as exc:
        raise Unavailable(f"{name} answers with something that is no JSON") from exc
