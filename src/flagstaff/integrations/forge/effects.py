"""What does a rollout want done to issues on forges, and how is it done once?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from flagstaff.definitions.forges import IssueAddress, forge_named
from flagstaff.errors import FlagstaffError, Unavailable
from flagstaff.integrations.forge.clients import Forges
from flagstaff.integrations.forge.talking import Talking
from flagstaff.issues.comments import quiet
from flagstaff.rollouts.effect import CloseIssue, OpenIssue
from flagstaff.rollouts.event import EffectDone
from flagstaff.rollouts.plan import Plan
from flagstaff.services.services import Services

SKEW: Final = timedelta(minutes=10)
"""By how much a forge's clock may differ from ours."""


class IssueEffects:
    """Makes a rollout's own issue, and closes the issue of its feature."""

    def __init__(self, forges: Forges, services: Services) -> None:
        self._forges = forges
        self._talking = Talking(services)

    def open(self, effect: OpenIssue) -> EffectDone:
        """Make the issue unless it is there already, which its mark tells.

        Raises:
            FlagstaffError: the forge says no, or nothing.
        """
        forge = forge_named(effect.forge, self._forges.forges)
        since = datetime.fromisoformat(effect.since) - SKEW
        with self._forges.client(forge) as client:
            number = client.find(effect.project, effect.marker, since)
            if number is None:
                number = client.create(effect.project, effect)
        address = IssueAddress(forge=forge, project=effect.project, number=number)
        return EffectDone(step=effect.step, note=f"made {address}", issue=address.url)

    def close(self, effect: CloseIssue, plan: Plan) -> EffectDone | None:
        """Close an issue with a comment; `None` where it is on no forge of the project.

        Raises:
            Unavailable: the forge does not answer.
        """
        address = self._forges.at(effect.reference) if effect.reference else None
        if address is None:
            return None
        key = f"{effect.key}/closing"
        text = (
            f"`{plan.flag}` is on for everybody in production, and the flag has been taken out of "
            f"the code: {quiet(plan.title)}. Closing this issue."
        )
        try:
            with self._forges.client(address.forge) as client:
                self._talking.say_once(client, address, key, text)
                if not client.read(address.project, address.number).closed:
                    client.set_closed(address.project, address.number, closed=True)
        except Unavailable:
            raise
        except FlagstaffError as exc:
            ask = f"{address} cannot be closed: {exc.message}; close it, then approve this step"
            return EffectDone(step=effect.step, ask=ask)
        return EffectDone(step=effect.step, note=f"closed {address}")
