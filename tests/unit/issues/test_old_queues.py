"""Are old queues deleted when an issue asks for it, behind everything that might still use them?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flagstaff.definitions import Project
from flagstaff.definitions.brokers import Broker
from flagstaff.definitions.project import JobRename
from flagstaff.issues import follow, import_issue
from flagstaff.issues.replanning import replanned
from flagstaff.rollouts.checks import DeleteQueue
from flagstaff.rollouts.plan import AwaitMerge, Close, DeleteFlag, Preset
from flagstaff.rollouts.rollout import Rollout, StepState, StepStatus

ISSUE = """\
# [Feature flag] Enable `new_navigation`

## Rollout steps

- [ ] `/chatops run feature set new_navigation true`
- [ ] Create a merge request to remove the `new_navigation` feature flag.
    - [ ] Remove all references to the feature flag from the code.
    - [ ] Remove all old queues.
- [ ] `/chatops run feature delete new_navigation`
- [ ] Close this rollout issue.
"""


def rename(old, new, queue, other):
    names = {"flag": "new_navigation", "old": old, "new": new}
    return JobRename(**names, old_queue=queue, new_queue=other)


PROJECT = Project(
    renames=(rename("a", "b", "shop_mail", "mail"), rename("c", "d", "shop", "integrations")),
    brokers={"main": Broker(url="redis://x")},
)


def plan_of(project=PROJECT, text=ISSUE):
    return import_issue(text, project=project, known_flags={"new_navigation"}).plan


def queues(plan):
    return [each.action.queue for each in plan.steps if isinstance(each.action, DeleteQueue)]


def test_each_is_deleted_when_the_code_without_it_runs_everywhere():
    plan = plan_of()
    kinds = [type(each.action) for each in plan.steps]
    assert queues(plan) == ["shop_mail", "shop"]
    first = kinds.index(DeleteQueue)
    assert kinds.index(AwaitMerge) < kinds.index(DeleteFlag) == first - 1
    assert kinds[first:] == [DeleteQueue, DeleteQueue, Close]
    assert [each.id for each in plan.steps][first] == "delete-queue-shop-mail"


def test_the_box_that_asks_for_it_is_open_until_they_are_gone():
    rollout = Rollout.of(plan_of(), rollout_id=1)
    box = "- [{}] Remove all old queues."
    for step in rollout.plan.steps:
        assert box.format(" ") in follow(ISSUE, rollout)
        rollout = rollout.with_state(StepState(id=step.id, status=StepStatus.DONE))
        if isinstance(step.action, DeleteQueue) and step.action.queue == "shop":
            break
    assert box.format("x") in follow(ISSUE, rollout)


def test_an_issue_that_is_read_again_adds_none():
    rollout = Rollout.of(plan_of(), rollout_id=1)
    assert replanned(rollout, plan_of(text=ISSUE + "\nMore words.\n")) == rollout.plan


@pytest.mark.parametrize(
    "project",
    [
        replace(PROJECT, brokers={}),
        replace(PROJECT, brokers={name: Broker(url="redis://x") for name in "ab"}),
        replace(PROJECT, renames=()),
        replace(PROJECT, renames=(rename("a", "b", None, None),)),
    ],
    ids=["no broker", "two brokers", "no renames", "no queues"],
)
def test_where_it_is_not_said_which_or_where_nothing_is_added(project):
    assert queues(plan_of(project)) == []


def test_a_queue_in_which_jobs_of_another_rename_wait_stays():
    more = (*PROJECT.renames, rename("e", "f", "old", "shop"))
    assert queues(plan_of(replace(PROJECT, renames=more))) == ["shop_mail", "old"]


def test_whoever_struck_the_box_out_keeps_the_queues():
    struck = plan_of(text=ISSUE.replace("[ ] Remove all old", "[-] Remove all old"))
    assert queues(struck) == []
    assert any(each.preset is Preset.SKIPPED for each in struck.steps)
