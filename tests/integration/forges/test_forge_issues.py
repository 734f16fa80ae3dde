"""Does an issue on a forge follow its rollout, and the rollout what people mark there?"""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import delete, select

from flagstaff.commands.access_model import AddPerson, LinkForge
from flagstaff.commands.model import AbortRollout, CreateRollout, ImportRollout, SetFlag
from flagstaff.commands.plan_model import EditRollout
from flagstaff.definitions.side_effects import RolloutIssue, SideEffects
from flagstaff.errors import Conflict, NotFound, Refused, UsageError
from flagstaff.flags.change import PercentageOfActors
from flagstaff.rollouts.plan import Close
from flagstaff.rollouts.rollout import Phase
from flagstaff.services import running
from flagstaff.services.person import ENGINE
from flagstaff.store.tables import forge_note, side_effect

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]
PROJECT = "acme/shop"


def overview(lab):
    (found,) = [each for each in lab.forge.notes(PROJECT, 1) if "/overview -->" in each]
    return found


def answers(lab):
    return [each for each in lab.forge.notes(PROJECT, 1) if "/answer/" in each]


def test_the_issue_reads_as_the_rollout_stands(lab, begun):
    text = lab.text()
    assert "- [x] `/chatops run feature set new_navigation true --dev --staging`" in text
    assert "> **done** 2026-03-02 09:00 UTC: new_navigation set to true in dev, staging" in text
    assert "- [ ] Verify that the menu opens." in text
    assert "> **waiting** since" in text
    assert lab.labels() == {"feature flag state::disabled"}
    said = overview(lab)
    assert f"[rollout {begun}](https://flags.example.com/rollouts/{begun})" in said
    assert "It is at *Verify that the menu opens*: **waits for a person**" in said
    stages = [each for each in lab.forge.notes(PROJECT, 1) if "/stage-" in each]
    assert len(stages) == 1, "the stage that has not begun is not told of"


def test_it_is_no_file_to_the_engine(lab, begun):
    assert lab.record(begun).issue_path == lab.settings.issue_url(PROJECT, 1)
    assert lab.services.ask(running.followed_numbers, ENGINE) == []
    assert lab.services.ask(running.active_numbers, ENGINE) == [begun]


def test_only_the_replica_that_leads_writes_there(lab, begun):
    lab.link("dana")
    lab.leads = False
    writes = [each for each in lab.forge.calls if each[0] in {"PUT", "PATCH"}]
    lab.forge.tick(PROJECT, 1, "Verify that", by="dana")
    lab.tick(4)
    assert [each for each in lab.forge.calls if each[0] in {"PUT", "PATCH"}] == writes
    assert lab.at(begun) == "verify-menu-opens"
    lab.leads = True
    lab.tick(4)
    assert "approved by dana" in lab.text()


def test_its_plan_is_edited_by_its_address(lab, begun):
    add = "- [ ] Ask the design team.\n- [ ] Ask the legal team."
    lab.forge.edit(
        PROJECT, 1, lambda text: text.replace("- [ ] Ask the design team.", add), by="dana"
    )
    lab.execute(EditRollout(rollout=begun, issue=f"{PROJECT}#1", reason="legal asked"))
    assert "ask-legal-team" in {step.id for step in lab.rollout(begun).plan.steps}
    lab.tick(2)
    assert "- [ ] Ask the legal team." in lab.text()


def test_changes_beside_the_rollout_are_told_once(lab, begun):
    """In production it tells of them itself; elsewhere whoever is told of side effects does."""
    context = lab.services.context
    told = SideEffects(rollout_issue=RolloutIssue(environments=("dev", "production")))
    project = replace(context.project, side_effects=told)
    lab.services.context = replace(context, project=project)
    for environment in ("dev", "production"):
        change = PercentageOfActors(value=Decimal(5))
        lab.execute(SetFlag(flag="new_navigation", environments=(environment,), change=change))
    lab.tick(2)
    with lab.services.database.read() as connection:
        rows = [each.body for each in connection.execute(select(side_effect))]
    assert [(each["environment"], each["issue"], each["issue_path"]) for each in rows] == [
        ("dev", lab.record(begun).issue_path, "")
    ]
    (change,) = [each for each in lab.forge.notes(PROJECT, 1) if "/change-" in each]
    assert "in production**" in change


