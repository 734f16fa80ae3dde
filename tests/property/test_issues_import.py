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
        "\u2610 ",
        "[x] ",
        "**Rollback**",
        "Rollback\n===",
        "To roll back: ",
        "- An example:\n",
        "\n  ```\n  /chatops run feature set x true --staging\n  ```\n",
        "go to 1%, 10% and 100% ",
        "either ",
        " or ",
        "Enable on staging",
        "/chatops run oncall prod",
        "\u201c/chatops run feature set x true \u2014dev\u201d",
        "\ufeff",
        "\u00a0",
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


NEVER = "/chatops run feature set x true --ops"
ABOVE = st.lists(
    st.sampled_from(
        [
            "## Rollout steps",
            "- [ ] Test a",
            "- [x] Test b",
            "  - [ ] `/chatops run feature set x true --staging`",
            "\u2022 Test c",
            "\u2610 Test d",
            "Some words.",
            "Short words",
            "Enable on staging",
            "- An item\n  ```\n  /chatops run feature set x true --dev\n  ```",
            "<!-- done -->",
            "",
        ]
    ),
    max_size=12,
)
HIDDEN = st.sampled_from(
    [
        f"<!-- {NEVER} -->",
        f"<!--\n- [ ] `{NEVER}`\n-->",
        f"- [ ] <!-- `{NEVER}` --> Test it",
        f"```ruby\nputs 1\n{NEVER}\n```",
        f"~~~\n- [ ] {NEVER}\n~~~",
        f"For example:\n\n```\n{NEVER}\n```",
        f"- [ ] Such as in this example:\n  ```\n  {NEVER}\n  ```",
        f"## Rollback steps\n\n- [ ] `{NEVER}`",
        f"## Rollback\n\n```\n{NEVER}\n```",
        f"**Rollback**\n\n{NEVER}",
        f"## Rollback\n\n### Staging\n\n- `{NEVER}`",
        f"- [ ] Roll back\n  - [ ] `{NEVER}`",
        f"* To roll back:\n  * one\n    * [ ] `{NEVER}`",
        f"- [ ] ~~`{NEVER}`~~",
    ]
)


@given(ABOVE, HIDDEN, st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_undoes_or_only_shows_is_never_done(above, hidden, ending):
    text = "\n".join(["# [FF] `x`", "", *above, "", hidden, ""]).replace("\n", ending)
    try:
        plan = import_issue(text, project=Project(), known_flags={"x"}).plan
    except ImportProblems as wrong:
        assert [problem.what for problem in wrong.problems] == ["there are no steps"]  # noqa: PT017
        return
    for step in plan.steps:
        assert "ops" not in getattr(step.action, "environments", ()) or (
            "non-production" in step.title
        )
