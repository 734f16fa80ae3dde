"""Who watches a rollout, and how sure must they be?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.guard_bounds import KEY as SLOWER_THAN
from flagstaff.definitions.guard_bounds import NEARLY_ALL, one_for_each, read_bounds
from flagstaff.definitions.guard_query import QUERY_KEYS, read_query
from flagstaff.definitions.problems import quote, suggestion
from flagstaff.definitions.project import JobGuard
from flagstaff.definitions.project_jobs import flag_of
from flagstaff.definitions.sources import BUILT_IN, MetricSource
from flagstaff.errors import UsageError
from flagstaff.rollouts.evidence.standing import Response
from flagstaff.rollouts.guard import Counting
from flagstaff.rollouts.plan import Statistics
from flagstaff.rollouts.query import RETRIED, WAITS, Query

_GUARD_KEYS: Final = (
    "name",
    "flag",
    "jobs",
    *QUERY_KEYS,
    SLOWER_THAN,
    "harm_ratio",
    "safe_below",
    "harm_above",
    "against_baseline",
    "min_bad",
    "min_excess",
    "weight",
    "required",
    "dry_run",
    "on_harm",
    "on_no_data",
    "split",
    "unit",
    "max_time",
    "on_inconclusive",
)
_RETIRED: Final = {
    "max_ratio": "write `harm_ratio`, the ratio up to which nothing is to be done; the limit itself"
    " is evidence now",
    "min_jobs": "delete it, or write `safe_below`, the failure rate that is safe in any case",
}
_STATISTICS_KEYS: Final = ("false_rollback", "false_safe", "poll")
_ON_HARM: Final = (Response.ROLLBACK, Response.HOLD, Response.NOTIFY)
_ON_NO_DATA: Final = (Response.HOLD, Response.ROLLBACK)
_ON_INCONCLUSIVE: Final = (Response.HOLD, Response.ADVANCE)
_MOST_BAD: Final = 1_000_000
JOB_KINDS: Final = ("jobs", RETRIED, WAITS)
"""What workers report: a job does not say whom it is for."""


def read_guards(
    project: Fields, renaming: set[str], sources: Mapping[str, MetricSource]
) -> tuple[JobGuard, ...]:
    """Return the entries under `guards`; those on jobs must watch a flag of `renaming`."""
    guards: dict[str, JobGuard] = {}
    for fields in project.mappings("guards"):
        _check_keys(fields)
        bounds = read_bounds(fields)
        guard = _guard(fields, sources, slow=SLOWER_THAN in fields)
        if guard.flag and "source" not in fields and guard.flag not in renaming:
            fields.problems.error(
                f"{fields.label('flag')} is {quote(guard.flag)}, which renames no job",
                line=fields.line("flag"),
                remedy=suggestion(guard.flag, sorted(renaming))
                if renaming
                else "add the job's names under `renames`",
            )
        if any(each.name in guards for each in one_for_each(guard, bounds)):
            fields.problems.error(
                f"has two guards named {quote(guard.name)}",
                line=fields.line("name"),
                remedy="give each a name of its own",
            )
        for each in one_for_each(guard, bounds):
            guards.setdefault(each.name, each)
    _check_exposures(project, guards)
    return tuple(guard for name, guard in guards.items() if name)


def read_statistics(project: Fields) -> Statistics:
    """Return what is written under `statistics`, with the defaults for the rest."""
    default = Statistics()
    fields = project.mapping("statistics")
    if fields is None:
        return default
    fields.unknown(_STATISTICS_KEYS, fields.problems.error)
    poll = fields.parsed("poll", parse_duration)
    return Statistics(
        false_rollback=_or(fields.parsed("false_rollback", _chance), default.false_rollback),
        false_safe=_or(fields.parsed("false_safe", _chance), default.false_safe),
        poll=default.poll if poll is None else poll,
    )


def _check_exposures(project: Fields, guards: Mapping[str, JobGuard]) -> None:
    for guard in guards.values():
        name = guard.query.exposure if guard.query else ""
        other = guards.get(name)
        counts = other is not None and other.query is not None and not other.query.exposure
        if name and (other is None or other.flag != guard.flag or not counts):
            project.problems.error(
                f"`guards.exposure` of {quote(guard.name)} is {quote(name)}, which is no guard of"
                " the same flag that counts totals itself",
                line=project.line("guards"),
                remedy="name one that counts requests of this flag",
            )


def _check_keys(fields: Fields) -> None:
    for key, remedy in _RETIRED.items():
        if key in fields:
            fields.problems.error(
                f"{fields.label(key)} is no setting any more", line=fields.line(key), remedy=remedy
            )
    fields.unknown(
        (*_GUARD_KEYS, *(key for key in _RETIRED if key in fields)), fields.problems.error
    )


def _guard(fields: Fields, sources: Mapping[str, MetricSource], *, slow: bool) -> JobGuard:
    default = JobGuard(name="", flag="", jobs=())
    default = replace(default, harm_above=NEARLY_ALL) if slow else default
    asks = "source" in fields
    required, dry_run = fields.boolean("required"), fields.boolean("dry_run")
    query = read_query(fields, sources, slow=slow) if asks else None
    unit = _unit(fields, query)
    return JobGuard(
        name=fields.required("name"),
        flag=flag_of(fields),
        jobs=() if asks else _jobs(fields),
        harm_ratio=_or(fields.parsed("harm_ratio", _between(1, 100)), default.harm_ratio),
        safe_below=_or(fields.parsed("safe_below", _rate), default.safe_below),
        harm_above=_or(fields.parsed("harm_above", _chance), default.harm_above),
        against_baseline=fields.boolean("against_baseline") or default.against_baseline,
        min_bad=int(_or(fields.parsed("min_bad", _count), default.min_bad)),
        min_excess=_or(fields.parsed("min_excess", _rate), default.min_excess),
        weight=_or(fields.parsed("weight", _between(0.001, 1000)), default.weight),
        required=default.required if required is None else required,
        dry_run=default.dry_run if dry_run is None else dry_run,
        on_harm=_response(fields, "on_harm", _ON_HARM),
        max_time=fields.parsed("max_time", parse_duration),
        on_inconclusive=_response(fields, "on_inconclusive", _ON_INCONCLUSIVE),
        query=query,
        on_no_data=_response(fields, "on_no_data", _ON_NO_DATA),
        split=fields.boolean("split") or default.split,
        counts=fields.text("counts") or _counted(unit, default.counts, asks=asks),
        unit=unit,
    )


def _counted(unit: Counting, default: str, *, asks: bool) -> str:
    if unit is Counting.ACTORS:
        return "people"
    return "requests" if asks else default


def _unit(fields: Fields, query: Query | None) -> Counting:
    """Return what is counted, and note where actors cannot be."""
    word = fields.choice("unit", tuple(each.value for each in Counting))
    if word != Counting.ACTORS:
        return Counting.CALLS
    if query is None or query.source != BUILT_IN or query.bad in JOB_KINDS:
        fields.problems.error(
            f"{fields.label('unit')} is `actors`, and only what applications report of requests "
            "and outcomes says whose they are",
            line=fields.line("unit"),
            remedy=f"delete it, or write `source: {BUILT_IN}` with `bad: outcomes`, `5xx` or "
            "`302`, or with `slower_than` of requests",
        )
    return Counting.ACTORS


def _jobs(fields: Fields) -> tuple[str, ...]:
    if not fields.has("jobs"):
        fields.required(
            "jobs", remedy="add the logs to read, such as `jobs: log/jobs-*.jsonl`, or a `source`"
        )
    return fields.parsed_list("jobs", str) or ()


def _response(fields: Fields, key: str, known: tuple[Response, ...]) -> Response:
    """Return what is asked for, the first of those `known` when nothing is."""
    word = fields.choice(key, tuple(each.value for each in known))
    return known[0] if word not in known else Response(word)


def _or(number: float | None, default: float) -> float:
    return default if number is None else number


def _number(text: str, within: Callable[[float], bool], what: str) -> float:
    number = float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else -1.0
    if within(number):
        return number
    raise UsageError(f"{quote(text)} is no {what}", hint=f"write a {what}, in digits")


def _between(low: float, high: float) -> Callable[[str], float]:
    what = f"number from {low:g} to {high:g}"
    return lambda text: _number(text, lambda number: low <= number <= high, what)


def _rate(text: str) -> float:
    return _number(text, lambda number: 0 <= number < 1, "rate from 0 to below 1")


def _chance(text: str) -> float:
    return _number(text, lambda number: 0 < number < 1, "number above 0 and below 1")


def _count(text: str) -> float:
    whole = re.fullmatch(r"[0-9]{1,9}", text) is not None
    return _number(text, lambda number: whole and number <= _MOST_BAD, "whole number of failures")
