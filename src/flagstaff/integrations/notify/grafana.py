"""How does a change of a flag become a mark in Grafana's charts?"""

from __future__ import annotations

import html
from typing import Any, Final

import httpx2

from flagstaff.definitions.side_effects import Annotation
from flagstaff.integrations.notify.answering import asked, client, json_of
from flagstaff.services.side_effects import FlagChanged

NAME: Final = "Grafana"
HINT: Final = (
    "look at `side_effects: annotation:` in flagstaff.yml and at FLAGSTAFF_GRAFANA_TOKEN_FILE"
)
KIND: Final = "feature-flag"


def annotate(settings: Annotation, token: str, change: FlagChanged, *, again: bool) -> None:
    """Mark a change, unless it was marked by an earlier try.

    Grafana takes no key, so before a second try its own annotations are read: two that read the
    same and are of the same millisecond count as one.

    Raises:
        Unavailable: Grafana does not answer, or says "later".
        Refused: Grafana will not take it.
    """
    wanted = _annotation(settings, change)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address = f"{settings.url.rstrip('/')}/api/annotations"
    with client(headers) as grafana:
        if again and _is_there(grafana, address, wanted):
            return
        asked(NAME, HINT, lambda: grafana.post(address, json=wanted))


def _annotation(settings: Annotation, change: FlagChanged) -> dict[str, Any]:
    tags = (change.environment, KIND, change.flag, *settings.tags)
    # Grafana shows the text as HTML.
    text = html.escape(f"{change.title}. {change.reason}" if change.reason else change.title)
    if change.url:
        text += f' <a href="{html.escape(change.url)}">{html.escape(change.flag)}</a>'
    annotation: dict[str, Any] = {
        "time": _milliseconds(change),
        "tags": list(dict.fromkeys(tags)),
        "text": text,
    }
    if settings.dashboard:
        annotation["dashboardUID"] = settings.dashboard
    if settings.panel:
        annotation["panelId"] = settings.panel
    return annotation


def _is_there(grafana: httpx2.Client, address: str, wanted: dict[str, Any]) -> bool:
    query = [
        ("from", wanted["time"]),
        ("to", wanted["time"]),
        ("limit", 100),
        ("type", "annotation"),
        *(("tags", tag) for tag in wanted["tags"]),
    ]
    found = json_of(NAME, asked(NAME, HINT, lambda: grafana.get(address, params=query)))
    same = ("time", "text")
    return isinstance(found, list) and any(
        isinstance(each, dict) and all(each.get(key) == wanted[key] for key in same)
        for each in found
    )


def _milliseconds(change: FlagChanged) -> int:
    return int(change.at.timestamp() * 1000)
