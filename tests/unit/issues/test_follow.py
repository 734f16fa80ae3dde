"""How does the issue's text follow the rollout?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from flagstaff.issues.follow import follow, unfollow
from flagstaff.issues.lines import NOTE_END, anchor_of, split_lines
from flagstaff.rollouts.event import Aborted
from flagstaff.rollouts.plan import Preset, SetGate
from flagstaff.rollouts.rollout import Phase, Rollout

RENAMED = "rename_integrations_workers"
SHAPES = [
    f"{RENAMED}.md",
    "early_2021.md",
    "late_2021.md",
    "early_2022.txt",
    "year_2023.md",
    "year_2024.md",
    "year_2026.md",
]
_BOX = re.compile(r"^([ \t\u00a0]*(?:[-*+\u2022]|[0-9]+[.)])[ \t\u00a0]+)\[[x-]\]( )?")


def without_marks(text, original):
    """Return `text` with our marks as they were: a box emptied, or taken away again."""
    lines = []
    for line, before in zip(split_lines(text), split_lines(original), strict=True):
        had_box = "[" in before.text[: len(before.text) - len(anchor_of(before.text))]
        new = line.text
        if new != before.text:
            new = _BOX.sub(r"\1[ ]\2" if had_box else r"\1", new)
        lines.append(new + line.ending)
    return "".join(lines)


def finished(importing, driver, text):
    return driver(importing(text).plan).run()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", " \t \n\n"])
@pytest.mark.parametrize("name", SHAPES)
def test_only_marks_and_notes_change(importing, driver, sample, name, ending, last):
    text = (sample(name).rstrip("\n") + last).replace("\n", ending)
    rollout = finished(importing, driver, text)
    assert rollout.phase is Phase.COMPLETED
    after = follow(text, rollout)
    assert after != text
    assert follow(after, rollout) == after
    assert without_marks(unfollow(after), text) == text
    assert ending == "\n" or "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize("name", SHAPES)
def test_every_step_of_a_completed_rollout_is_marked(importing, driver, sample, name):
    text = sample(name)
    rollout = finished(importing, driver, text)
    lines = split_lines(unfollow(follow(text, rollout)))
    for step in rollout.plan.steps:
        assert re.search(r"\[(x|-|~|n/a)\]", lines[step.line - 1].text), step


def test_tabs_trailing_blanks_and_odd_bytes_stay(importing, driver):
    text = (
        "# [FF] `quick_search`  \r\n\r\n-\t[ ] Test a\t \r\n\t- [ ]  Test\u00a0b \x0b\r\n"
        "\t  wrapped\u2028text  \n- [ ] Test c\n\n\n   \n- [ ] Test d"
    )
    rollout = finished(importing, driver, text)
    after = follow(text, rollout)
    assert without_marks(unfollow(after), text) == text
    assert after.endswith(NOTE_END)


def test_notes_stand_below_the_wrapped_text_and_above_what_is_nested(importing, driver, sample):
    text = sample(f"{RENAMED}.md")
    after = follow(text, finished(importing, driver, text)).splitlines()
    at = next(n for n, line in enumerate(after) if "Verify that the jobs run" in line)
    assert after[at : at + 3] == [
        "- [x] Verify that the jobs run.",
        "      Both names write to the same log,",
        "      so look at both.",
    ]
    assert after[at + 3].startswith("  > **done** 2026-03-02 ")
    assert after[at + 3].endswith(f"UTC: approved by bea: looks good {NOTE_END}")
    merge = next(n for n, line in enumerate(after) if "Create a merge request" in line)
    assert "merged as dddddddddddd" in after[merge + 1]
    assert "Remove all references" in after[merge + 2]


def test_the_ramp_has_a_line_for_each_rung(importing, driver, sample):
    text = sample(f"{RENAMED}.md")
    after = follow(text, finished(importing, driver, text)).splitlines()
    at = next(n for n, line in enumerate(after) if "--random`" in line)
    first, second = after[at + 1 : at + 3]
    assert re.fullmatch(
        r"      > - 10 --random: \*\*set\*\* .{16} UTC; \*\*held\*\* until .{16} UTC: .*",
        first.removesuffix(f" {NOTE_END}"),
    )
    assert second.startswith("      > - 50.5 --random: ")
    assert "[-]" in after[at - 3]
    assert "> **skipped**: this flag is evaluated without an actor" in after[at - 2]


def test_what_waits_says_how_to_answer(importing, driver, sample):
    text = sample(f"{RENAMED}.md")
    turns = driver(importing(text).plan)
    turns.run_until("verify-jobs")
    turns.turn()
    after = follow(text, turns.rollout)
    note = next(line for line in after.splitlines() if "**waiting** since" in line)
    assert "`rollout approve 7 --step verify-jobs`" in note
    assert "- [ ] Verify that the jobs run." in after


def test_a_hold_says_until_when(importing, driver, sample):
    text = sample(f"{RENAMED}.md")
    turns = driver(importing(text).plan)
    turns.run_until("verification-term")
    turns.turn()
    assert "  > **holding** until 2026-" in follow(text, turns.rollout)


def test_a_rollback_says_on_which_evidence(importing, driver, sample):
    text = sample(f"{RENAMED}.md")
    turns = driver(importing(text).plan)
    turns.run_until("bake-10")
    turns.turn(failed=90)
    rollout = turns.rollout
    assert rollout.phase is Phase.ROLLED_BACK
    after = follow(text, rollout)
    closing = next(line for line in after.splitlines() if line.startswith("> **Rolled back**"))
    assert "90 of " in closing
    assert "as before in dev, staging, production" in closing
    assert "**failed**" in after
    assert f"- [ ] `/chatops run feature set {RENAMED} <rollout-percentage> --random`" in after
    assert follow(after, rollout) == after


class TestRollback:
    TEXT = (
        "# [FF] `quick_search`\n"
        "- [ ] Everything before production\n"
        "  - [ ] Test a\n"
        "  - [x] `/chatops run feature set quick_search true --dev`\n"
        "  - [ ] `/chatops run feature set quick_search true --staging`  \r\n"
        "- [ ] Other things\n"
        "  - [ ] Test b\n"
        "- [ ] `/chatops run feature set quick_search true --production`\n"
        "- [ ] Test c"
    )
    AFTER = TEXT.replace("[ ] Test a", "[x] Test a").replace("[ ] Other", "[x] Other")
    AFTER = AFTER.replace("[ ] Test b", "[x] Test b")

    @pytest.fixture
    def turns(self, importing, driver):
        turns = driver(importing(self.TEXT).plan)
        turns.run_until(turns.rollout.plan.steps[-1].id)
        return turns

    def test_what_was_taken_back_is_open_again(self, turns):
        before = follow(self.TEXT, turns.rollout)
        assert before.count("- [x]") == 7
        turns._tell(Aborted(by="anna", reason="harm"))
        after = follow(before, turns.rollout)
        assert unfollow(after) == self.AFTER
        assert follow(after, turns.rollout) == after
        assert unfollow(follow(self.TEXT, turns.rollout)) == self.AFTER
        notes = [line for line in after.splitlines() if "**undone** 2026-03-02 " in line]
        assert len(notes) == 2
        assert "UTC, was done 2026-03-02 " in notes[0]
        assert "set to true in staging" in notes[0]

    def test_a_new_import_takes_it_as_not_done(self, importing, turns):
        turns._tell(Aborted(by="anna", reason="harm"))
        again = importing(follow(follow(self.TEXT, turns.rollout), turns.rollout)).plan
        changes = {
            step.action.environments: step.preset
            for step in again.steps
            if isinstance(step.action, SetGate)
        }
        assert changes == {
            ("dev",): Preset.DONE,
            ("staging",): Preset.OPEN,
            ("production",): Preset.OPEN,
        }


def test_the_closing_note_follows_the_last_step(importing, driver, sample):
    text = sample(f"{RENAMED}.md")
    after = follow(text, finished(importing, driver, text)).splitlines()
    at = next(n for n, line in enumerate(after) if line.startswith("> **Rollout completed**"))
    assert "Close this rollout issue" in after[at - 2]
    assert "Last evidence: failures: 0 of 40,000 jobs against 0 of 40,000" in after[at]


def test_marks_of_people_stay(importing, driver):
    text = "# [FF] `quick_search`\n- [ ] Test a\n- [X] Test b\n- [~] Test c\n- [n/a] Test d\n"
    rollout = finished(importing, driver, text)
    after = follow(text, rollout)
    assert [line for line in after.splitlines() if line.startswith("-")] == [
        "- [x] Test a",
        "- [X] Test b",
        "- [~] Test c",
        "- [n/a] Test d",
    ]
    assert after.count(NOTE_END) == 2


def test_notes_cannot_be_broken_by_what_they_report(importing, driver):
    text = "# [FF] `quick_search`\n- [ ] Test a\n- [ ] Test b\n"
    rollout = finished(importing, driver, text)
    state = replace(rollout.states[0], note="a\n- [ ] b --> <!-- c\r\n# d")
    rollout = rollout.with_state(state)
    after = follow(text, rollout)
    assert len(after.splitlines()) == len(text.splitlines()) + 3
    notes = [line for line in after.splitlines() if line.endswith(NOTE_END)]
    assert [line.count("<!--") + line.count("-->") for line in notes] == [2, 2, 2]
    assert follow(after, rollout) == after
    assert without_marks(unfollow(after), text) == text


def test_a_note_never_lands_inside_a_comment_or_code(importing, driver):
    text = (
        "# [FF] `quick_search`\n- [ ] Test a <!-- begins\n\n- [ ] hidden\n ends -->\n"
        "- [ ] Test b\n```\n- [ ] code\n```\n"
    )
    rollout = finished(importing, driver, text)
    after = follow(text, rollout).splitlines()
    assert after[1:5] == ["- [x] Test a <!-- begins", "", "- [ ] hidden", " ends -->"]
    assert after[5].endswith(NOTE_END)
    assert after[7].endswith(NOTE_END)


class TestEdits:
    """People edit the issue while the rollout runs."""

    @pytest.fixture
    def done(self, importing, driver, sample):
        text = sample(f"{RENAMED}.md")
        return text, finished(importing, driver, text)

    def boxes(self, text, rollout):
        marks = {}
        for line in unfollow(follow(text, rollout)).splitlines():
            if found := re.match(r"\s*- \[(.)\] (.*)", line):
                marks[found[2]] = found[1]
        return marks

    def test_lines_above_move_everything(self, done):
        text, rollout = done
        for edited in ("New first line\n\n" * 7 + text, text.split("\n", 5)[-1]):
            assert self.boxes(edited, rollout) == self.boxes(text, rollout)

    def test_notes_move_with_their_lines(self, done):
        text, rollout = done
        moved = "One more line\n" + follow(text, rollout)
        assert follow(moved, rollout) == moved

    def test_a_deleted_step_takes_no_other_ones_box(self, importing, driver):
        text = (
            "# [FF] `quick_search`\n- [ ] Test one\n- [ ] Repeat\n- [ ] Test two\n- [ ] Repeat\n"
            "- [ ] Test three\n"
        )
        turns = driver(importing(text).plan)
        turns.run_until("test-two")
        edited = text.replace("- [ ] Repeat\n", "", 1)
        after = [line for line in follow(edited, turns.rollout).splitlines() if line[0] == "-"]
        assert after == ["- [x] Test one", "- [ ] Test two", "- [ ] Repeat", "- [ ] Test three"]

    def test_lines_of_the_same_text_keep_their_order(self, importing, driver):
        text = "# [FF] `quick_search`\n- [ ] Repeat\n- [ ] Repeat\n- [ ] Test\n- [ ] Repeat\n"
        turns = driver(importing(text).plan)
        turns.run_until("test")
        after = follow("One more line\n" + text, turns.rollout).splitlines()
        assert [line for line in after if line.startswith("-")] == [
            "- [x] Repeat",
            "- [x] Repeat",
            "- [ ] Test",
            "- [ ] Repeat",
        ]

    def test_a_line_that_was_added_to_is_still_found(self, done):
        text, rollout = done
        edited = text.replace("Create a changelog entry.", "Create a changelog entry. See !12.")
        assert "[x] Create a changelog entry. See !12." in follow("\n" + edited, rollout)

    def test_a_new_box_of_a_person_stays_open(self, done):
        text, rollout = done
        edited = text.replace("- [-] Check", "- [ ] Ask the cat\n- [-] Check")
        assert "- [ ] Ask the cat\n" in follow(edited, rollout)

    def test_an_issue_emptied_by_people_stays_empty(self, done):
        _, rollout = done
        assert follow("", rollout) == ""
        assert follow("Nothing here.\n", rollout) == "Nothing here.\n"


def test_before_it_starts_only_what_does_not_apply_is_marked(importing, sample):
    text = sample(f"{RENAMED}.md")
    after = follow(text, Rollout.of(importing(text).plan))
    assert after.count("[x]") == 0
    assert after.count(NOTE_END) == 1
    assert "[-] `/chatops run feature set" in after


def test_an_issue_that_was_followed_imports_again(importing, driver, sample):
    for name in SHAPES:
        text = sample(name)
        plan = importing(text).plan
        rollout = driver(plan).run(turns=12)
        again = importing(follow(text, rollout)).plan
        assert [step.title for step in again.steps if step.preset.value == "open"] == [
            step.title
            for step in plan.steps
            if (step.preset.value == "open" and not rollout.state(step.id).status.finished)
            or _shares_an_open_line(step, rollout)
        ]


def _shares_an_open_line(step, rollout):
    return step.preset.value == "open" and any(
        other.line == step.line and not rollout.state(other.id).status.finished
        for other in rollout.plan.steps
    )