def test_a_tick_of_a_linked_person_is_their_approval(lab, begun):
    lab.link("dana")
    lab.forge.tick(PROJECT, 1, "Verify that", by="dana")
    lab.tick(4)
    state = lab.rollout(begun).state("verify-menu-opens")
    assert (state.by, state.approval_note) == ("dana", f"ticked in {PROJECT}#1")
    assert "approved by dana: ticked in acme/shop#1" in lab.text()
    assert answers(lab) == []


def test_a_tick_of_somebody_unknown_does_not_count_and_says_so_once(lab, begun):
    lab.forge.tick(PROJECT, 1, "Verify that", by="mallory")
    lab.tick(4)
    assert lab.at(begun) == "verify-menu-opens"
    assert "- [ ] Verify that the menu opens." in lab.text()
    (said,) = answers(lab)
    assert "was marked by mallory, who is linked to nobody in Flagstaff" in said
    assert "flagstaff person link-forge mallory" in said


def test_a_tick_of_somebody_without_the_role_does_not_count(lab, begun):
    lab.link("viv", role="viewer")
    lab.forge.tick(PROJECT, 1, "Verify that", by="viv")
    lab.tick(4)
    assert lab.at(begun) == "verify-menu-opens"
    (said,) = answers(lab)
    assert "ticked by viv, and that does not count: viv may not do this" in said


def test_what_flagstaff_does_itself_is_nobodys_to_tick(lab, begun):
    lab.link("dana")
    lab.forge.tick(PROJECT, 1, "feature set new_navigation true`", by="dana")
    lab.tick(4)
    assert lab.at(begun) == "verify-menu-opens"
    assert "- [ ] `/chatops run feature set new_navigation true`" in lab.text()
    (said,) = answers(lab)
    assert "was ticked by hand: Flagstaff does or checks this itself" in said
    assert "**ticked by hand**" not in lab.text(), "it is open again, so nothing is said below it"


def test_a_step_is_left_out_with_a_reason_and_not_without(lab, begun):
    lab.link("dana")
    lab.forge.tick(PROJECT, 1, "Ask the design", by="dana", mark="~")
    lab.tick(4)
    assert not lab.rollout(begun).state("ask-design-team").status.finished
    assert "> **why?** write the reason behind the text or below it" in lab.text()
    lab.forge.edit(
        PROJECT, 1, lambda text: text.replace("team.", "team. — reason: no new design"), by="dana"
    )
    lab.tick(2)
    state = lab.rollout(begun).state("ask-design-team")
    assert state.note == "skipped by dana: no new design"
    assert "- [~] Ask the design team. — reason: no new design" in lab.text()
    assert "**why?**" not in lab.text()
    assert answers(lab) == []


@pytest.mark.usefixtures("begun")
def test_an_edit_at_the_same_moment_is_kept(lab):
    """It comes after our write and before we read back, so that it is merged, not overwritten."""
    lab.link("dana")
    read, calls = lab.forge.answer, []

    def answer(method, path, *rest):
        if calls == ["write"] and method == "GET" and path.endswith("/issues/1"):
            calls.append("edit")
            add = "A new line.\n\n### Global rollout"
            lab.forge.edit(PROJECT, 1, lambda text: text.replace("### Global rollout", add), "dana")
        if not calls and method in {"PUT", "PATCH"} and path.endswith("/issues/1"):
            calls.append("write")
        return read(method, path, *rest)

    lab.forge.answer = answer
    lab.forge.tick(PROJECT, 1, "Verify that", by="dana")
    lab.tick(4)
    assert calls == ["write", "edit"]
    assert "A new line." in lab.text()
    assert "approved by dana" in lab.text()


