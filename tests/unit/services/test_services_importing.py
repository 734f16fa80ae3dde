"""Does an issue become a rollout that can run, or nothing at all?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from flagstaff.commands.model import AbortRollout, ImportRollout
from flagstaff.commands.plan_model import PlanRollout
from flagstaff.errors import Conflict, ImportProblems, Unavailable, UsageError
from flagstaff.rollouts.plan import CheckDeployed
from flagstaff.rollouts.rollout import Phase
from flagstaff.services.services import Services
from flagstaff.store import audit, tables

FEATURE = "fea" + "0" * 37
ISSUE = """<!-- Title: [Feature flag] Rollout of `new_navigation` -->

## Summary

Roll out `:new_navigation`.

## Rollout Steps

### Non-production

- [ ] Is it there? `/chatops run auto_deploy status <merge-commit-of-your-feature>`
- [ ] `/chatops run feature set new_navigation true --dev --staging`

### Global rollout

- [ ] `/chatops run feature set new_navigation true`
"""


@pytest.fixture
def run(services, ada, repository):
    repository.add(FEATURE, "Add the navigation")
    repository.introduced = FEATURE
    return lambda command, **how: services.execute(command, ada, **how)


@pytest.fixture
def nothing_is_there(services):
    def check():
        with services.database.read() as connection:
            count = select(func.count()).select_from(tables.rollout)
            assert connection.execute(count).scalar() == 0
            assert audit.find(connection) == []

    return check


def test_the_commit_of_the_feature_is_looked_up_in_the_history(run, look):
    outcome = run(ImportRollout(text=ISSUE))
    rollout = look(outcome.data["rollout"]).rollout
    commits = [s.action.sha for s in rollout.plan.steps if isinstance(s.action, CheckDeployed)]
    assert commits == [FEATURE]
    assert rollout.phase is Phase.PENDING
    assert outcome.next == f"flagstaff rollout start {rollout.id}"


def test_what_the_asker_says_comes_first(run, repository, look):
    other = repository.add("abc" + "1" * 37)
    answers = {"merge-commit-of-your-feature": other}
    outcome = run(ImportRollout(text=ISSUE, placeholders=answers))
    rollout = look(outcome.data["rollout"]).rollout
    assert other in [getattr(step.action, "sha", "") for step in rollout.plan.steps]


def test_an_answer_to_nothing_is_refused(run, nothing_is_there):
    with pytest.raises(UsageError) as caught:
        run(ImportRollout(text=ISSUE, placeholders={"mielstone": "1"}))
    assert caught.value.message == "`--set mielstone=…`: there is no <mielstone> in the issue"
    assert "<merge-commit-of-your-feature>" in caught.value.hint
    nothing_is_there()


def test_it_can_begin_at_once(run, look, tmp_path):
    path = str(tmp_path / "issue.md")
    outcome = run(ImportRollout(text=ISSUE, path=path, start=True))
    record = look(outcome.data["rollout"])
    assert record.rollout.phase is Phase.RUNNING
    assert (record.issue_path, record.issue_text, record.created_by) == (path, ISSUE, "ada")


def test_a_file_that_others_name_is_not_written(services, run, ada, look, tmp_path):
    path = str(tmp_path / "issue.md")
    del run
    outcome = services.execute(ImportRollout(text=ISSUE, path=path), replace(ada, owner=False))
    assert look(outcome.data["rollout"]).issue_path == ""
    assert "the file of the issue stays as it is" in outcome.text


def test_a_commit_nobody_knows_is_a_problem_with_its_line(run, repository, nothing_is_there):
    repository.introduced = ""
    command = ImportRollout(
        text=ISSUE,
        path="/x/issue.md",
        placeholders={"merge-commit-of-your-feature": "dead" * 10},
        start=True,
    )
    with pytest.raises(ImportProblems, match=r"issue.md:11: .*knows no commit dead"):
        run(command)
    nothing_is_there()


def test_an_unknown_command_writes_nothing(run, nothing_is_there):
    text = ISSUE + "- [ ] `/chatops run feature set new_navigation 25%`\n"
    with pytest.raises(ImportProblems, match="percent sign"):
        run(ImportRollout(text=text, start=True))
    nothing_is_there()


def test_a_dry_run_writes_nothing(run, nothing_is_there):
    outcome = run(ImportRollout(text=ISSUE, start=True), dry_run=True)
    assert "would be imported and started\n\nnothing was changed (dry run)" in outcome.text
    nothing_is_there()


def test_without_a_repository_commits_cannot_be_checked(services, ada, context, nothing_is_there):
    alone = Services(services.database, replace(context, repository=None), services.clock)
    answers = {"merge-commit-of-your-feature": FEATURE}
    with pytest.raises(Unavailable, match="not in a git repository"):
        alone.execute(ImportRollout(text=ISSUE, placeholders=answers), ada)
    nothing_is_there()


def test_two_rollouts_of_one_flag_do_not_run_together(run):
    first = run(ImportRollout(text=ISSUE)).data["rollout"]
    with pytest.raises(Conflict, match=f"rollout {first} of new_navigation is pending") as caught:
        run(ImportRollout(text=ISSUE))
    assert f"flagstaff rollout abort {first}" in caught.value.hint
    run(AbortRollout(rollout=first, reason="once more"))
    assert run(ImportRollout(text=ISSUE)).data["rollout"] == first + 1


def test_a_rollout_that_nothing_watches_is_told_so(run):
    assert "no guard watches this rollout" in run(ImportRollout(text=ISSUE), dry_run=True).text


AS_READ = "policies: {consistency: false, allow_random: true}\n"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("main_branch: trunk\nexpiry: 3d\n", "`main_branch`, `expiry` in flagstaff.yml changed"),
        ("ramp: {dwell: soon}\n", "flagstaff.yml is wrong since the server was started"),
    ],
)
def test_settings_that_the_server_has_not_read_are_told(run, services, written, said):
    (services.context.root / "flagstaff.yml").write_text(AS_READ + written)
    steps = "flag: new_navigation\nsteps:\n  - ask: Is it good?\n"
    assert said in run(PlanRollout(text=steps), dry_run=True).text
    assert said in run(ImportRollout(text=ISSUE)).text


def test_settings_as_the_server_has_read_them_need_no_word(run, services):
    (services.context.root / "flagstaff.yml").write_text(AS_READ)
    unread = [line for line in run(ImportRollout(text=ISSUE)).text.splitlines() if "since" in line]
    assert unread == []
