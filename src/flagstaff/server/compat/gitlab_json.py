"""How does GitLab write a flag and its definition as JSON?"""

from __future__ import annotations

from decimal import Decimal

from flagstaff.definitions import Definition
from flagstaff.flags.gates import Gates


def feature_json(name: str, gates: Gates, definition: Definition | None) -> dict[str, object]:
    """Return one flag; a gate that is not set is left out, all but the boolean one."""
    listed: list[tuple[str, object]] = [("boolean", gates.boolean)]
    if gates.expression:
        listed.append(("expression", dict(gates.expression)))
    if gates.actors:
        listed.append(("actors", sorted(gates.actors)))
    if gates.percentage_of_actors:
        listed.append(("percentage_of_actors", number(gates.percentage_of_actors)))
    if gates.percentage_of_time:
        listed.append(("percentage_of_time", number(gates.percentage_of_time)))
    if gates.groups:
        listed.append(("groups", sorted(gates.groups)))
    return {
        "name": name,
        "state": gates.state.value,
        "gates": [{"key": key, "value": value} for key, value in listed],
        "definition": None if definition is None else definition_json(definition),
    }


def definition_json(definition: Definition) -> dict[str, object]:
    """Return every key that GitLab knows; null where the file says nothing."""
    day = definition.intended_to_rollout_by
    return {
        "name": definition.name,
        "feature_issue_url": definition.feature_issue_url,
        "introduced_by_url": definition.introduced_by_url,
        "rollout_issue_url": definition.rollout_issue_url,
        "milestone": definition.milestone,
        "log_state_changes": definition.log_state_changes or None,
        "type": definition.type,
        "group": definition.group,
        "default_enabled": definition.default_enabled,
        "intended_to_rollout_by": None if day is None else day.isoformat(),
    }


def number(percentage: Decimal) -> int | float:
    """Return a percentage as a JSON number, whole where it is."""
    return int(percentage) if percentage == int(percentage) else float(percentage)
