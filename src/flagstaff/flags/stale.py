"""Is a flag no longer needed, and how does one know? Pure: facts and a moment in, reasons out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from flagstaff.flags.gates import State
from flagstaff.flags.switches import switch_of


class StaleReason(StrEnum):
    """Why a flag should go, or be looked at."""

    FULLY_ON = "fully_on"
    NEVER_ON = "never_on"
    NO_EXPOSURES = "no_exposures"
    NO_REFERENCES = "no_references"
    PAST_LIFESPAN = "past_lifespan"
    PAST_ROLLOUT_DATE = "past_rollout_date"
    CLEANUP_DUE = "cleanup_due"
    NO_ROWS = "no_rows"
    NO_DEFINITION = "no_definition"
    FORGOTTEN_SWITCH = "forgotten_switch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a flag stands in one environment; `since` is `None` where nobody knows.

    `is_set` is false where its default answers.
    """

    environment: str
    state: State
    since: datetime | None
    is_set: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagFacts:
    """What is known of a flag's life.

    Attributes:
        standings: one for each environment that is looked at.
        introduced_at: when it came into being, `None` where nobody knows.
        ends_at: when its lifespan is over, `None` for never.
        rollout_by: the day by which it should be on for everybody.
        due_at: when it has to be gone, if that is settled.
        exposed_at: when an application last asked for it, `None` for never.
        exposures_since: since when applications have been heard; `None` when they say nothing.
        exposures_until: when any application was last heard.
        referenced: whether the code mentions it, `None` when nobody has looked.
        in_rollout: it is being rolled out right now.
    """

    name: str
    type: str = "undefined"
    owner: str = ""
    defined: bool = True
    standings: tuple[Standing, ...] = ()
    introduced_at: datetime | None = None
    ends_at: datetime | None = None
    rollout_by: date | None = None
    due_at: datetime | None = None
    exposed_at: datetime | None = None
    exposures_since: datetime | None = None
    exposures_until: datetime | None = None
    referenced: bool | None = None
    in_rollout: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a state may last before it counts."""

    fully_on: timedelta = timedelta(days=30)
    never_on: timedelta = timedelta(days=90)
    no_exposures: timedelta = timedelta(days=30)
    no_rows: timedelta = timedelta(days=30)
    switch: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reason, in words, and since when it is one; `None` where nobody knows."""

    reason: StaleReason
    text: str
    since: datetime | None = None


def findings(facts: FlagFacts, limits: Limits, now: datetime) -> tuple[Finding, ...]:
    """Return every reason to look at a flag, none for one that is fine.

    What nobody knows is no reason. A flag that is being rolled out is not stale for what the
    rollout is there to change.
    """
    found = [*_ages(facts, now), *_rows(facts, limits, now)]
    if not facts.in_rollout:
        found = [*_states(facts, limits, now), *_uses(facts, limits, now), *found]
    return tuple(found)


def _states(facts: FlagFacts, limits: Limits, now: datetime) -> Iterator[Finding]:
    states = {each.state for each in facts.standings}
    sinces = [each.since or facts.introduced_at for each in facts.standings]
    if not sinces or None in sinces:
        return
    since = max(each for each in sinces if each is not None)
    if states == {State.ON} and now - since >= limits.fully_on:
        days = _days(now - since)
        text = f"on for everybody in every environment for {days}"
        yield Finding(reason=StaleReason.FULLY_ON, text=text, since=since)
    if states == {State.OFF} and now - since >= limits.never_on:
        text = f"on for nobody in any environment for {_days(now - since)}"
        yield Finding(reason=StaleReason.NEVER_ON, text=text, since=since)


def _uses(facts: FlagFacts, limits: Limits, now: datetime) -> Iterator[Finding]:
    begin, until = facts.exposures_since, facts.exposures_until
    if begin is not None and until is not None and now - until < limits.no_exposures:
        known = [begin, facts.exposed_at, facts.introduced_at]
        since = max(each for each in known if each is not None)
        if now - since >= limits.no_exposures:
            text = f"no application has asked for it for {_days(now - since)}"
            yield Finding(reason=StaleReason.NO_EXPOSURES, text=text, since=since)
    if facts.referenced is False:
        yield Finding(reason=StaleReason.NO_REFERENCES, text="the code does not mention it")


def _ages(facts: FlagFacts, now: datetime) -> Iterator[Finding]:
    if facts.due_at is not None and now >= facts.due_at:
        text = f"to be cleaned up since {facts.due_at:%Y-%m-%d}"
        yield Finding(reason=StaleReason.CLEANUP_DUE, text=text, since=facts.due_at)
    if facts.ends_at is not None and now >= facts.ends_at:
        text = f"its lifespan as `{facts.type}` ended on {facts.ends_at:%Y-%m-%d}"
        yield Finding(reason=StaleReason.PAST_LIFESPAN, text=text, since=facts.ends_at)
    by = facts.rollout_by
    everywhere = {each.state for each in facts.standings} == {State.ON}
    if by is not None and now.date() > by and not everywhere:
        text = f"was to be on for everybody by {by}"
        yield Finding(reason=StaleReason.PAST_ROLLOUT_DATE, text=text)


def _rows(facts: FlagFacts, limits: Limits, now: datetime) -> Iterator[Finding]:
    where = [each.environment for each in facts.standings if each.is_set]
    came = facts.introduced_at
    if facts.defined and facts.standings and not where and came is not None:
        since = max([came, *(each.since for each in facts.standings if each.since is not None)])
        if now - since >= limits.no_rows:
            text = f"defined, and set in no environment for {_days(now - since)}"
            yield Finding(reason=StaleReason.NO_ROWS, text=text, since=since)
    if not facts.defined and switch_of(facts.name):
        stand = [each.since for each in facts.standings if each.is_set and each.since is not None]
        if stand and now - min(stand) >= limits.switch:
            since = min(stand)
            text = f"a switch of background jobs that stands in {', '.join(where)} since "
            text += f"{since:%Y-%m-%d %H:%M} UTC"
            yield Finding(reason=StaleReason.FORGOTTEN_SWITCH, text=text, since=since)
    elif not facts.defined and where:
        text = f"set in {', '.join(where)}, and defined nowhere"
        yield Finding(reason=StaleReason.NO_DEFINITION, text=text)


def _days(length: timedelta) -> str:
    return "1 day" if length.days == 1 else f"{length.days} days"
