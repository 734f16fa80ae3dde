"""How is a plan written, so that reading it gives the same plan?"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Final

import yaml

from flagstaff.definitions.duration import format_duration
from flagstaff.definitions.plans.guards import write_guard, write_statistics
from flagstaff.definitions.plans.kinds import BY_ACTION
from flagstaff.definitions.plans.naming import title_of
from flagstaff.definitions.plans.rules import write_rules
from flagstaff.definitions.plans.steps import DEFAULT_STAGE
from flagstaff.definitions.plans.values import Flow, FlowMap, Plain, flow
from flagstaff.rollouts.plan import Plan, Preset, Step
from flagstaff.rollouts.rules import RollbackTo

_WIDE: Final = 1_000_000
"""Lines are not folded: a difference shows what changed, and nothing else."""


_ENDS: Final = frozenset("\x85\u2028\u2029")
"""Ends of lines to YAML that are none to anybody else."""


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def write_plan(plan: Plan) -> str:
    """Return the plan as YAML: every step written out, with its id."""
    written: dict[str, object] = {"flag": plan.flag, "title": plan.title}
    if plan.owner:
        written["owner"] = plan.owner
    written["announce_to"] = flow(plan.announce_to)
    if plan.production != ("production",):
        written["production"] = flow(plan.production)
    written["guards"] = [write_guard(guard) for guard in plan.guards]
    written["statistics"] = write_statistics(plan.statistics)
    if plan.rollback_to is not RollbackTo.BEFORE:
        written["rollback_to"] = plan.rollback_to.value
    written["expiry"] = format_duration(plan.expiry)
    written["notes"] = list(plan.notes)
    written["steps"] = list(_steps(plan))
    return _dumped(written)


def plan_difference(before: Plan, after: Plan) -> str:
    """Return how the YAML of one plan differs from that of another, as `diff -u` shows it."""
    old, new = (write_plan(each).splitlines() for each in (before, after))
    lines = difflib.unified_diff(old, new, "before", "after", lineterm="", n=2)
    return "\n".join(lines)


def _steps(plan: Plan) -> Iterator[dict[str, object]]:
    stage = DEFAULT_STAGE
    for step in plan.steps:
        entry: dict[str, object] = {"id": step.id}
        if step.stage != stage:
            entry["stage"] = stage = step.stage
        entry.update(_step(step, plan.flag))
        yield entry


def _step(step: Step, flag: str) -> Iterator[tuple[str, object]]:
    kind = BY_ACTION[type(step.action)]
    value = kind.write(step.action, step.title)
    if not (kind.titled and value == step.title) and step.title != title_of(step.action, flag):
        yield "title", step.title
    yield kind.word, value
    yield from write_rules(step)
    if step.preset is not Preset.OPEN:
        yield "state", step.preset.value
    if step.reason:
        yield "reason", step.reason
    if step.line:
        yield "line", step.line
    if step.anchor:
        yield "anchor", step.anchor


def _dumped(data: object) -> str:
    return yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=_WIDE,
    )


def _flow_list(dumper: yaml.SafeDumper, data: Flow) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)


def _flow_map(dumper: yaml.SafeDumper, data: FlowMap) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)


def _plain(dumper: yaml.SafeDumper, data: Plain) -> yaml.Node:
    kind = "float" if "." in data else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", str(data))


def _text(dumper: yaml.SafeDumper, data: str) -> yaml.Node:
    # Between single quotes these are ends of lines, and are folded when they are read.
    quoted = '"' if _ENDS.intersection(data) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=quoted)


def _nothing(dumper: yaml.SafeDumper, data: None) -> yaml.Node:
    del data
    return dumper.represent_scalar("tag:yaml.org,2002:null", "")


_Dumper.add_representer(Flow, _flow_list)
_Dumper.add_representer(FlowMap, _flow_map)
_Dumper.add_representer(Plain, _plain)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(type(None), _nothing)