def finish(lab, begun):
    lab.link("dana")
    for item in ("Verify that", "documentation", "Ask the design", "Close the feature"):
        lab.forge.tick(PROJECT, 1, item, by="dana")
        lab.tick(4)
    lab.tick(4)
    assert lab.rollout(begun).phase is Phase.COMPLETED


def test_at_the_end_it_is_closed_with_every_change_in_production_told(lab, begun):
    finish(lab, begun)
    assert lab.is_closed()
    assert lab.labels() == {"feature flag state::enabled"}
    notes = lab.forge.notes(PROJECT, 1)
    (change,) = [each for each in notes if "/change-" in each]
    assert "**new_navigation set to true in production**" in change
    assert f"([log](https://flags.example.com/rollouts/{begun}), entry " in change
    end = next(each for each in notes if "/end -->" in each)
    assert end.startswith("**Rollout completed**")
    assert "7 steps done. Closing this issue." in end
    assert "- [ ]" not in lab.text().split("Rollback")[0]


def test_whoever_opens_it_again_is_let_be(lab, begun):
    finish(lab, begun)
    with lab.client() as client:
        client.set_closed(PROJECT, 1, closed=False)
    assert not lab.is_closed()
    lab.restart()
    lab.tick()
    assert not lab.is_closed()


def test_a_rollback_leaves_it_open_and_says_why(lab, begun):
    lab.execute(AbortRollout(rollout=begun, reason="errors doubled"))
    lab.tick()
    assert not lab.is_closed()
    assert lab.labels() == {"feature flag state::disabled"}
    (end,) = [each for each in lab.forge.notes(PROJECT, 1) if "/end -->" in each]
    assert "**Rolled back**" in end
    assert "errors doubled" in end


@pytest.mark.usefixtures("begun")
def test_a_process_that_starts_again_says_nothing_twice(lab):
    before = (lab.text(), lab.forge.notes(PROJECT, 1))
    writes = len([each for each in lab.forge.calls if each[0] != "GET"])
    lab.restart()
    lab.tick(3)
    assert (lab.text(), lab.forge.notes(PROJECT, 1)) == before
    assert len([each for each in lab.forge.calls if each[0] != "GET"]) == writes


@pytest.mark.usefixtures("begun")
def test_a_comment_that_was_made_before_the_process_was_killed_is_found(lab):
    before = lab.forge.notes(PROJECT, 1)
    with lab.services.database.write() as connection:  # as if it had ended before each commit
        connection.execute(delete(forge_note))
    lab.restart()
    lab.tick(3)
    assert lab.forge.notes(PROJECT, 1) == before


@pytest.mark.parametrize("fault", [429, 500, 502, "lost"])
def test_a_forge_in_trouble_is_asked_again_and_warned_of_once(lab, begun, fault, caplog):
    write = "PUT" if lab.settings.name == "gitlab" else "PATCH"
    lab.link("dana")
    lab.forge.faults = [(write, "/issues/1", fault)] * 3
    with caplog.at_level(logging.WARNING):
        lab.forge.tick(PROJECT, 1, "Verify that", by="dana")
        lab.tick(4)
        assert lab.at(begun) == "make-sure-documentation-up-date", "the rollout goes on"
        for trouble in lab.follower._troubles.values():
            trouble.until = 0
        for _ in range(6):
            lab.tick(1)
            for trouble in lab.follower._troubles.values():
                trouble.until = 0
    assert "approved by dana" in lab.text()
    warnings = [each for each in caplog.messages if "the issue catches up" in each]
    assert len(warnings) == 1, warnings
    assert "bot-token" not in caplog.text


def test_a_forge_says_for_how_long_it_wants_to_be_left_alone(lab, begun):
    lab.forge.down = 429
    lab.execute(AbortRollout(rollout=begun, reason="enough"))
    lab.tick(2)
    asked = len(lab.forge.calls)
    lab.tick(3)
    assert len(lab.forge.calls) == asked, "Retry-After: 1 is kept to"
    assert lab.rollout(begun).phase is Phase.ROLLED_BACK


