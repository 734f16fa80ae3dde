"""Following a rollout changes marks and notes, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from flagstaff.definitions.project import Project
from flagstaff.errors import ImportProblems
from flagstaff.issues.answers import Said, box_answers
from flagstaff.issues.follow import follow, unfollow
from flagstaff.issues.importer import import_issue
from flagstaff.issues.lines import marker_of, split_lines
from flagstaff.rollouts.plan import Preset
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
        "  > **ticked again** <!-- flagstaff -->",
        "\u2610 Verify that it works",
        "  \u2611 Documentation is written",
        "[ ] Test without a bullet",
        "- [x] Test without a bullet, again",
        "- [-] Ensure that documentation is written. Not needed: nobody sees it",
        "- [~] Ensure that documentation is written",
        "  Reason: nobody sees it",
        "**Rollback**",
        "  ```",
        "  /chatops run feature set x true --dev",
    ]
)
TEXTS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\r"])), max_size=25).map(
    lambda lines: "".join(line + ending for line, ending in lines)
)
STATUSES = st.lists(st.sampled_from(list(StepStatus)), min_size=1, max_size=12)
NOTES = st.sampled_from(["", "fine", "a --> b\n- [ ] c", "<!-- flagstaff -->"])
MARK = re.compile(
    r"^([ \t\u00a0]*(?:(?:[-*+\u2022]|[0-9]+[.)])[ \t\u00a0]+)?)(?:\[(?:|[ x-])\]|[\u2610\u2611]) ?"
)


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


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["insert", "delete", "tick", "open", "skip", "append", "paste"]),
        st.integers(0, 40),
        LINES,
    ),
    max_size=8,
)
BOX = re.compile(r"\[[ x~-]\]")


def edited(text, edits):
    """Return the text as people left it who wrote over each other at the same time."""
    lines = text.splitlines(keepends=True)
    for what, number, words in edits:
        at = number % len(lines) if lines else 0
        match what:
            case "insert" | "paste":
                lines.insert(at, words + "\n")
            case "delete" if lines:
                del lines[at]
            case "append" if lines:
                body = lines[at].rstrip("\r\n")
                lines[at] = body + " because of this" + lines[at][len(body) :]
            case "tick" | "open" | "skip" if lines:
                mark = {"tick": "[x]", "open": "[ ]", "skip": "[-]"}[what]
                lines[at] = BOX.sub(mark, lines[at], count=1)
            case _:
                pass
    return "".join(lines)


@given(followed(), EDITS)
def test_edits_of_people_keep_every_byte(case, edits):
    text, rollout = case
    theirs = edited(follow(text, rollout), edits)
    after = follow(theirs, rollout)
    assert unmarked(unfollow(after)) == unmarked(unfollow(theirs))
    assert follow(after, rollout) == after


@given(followed(), EDITS, st.sampled_from([Phase.RUNNING, Phase.WAITING, Phase.PAUSED]))
def test_what_we_write_says_nothing_in_the_name_of_people(case, edits, phase):
    text, rollout = case
    rollout = replace(rollout, phase=phase)
    theirs = edited(follow(text, rollout), edits)
    said = [(each.step, each.said, each.reason) for each in box_answers(theirs, rollout)]
    after = follow(theirs, rollout)
    assert [(each.step, each.said, each.reason) for each in box_answers(after, rollout)] == said
    lines = split_lines(theirs)
    for each in box_answers(theirs, rollout):
        mark = marker_of(lines[each.line - 1].text).preset
        wanted = {Said.APPROVED, Said.NOT_THEIRS} if mark is Preset.DONE else {
            Said.SKIPPED, Said.NO_REASON}  # fmt: skip
        assert each.said in wanted
        assert not rollout.state(each.step).status.finished
        assert bool(each.reason) is (each.said is Said.SKIPPED)


@given(followed())
def test_nobody_has_said_anything_when_only_we_wrote(case):
    text, rollout = case
    rollout = replace(rollout, phase=Phase.RUNNING)
    opened = BOX.sub("[ ]", unfollow(text)).replace("\u2611", "\u2610")
    plan = Rollout.of(import_issue(opened, project=Project(), known_flags={"x"}).plan)
    states = rollout.states[: len(plan.states)]
    for old, new in zip(states, plan.states, strict=False):
        plan = plan.with_state(replace(new, status=old.status, since=NOW, finished_at=NOW))
    plan = replace(plan, phase=Phase.RUNNING)
    assert box_answers(opened, plan) == ()
    assert box_answers(follow(opened, plan), plan) == ()
