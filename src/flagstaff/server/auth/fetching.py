"""What does the issuer answer? A little JSON, and soon, or nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx2

from flagstaff.errors import Unavailable

PATIENCE = 10.0
"""Seconds for a whole answer; somebody waits before a browser."""

LONGEST = 1_048_576
"""Bytes of an answer."""

HINT = "try again in a moment; a password lets you in meanwhile"


def fetch(
    what: str,
    method: str,
    url: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON object of an answer; redirects are not followed.

    Args:
        what: whom we ask, for error messages. Those name no address: it may hold a secret.
        method: GET or POST.
        url: the address.
        form: what is sent.
        headers: what is sent along.

    Raises:
        Unavailable: there is no answer, or none that is a JSON object.
    """
    deadline = time.monotonic() + PATIENCE
    body = bytearray()
    try:
        with (
            httpx2.Client(timeout=PATIENCE, follow_redirects=False) as client,
            client.stream(
                method, url, data=form, headers={"accept": "application/json", **(headers or {})}
            ) as answer,
        ):
            for part in answer.iter_bytes():
                body += part
                if len(body) > LONGEST or time.monotonic() > deadline:
                    raise Unavailable(f"{what} does not come to an end of its answer", hint=HINT)
    except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
        slow = isinstance(exc, httpx2.TimeoutException)
        why = "it took too long" if slow else type(exc).__name__
        raise Unavailable(f"{what} does not answer: {why}", hint=HINT) from exc
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable(
            f"{what} answers {answer.status_code}, and not with a JSON object", hint=HINT
        )
    return answer.status_code, found
