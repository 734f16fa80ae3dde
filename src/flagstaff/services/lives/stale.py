"""Which flags should go, and why?"""

from __future__ import annotations

from dataclasses import dataclass

from flagstaff.commands.life_model import ListStale
from flagstaff.commands.outcome import Json, Outcome
from flagstaff.definitions.flag_types import FLAG_TYPES
from flagstaff.errors import UsageError
from flagstaff.flags.stale import Finding, FlagFacts, Limits, StaleReason, findings
from flagstaff.services.lives.facts import facts
from flagstaff.services.unit import Unit

GROUP = "group::"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleFlag:
    """A flag that should go, or be looked at, and every reason."""

    name: str
    type: str
    owner: str
    findings: tuple[Finding, ...]


def stale_flags(
    unit: Unit, *, reason: str = "", type_name: str = "", owner: str = ""
) -> list[StaleFlag]:
    """Return the flags that should go, by name; what is empty does not matter.

    With a `reason`, those that have it among others.

    Raises:
        UsageError: there is no such reason or type.
    """
    _check("reason", reason, tuple(StaleReason))
    _check("type", type_name, tuple(FLAG_TYPES))
    limits = limits_of(unit)
    found = [_of(each, limits, unit) for each in facts(unit)]
    return [
        each
        for each in found
        if each.findings
        and (not reason or reason in {one.reason for one in each.findings})
        and type_name in {"", each.type}
        and (not owner or team(owner) == team(each.owner))
    ]


def limits_of(unit: Unit) -> Limits:
    """Return how long a state may last in this project before it counts."""
    settings = unit.context.project.lifecycle
    return Limits(
        fully_on=settings.fully_on,
        never_on=settings.never_on,
        no_exposures=settings.no_exposures,
        no_rows=settings.no_rows,
    )


def list_stale(unit: Unit, command: ListStale) -> Outcome:
    """List them, each with its reasons."""
    found = stale_flags(unit, reason=command.reason, type_name=command.type, owner=command.owner)
    lines = []
    for each in found:
        owner = f", {each.owner}" if each.owner else ""
        lines.append(f"{each.name} ({each.type}{owner})")
        lines += [f"  {one.reason}: {one.text}" for one in each.findings]
    count = f"{len(found)} flag{'' if len(found) == 1 else 's'} should go, or be looked at"
    text = "\n".join([*lines, count]) if found else "no flag is stale"
    shown: list[Json] = [to_json(each) for each in found]
    return Outcome(ok=not (command.fail and found), text=text, data={"flags": shown})


def to_json(flag: StaleFlag) -> dict[str, Json]:
    """Return a stale flag for programs."""
    reasons: list[Json] = [
        {
            "reason": each.reason.value,
            "text": each.text,
            "since": each.since.isoformat() if each.since else None,
        }
        for each in flag.findings
    ]
    return {"flag": flag.name, "type": flag.type, "owner": flag.owner, "reasons": reasons}


def team(owner: str) -> str:
    """Return the name of a team without what GitLab's labels put before it."""
    return owner.strip().removeprefix(GROUP).lower()


def _of(each: FlagFacts, limits: Limits, unit: Unit) -> StaleFlag:
    return StaleFlag(
        name=each.name,
        type=each.type,
        owner=each.owner,
        findings=findings(each, limits, unit.now),
    )


def _check(what: str, word: str, known: tuple[str, ...]) -> None:
    if word and word not in known:
        raise UsageError(f"there is no {what} {word[:60]!r}", hint=f"there are: {', '.join(known)}")