def test_a_token_that_is_refused_is_named_by_its_place_only(lab):
    lab.forge.open_issue(PROJECT, "Title", "- [ ] x")
    lab.forge.users.clear()
    with pytest.raises(Refused, match="does not accept the token") as refused:
        lab.execute(ImportRollout(issue=f"{PROJECT}#1"))
    assert "TOKEN" in refused.value.hint
    assert "bot-token" not in str(refused.value)


def test_an_issue_that_is_not_there_or_elsewhere(lab):
    with pytest.raises(NotFound, match=f"{PROJECT}#7: .* knows no such issue"):
        lab.execute(ImportRollout(issue=f"{PROJECT}#7"))
    with pytest.raises(UsageError, match="is no issue on a forge of this project"):
        lab.execute(ImportRollout(issue="https://elsewhere.example.com/acme/shop/-/issues/1"))


def test_an_issue_is_made_of_a_flag_and_imported(lab):
    if lab.settings.name == "gitlab":
        lab.forge.add_user("dana")
    command = CreateRollout(
        flag="new_navigation",
        placeholders={
            "owner": "dana",
            "milestone": "15.2",
            "merge-commit-of-your-feature": "a" * 40,
        },
    )
    lab.services.context.repository.add("a" * 40)
    outcome = lab.execute(command)
    lab.tick(2)
    issue = lab.forge.issue(PROJECT, 1)
    number = outcome.data["rollout"]
    assert issue["title"] == "[Feature flag] Enable new_navigation"
    assert lab.labels() == {"feature flag", "feature flag state::disabled", *lab.labels()}
    assert issue["milestone"]["title"] == "15.2"
    assert [each.get("username", each.get("login")) for each in issue["assignees"]] == ["dana"]
    assert "feature set new_navigation true --dev --staging" in lab.text()
    assert "/label" not in lab.text()
    assert lab.record(number).issue_path == lab.settings.issue_url(PROJECT, 1)
    assert any(isinstance(step.action, Close) for step in lab.rollout(number).plan.steps)


def test_an_answer_to_what_a_template_does_not_ask_is_refused(lab):
    answers = {"foo": "1"}
    with pytest.raises(UsageError, match="`--set foo=…`: there is no <foo>"):
        lab.execute(CreateRollout(flag="old_search", template=TEMPLATE, placeholders=answers))


@pytest.mark.parametrize("fault", ["lost", 500])
def test_an_issue_is_never_made_twice(lab, fault):
    lab.forge.faults = [("POST", "/issues", fault)]
    lab.execute(CreateRollout(flag="old_search", template=TEMPLATE))
    lab.tick(1)
    lab.restart()
    lab.clock.advance(minutes=5)
    lab.tick(2)
    assert len(lab.forge.issues) == 1
    assert lab.record(1).issue_path == lab.settings.issue_url(PROJECT, 1)


def test_a_forge_that_is_away_when_the_issue_is_to_be_made_stops_nothing(lab):
    lab.forge.down = 503
    number = lab.execute(CreateRollout(flag="old_search", template=TEMPLATE, start=True)).data[
        "rollout"
    ]
    for _ in range(12):
        lab.tick(1)
        lab.clock.advance(minutes=5)
    assert lab.rollout(number).phase is Phase.WAITING
    lab.forge.down = None
    lab.clock.advance(minutes=10)
    for trouble in lab.follower._troubles.values():
        trouble.until = 0
    lab.tick(4)
    assert "- [x] `/chatops run feature set old_search true --dev`" in lab.text()


TEMPLATE = """\
<!-- Title: [Feature flag] Enable `<feature-flag-name>` -->

## Rollout Steps

- [ ] `/chatops run feature set <feature-flag-name> true --dev`
- [ ] Verify that it works.
"""


def test_a_user_of_a_forge_is_one_person(lab):
    lab.link("dana")
    lab.execute(AddPerson(name="bob", roles=("operator",)))
    with pytest.raises(Conflict, match=r"@dana on .* acts as dana already"):
        lab.execute(LinkForge(user="@Dana", person="bob"))
