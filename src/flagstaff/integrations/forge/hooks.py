"""What does a webhook of a forge tell, and is it from there, new, and of now?"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flagstaff.definitions.forges import Forge, ForgeKind, IssueAddress, issue_at
from flagstaff.errors import Refused
from flagstaff.integrations.forge.answering import Marked
from flagstaff.issues import Said
from flagstaff.issues.filled_boxes import FilledBox, filled_boxes
from flagstaff.rollouts.rollout import Rollout

WINDOW: Final = timedelta(minutes=5)
"""By how much the time of a signature may differ from ours."""

OLDEST: Final = timedelta(hours=1)
"""How old the change may be that it tells of; shorter than webhooks are remembered."""

_SIGNING: Final = "whsec_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An issue was changed by `user`, its text from `before` to `after`, if that is told."""

    address: IssueAddress
    user: str
    before: str | None
    after: str | None

    def marked(self, rollout: Rollout) -> tuple[Marked, ...]:
        """Return the boxes that the user has filled with this change."""
        if self.before is None or self.after is None:
            return ()
        known = {_words(each) for each in filled_boxes(self.before, rollout)}
        made = (each for each in filled_boxes(self.after, rollout) if _words(each) not in known)
        return tuple(Marked(box=each, user=self.user) for each in made)


class Hooks:
    """Knows the secret of one forge's webhooks.

    Args:
        forge: which forge.
        secret: what its webhooks show, or are signed with.
        first_seen: whether something signed comes for the first time.
        now: the real time.
    """

    def __init__(
        self,
        forge: Forge,
        secret: str,
        first_seen: Callable[[str], bool],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._forge = forge
        self._secret = secret
        self._first_seen = first_seen
        self._now = now

    def hear(self, headers: Mapping[str, str], body: bytes) -> Heard | None:
        """Return what a webhook tells, `None` where it is about something else.

        Raises:
            Refused: it is forged, old, or was here before.
            ValueError: it is not what the forge sends.
        """
        gitlab = self._forge.kind is ForgeKind.GITLAB
        signed = self._gitlab(headers, body) if gitlab else self._github(headers, body)
        told = json.loads(body)
        if not isinstance(told, dict):
            raise ValueError("it is no JSON object")  # noqa: TRY004 it is the value that is wrong
        heard, changed = self._gitlab_told(told) if gitlab else self._github_told(headers, told)
        if heard is None:
            return None
        if changed is not None and abs(self._now() - changed) > OLDEST:
            raise Refused("what it tells of is too old", hint="set this machine's clock, if not")
        if not self._first_seen(f"{self._forge.name}\n{signed}"):
            raise Refused("it was here before")
        return heard

    def _gitlab(self, headers: Mapping[str, str], body: bytes) -> str:
        """Check GitLab's signature or, where there is none, its secret token."""
        given = headers.get("webhook-signature", "")
        if given or self._secret.startswith(_SIGNING):
            return self._signed(headers, body, given)
        shown = headers.get("x-gitlab-token", "")
        if not hmac.compare_digest(shown.encode(), self._secret.encode()):
            raise Refused("its token is not ours")
        return hashlib.sha256(body).hexdigest()

    def _signed(self, headers: Mapping[str, str], body: bytes, given: str) -> str:
        name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 20):  # noqa: PLR2004
            raise Refused("it is not signed as GitLab signs")
        text = f"{name}.{stamp}.".encode() + body
        wanted = b64(hmac.digest(signing_key(self._secret), text, "sha256"))
        signatures = [each.removeprefix("v1,") for each in given.split() if each.startswith("v1,")]
        if not any(hmac.compare_digest(each.encode(), wanted.encode()) for each in signatures):
            raise Refused("its signature is not GitLab's")
        if abs(self._now() - datetime.fromtimestamp(int(stamp), UTC)) > WINDOW:
            raise Refused("it is too old", hint="set this machine's clock, if it is not")
        return wanted

    def _github(self, headers: Mapping[str, str], body: bytes) -> str:
        given = headers.get("x-hub-signature-256", "")
        wanted = "sha256=" + hmac.digest(self._secret.encode(), body, "sha256").hex()
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise Refused("its signature is not GitHub's")
        return wanted

    def _gitlab_told(self, told: Mapping[str, Any]) -> tuple[Heard | None, datetime | None]:
        if told.get("object_kind") not in {"issue", "work_item"}:
            return None, None
        about, user = _part(told, "object_attributes"), _part(told, "user")
        description = _part(told, "changes").get("description")
        changed = description if isinstance(description, dict) else {}
        heard = self._of(
            about.get("url"), user.get("username"), changed.get("previous"), changed.get("current")
        )
        return heard, _moment(about.get("updated_at"))

    def _github_told(
        self, headers: Mapping[str, str], told: Mapping[str, Any]
    ) -> tuple[Heard | None, datetime | None]:
        if headers.get("x-github-event") != "issues":
            return None, None
        about, sender = _part(told, "issue"), _part(told, "sender")
        before = _part(_part(told, "changes"), "body").get("from")
        after = about.get("body") if before is not None else None
        heard = self._of(about.get("html_url"), sender.get("login"), before, after)
        return heard, _moment(about.get("updated_at"))

    def _of(self, url: object, user: object, before: object, after: object) -> Heard | None:
        address = issue_at(str(url), (self._forge,)) if isinstance(url, str) else None
        if address is None:
            return None
        return Heard(
            address=address,
            user=user if isinstance(user, str) else "",
            before=before if isinstance(before, str) else None,
            after=after if isinstance(after, str) else None,
        )


def signing_key(secret: str) -> bytes:
    """Return the key of a signing token; a text that is none is a key as it stands."""
    with suppress(binascii.Error, ValueError):
        if secret.startswith(_SIGNING):
            return base64.b64decode(secret.removeprefix(_SIGNING), validate=True)
    return secret.encode()


def b64(data: bytes) -> str:
    """Return bytes as the text of a signature."""
    return base64.b64encode(data).decode()


def _part(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name)
    return found if isinstance(found, dict) else {}


def _words(box: FilledBox) -> frozenset[tuple[str, Said, str]]:
    return frozenset((each.step, each.said, each.reason) for each in box.answers)


def _moment(text: object) -> datetime | None:
    """Return a time as forges write it: ISO, or `2026-03-02 09:00:00 UTC`."""
    if not isinstance(text, str):
        return None
    with suppress(ValueError):
        found = datetime.fromisoformat(text.removesuffix(" UTC"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
