"""Following a rollout changes marks and notes, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from flagstaff.definitions.project import Project
from flagstaff.errors import ImportProblems
from flagstaff.issues.follow import follow, unfollow
from flagstaff.issues.importer import import_issue
from flagstaff.issues.lines import split_lines
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINES = st.sampled_from(
    [
        "- [ ] Test a",
        "- [ ] Test a",
        "  - [ ] Test b ",
        "\t* [x] Test c",
        "1. [-] Test d",
        "- plain",
        "\u2022 Test e",
        "  \u2022 [ ] /chatops run feature set x true",
        "   wrapped text",
        "- [ ] `/chatops run feature set x <rollout-percentage> --actors`",
        "- [ ] `/chatops run feature set x <rollout-percentage> --random`",
        "Create a merge request",
        "- [ ] Open an MR that removes x",
        "  - [ ] Remove all references",
        "- [ ]",
        "-",
        "- ~~gone~~",
        "- [ ] half <!-- open",
        "-->",
        "```",
        "## Rollback",
        "## Rollout",
        "",
        "  ",
        "/label ~x",
        "  > ours **done** <!-- flagstaff -->",
    ]
)
TEXTS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=25).map(
    lambda lines: "".join(line + ending for line, ending in lines)
)
STATUSES = st.lists(st.sampled_from(list(StepStatus)), min_size=1, max_size=12)
NOTES = st.sampled_from(["", "fine", "a --> b\n- [ ] c", "<!-- flagstaff -->"])
MARK = re.compile(r"^([ \t\u00a0]*(?:[-*+\u2022]|[0-9]+[.)])[ \t\u00a0]+)\[[ x-]\] ?")


@st.composite
def followed(draw):
    text = "# [FF] `x`\n" + draw(TEXTS) + draw(st.sampled_from(["", "- [ ] last"]))
    try:
        plan = import_issue(text, project=Project(), known_flags={"x"}).plan
    except ImportProblems:
        assume(False)
        raise
    statuses = draw(STATUSES)
    rollout = Rollout.of(plan, rollout_id=3)
    for at, state in enumerate(rollout.states):
        status = statuses[at % len(statuses)]
        rollout = rollout.with_state(
            replace(state, status=status, since=NOW, until=NOW, finished_at=NOW, note=draw(NOTES))
        )
    phase = draw(st.sampled_from(list(Phase)))
    return text, replace(rollout, phase=phase, reason="why", started_at=NOW, finished_at=NOW)


def unmarked(text):
    return [(MARK.sub(r"\1", line.text), line.ending) for line in split_lines(text)]


@given(followed())
def test_only_marks_and_notes_change_and_once_is_enough(case):
    text, rollout = case
    after = follow(text, rollout)
    assert follow(after, rollout) == after
    assert unmarked(unfollow(after)) == unmarked(unfollow(text))


@given(followed(), TEXTS)
def test_any_edit_between_two_calls_is_kept(case, other):
    _, rollout = case
    after = follow(other, rollout)
    assert follow(after, rollout) == after
    assert unmarked(unfollow(after)) == unmarked(unfollow(other))


@given(st.text())
def test_any_text_can_be_followed(text):
    plan = import_issue("# [FF] `x`\n- [ ] Test", project=Project(), known_flags={"x"}).plan
    after = follow(text, Rollout.of(plan))
    assert unmarked(unfollow(after)) == unmarked(unfollow(text))
