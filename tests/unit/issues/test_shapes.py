"""Every shape that templates have had becomes the plan that a careful engineer would make of it.

What is expected stands beside each sample, in a file of the same name that ends with `.plan`: the
report line by line, and below it the steps in the order in which they are done.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from flagstaff.errors import ImportProblems
from flagstaff.flags.change import Actors, Boolean, Groups, PercentageOfActors, PercentageOfTime
from flagstaff.issues.imported import describe_import
from flagstaff.rollouts.plan import (
    Approve,
    AskPerson,
    AwaitMerge,
    Bake,
    DeleteFlag,
    OpenCleanup,
    Preset,
    SetGate,
)

SAMPLES = Path(__file__).parent / "samples"
NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.suffix in {".md", ".txt"})
HEAD = "# [FF] `quick_search`\n\n"


def told(imported):
    steps = [f"{step.id} {step.preset}" for step in imported.plan.steps]
    return "\n".join([describe_import(imported), "", *steps, *imported.plan.notes, ""])


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_becomes_its_plan(importing, name):
    text = (SAMPLES / name).read_bytes().decode()
    assert told(importing(text)) == (SAMPLES / f"{name}.plan").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_line_breaks_of_other_systems_change_nothing(importing, name):
    text = (SAMPLES / name).read_bytes().decode().replace("\r\n", "\n")
    expected = told(importing(text))
    assert told(importing(text.replace("\n", "\r\n"))) == expected
    assert told(importing(text.replace("\n", "\r"))) == expected
    assert told(importing("\ufeff" + text)) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_line_that_is_not_blank_is_reported(importing, name):
    text = (SAMPLES / name).read_bytes().decode()
    imported = importing(text)
    reported = {each.line for each in imported.lines}
    ids = [each for line in imported.lines for each in line.steps]
    assert sorted(ids) == sorted(step.id for step in imported.plan.steps)
    assert all(each.certainty for each in imported.lines if each.steps)
    unsaid = [
        at for at, line in enumerate(text.splitlines(), 1) if line.strip() and at not in reported
    ]
    assert not [at for at in unsaid if at - 1 not in reported and at - 1 not in unsaid]


UNBOXED = """# [FF] `quick_search`

## {heading}

