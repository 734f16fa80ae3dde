"""How does an issue's text on a forge change without anybody's words being lost?

No forge changes a text only if it is still as we have read it. So it is read, merged line by line,
written, and read back; when somebody wrote at the same moment, the same is done with theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flagstaff.definitions.forges import IssueAddress
from flagstaff.errors import Unavailable
from flagstaff.integrations.forge.port import Issue, IssueClient

TRIES: Final = 4


def bring_text(
    client: IssueClient, address: IssueAddress, issue: Issue, wanted: Callable[[str], str]
) -> Issue:
    """Bring an issue, just read, to what `wanted` makes of its text; return it as it is then.

    Raises:
        Unavailable: somebody else writes it all the time.
    """
    for _ in range(TRIES):
        text = wanted(issue.text)
        if _same(text, issue.text):
            return issue
        client.write_text(address.project, address.number, text)
        issue = client.read(address.project, address.number)
        if _same(issue.text, text):
            return issue
    raise Unavailable(f"the issue {address} is being written by somebody else all the time")


def _same(one: str, other: str) -> bool:
    """Return whether two texts are one to a forge, which may take line breaks off the end."""
    return one.rstrip() == other.rstrip()
