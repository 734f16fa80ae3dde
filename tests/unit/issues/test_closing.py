"""What would turn production off again is never done by itself, whatever its heading is called."""

from __future__ import annotations

import pytest

from flagstaff.flags.change import Boolean
from flagstaff.issues.closing import TAKES_BACK
from flagstaff.issues.imported import describe_import
from flagstaff.issues.reporting import CLOSES, NEVER_DONE
from flagstaff.rollouts.plan import Announce, AskPerson, CheckReleased, DeleteFlag, Preset, SetGate

RUN = "/chatops run feature"
RELEASED = "`/chatops run release check https://x.example/g/p/-/merge_requests/1 15.2`"
OFF = f"`{RUN} set quick_search false`"
HEAD = "# [FF] `quick_search`\n\n"
ON = (
    f"{HEAD}## Global rollout\n\n"
    f"- [ ] `{RUN} set quick_search 25 --actors`\n- [ ] `{RUN} set quick_search true`\n\n"
)
DELETE = f"`{RUN} delete quick_search --staging --production`"


def done_alone(imported):
    """Return the steps that turn something off or delete, with nobody asked."""
    return [
        step
        for step in imported.plan.steps
        if step.preset is Preset.OPEN
        and (
            isinstance(step.action, DeleteFlag)
            or (isinstance(step.action, SetGate) and step.action.change == Boolean(value=False))
        )
    ]


def reason_for(imported, words):
    line = next(each for each in reversed(imported.lines) if words in each.text)
    return line.understood_as, line.detail


@pytest.mark.parametrize(
    "heading",
    [
        "If it goes wrong",
        "If something goes wrong",
        "In case of problems",
        "Emergency",
        "Kill switch",
        "Contingency plan",
        "How to undo",
        "Turning it off again",
        "Disable the feature",
        "Backout plan",
        "Revert",
        "Incident response",
        "What to do when errors appear",
        "What if the error rate rises?",
        "Steps to back out",
    ],
)
def test_a_heading_that_speaks_of_undoing_needs_nothing_above_it(importing, heading):
    text = f"{HEAD}- [ ] Test it\n\n## {heading}\n\n- [ ] {OFF}\n- [ ] Page the people on call\n"
    imported = importing(text)
    assert [step.id for step in imported.plan.steps] == ["test"]
    assert reason_for(imported, "set quick_search false") == ("not a step", NEVER_DONE)
    assert reason_for(imported, "Page the people") == ("not a step", NEVER_DONE)
    assert imported.plan.notes == (f"rollback in the issue, line 7: {OFF.strip('`')}",)


@pytest.mark.parametrize(
    "heading",
    [
        "What can go wrong, and how would we notice?",
        "When to close this issue",
        "If there are no errors",
        "Emergency contacts",
        "Enable the kill switch for exports",
        "Disable the old export",
        "Turn on and off again on staging",
    ],
)
def test_a_heading_that_only_sounds_like_it_keeps_its_boxes(importing, heading):
    imported = importing(f"{HEAD}## {heading}\n\n- [ ] Ask the team\n")
    assert [step.title for step in imported.plan.steps] == ["Ask the team"]


@pytest.mark.parametrize(
    "change", ["set quick_search false", "set quick_search 0 --actors",
               "set quick_search 0 --random", "set quick_search false --dev --production",
               "set quick_search false --group=acme"]
)  # fmt: skip
@pytest.mark.parametrize("box", ["- [ ] ", "- ", ""])
def test_a_section_that_only_takes_back_is_none_whatever_it_is_called(importing, change, box):
    text = (
        f"{ON}## Blue sky\n\n- [ ] Tell `#production`\n- [ ] Look at the graphs\n\n"
        f"### There\n\n- [ ] `{RUN} set quick_search false --staging`\n\n"
        f"### Here\n\n{box}`/chatops run feature {change}`\n"
    )
    imported = importing(text)
    assert not done_alone(imported)
    assert not [step for step in imported.plan.steps if isinstance(step.action, Announce)]
    told = describe_import(imported)
    for words in (f"feature {change}", "Tell `#production`", "false --staging"):
        assert reason_for(imported, words) == ("not a step", CLOSES)
        assert any(CLOSES in line for line in told.splitlines())
    assert len(imported.plan.notes) == 2


