"""Which plan does a file say?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from flagstaff.definitions.duration import parse_duration
from flagstaff.definitions.fields import Fields
from flagstaff.definitions.plans.documents import (
    Document,
    chain_of,
    flag_in,
    parameters_of,
    problem_count,
    raise_errors,
    values_of,
)
from flagstaff.definitions.plans.guards import guards_of, read_guards, read_statistics
from flagstaff.definitions.plans.kind_fields import Around
from flagstaff.definitions.plans.rules import check_required
from flagstaff.definitions.plans.setting import Surroundings
from flagstaff.definitions.plans.steps import Placed, StepReader, with_unique_ids
from flagstaff.definitions.plans.templates import filled
from flagstaff.definitions.plans.values import raw, raws, texts
from flagstaff.definitions.problems import Problems, nearest, quote, suggestion
from flagstaff.errors import Problem
from flagstaff.rollouts.plan import Plan
from flagstaff.rollouts.rules import RollbackTo

__all__ = ["ReadPlan", "Surroundings", "flag_in", "parameters_of", "read_plan"]

NO_FLAG = "there is no flag"
"""What is said of a plan begins so where its flag is not defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlan:
    """A plan, with the line of the file in which each of its own steps begins."""

    plan: Plan
    lines: dict[str, int] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()


