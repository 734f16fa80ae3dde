"""What does a plan say about when a step is wanted, how long it may take and what if it fails?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from flagstaff.definitions.duration import format_duration, parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.nodes import ScalarNode
from flagstaff.definitions.plans.values import FlowMap, flow, texts, whole
from flagstaff.definitions.problems import suggestion
from flagstaff.rollouts.condition import parse_condition
from flagstaff.rollouts.plan import Step
from flagstaff.rollouts.rules import OnFail, Then

RULES: Final = ("requires", "when", "timeout", "on_fail")
_ON_FAIL: Final = ("then", "retries", "back_off")
_THEN: Final = tuple(each.value for each in Then)


def read_rules(entry: Fields) -> dict[str, Any]:
    """Return what is said beside the kind of a step, as the fields of `Step`."""
    return {
        "requires": texts(entry, "requires") or (),
        "when": entry.parsed("when", _condition) or "",
        "timeout": entry.parsed("timeout", parse_duration),
        "on_fail": _on_fail(entry),
    }


def write_rules(step: Step) -> Iterator[tuple[str, object]]:
    """Yield what has to be written beside the kind of a step."""
    if step.requires:
        yield "requires", flow(step.requires)
    if step.when:
        yield "when", step.when
    if step.timeout is not None:
        yield "timeout", format_duration(step.timeout)
    if step.on_fail != OnFail():
        yield "on_fail", _written(step.on_fail)


def check_required(fields: Fields, steps: Sequence[Step], lines: dict[str, int]) -> None:
    """Note every step that requires one that does not come before it."""
    before: list[str] = []
    for step in steps:
        for name in step.requires:
            if name not in before:
                fields.problems.error(
                    f"step {step.id} requires {name!r}, which is no step before it",
                    line=lines.get(step.id, 0),
                    remedy=suggestion(name, before) if before else "delete it",
                )
        before.append(step.id)


def _condition(text: str) -> str:
    parse_condition(text)
    return text


def _on_fail(entry: Fields) -> OnFail:
    default = OnFail()
    if isinstance(entry.node("on_fail"), ScalarNode):
        word = entry.choice("on_fail", _THEN)
        return replace(default, then=Then(word)) if word in _THEN else default
    fields = entry.mapping("on_fail")
    if fields is None:
        return default
    fields.unknown(_ON_FAIL, fields.problems.error)
    word = fields.choice("then", _THEN)
    retries = fields.parsed("retries", whole)
    rest = fields.parsed("back_off", parse_duration)
    return OnFail(
        then=Then(word) if word in _THEN else default.then,
        retries=default.retries if retries is None else retries,
        back_off=default.back_off if rest is None else rest,
    )


def _written(rule: OnFail) -> object:
    default = OnFail()
    written = FlowMap(then=rule.then.value)
    if rule.retries != default.retries:
        written["retries"] = rule.retries
    if rule.back_off != default.back_off:
        written["back_off"] = format_duration(rule.back_off)
    return written if len(written) > 1 else rule.then.value
