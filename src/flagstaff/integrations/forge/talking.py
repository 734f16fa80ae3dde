"""How is something said on an issue once, and kept as it should read, whatever happens meanwhile?

A comment ends with a mark. Where it is, is remembered after it was made; a process that ended in
between finds it by the mark, so nothing is said twice.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from flagstaff.definitions.forges import IssueAddress
from flagstaff.errors import NotFound
from flagstaff.integrations.forge.port import IssueClient
from flagstaff.services import forge_issues
from flagstaff.services.person import ENGINE
from flagstaff.services.services import Services


class Talking:
    """What Flagstaff says on issues."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def keep(self, client: IssueClient, address: IssueAddress, key: str, text: str) -> None:
        """Let the comment about `key` read like this; if it does already, nothing is sent.

        One that a person has deleted stays away.
        """
        digest = forge_issues.digest_of(text)
        known = self._services.ask(partial(forge_issues.noted, key=key), ENGINE)
        if known is not None and known.digest == digest:
            return
        mark = f"<!-- flagstaff: {key} -->"
        body = f"{text}\n\n{mark}"
        comment = known.note if known is not None else self._find(client, address, mark)
        if comment:
            with suppress(NotFound):  # a person has deleted it
                client.edit_comment(address.project, address.number, comment, body)
        else:
            comment = client.add_comment(address.project, address.number, body)
        self.remember(key, address, comment=comment, digest=digest)

    def say_once(self, client: IssueClient, address: IssueAddress, key: str, text: str) -> None:
        """Say something about `key` unless it was said."""
        if not self.was_done(key):
            self.keep(client, address, key, text)

    def was_done(self, key: str, digest: str = "") -> bool:
        """Return whether it is remembered, and as `digest` where that is given."""
        known = self._services.ask(partial(forge_issues.noted, key=key), ENGINE)
        return known is not None and (not digest or known.digest == digest)

    def remembered(self, key: str) -> str:
        """Return the digest that is remembered of something, empty when nothing is."""
        known = self._services.ask(partial(forge_issues.noted, key=key), ENGINE)
        return known.digest if known is not None else ""

    def remember(
        self, key: str, address: IssueAddress, *, comment: str = "", digest: str = ""
    ) -> None:
        """Remember that something was done."""
        with self._services.unit(ENGINE, write=True) as unit:
            forge_issues.note(unit, key, address.url, comment=comment, digest=digest)

    def _find(self, client: IssueClient, address: IssueAddress, mark: str) -> str:
        comments = client.comments(address.project, address.number)
        return next((each.id for each in comments if each.text.rstrip().endswith(mark)), "")