def read_plan(text: str | bytes, around: Surroundings, *, source: str = "plan") -> ReadPlan:
    """Return the plan in a YAML text.

    Args:
        text: the file.
        around: the project it is for.
        source: what to call the file in messages.

    Raises:
        DefinitionError: with everything that is wrong, in the plan and in its templates.
    """
    data = text.encode() if isinstance(text, str) else text
    chain, whole = chain_of(data, around, Problems(source))
    known = problem_count(chain)
    values = values_of(chain, around) if whole else {}
    if not whole or problem_count(chain) > known:
        # What is missing would only be complained about a second time.
        raise_errors(chain)
    if values:
        chain = [replace(each, node=filled(each.node, values)) for each in chain]
    read = _Reader(chain=chain, around=around).read()
    raise_errors(chain)
    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    chain: list[Document]
    around: Surroundings

    def read(self) -> ReadPlan:
        flag = self._flag()
        announce_to = self._announce_to()
        around = Around(
            environments=self.around.project.environments,
            announce_to=announce_to,
            channels=self.around.project.channels,
            commands=tuple(self.around.project.commands),
            brokers=tuple(self.around.project.brokers),
            flag=flag,
        )
        placed = self._steps(around)
        guards, notes = guards_of(self.around.project, flag)
        guarded = self._with("guards")
        counted = self._with("statistics")
        noted = self._with("notes")
        plan = Plan(
            flag=flag,
            title=self._raw("title") or f"Rollout of {flag}",
            steps=tuple(each.step for each in placed),
            guards=read_guards(guarded, guards) if guarded else guards,
            production=self._production(),
            announce_to=announce_to,
            owner=self._raw("owner") or "",
            notes=raws(noted, "notes") if noted else notes,
            statistics=read_statistics(counted, self.around.project.statistics)
            if counted
            else self.around.project.statistics,
            rollback_to=self._rollback_to(),
            expiry=self._expiry(),
        )
        own = {each.step.id: each.line for each in placed}
        check_required(self.chain[0].fields, plan.steps, own)
        return ReadPlan(plan=plan, lines=own)

    def _with(self, key: str) -> Fields | None:
        """Return the first document of the chain that says something under the key."""
        return next((each.fields for each in self.chain if key in each.fields), None)

    def _raw(self, key: str) -> str | None:
        found = self._with(key)
        return raw(found, key) if found else None

    def _flag(self) -> str:
        asked, own = self.around.flag, self.chain[0]
        fields = self._with("flag") or own.fields
        named = raw(fields, "flag") or ""
        if asked and named and asked != named:
            fields.problems.error(
                f"is a plan for {quote(named)}, not for {quote(asked)}",
                line=fields.line("flag"),
                remedy="name the other flag, or delete the line",
            )
        flag = asked or named
        if not flag:
            own.problems.error("names no flag", remedy="add `flag: NAME`")
        elif flag not in self.around.known_flags and not self.around.running:
            near = nearest(flag, self.around.known_flags)
            own.problems.error(
                f"{NO_FLAG} {quote(flag)}",
                line=fields.line("flag") if named else 0,
                remedy=f"did you mean `{near}`?" if near else "define it first",
            )
        return flag

    def _rollback_to(self) -> RollbackTo:
        found = self._with("rollback_to")
        known = tuple(each.value for each in RollbackTo)
        word = found.choice("rollback_to", known) if found else None
        return RollbackTo(word) if word in known else RollbackTo.BEFORE

    def _expiry(self) -> timedelta:
        found = self._with("expiry")
        length = found.parsed("expiry", parse_duration) if found else None
        return self.around.project.expiry if length is None else length

    def _announce_to(self) -> tuple[str, ...]:
        channels = self.around.project.channels
        found = self._with("announce_to")
        if found is None:
            usual = (channels.get("production", ""), channels.get("team", ""))
            return tuple(dict.fromkeys(each for each in usual if each))
        return tuple(channels.get(name, name) for name in texts(found, "announce_to") or ())

    def _production(self) -> tuple[str, ...]:
        found = self._with("production")
        names = found.parsed_list("production", str) if found else None
        for name in names or ():
            if found and name not in self.around.project.environments:
                found.problems.error(
                    f"`production` names {quote(name)}, which is no environment",
                    line=found.line("production"),
                    remedy=suggestion(name, self.around.project.environments),
                )
        return names or ("production",)

    def _steps(self, around: Around) -> list[Placed]:
        source = self._with("steps")
        if source is None:
            self.chain[0].problems.error(
                "has no `steps`",
                remedy="add `steps:` with `- ` lines below, or `extends: TEMPLATE`",
            )
            return []
        reader = StepReader(around=around, ramp=self.around.project.ramp)
        entries = source.mappings("steps")
        placed = with_unique_ids(reader.read(entries))
        if not entries and not source.problems.errors:
            source.problems.error(
                "`steps` is empty", line=source.line("steps"), remedy="write at least one step"
            )
        at = next(n for n, each in enumerate(self.chain) if "steps" in each.fields)
        for document in reversed(self.chain[: at + 1]):
            placed = self._adapted(document.fields, placed, reader)
        self._check_ids(placed)
        return placed

    def _adapted(self, fields: Fields, placed: list[Placed], reader: StepReader) -> list[Placed]:
        """Return the steps without those left out, and with those that are put in between."""
        ids = [each.step.id for each in placed]
        for name in texts(fields, "without") or ():
            if name not in ids:
                _no_step(fields, "without", name, ids)
        dropped = {*(texts(fields, "without") or ())}
        kept = [each for each in placed if each.step.id not in dropped]
        for side, offset in (("before", 0), ("after", 1)):
            places = fields.mapping(side)
            for name in places or ():
                at = next((n for n, each in enumerate(kept) if each.step.id == name), None)
                if at is None:
                    _no_step(fields, side, name, ids)
                    continue
                reader.stage = kept[at].step.stage
                added = reader.read(places.mappings(name) if places else ())
                kept[at + offset : at + offset] = added
        return with_unique_ids(kept)

    def _check_ids(self, placed: list[Placed]) -> None:
        seen: dict[str, int] = {}
        for each in placed:
            if each.step.id in seen:
                self.chain[0].problems.error(
                    f"has two steps with the id {quote(each.step.id)}",
                    line=each.line,
                    remedy="give each an id of its own",
                )
            seen[each.step.id] = each.line


def _no_step(fields: Fields, key: str, name: str, ids: list[str]) -> None:
    fields.problems.error(
        f"`{key}` names {quote(name)}, which is no step",
        line=fields.line(key),
        remedy=suggestion(name, ids),
    )
