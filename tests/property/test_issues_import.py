"""Whatever an issue says, it becomes a plan or a list of explained problems."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flagstaff.commands.codec import decode, encode
from flagstaff.definitions.project import Project
from flagstaff.errors import ImportProblems
from flagstaff.issues.importer import import_issue
from flagstaff.issues.lines import split_lines
from flagstaff.rollouts.plan import Plan

PIECES = st.sampled_from(
    [
        "# [FF] `x`",
        "## Rollout steps",
        "## (Optional) Release",
        "## Rollback",
        "Owners",
        "- [ ] ",
        "  - [x] ",
        "\t* [-] ",
        "1. [~] ",
        "\u2022 ",
        "/chatops run feature set x 25 --actors",
        "`/chatops run feature set <feature-flag-name> <rollout-percentage> --random`",
        "`/chatops run feature delete x --dev`",
        "/chatops run release check <merge-request-url> 1.2",
        "/chatops run auto_deploy status abcd",
        "/chatops run nonsense",
        "Wait 2 days",
        "Create a merge request to remove it",
        "Remove all references",
        "Notify #a and your team channel",
        "<!--",
        "-->",
        "```",
        "~~",
        "<details><summary>Optional</summary>",
        "</details>",
        "> note <!-- flagstaff -->",
        "\n",
        "\r\n",
        "\n\n",
        " ",
    ]
)
ISSUES = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=40).map("".join))


@given(ISSUES, st.sampled_from([None, True, False]))
def test_any_text_becomes_a_plan_or_explained_problems(text, without_actor):
    try:
        imported = import_issue(
            text, project=Project(), known_flags={"x"}, without_actor=without_actor
        )
    except ImportProblems as wrong:
        problems = wrong.problems
        plan = None
    else:
        problems, plan = (), imported.plan
    assert all(problem.what and problem.remedy for problem in problems)
    if plan is not None:
        last = len(split_lines(text))
        assert plan.steps
        assert all(1 <= step.line <= last and step.title and step.id for step in plan.steps)
        assert len({step.id for step in plan.steps}) == len(plan.steps)
        assert decode(encode(plan, Plan), Plan) == plan


@given(ISSUES)
def test_lines_joined_are_the_text_again(text):
    lines = split_lines(text)
    assert "".join(line.text + line.ending for line in lines) == text
