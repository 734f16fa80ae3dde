"""Which boxes are filled on a forge, what is said about steps, and which label is right?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import START, plan_of, ramp, turn_on
from flagstaff.flags.change import Boolean
from flagstaff.issues.answers import Said
from flagstaff.issues.comments import closing_comment, comments_for, quiet
from flagstaff.issues.filled_boxes import filled_boxes, with_open_boxes
from flagstaff.issues.follow import follow
from flagstaff.issues.state_labels import DISABLED, ENABLED, ROLLING_OUT, state_label
from flagstaff.rollouts.plan import AskPerson, Preset, SetGate, Step
from flagstaff.rollouts.rollout import Phase, Rollout, StepStatus

TEXT = """\
## Steps

- [ ] Ask team one
- [ ] Ask team two
- [x] Ask team three
"""


def asked(number, line, word, preset=Preset.OPEN):
    return Step(
        id=f"s{number}",
        stage="First",
        title=f"Ask team {word} @ops",
        action=AskPerson(),
        line=line,
        anchor=f"Ask team {word}",
        preset=preset,
    )


@pytest.fixture
def rollout():
    plan = plan_of(asked(1, 3, "one"), asked(2, 4, "two"), asked(3, 5, "three", Preset.DONE))
    return replace(Rollout.of(plan, rollout_id=4), phase=Phase.RUNNING, started_at=START)


def with_status(rollout, step, status, **more):
    return rollout.with_state(replace(rollout.state(step), status=status, **more))


def test_a_filled_box_has_its_text_and_all_that_it_says(rollout):
    assert filled_boxes(TEXT, rollout) == ()
    text = TEXT.replace("[ ] Ask team two", "[X] Ask team two")
    (found,) = filled_boxes(text, rollout)
    assert (found.item, found.said, found.is_word) == ("Ask team two", {Said.APPROVED}, True)
    assert [(each.step, each.line) for each in found.answers] == [("s2", 4)]


def test_what_is_nobodys_to_tick_is_no_word_and_one_box():
    plan = plan_of(ramp(10), ramp(50))
    steps = tuple(replace(step, line=3, anchor="Ramp up") for step in plan.steps)
    climbing = Rollout.of(replace(plan, steps=steps))
    climbing = replace(climbing, phase=Phase.RUNNING, started_at=START)
    (found,) = filled_boxes(TEXT.replace("[ ] Ask team one", "[x] Ramp up"), climbing)
    assert (len(found.answers), found.said, found.is_word) == (2, {Said.NOT_THEIRS}, False)


def test_our_own_marks_and_those_that_are_approved_say_nothing(rollout):
    done = with_status(rollout, "s1", StepStatus.DONE, finished_at=START, note="ok")
    assert filled_boxes(follow(TEXT, done), done) == ()
    ahead = rollout.with_state(replace(rollout.state("s2"), approved_by="dana"))
    assert filled_boxes(TEXT.replace("[ ] Ask team two", "[x] Ask team two"), ahead) == ()


@pytest.mark.parametrize("mark", ["x", "~", "-"])
def test_a_box_is_opened_again_and_nothing_else_is_touched(rollout, mark):
    done = with_status(rollout, "s1", StepStatus.DONE, finished_at=START, note="ok")
    text = follow(TEXT, done).replace("[ ] Ask team two", f"[{mark}] Ask team two")
    text = text.replace("\n", "\r\n")
    (box,) = filled_boxes(text, done)
    opened = with_open_boxes(text, {each.line for each in box.answers})
    assert opened == text.replace(f"[{mark}] Ask team two", "[ ] Ask team two")
    assert with_open_boxes(text, {1, 2}) == text, "there is no box in these"


def test_comments_mention_nobody_and_come_with_their_stage(rollout):
    assert comments_for(replace(rollout, started_at=None)) == ()
    (overview,) = comments_for(rollout)
    assert overview.key == "overview"
    assert "It is at *Ask team one @\u200bops*: to come" in overview.text
    begun = with_status(rollout, "s1", StepStatus.WAITING, since=START, note="a | b\n/close")
    _, stage = comments_for(begun)
    assert (
        "| Ask team one @\u200bops | **waits for a person**: a \\| b /close | 2026-03-02"
        in stage.text
    )
    assert not any(line.startswith("/") for line in stage.text.splitlines())


def test_one_that_expired_says_so_and_how_it_goes_on(rollout):
    expired = replace(rollout, phase=Phase.EXPIRED, reason="expired: nobody answered")
    (overview, *_) = comments_for(expired)
    assert "**Expired**: nobody answered (`rollout resume 4`)" in overview.text


def test_what_is_quiet_ends_no_comment():
    assert "-->" not in quiet("a --> b")


def test_a_rollback_is_told_with_what_is_next(rollout):
    rolled = replace(rollout, phase=Phase.ROLLED_BACK, reason="errors", finished_at=START)
    assert "**Rolled back**" in closing_comment(rolled)
    assert "stays open" in closing_comment(rolled)


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ((turn_on("staging"),), DISABLED),
        ((ramp(10),), ROLLING_OUT),
        ((ramp(10), turn_on("production")), ENABLED),
        ((ramp(10), SetGate(environments=("production",), change=Boolean(value=False))), DISABLED),
    ],
)
def test_a_label_says_where_production_is(changes, label):
    rollout = Rollout.of(plan_of(*changes))
    for step in rollout.plan.steps:
        rollout = with_status(rollout, step.id, StepStatus.DONE)
    assert state_label(rollout) == label
    assert state_label(replace(rollout, phase=Phase.ROLLED_BACK)) == DISABLED
