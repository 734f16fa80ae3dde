"""What people say by their boxes, and what we answer in the issue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flagstaff.issues.answers import Said, box_answers
from flagstaff.issues.follow import follow
from flagstaff.rollouts.event import Approved
from flagstaff.rollouts.machine import advance
from flagstaff.rollouts.rollout import Phase, StepStatus

TEXT = """# [FF] `quick_search`

- [ ] Ensure that the documentation is written
- [ ] `/chatops run feature set quick_search true --dev`
- [ ] Verify that it works as expected
- [ ] Paint the wall in the office
"""


@pytest.fixture
def running(importing, driver):
    return driver(importing(TEXT).plan)


def said(text, rollout):
    return [(each.step, each.said, each.line, each.reason) for each in box_answers(text, rollout)]


def test_a_tick_is_a_yes_now_or_for_later(running):
    rollout = running.rollout
    assert said(TEXT, rollout) == []
    ticked = TEXT.replace("[ ] Ensure", "[x] Ensure").replace("[ ] Paint", "[X] Paint")
    assert said(ticked, rollout) == [
        ("documentation-written", Said.APPROVED, 3, ""),
        ("paint-wall-office", Said.APPROVED, 6, ""),
    ]


def test_a_yes_that_was_heard_is_not_said_again(running):
    ticked = TEXT.replace("[ ] Paint", "[x] Paint")
    heard, _ = advance(running.rollout, Approved(step="paint-wall-office", by="bea"), running.now)
    assert said(ticked, heard) == []
    after = follow(ticked, heard)
    assert "> **approved** by bea; it counts when its turn comes <!-- flagstaff -->" in after


def test_a_tick_does_nothing_in_the_place_of_flagstaff(running):
    ticked = TEXT.replace("[ ] `/chat", "[x] `/chat")
    assert said(ticked, running.rollout) == [("set-dev", Said.NOT_THEIRS, 4, "")]
    after = follow(ticked, running.rollout)
    assert "  > **ticked by hand**: Flagstaff does or checks this itself" in after
    assert follow(after, running.rollout) == after


@pytest.mark.parametrize("mark", ["~", "-", "n/a"])
@pytest.mark.parametrize(
    ("behind", "reason"),
    [
        (" \u2014 nobody sees it", "nobody sees it"),
        (" (reason: nobody sees it)", "nobody sees it"),
        ("\n  Reason: nobody sees it", "nobody sees it"),
        ("\n  - because nobody sees it", "nobody sees it"),
        (". Skipped since nobody sees it", "nobody sees it"),
        ("\n  - not applicable", "not applicable"),
        (" n/a", "n/a"),
    ],
)
def test_a_skip_has_a_reason(running, mark, behind, reason):
    words = "Ensure that the documentation is written"
    text = TEXT.replace(f"[ ] {words}", f"[{mark}] {words}{behind}")
    expected = [("documentation-written", Said.SKIPPED, 3, reason)]
    assert said(text, running.rollout) == expected
    after = follow(text, running.rollout)
    assert "**why?**" not in after
    assert said(after, running.rollout) == expected


@pytest.mark.parametrize("behind", ["", " ...", "\n  More about it.", "\n  - [ ] because of it"])
def test_a_skip_without_a_reason_is_asked_for_one(running, behind):
    words = "Ensure that the documentation is written"
    text = TEXT.replace(f"[ ] {words}", f"[~] {words}{behind}")
    assert said(text, running.rollout) == [("documentation-written", Said.NO_REASON, 3, "")]
    after = follow(text, running.rollout)
    assert after.count("  > **why?** write the reason") == 1
    assert said(after, running.rollout)[0][1] is Said.NO_REASON
    told = after.replace(words, f"{words} - nobody sees it")
    assert "**why?**" not in follow(told, running.rollout)


def test_a_short_text_is_found_again_with_a_reason_behind_it(importing, driver):
    text = "# [FF] `quick_search`\n\n- [ ] Test it\n- [ ] Test them\n"
    rollout = driver(importing(text).plan).rollout
    skipped = text.replace("[ ] Test it", "[-] Test it, not needed")
    assert said(skipped, rollout) == [("test", Said.SKIPPED, 3, "not needed")]


def test_to_take_a_tick_away_undoes_nothing(running):
    done = running.run_until("verify-works-expected")
    text = follow(TEXT, done)
    assert "- [x] `/chatops" in text
    opened = text.replace("- [x] `/chatops", "- [ ] `/chatops")
    after = follow(opened, done)
    assert "- [x] `/chatops" in after
    assert after.count("> **ticked again**: to take a tick away undoes nothing") == 1
    assert follow(after, done) == after
    assert said(opened, done) == []


def test_a_line_of_several_steps_is_no_tick_taken_away(importing, driver):
    """Its notes say of the first steps that they are done while its box is still open."""
    command = "/chatops run feature set quick_search <percentage> --actors"
    text = f"# [FF] `quick_search`\n\n- [ ] `{command}`\n"
    running = driver(importing(text).plan)
    while not running.rollout.phase.finished:
        running.turn()
        text = follow(text, running.rollout)
        assert "**ticked again**" not in text
    assert text.count("**set**") == 2
    assert "- [x] `/chatops" in text
    opened = follow(text.replace("[x]", "[ ]"), running.rollout)
    assert "- [x] `/chatops" in opened
    assert "**ticked again**" in opened


def test_a_text_saved_over_ours_is_brought_up_to_date_without_reproach(running):
    done = running.run_until("verify-works-expected")
    after = follow(TEXT.replace("Paint the", "Paint that"), done)
    assert "**ticked again**" not in after
    assert "- [x] `/chatops" in after


def test_nothing_is_said_about_a_rollout_that_is_over_or_has_not_begun(running):
    ticked = TEXT.replace("[ ]", "[x]")
    for phase in (Phase.PENDING, Phase.COMPLETED, Phase.ROLLED_BACK):
        assert said(ticked, replace(running.rollout, phase=phase)) == []


def test_a_step_that_turns_to_a_person_can_be_answered_by_its_box(running):
    state = replace(running.rollout.state("set-dev"), status=StepStatus.WAITING)
    waiting = running.rollout.with_state(state)
    ticked = TEXT.replace("[ ] `/chat", "[x] `/chat")
    assert said(ticked, waiting) == [("set-dev", Said.APPROVED, 4, "")]
