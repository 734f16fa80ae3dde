"""Who is on call, as PagerDuty or Opsgenie says?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from flagstaff.definitions.on_call import OnCall
from flagstaff.errors import Unavailable
from flagstaff.integrations.notify.answering import asked, client, json_of
from flagstaff.services.ports import OnDuty

TIMEOUT: Final = 3.0
"""Seconds: somebody waits for the answer, and an announcement does too."""

HINT: Final = "look at `on_call:` in flagstaff.yml and at FLAGSTAFF_ON_CALL_TOKEN_FILE"
MOST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Asks one of the two each time."""

    settings: OnCall
    token: str = ""

    @property
    def default(self) -> str:
        """Return the service that is meant when none is named."""
        return self.settings.default

    def services(self) -> tuple[str, ...]:
        """Return the services that are known by name."""
        return tuple(self.settings.services)

    def on_duty(self, service: str, now: datetime) -> tuple[OnDuty, ...]:
        """Return who is on call now, once each, whoever is called first first.

        Raises:
            Unavailable: nobody answers, or with something else.
            Refused: the answer is a no.
        """
        del now
        name = self.settings.services[service]
        asks = self._pagerduty if self.settings.pagerduty else self._opsgenie
        try:
            return asks(name)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise Unavailable(
                f"{self._whom} answers in a shape that is not understood: {exc!r}", hint=HINT
            ) from exc

    @property
    def _whom(self) -> str:
        return "PagerDuty" if self.settings.pagerduty else "Opsgenie"

    def _pagerduty(self, policy: str) -> tuple[OnDuty, ...]:
        answer = self._get(
            f"{self.settings.pagerduty}/oncalls",
            {"escalation_policy_ids[]": policy, "limit": str(MOST)},
            {
                "Authorization": f"Token token={self.token}",
                "Accept": "application/vnd.pagerduty+json;version=2",
            },
        )
        found: dict[str, OnDuty] = {}
        for each in sorted(answer["oncalls"], key=lambda entry: entry["escalation_level"]):
            end = each.get("end")  # null where somebody is on call for good
            found.setdefault(
                each["user"]["id"],
                OnDuty(
                    name=str(each["user"]["summary"]),
                    level=int(each["escalation_level"]),
                    until=datetime.fromisoformat(end) if end else None,
                ),
            )
        return tuple(found.values())

    def _opsgenie(self, schedule: str) -> tuple[OnDuty, ...]:
        answer = self._get(
            f"{self.settings.opsgenie}/v2/schedules/{quote(schedule, safe='')}/on-calls",
            {"scheduleIdentifierType": "name", "flat": "true"},
            {"Authorization": f"GenieKey {self.token}"},
        )
        names = answer["data"]["onCallRecipients"]
        return tuple(OnDuty(name=str(each)) for each in dict.fromkeys(names))

    def _get(
        self, address: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        with client(headers, TIMEOUT) as service:
            answer = asked(self._whom, HINT, lambda: service.get(address, params=dict(query)))
        found = json_of(self._whom, answer)
        if not isinstance(found, dict):
            raise TypeError("no object")
        return found
