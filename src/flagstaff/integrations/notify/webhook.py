"""How is an announcement posted where people read it?"""

from __future__ import annotations

import httpx2

from flagstaff.errors import Refused, Unavailable
from flagstaff.rollouts.effect import Post

TIMEOUT = 10.0
"""Seconds; far below the time after which a try counts as lost."""

TOO_MANY_REQUESTS = 429


def post(url: str, announcement: Post) -> None:
    """Post to every channel, as the JSON that incoming chat webhooks take.

    Each request carries an `Idempotency-Key`, so that a repeated one is not shown twice by a
    receiver that looks.

    Raises:
        Unavailable: nobody answers, or the answer is "later".
        Refused: the receiver will never take it.
    """
    with httpx2.Client(timeout=TIMEOUT) as client:
        for channel in announcement.channels:
            body = {"channel": channel, "text": announcement.text}
            key = f"{announcement.key}/{channel}"
            try:
                answer = client.post(url, json=body, headers={"Idempotency-Key": key})
            except httpx2.HTTPError as exc:
                raise Unavailable(f"the chat webhook does not answer: {exc}") from exc
            _check(answer)


def _check(answer: httpx2.Response) -> None:
    code = answer.status_code
    if code == TOO_MANY_REQUESTS or answer.is_server_error:
        raise Unavailable(f"the chat webhook answers {code}")
    if not answer.is_success:
        raise Refused(
            f"the chat webhook refuses the announcement with {code}",
            hint="look at `notify: webhook:` in flagstaff.yml, then: flagstaff rollout retry ID",
        )
