"""How is an announcement posted where people read it?"""

from __future__ import annotations

from urllib.parse import quote

import httpx2

from flagstaff.errors import Refused, Unavailable
from flagstaff.rollouts.effect import Post

TIMEOUT = 10.0
"""Seconds; far below the time after which a try counts as lost."""

HINT = "look at `notify: webhook:` in flagstaff.yml, then: flagstaff rollout retry ID"

LATER = {408, 425, 429}
"""Refusals that mean "not now"."""


def post(url: str, announcement: Post) -> None:
    """Post to every channel, as the JSON that incoming chat webhooks take.

    Each request carries an `Idempotency-Key`, so that a repeated one is not shown twice by a
    receiver that looks. When one channel of several fails, a retry posts to all of them again.

    Raises:
        Unavailable: nobody answers, or the answer is "later".
        Refused: the receiver will never take it.
    """
    with httpx2.Client(timeout=TIMEOUT) as client:
        for channel in announcement.channels:
            body = {"channel": channel, "text": announcement.text}
            key = quote(f"{announcement.key}/{channel}")
            try:
                answer = client.post(url, json=body, headers={"Idempotency-Key": key})
            except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as exc:
                # Its address is a secret, so the message does not repeat it.
                raise Refused("the chat webhook has no usable address", hint=HINT) from exc
            except httpx2.HTTPError as exc:
                why = str(exc) or type(exc).__name__
                raise Unavailable(f"the chat webhook does not answer: {why}") from exc
            _check(answer)


def _check(answer: httpx2.Response) -> None:
    code = answer.status_code
    if code in LATER or answer.is_server_error:
        raise Unavailable(f"the chat webhook answers {code}")
    if not answer.is_success:
        raise Refused(
            f"the chat webhook refuses the announcement with {code}",
            hint=HINT,
        )
