"""Is an edge well, and how old may what it answers be?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from flagstaff.definitions.duration import format_duration
from flagstaff.sdk.readiness import Mode
from flagstaff.server.edge.following import Follower, Standing
from flagstaff.server.edge.forwarding import Forwarder

WORDS = {
    Mode.STARTING: "the control plane has not answered yet",
    Mode.LIVE: "",
    Mode.POLLING: "the control plane's stream is broken; it is asked every second",
    Mode.STALE: "the control plane does not answer, or refuses this edge; its log says more",
}
"""Whoever asks needs no token, so the addresses in the problem itself stay in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Answers `/readyz`: 200 while every environment can be served and is not too old.

    Attributes:
        max_stale: the age from which one is too old; None is never.
    """

    followers: Mapping[str, Follower]
    forwarder: Forwarder
    max_stale: timedelta | None

    def answer(self, _: Request) -> Response:
        """Say whether it is ready, and about each environment how old it is."""
        found = [each.standing() for each in self.followers.values()]
        reasons = {each.environment: self._reason(each) for each in found}
        body = {
            "ok": not any(reasons.values()),
            "environments": {each.environment: _shown(each) for each in found},
            "reasons": [f"{name}: {why}" for name, why in reasons.items() if why],
            "reports": {"waiting": self.forwarder.waiting, "dropped": self.forwarder.dropped},
        }
        headers = {"cache-control": "no-store"}
        return JSONResponse(body, 200 if body["ok"] else 503, headers=headers)

    def _reason(self, standing: Standing) -> str:
        if standing.version is None:
            return "there are no flags yet"
        if self.max_stale is None:
            return ""
        longest = format_duration(self.max_stale)
        if standing.age is None or standing.age > self.max_stale.total_seconds():
            return f"the control plane has not been heard for more than {longest}"
        return ""


def _shown(standing: Standing) -> dict[str, object]:
    problem = WORDS.get(standing.mode, "")
    if standing.mode in {Mode.LIVE, Mode.POLLING} and standing.problem:
        problem = problem or "a snapshot of the control plane was refused; the log says why"
    return {
        "version": standing.version,
        "mode": standing.mode.value,
        "seconds_since_contact": None if standing.age is None else round(standing.age, 1),
        "problem": problem,
    }