@pytest.mark.parametrize(
    "text",
    [
        # Between what opens it, so that it may be meant.
        (
            f"{HEAD}## Blue sky\n- [ ] `{RUN} set quick_search 25 --actors`\n- [ ] {OFF}\n"
            f"- [ ] `{RUN} set quick_search true`\n"
        ),
        # Beside it, in a section of its own, and more is opened below.
        (
            f"{HEAD}## One\n- [ ] `{RUN} set quick_search 25 --actors`\n## Two\n- [ ] {OFF}\n"
            f"## Three\n- [ ] `{RUN} set quick_search true`\n"
        ),
        # In the issue without headings.
        f"{HEAD}- [x] `{RUN} set quick_search true`\n- [ ] {OFF}\n",
        # After words that have a person open it.
        f"{HEAD}- [ ] Enable on GitLab.com\n- [ ] {OFF}\n",
        # In the clean-up, which deletes and does not turn off.
        f"{ON}## Clean up\n- [ ] {OFF}\n",
        # Less than before.
        f"{ON}## Hm\n- [ ] `{RUN} set quick_search 10 --actors`\n",
        (
            f"{HEAD}- [ ] `{RUN} set quick_search 50 --random`\n"
            f"- [ ] `{RUN} set quick_search 10 --random`\n"
        ),
        # Deleted, with no word of a clean-up.
        f"{ON}## Blue sky\n- [ ] {DELETE}\n",
        f"{ON}- [ ] {DELETE}\n",
        # Called a clean-up, while it is on for some only, or opened once more below.
        f"{HEAD}## Ramp\n- [ ] `{RUN} set quick_search 25 --actors`\n## Clean up\n- [ ] {DELETE}\n",
        f"{ON}## Clean up\n- [ ] {DELETE}\n\n## Again\n- [ ] `{RUN} set quick_search true`\n",
        # The title speaks of removing, and everything stands below it.
        (
            f"# Roll out and remove `quick_search`\n\n- [ ] `{RUN} set quick_search true`\n"
            f"- [ ] {DELETE}\n"
        ),
    ],
)
def test_what_may_be_meant_is_left_to_a_person_with_the_reason(importing, text):
    imported = importing(text)
    assert not done_alone(imported)
    (line,) = [each for each in imported.lines if each.hint == TAKES_BACK]
    assert (line.understood_as, line.certainty) == ("step for a person", "person")
    (step,) = [step for step in imported.plan.steps if step.id in line.steps]
    assert isinstance(step.action, AskPerson)


@pytest.mark.parametrize(
    "cleanup",
    [
        f"## Clean up\n- [ ] {DELETE}\n",
        f"## Release the feature\n### Afterwards\n- [ ] {DELETE}\n",
        ("## Later\n- [ ] Create a merge request to remove the flag\n\n"
        f"## Last\n- [ ] {DELETE}\n"),
        (f"## Last\n- [ ] {RELEASED}\n"
        f"- [ ] {DELETE}\n"),
    ],
)  # fmt: skip
def test_the_clean_up_deletes_the_flag_by_itself(importing, cleanup):
    imported = importing(f"{ON}{cleanup}")
    (step,) = done_alone(imported)
    assert step.action == DeleteFlag(environments=("staging", "production"))
    assert not [each for each in imported.lines if each.hint == TAKES_BACK]


def test_what_turns_off_before_anything_is_opened_is_done(importing):
    text = (
        f"{HEAD}- [ ] {OFF}\n- [ ] `{RUN} set quick_search true --staging`\n"
        f"- [ ] `{RUN} set quick_search false --staging`\n- [ ] `{RUN} set quick_search true`\n"
    )
    assert len(done_alone(importing(text))) == 2


def test_a_box_that_is_done_or_skipped_stays_as_it_is(importing):
    imported = importing(f"{ON}## Hm\n- [x] {OFF}\n- [-] {OFF}\n- [ ] Look\n")
    assert not done_alone(imported)
    presets = [(step.title, step.preset) for step in imported.plan.steps[-3:]]
    title = "Set quick_search to false in production"
    assert presets == [
        (title, Preset.DONE), (title, Preset.SKIPPED), ("Look", Preset.OPEN)
    ]  # fmt: skip


def test_the_delete_after_a_release_check_waits_for_it(importing):
    text = f"{ON}## Last\n- [ ] {DELETE}\n- [ ] {RELEASED}\n"
    imported = importing(text)
    assert [step for step in imported.plan.steps if isinstance(step.action, CheckReleased)]
    assert not done_alone(imported)
