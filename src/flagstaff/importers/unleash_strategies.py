"""For whom is a strategy of Unleash on?"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from flagstaff.flags.bucketing import Bucketing
from flagstaff.importers.attributes import is_one_of
from flagstaff.importers.condition import (
    EVERYBODY,
    NOBODY,
    Condition,
    Drawn,
    Lose,
    Members,
    Share,
    all_of,
)
from flagstaff.importers.reading import At
from flagstaff.importers.unleash_constraints import constraint_condition

_OWN = "a strategy of your own can do anything"
FULL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """The constraints of each segment, and the segments of each strategy that has an id."""

    constraints: Mapping[int, Sequence[At]]
    linked: Mapping[str, Sequence[int]]

    def of(self, strategy: At) -> list[tuple[At, Sequence[At] | None]]:
        """Return where a strategy names a segment, with its constraints if the file has them."""
        found = [(each, self.constraints.get(each.whole())) for each in strategy["segments"].each()]
        if not strategy.has("id"):
            return found
        linked = self.linked.get(strategy["id"].text(), ())
        return found + [(strategy["id"], self.constraints.get(each)) for each in linked]


def strategy_condition(strategy: At, feature: str, segments: Segments, lose: Lose) -> Condition:
    """Return for whom one strategy is on: its constraints, its segments and what it says itself."""
    parts = [constraint_condition(each, lose) for each in strategy["constraints"].each()]
    for at, constraints in segments.of(strategy):
        if constraints is None:
            parts.append(lose(at.place, "the export does not say what is in this segment"))
        else:
            parts += [constraint_condition(each, lose) for each in constraints]
    return all_of([*parts, _itself(strategy, feature, lose)])


def strategy_name(strategy: At) -> str:
    """Return the strategy's name, which the older export keeps under another key."""
    return strategy["strategyName"].text(strategy["name"].text(""))


def percentage(parameters: At, key: str) -> Decimal:
    """Return the share under a key: whole per cents, none if it is empty.

    Raises:
        UsageError: it is no number from 0 to 100.
    """
    if parameters[key].value in (None, ""):
        return Decimal(0)
    found = parameters[key].whole()
    if not 0 <= found <= FULL:
        raise parameters[key].wrong("a whole number from 0 to 100")
    return Decimal(found)


def listed(text: str) -> list[str]:
    """Return the values of a list with commas."""
    return [each.strip() for each in text.split(",") if each.strip()]


def _itself(strategy: At, feature: str, lose: Lose) -> Condition:
    parameters, name = strategy["parameters"], strategy_name(strategy)
    if parameters.value is None:
        parameters = At({}, parameters.place)
    match name:
        case "default":
            return EVERYBODY
        case "userWithId":
            ids = listed(parameters["userIds"].text(""))
            return Members(frozenset(ids)) if ids else NOBODY
        case "flexibleRollout":
            stickiness = parameters["stickiness"].text("") or "default"
            return _share(parameters, "rollout", feature, stickiness)
        case "gradualRolloutUserId":
            return _share(parameters, "percentage", feature, "userId")
        case "gradualRolloutSessionId":
            return _share(parameters, "percentage", feature, "sessionId")
        case "gradualRolloutRandom":
            return _share(parameters, "percentage", feature, "random")
        case "remoteAddress":
            return _addresses(parameters["IPs"], lose)
        case "applicationHostname":
            why = "the name of the host an application runs on is not known to an expression"
            return lose(strategy.place, why)
    return lose(strategy.place, f"{name!r}: {_OWN}")


def _share(parameters: At, key: str, feature: str, stickiness: str) -> Condition:
    share = percentage(parameters, key)
    if not share:
        return NOBODY
    if stickiness == "random":
        return EVERYBODY if share == FULL else Drawn(percentage=share)
    group = parameters["groupId"].text("") or feature
    if stickiness in {"default", "userId"}:
        # A check without anybody is drawn there under `default`; here it is off below 100 %.
        if share == FULL and stickiness == "default":
            return EVERYBODY
        return Share(percentage=share, bucketing=Bucketing.MURMUR3, group=group)
    return Share(percentage=share, by=stickiness)


def _addresses(at: At, lose: Lose) -> Condition:
    found = []
    for each in listed(at.text("")):
        try:
            found.append(str(ipaddress.ip_address(each)))
        except ValueError:
            return lose(at.place, f"{each!r} is not one address, and ranges cannot be compared")
    return is_one_of("remoteAddress", found)
