"""Which guards watch a plan?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields as members
from dataclasses import replace
from typing import Any, Final

from flagstaff.definitions.duration import format_duration, parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import ListNode, MappingNode, ScalarNode
from flagstaff.definitions.plans.values import FlowMap, flow, number, raws, whole
from flagstaff.definitions.problems import Problems, quote, suggestion
from flagstaff.definitions.project import JobGuard, Project
from flagstaff.rollouts.evidence.standing import Response
from flagstaff.rollouts.guard import Guard
from flagstaff.rollouts.plan import Statistics
from flagstaff.rollouts.query import Query

_KEYS: Final = tuple(each.name for each in members(Guard) if each.name not in {"query", "unit"})
"""What a metric source is asked stands in `flagstaff.yml` alone: a plan may be a stranger's."""

_SAME: Final = tuple(
    each.name for each in members(JobGuard) if each.name not in {"name", "flag", "jobs"}
)
_NUMBERS: Final = {
    "harm_ratio": (1.0, 100.0),
    "safe_below": (0.0, 1.0),
    "harm_above": (0.0, 1.0),
    "min_excess": (0.0, 1.0),
    "weight": (0.0001, 1000.0),
    "slower_than": (0.001, 86_400.0),
}
_BOOLEANS: Final = ("against_baseline", "required", "dry_run", "split", "ranked")
_LISTS: Final = ("logs", "control", "treatment")
_RESPONSES: Final = {
    "on_harm": (Response.ROLLBACK, Response.HOLD, Response.NOTIFY),
    "on_inconclusive": (Response.HOLD, Response.ADVANCE),
    "on_no_data": (Response.HOLD, Response.ROLLBACK),
}
_STATISTICS: Final[dict[str, Callable[[str], Any]]] = {
    "false_rollback": number(0, 1),
    "false_safe": number(0, 1),
    "poll": parse_duration,
}


def guards_of(project: Project, flag: str) -> tuple[tuple[Guard, ...], tuple[str, ...]]:
    """Return the guards that the project has for a flag, and notes about those of no use."""
    renames = [rename for rename in project.renames if rename.flag == flag]
    wanted = [guard for guard in project.guards if guard.flag == flag]
    notes = tuple(
        f"guard {guard.name} has no renamed jobs to watch"
        for guard in wanted
        if guard.query is None and not renames
    )
    guards = (
        Guard(
            name=guard.name,
            logs=guard.jobs,
            control=_side(guard.query, tuple(rename.old for rename in renames), on=False),
            treatment=_side(guard.query, tuple(rename.new for rename in renames), on=True),
            **{name: getattr(guard, name) for name in _SAME},
        )
        for guard in wanted
        if guard.query is not None or renames
    )
    return tuple(guards), notes


def _side(query: Query | None, jobs: tuple[str, ...], *, on: bool) -> tuple[str, ...]:
    """Return what people read as the name of one side."""
    return jobs if query is None else (f"{query.label}={query.on if on else query.off}",)


def read_guards(plan: Fields, of_project: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """Return what is under `guards`: names of the project's, or guards written out."""
    node = plan.node("guards")
    if not isinstance(node, ListNode):
        plan.mappings("guards")
        return of_project
    known = {guard.name: guard for guard in of_project}
    found: dict[str, Guard] = {}
    for item in node.items:
        guard = None
        if isinstance(item, ScalarNode):
            guard = known.get(item.text)
            if guard is None:
                plan.problems.error(
                    f"`guards` names {quote(item.text)}, which guards no such flag",
                    line=item.line,
                    remedy=suggestion(item.text, known)
                    if known
                    else "write it out, or declare it under `guards:` in flagstaff.yml",
                )
        elif isinstance(item, MappingNode):
            guard = _guard(Fields(item, plan.problems, within="guards."))
        if guard is not None and guard.name in found:
            _twice(plan.problems, guard.name, item.line)
        elif guard is not None:
            found[guard.name] = guard
    return tuple(found.values())


def write_guard(guard: Guard) -> FlowMap | str:
    """Return a guard written out, without what holds in any case; one with a query by its name."""
    if guard.query is not None:
        return guard.name
    default = Guard(name="", logs=(), control=(), treatment=())
    written = FlowMap(name=guard.name)
    for key in _KEYS[1:]:
        value = getattr(guard, key)
        if key in _LISTS:
            written[key] = flow(value)
        elif value != getattr(default, key):
            written[key] = _written(value)
    return written


def read_statistics(plan: Fields, default: Statistics) -> Statistics:
    """Return what is under `statistics`, the project's for the rest."""
    fields = plan.mapping("statistics")
    if fields is None:
        return default
    fields.unknown(tuple(_STATISTICS), fields.problems.error)
    found = {key: fields.parsed(key, parse) for key, parse in _STATISTICS.items()}
    return replace(default, **{key: each for key, each in found.items() if each is not None})


def write_statistics(statistics: Statistics) -> FlowMap:
    """Return all of the statistics."""
    return FlowMap((key, _written(getattr(statistics, key))) for key in _STATISTICS)


def _guard(fields: Fields) -> Guard | None:
    before = len(fields.problems.errors)
    fields.unknown(_KEYS, fields.problems.error)
    found: dict[str, Any] = {"name": fields.required("name")}
    for key in _LISTS:
        if not fields.has(key):
            fields.required(key)
        found[key] = raws(fields, key)
    for key, (low, high) in _NUMBERS.items():
        found[key] = fields.parsed(key, number(low, high))
    for key in _BOOLEANS:
        found[key] = fields.boolean(key)
    for key, known in _RESPONSES.items():
        word = fields.choice(key, tuple(each.value for each in known))
        found[key] = Response(word) if word in known else None
    found["counts"] = fields.text("counts")
    found["min_bad"] = fields.parsed("min_bad", whole)
    found["max_time"] = fields.parsed("max_time", parse_duration)
    if len(fields.problems.errors) > before:
        return None
    return Guard(**{key: value for key, value in found.items() if value is not None})


def _written(value: Any) -> object:
    if isinstance(value, Response):
        return value.value
    return value if isinstance(value, bool | int | float | str) else format_duration(value)


def _twice(problems: Problems, name: str, line: int) -> None:
    problems.error(
        f"has two guards named {quote(name)}", line=line, remedy="give each a name of its own"
    )
