"""Which policies does a request meet, and which of them does it overrule?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flagstaff.commands.overrides import check_overrides, option_of
from flagstaff.errors import Refused, UsageError
from flagstaff.flags.gates import Gates
from flagstaff.services.policies.change import (
    PRODUCTION,
    STAGING,
    Change,
    Policy,
    Refusal,
)
from flagstaff.services.policies.facts import changes_of
from flagstaff.services.policies.table import policies_of
from flagstaff.services.unit import Overruled, Unit
from flagstaff.store import flags as store


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked for: the gates of one flag as they shall be, by environment.

    `cleanup` is for state that goes because the flag itself does.
    """

    flag: str
    after: Mapping[str, Gates | None]
    overrides: tuple[str, ...] = ()
    reason: str = ""
    cleanup: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """One policy that refuses, and the override that it would give way to."""

    refusal: Refusal
    override: str


def lock(unit: Unit, environments: Iterable[str]) -> None:
    """Keep others from changing flags there, and where policies compare, until this ends."""
    names = set(environments)
    if names & {STAGING, PRODUCTION}:
        names |= {STAGING, PRODUCTION} & set(unit.context.project.environments)
    store.lock(unit.connection, names)


def check(unit: Unit, request: Request) -> None:
    """Let an allowed request pass, and note what it overrules for the audit log.

    Raises:
        Refused: with every policy in the way, and how each can be overruled.
        UsageError: an override is unknown, or has no reason.
    """
    if objections := judge(unit, request):
        raise refused(objections)


def judge(unit: Unit, request: Request) -> list[Objection]:
    """Return the policies that refuse and are not overruled; those that are, are noted.

    Raises:
        UsageError: an override is unknown, or overrules something without a reason.
    """
    check_overrides(request.overrides)
    rules = policies_of(unit.context.project)
    objections: dict[Refusal, Objection] = {}
    for change in changes_of(unit, request.flag, request.after, cleanup=request.cleanup):
        found = list(_objections(rules, change))
        overruled = [each for each in found if each.override in request.overrides]
        note(unit, change.flag, change.environment, overruled, request.reason)
        objections |= {each.refusal: each for each in found if each not in overruled}
    return list(objections.values())


def note(unit: Unit, flag: str, environment: str, overruled: list[Objection], reason: str) -> None:
    """Keep in mind what is overruled, for the audit entry of the change.

    Raises:
        UsageError: it is overruled without a reason.
    """
    if not overruled:
        return
    names = ", ".join(each.override for each in overruled)
    if not reason.strip():
        raise UsageError(
            f"to overrule a policy ({names}) needs a reason",
            hint='others will read it in the audit log: add --reason "…"',
        )
    unit.overruled[flag, environment] = Overruled(names, reason)


def refused(objections: list[Objection]) -> Refused:
    """Return the error: what is in the way, what next, and the names of the overrides."""
    options = " ".join(dict.fromkeys(option_of(each.override) for each in objections))
    remedies = "\n".join(dict.fromkeys(each.refusal.remedy for each in objections))
    return Refused(
        "\n".join(each.refusal.what for each in objections),
        hint=f"{remedies}\nor overrule it: {options} --reason WHY",
    )


def _objections(rules: tuple[Policy, ...], change: Change) -> Iterable[Objection]:
    for rule in rules:
        if refusal := rule.refusal(change):
            yield Objection(refusal=refusal, override=rule.override)
