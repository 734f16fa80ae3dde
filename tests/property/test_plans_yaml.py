"""Is every plan the same after it was written as YAML and read again, and is no text a crash?"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_strategies import plans
from test_steps_properties import ruled_plans

from flagstaff.definitions import Project
from flagstaff.definitions.brokers import Broker
from flagstaff.definitions.commands import ProjectCommand
from flagstaff.definitions.plans import Surroundings, read_plan, write_plan
from flagstaff.errors import DefinitionError

MANY = settings(max_examples=60, deadline=None)
AROUND = Surroundings(
    root=Path("/nowhere"),
    project=Project(
        environments=("dev", "staging", "production"),
        commands={name: ProjectCommand(run=("true",)) for name in ("smoke", "migrate")},
        brokers={"main": Broker(url="redis://x")},
    ),
    known_flags={"flag": None},
)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
PIECES = [
    *("flag: flag", "steps:", "steps: []", "- set: true", "- bake: 1d", "- ramp: {by: actors}"),
    *("- check: {deployed: abc}", "- approve", "- id: a", "extends: quick", "extends: [x]"),
    *("parameters: {a: 1}", "- announce: <a>", "before: {a: 1}", "  - delete: [dev]", "without: x"),
    *("guards: [a]", "- {set: {actors: [1], boolean: true}}", "statistics: 3", "  dwell: x", "{"),
]


some = plans().filter(lambda plan: plan.steps)


@MANY
@given(some)
def test_a_plan_that_is_written_reads_as_the_same(plan):
    written = write_plan(plan)
    assert read_plan(written, AROUND).plan == plan
    assert write_plan(read_plan(written, AROUND).plan) == written


@MANY
@given(ruled_plans())
def test_so_does_one_with_rules(plan):
    assert read_plan(write_plan(plan), AROUND).plan == plan


@MANY
@given(some, texts, texts, texts)
def test_whatever_characters_an_issue_has(plan, title, stage, anchor):
    steps = [
        replace(each, title=title, stage=stage or "S", anchor=anchor, reason=title)
        for each in plan.steps
    ]
    wild = replace(plan, title=title or "T", owner=stage, steps=tuple(steps), notes=(anchor,))
    assert read_plan(write_plan(wild), AROUND).plan == wild


@MANY
@given(st.lists(st.sampled_from(PIECES) | texts, max_size=8))
def test_no_text_makes_it_crash(pieces):
    with suppress(DefinitionError):
        assert read_plan("\n".join(pieces), AROUND).plan.steps
