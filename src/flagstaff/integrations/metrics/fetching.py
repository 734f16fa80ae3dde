"""What does a metric source answer? JSON, soon and not too much of it, or nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2

from flagstaff.errors import Unavailable

LONGEST = 8 * 1_048_576
"""Bytes of an answer."""

UNREAD = 400
"""Characters of a text that are worth repeating."""

TOO_MANY = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The status, the headers and the JSON of an answer, whatever the JSON is."""

    status: int
    headers: Mapping[str, str]
    body: Any


def fetch(
    what: str,
    url: str,
    *,
    timeout: timedelta,
    token: str = "",
    form: Mapping[str, str] | None = None,
) -> Answer:
    """Return what `url` answers; asked by POST when there is a `form`.

    Redirects are not followed: they could lead to places that nobody declared.

    Args:
        what: who is asked, for messages; those name no address, as it may hold a secret.
        url: the address.
        timeout: for the whole answer.
        token: sent as a bearer token, if there is one.
        form: what is sent.

    Raises:
        Unavailable: there is no answer, or none that is JSON.
    """
    seconds = timeout.total_seconds()
    deadline = time.monotonic() + seconds
    headers = {"accept": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    body = bytearray()
    try:
        with (
            httpx2.Client(timeout=seconds, follow_redirects=False) as client,
            client.stream("POST" if form else "GET", url, data=form, headers=headers) as answer,
        ):
            for part in answer.iter_bytes():
                body += part
                if len(body) > LONGEST:
                    raise Unavailable(f"{what} answers more than {LONGEST // 1_048_576} MiB")
                if time.monotonic() > deadline:
                    raise Unavailable(f"{what} took longer than {seconds:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
        slow = isinstance(exc, httpx2.TimeoutException)
        why = f"it took longer than {seconds:g} s" if slow else _reason(exc)
        raise Unavailable(f"{what} does not answer: {why}") from exc
    if answer.is_redirect:
        raise Unavailable(
            f"{what} answers {answer.status_code} and sends us elsewhere",
            hint="write the last address into flagstaff.yml: redirects are not followed",
        )
    return Answer(
        status=answer.status_code,
        headers=answer.headers,
        body=_json(what, answer.status_code, bytes(body)),
    )


def _reason(exc: BaseException) -> str:
    """Return why nobody answered, without the address."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return type(exc).__name__


def secret(root: Path, file: str | None) -> str:
    """Return what a file of the project holds; it is read again each time, so it can be replaced.

    Raises:
        Unavailable: it cannot be read.
    """
    if file is None:
        return ""
    try:
        return (root / file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as exc:
        raise Unavailable(f"the secret in {file} cannot be read", hint="put it there") from exc


def _json(what: str, status: int, body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise Unavailable(f"{what} answers {status}, and not with JSON") from exc