1. `/chatops run feature set quick_search true --staging`
2. Test it
"""


@pytest.mark.parametrize(
    "heading",
    ["What to do", "What we do", "Things to do", "What is to do", "How we roll it out", "Steps"],
)
def test_what_to_do_is_done(importing, heading):
    plan = importing(UNBOXED.format(heading=heading)).plan
    assert [step.line for step in plan.steps] == [5, 6]


@pytest.mark.parametrize("heading", ["What to do if it breaks", "What to do when it fails"])
def test_what_to_do_in_case_of_harm_is_not(importing, heading):
    with pytest.raises(ImportProblems, match="there are no steps"):
        importing(UNBOXED.format(heading=heading))


def test_where_nothing_is_a_step_the_heading_that_hides_them_is_named(importing):
    with pytest.raises(ImportProblems) as caught:
        importing(UNBOXED.format(heading="What can we monitor?"))
    (problem,) = caught.value.problems
    assert (problem.line, "`What can we monitor?`" in problem.what) == (5, True)


@pytest.mark.parametrize(
    "item",
    [
        "`flagstaff feature set quick_search true --staging`",
        "`/flagstaff feature set quick_search true --staging`",
        "/flagstaff feature set quick_search true --staging",
        "`flagstaff flag set quick_search true --staging`",
        "`flagstaff run feature set quick_search true --staging`",
        "Switch it on:\n\n  ```\n  flagstaff feature set quick_search true --staging\n  ```\n",
    ],
)
def test_a_command_is_read_as_the_terminal_and_our_own_chat_take_it(importing, item):
    step = only(importing, item)
    assert step.action == SetGate(environments=("staging",), change=Boolean(value=True))
    assert step.id == "set-staging"


@pytest.mark.parametrize(
    "item",
    [
        "`chatops run feature set quick_search 75 --actors`",
        "chatops run feature set quick_search 75 --actors",
        "`/chatops feature set quick_search true`",
        "`/chatop run feature set quick_search true`",
        "Open it: `/chatsop run feature set quick_search true`",
        "`feature set quick_search true`",
        "`run feature delete quick_search`",
        "`flagstff feature set quick_search true`",
    ],
)
def test_what_was_meant_as_a_command_is_never_left_to_a_person_in_silence(importing, item):
    with pytest.raises(ImportProblems) as caught:
        importing(f"{HEAD}- [ ] {item}\n")
    (problem,) = caught.value.problems
    assert (problem.line, "is no command" in problem.what) == (3, True)
    assert "`/chatops run`" in problem.remedy
    plan = importing(f"{HEAD}- [ ] Test it\n- [-] {item}\n").plan
    assert plan.steps[-1].preset is Preset.SKIPPED


@pytest.mark.parametrize(
    "item",
    [
        "Feature set complete?",
        "Ask what `feature` does",
        "Run `otherbot feature set quick_search true`",
        "Look at `flagstaff rollout show 1`",
        "Flagstaff feature pages are up",
    ],
)
def test_words_that_only_resemble_a_command_are_words(importing, item):
    assert isinstance(only(importing, item).action, AskPerson | Approve)


@pytest.mark.parametrize(
    "item",
    [
        "Remove the flag from the code",
        "Remove the feature flag out of our codebase.",
        "remove flag from the code, merge it",
        "Clean up the code",
        "Clean up the feature flag",
        "Delete the `quick_search` flag from the application's code!",
    ],
)
def test_words_that_take_the_flag_out_of_the_code_are_the_cleanup(importing, item):
    plan = importing(f"{HEAD}- [ ] Test it\n- [ ] {item}\n").plan
    assert [type(step.action) for step in plan.steps[1:]] == [OpenCleanup, AwaitMerge]


def test_a_percentage_without_a_command_says_which_one_to_write(importing):
    imported = importing(f"{HEAD}- [ ] 25 % for an hour\n")
    (line,) = [each for each in imported.lines if each.steps]
    assert line.certainty == "person"
    assert "`/chatops run feature set quick_search 25 --actors`" in line.hint


def only(importing, item, **how):
    (step,) = importing(f"{HEAD}- [ ] {item}\n", **how).plan.steps
    return step


@pytest.mark.parametrize(
    ("words", "environments", "change"),
    [
        ("25 --actors --dev", ("dev",), PercentageOfActors(value=Decimal(25))),
        ("0.5 --random --ignore-random-deprecation-check --gstg", ("staging",),
         PercentageOfTime(value=Decimal("0.5"))),
        ("true --dev --staging --staging-ref", ("dev", "staging", "staging-ref"),
         Boolean(value=True)),
        ("true --gprd --gstg", ("staging", "production"), Boolean(value=True)),
        ("true --gstg-ref --pre --ops", ("staging-ref", "ops", "pre"), Boolean(value=True)),
        ("true --user=anna,@bo", ("production",), Actors(ids=("User:anna", "User:bo"), value=True)),
        ("true --group=acme --project=acme/shop", ("production",),
         Actors(ids=("Project:acme/shop", "Group:acme"), value=True)),
        ("true --feature-group=team_members --staging", ("staging",),
         Groups(names=("team_members",), value=True)),
        ("true --ignore-production-check --ignore-feature-flag-consistency-check",
         ("production",), Boolean(value=True)),
        ("false --production", ("production",), Boolean(value=False)),
        ("true \u2014dev", ("dev",), Boolean(value=True)),
        ("true --user=\u201canna\u201d", ("production",), Actors(ids=("User:anna",), value=True)),
    ],
)  # fmt: skip
def test_every_option_of_a_command_is_read(importing, words, environments, change):
    for run in ("/chatops run", "/chatops gitlab run", "/chatops\u00a0run"):
        for code in ("`", ""):
            item = f"{code}{run} feature set quick_search {words}{code}"
            action = only(importing, item).action
            assert (action.environments, action.change) == (environments, change)


@pytest.mark.parametrize(
    ("item", "environments"),
    [
        ("Enable on staging", ("staging",)),
        ("Enable the feature flag on dev and gstg.", ("dev", "staging")),
        ("Turn on `quick_search` in staging-ref", ("staging-ref",)),
        ("Turn it on in dev, staging & pre", ("dev", "staging", "pre")),
        ("Enable the feature globally on non-production environments",
         ("dev", "staging", "staging-ref", "ops", "pre")),
    ],
)  # fmt: skip
def test_words_turn_the_flag_on_where_nobody_is_hurt(importing, item, environments):
    step = only(importing, item)
    assert step.action == SetGate(environments=environments, change=Boolean(value=True))


@pytest.mark.parametrize(
    "item",
    [
        "Enable on GitLab.com",
        "Enable on staging and production",
        "Enable the new parser on staging",
        "Enable on staging if the tests pass",
        "Enable `other_flag` on staging",
        "Disable on staging",
        "Let it run over the weekend for 3 days",
        "Wait two working days",
        "Keep it there until Monday",
        "`/chatops run oncall prod`",
        "[ ] nested box",
    ],
)
def test_what_is_not_certain_is_left_to_a_person_who_is_told_why(importing, item):
    imported = importing(f"{HEAD}- [ ] {item}\n")
    (step,) = imported.plan.steps
    assert isinstance(step.action, AskPerson)
    (line,) = [each for each in imported.lines if each.steps]
    assert line.certainty == "person"
    assert line.hint


@pytest.mark.parametrize(
    ("item", "length"),
    [("Wait 24h", 24), ("Wait at least 2 d", 48), ("Bake for 1-2 days", 48), ("Wait a day", 24)],
)
def test_lengths_of_time_are_read(importing, item, length):
    action = only(importing, item).action
    assert isinstance(action, Bake)
    assert action.duration.total_seconds() == length * 3600


@pytest.mark.parametrize(
    ("words", "shares"),
    [
        ("10%, 50% and 100%", [10, 50]),
        ("1 / 10 / 25 / 50 / 75 / 100 %", [1, 10, 25, 50, 75]),
        ("first 0.5 percent, then 20 percent", [Decimal("0.5"), 20]),
        ("25% \u2192 75%", [25, 75]),
        ("in 2 steps, 1 hour each", [10, Decimal("50.5")]),
        ("to 50% then 10%", [10, Decimal("50.5")]),
    ],
)
def test_the_issues_own_percentages_come_before_the_configured_ones(importing, words, shares):
    text = (
        f"{HEAD}- [ ] Roll out {words}: "
        "`/chatops run feature set quick_search <rollout-percentage> --actors`\n"
        "- [ ] `/chatops run feature set quick_search true`\n"
    )
    steps = importing(text).plan.steps
    changes = [step.action.change for step in steps if isinstance(step.action, SetGate)]
    assert [change.value for change in changes] == [*shares, True]


def test_a_list_that_ends_with_everyone_keeps_it_where_no_command_says_so(importing):
    text = (
        f"{HEAD}- [ ] Go to 50% and 100%: "
        "`/chatops run feature set quick_search <percentage> --actors`\n"
    )
    changes = [getattr(step.action, "change", None) for step in importing(text).plan.steps]
    assert PercentageOfActors(value=Decimal(100)) in changes


WAYS = (
    f"{HEAD}- [ ] Either by actors or by time:\n"
    "  `/chatops run feature set quick_search <percentage> --actors` or\n"
    "  `/chatops run feature set quick_search <percentage> --random`\n"
)


class TestWays:
    """One box that offers several ways."""

    @pytest.mark.parametrize(
        ("choices", "without_actor", "kind"),
        [
            ({}, None, PercentageOfActors),
            ({}, True, PercentageOfTime),
            ({"3": "random"}, None, PercentageOfTime),
            ({"5": "random"}, None, PercentageOfTime),
            ({"random": "random"}, None, PercentageOfTime),
            ({"actors": "actors"}, True, PercentageOfActors),
        ],
    )
    def test_one_is_taken_and_another_can_be_chosen(self, importing, choices, without_actor, kind):
        imported = importing(WAYS, choices=choices, without_actor=without_actor)
        sets = [s.action for s in imported.plan.steps if isinstance(s.action, SetGate)]
        assert {type(each.change) for each in sets} == {kind}
        assert all(step.preset is Preset.OPEN for step in imported.plan.steps)
        (choice,) = imported.choices
        assert (choice.line, [each.name for each in choice.options]) == (3, ["actors", "random"])
        (other,) = [each for each in imported.lines if each.understood_as == "another way"]
        assert other.line == (4 if choice.taken == "random" else 5)
        assert f"--choose 3={choice.others[0].name}" in other.hint

    def test_a_way_that_is_not_offered_is_a_problem(self, importing):
        with pytest.raises(ImportProblems) as caught:
            importing(WAYS, choices={"3": "project"})
        (problem,) = caught.value.problems
        assert (problem.line, "actors, random" in problem.remedy) == (3, True)

    @pytest.mark.parametrize(
        ("choices", "words"),
        [({"99": "actors"}, "line 99"), ({"user": "user"}, "--choose user`"), ({"x": "y"}, "x=y")],
    )
    def test_a_choice_where_there_is_none_is_a_problem(self, importing, choices, words):
        with pytest.raises(ImportProblems) as caught:
            importing(WAYS, choices=choices)
        (problem,) = caught.value.problems
        assert words in problem.what
        assert problem.remedy == "these do: line 3: actors, random"

    @pytest.mark.parametrize(("chosen", "left"), [("actors", "random"), ("random", "actors")])
    def test_two_boxes_with_a_ramp_each_are_two_ways(self, importing, chosen, left):
        text = (
            f"{HEAD}- [ ] `/chatops run feature set quick_search <percentage> --actors`\n"
            "- [ ] `/chatops run feature set quick_search <percentage> --random`\n"
        )
        steps = importing(text, choices={chosen: chosen}).plan.steps
        (skipped,) = [step for step in steps if step.preset is Preset.SKIPPED]
        assert left in str(skipped.title)
        assert skipped.reason == f"{chosen} was chosen"

    def test_commands_in_one_box_without_such_words_are_done_one_after_the_other(self, importing):
        steps = importing(WAYS.replace("Either by actors or by time", "All").replace(" or", "")
                          ).plan.steps  # fmt: skip
        kinds = {type(s.action.change) for s in steps if isinstance(s.action, SetGate)}
        assert kinds == {PercentageOfActors, PercentageOfTime}


OFF = "/chatops run feature set quick_search false"
STEP = f"{HEAD}- [ ] Test it\n\n"


@pytest.mark.parametrize(
    "text",
    [
        f"## Rollback\n- [ ] `{OFF}`\n",
        f"Rollback steps\n==============\n\n{OFF}\n",
        f"**Rollback**\n\n- [ ] `{OFF}`\n",
        f"- [ ] Rollback\n  - [ ] `{OFF}`\n",
        f"- To roll back:\n  - [ ] `{OFF}`\n",
        f"- [ ] If anything goes wrong, roll back with `{OFF}`\n",
        f"The flag can be disabled with:\n\n{OFF}\n",
        f"The flag can be disabled with:\n\n```\n{OFF}\n```\n",
        f"- [ ] Revert: `{OFF}`\n",
        f"<details><summary>Rollback</summary>\n\n- [ ] `{OFF}`\n\n</details>\n",
        f"<!-- - [ ] `{OFF}` -->\n",
        f"<!--\n\n- [ ] `{OFF}`\n\n-->\n",
        f"```ruby\n{OFF}\nx = 1\n```\n",
        f"For example:\n\n```\n{OFF}\n```\n",
        f"- An example:\n  ```\n  {OFF}\n  ```\n",
        f"- [ ] ~~`{OFF}`~~\n",
        f"~~~\n```\n{OFF}\n```\n~~~\n",
    ],
)
def test_what_undoes_or_only_shows_is_never_done(importing, text):
    plan = importing(STEP + text).plan
    assert not [
        step
        for step in plan.steps
        if isinstance(step.action, SetGate) and step.preset is Preset.OPEN
    ]
    assert [step.line for step in plan.steps if step.title == "Test it"] == [3]


def test_a_plan_for_a_rollback_is_something_to_check(importing):
    step = only(importing, "Ensure that the rollback plan is written")
    assert isinstance(step.action, Approve)
    assert isinstance(only(importing, "Rollback plan is written").action, AskPerson)


def test_commands_in_a_fence_are_done_where_the_box_holds_the_fence(importing):
    text = (
        f"{HEAD}- [ ] Switch it on:\n\n  ```\n"
        "  /chatops run feature set quick_search true --staging\n  ```\n"
        "- [ ] Test it\n\n```\n/chatops run feature set quick_search true\n```\n"
    )
    imported = importing(text)
    assert [step.id for step in imported.plan.steps] == ["set-staging", "test"]
    assert [each.line for each in imported.lines if each.steps] == [6, 8]


def test_before_a_global_rollout_comes_before_it(importing):
    text = (SAMPLES / "fenced_2026.md").read_text(encoding="utf-8")
    ids = [step.id for step in importing(text).plan.steps]
    assert ids.index("documentation-version-history") < ids.index("ramp-10")


def test_what_is_deleted_in_the_end_stays_a_step(importing):
    item = "Once no rollback is expected: `/chatops run feature delete quick_search --dev`"
    assert isinstance(only(importing, item).action, DeleteFlag)


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] Test it\n" * 20_000,
        "## Steps\n- [ ] Test it\n" * 20_000,
        "- [ ] " + "`/chatops run feature set quick_search true --dev` " * 15_000,
    ],
    ids=["items", "headings", "commands"],
)
def test_what_nobody_walks_through_is_refused_soon(importing, text):
    with pytest.raises(ImportProblems, match=r"steps, and a rollout has at most 1,000"):
        importing(HEAD + text)


@pytest.mark.parametrize("text", ["*a ", "<s>", "**", "~~", "`a ", "[a", "<!-- "])
def test_a_line_that_never_ends_what_it_begins_is_read_soon(importing, text):
    importing(f"{HEAD}- [ ] Test it\n\n{text * 100_000}\n")
