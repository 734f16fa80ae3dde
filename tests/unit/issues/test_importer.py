"""Which plan does an issue describe?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from flagstaff.errors import ImportProblems
from flagstaff.flags.change import Actors, Boolean, PercentageOfActors, PercentageOfTime
from flagstaff.issues.imported import describe_import
from flagstaff.issues.ramp import BOTH_OPEN, WITH_ACTOR, WITHOUT_ACTOR
from flagstaff.rollouts.guard import Guard
from flagstaff.rollouts.plan import (
    Announce,
    Approve,
    AskPerson,
    AwaitMerge,
    Bake,
    CheckDeployed,
    CheckReleased,
    CleanupPart,
    Close,
    CloseTarget,
    DeleteFlag,
    OpenCleanup,
    Preset,
    SetGate,
    Summary,
)

RENAMED = "rename_integrations_workers"
PRODUCTION = ("production",)


def ids(imported, preset=Preset.OPEN):
    return [step.id for step in imported.plan.steps if step.preset is preset]


def test_every_step_of_the_rename_issue_is_recognised(importing, sample):
    imported = importing(sample(f"{RENAMED}.md"))
    assert imported.flag == RENAMED
    assert imported.plan.title == "[Feature flag] Enable rename_integrations_workers"
    assert imported.plan.owner == "ines"
    assert imported.plan.announce_to == ("#production", "#g_integrations")
    assert ids(imported) == [
        "deployed-non-production",
        "set-dev",
        "set-staging",
        "switch-there",
        "verify-jobs",
        "notify-support-gitlab-com-team",
        "ramp-10",
        "bake-10",
        "ramp-50-5",
        "bake-50-5",
        "set-production",
        "roll-out",
        "verification-term",
        "cleanup-references",
        "cleanup-definition",
        "cleanup-changelog",
        "cleanup-old-jobs",
        "cleanup-old-queues",
        "merge",
        "release-check",
        "released",
        "delete-dev",
        "delete-staging",
        "delete-production",
        "delete-what-was-set",
        "close-rollout-issue",
    ]
    actions = [step.action for step in imported.plan.steps if step.preset is Preset.OPEN]
    assert actions[:4] == [
        CheckDeployed(sha="abc1234", environments=("dev", "staging")),
        SetGate(environments=("dev",), change=Boolean(value=True)),
        SetGate(environments=("staging",), change=Boolean(value=True)),
        Summary(),
    ]
    assert actions[6:10] == [
        SetGate(environments=PRODUCTION, change=PercentageOfTime(value=Decimal(10))),
        Bake(duration=timedelta(minutes=5)),
        SetGate(environments=PRODUCTION, change=PercentageOfTime(value=Decimal("50.5"))),
        Bake(duration=timedelta(minutes=5)),
    ]
    assert actions[12] == Bake(duration=timedelta(days=1))
    assert actions[13:19] == [*(OpenCleanup(part=part) for part in CleanupPart), AwaitMerge()]
    assert actions[19] == CheckReleased(request="", version="15.2")
    assert actions[23] == DeleteFlag(environments=PRODUCTION)
    assert actions[25] == Close(target=CloseTarget.ROLLOUT_ISSUE)


def test_the_guard_compares_old_with_new_names(importing, sample):
    assert importing(sample(f"{RENAMED}.md")).plan.guards == (
        Guard(name="failures", logs=("jobs/*.jsonl",), control=("OldJob",), treatment=("NewJob",)),
    )


def test_a_guard_without_renames_is_said_rather_than_set(importing, sample, project):
    imported = importing(sample(f"{RENAMED}.md"), project=replace(project, renames=()))
    assert imported.plan.guards == ()
    assert imported.plan.notes[0] == "guard failures has no renamed jobs to watch"


@pytest.mark.parametrize(
    ("name", "flag", "first", "last"),
    [
        ("early_2021.md", "quick_search", "set-dev", "close-rollout-issue"),
        ("late_2021.md", "faster_diffs", "set-non-production", "close-rollout-issue"),
        ("early_2022.txt", "rename_mailers", "deployed-non-production", "close-rollout-issue"),
        ("year_2023.md", "new_sidebar", "mr-merged", "close-rollout-issue"),
        ("year_2024.md", "dark_charts", "deployed-non-production", "close-rollout-issue"),
        ("year_2026.md", "fast_export", "ramp-50-non-production", "delete-everywhere"),
    ],
)
def test_every_shape_of_the_template_becomes_a_plan(importing, sample, name, flag, first, last):
    imported = importing(sample(name))
    assert imported.flag == flag
    found = ids(imported)
    assert (found[0], found[-1]) == (first, last)
    actions = [step.action for step in imported.plan.steps if step.preset is Preset.OPEN]
    assert {AwaitMerge, CheckReleased, DeleteFlag} - {CheckReleased} <= set(map(type, actions))
    merge = next(at for at, action in enumerate(actions) if isinstance(action, AwaitMerge))
    cleanup = next(at for at, action in enumerate(actions) if isinstance(action, OpenCleanup))
    delete = next(at for at, action in enumerate(actions) if isinstance(action, DeleteFlag))
    assert cleanup < merge < delete
    assert len({step.id for step in imported.plan.steps}) == len(imported.plan.steps)
    turned_off = SetGate(environments=PRODUCTION, change=Boolean(value=False))
    assert turned_off not in actions


def test_marks_of_the_issue_are_taken_over(importing, sample):
    imported = importing(sample("late_2021.md"))
    by_line = {step.line: step for step in imported.plan.steps}
    assert by_line[11].preset is Preset.DONE
    assert by_line[12].action == CheckDeployed(sha="abc1234", environments=("dev", "staging"))
    assert by_line[12].preset is Preset.DONE
    assert (by_line[15].preset, by_line[15].reason) == (
        Preset.SKIPPED,
        "marked as not applicable in the issue",
    )
    assert by_line[16].preset is Preset.OPEN
    kept = by_line[23]
    assert (kept.preset, type(kept.action)) == (Preset.SKIPPED, AskPerson)
    assert imported.unresolved == ("actor-type", "actor", "some-other-request")


def test_an_optional_section_is_left_out_with_its_reason(importing, sample):
    steps = importing(sample("year_2024.md")).plan.steps
    optional = [step for step in steps if step.stage.startswith("Optional")]
    assert len(optional) == 2
    assert all(step.preset is Preset.SKIPPED and "optional" in step.reason for step in optional)


def test_switching_off_when_a_test_fails_is_not_done_by_itself(importing, sample):
    for name in ("year_2023.md", "year_2024.md"):
        steps = importing(sample(name)).plan.steps
        off = [
            step
            for step in steps
            if isinstance(step.action, SetGate) and step.action.change == Boolean(value=False)
        ]
        assert [step.preset for step in off] == [Preset.SKIPPED]


def test_a_wait_between_increases_is_the_least_time_at_each_of_them(importing, sample):
    steps = importing(sample("year_2023.md")).plan.steps
    bakes = [step.action.duration for step in steps if step.id.startswith("bake-")]
    assert bakes == [timedelta(minutes=30)] * 2


def test_a_share_without_a_wait_of_its_own_gets_the_configured_one(importing, sample):
    steps = importing(sample("early_2021.md")).plan.steps
    at = next(n for n, step in enumerate(steps) if step.id == "ramp-10")
    assert [step.id for step in steps[at : at + 5]] == [
        "ramp-10",
        "wait-20-min",
        "ramp-50",
        "bake-50",
        "set-production",
    ]


def test_bare_shares_below_time_based_are_shares_of_time(importing, sample):
    text = sample("late_2021.md").replace(
        "[ ] `/chatops run feature set <feature-flag-name> <rollout-percentage> --actors`",
        "[-] by actor",
    )
    steps = importing(text).plan.steps
    ramp = next(step for step in steps if step.id == "ramp-10")
    assert ramp.action.change == PercentageOfTime(value=Decimal(10))


RAMPS = """# [Feature flag] Enable `{flag}`

- [{actors}] `/chatops run feature set {flag} <rollout-percentage> --actors`
- [{random}] `/chatops run feature set {flag} <rollout-percentage> --random`
- [ ] `/chatops run feature set {flag} true`
"""


@pytest.mark.parametrize(
    ("flag", "marks", "without_actor", "chosen", "reason"),
    [
        ("quick_search", "  ", None, PercentageOfActors, BOTH_OPEN),
        ("quick_search", "  ", False, PercentageOfActors, WITH_ACTOR),
        ("quick_search", "  ", True, PercentageOfTime, WITHOUT_ACTOR),
        (RENAMED, "  ", None, PercentageOfTime, WITHOUT_ACTOR),
        (RENAMED, "  ", False, PercentageOfActors, WITH_ACTOR),
        (RENAMED, "- ", None, PercentageOfTime, WITHOUT_ACTOR),
        ("quick_search", "- ", None, PercentageOfTime, "marked as not applicable in the issue"),
        (RENAMED, " -", None, PercentageOfActors, "marked as not applicable in the issue"),
    ],
)
def test_one_of_two_ramps_applies_and_the_other_says_why_not(
    importing, flag, marks, without_actor, chosen, reason
):
    text = RAMPS.format(flag=flag, actors=marks[0], random=marks[1])
    plan = importing(text, without_actor=without_actor).plan
    shares = [step for step in plan.steps if step.id.startswith("ramp-") and step.id[-1].isdigit()]
    assert [type(step.action.change) for step in shares] == [chosen] * 2
    skipped = [step.reason for step in plan.steps if step.preset is Preset.SKIPPED]
    assert skipped == [reason]


def test_some_are_held_back_for_the_verification_term_where_the_issue_lists_no_percentages(
    importing, project
):
    ramp = replace(project.ramp, hold_back=Decimal(5), term=timedelta(days=3))
    text = RAMPS.format(flag="quick_search", actors=" ", random="-")
    plan = importing(text, project=replace(project, ramp=ramp)).plan
    steps = {each.id: each.action for each in plan.steps if each.preset is Preset.OPEN}
    assert [each for each in steps if each.startswith("ramp-")] == [
        *("ramp-10", "ramp-50-5", "ramp-95")
    ]
    assert (steps["bake-50-5"].duration, steps["bake-95"].duration) == (
        timedelta(minutes=5),
        timedelta(days=3),
    )
    listed = text.replace("<rollout-percentage>", "20", 1)
    plan = importing(listed, project=replace(project, ramp=ramp)).plan
    assert not [each for each in plan.steps if each.id == "ramp-95"]


def test_actors_cannot_open_a_flag_without_actor_even_where_nothing_else_is_offered(importing):
    text = RAMPS.format(flag="quick_search", actors=" ", random="-")
    plan = importing(text, without_actor=True).plan
    assert plan.steps[0].reason == WITHOUT_ACTOR
    assert [step.id for step in plan.steps if step.preset is Preset.OPEN] == ["set-production"]


@pytest.mark.parametrize(
    ("item", "action"),
    [
        ("Wait for at least one day for the verification term.", Bake(duration=timedelta(days=1))),
        ("Wait two days for the verification term", Bake(duration=timedelta(days=2))),
        ("Wait 15 minutes", Bake(duration=timedelta(minutes=15))),
        ("Wait for half an hour", Bake(duration=timedelta(minutes=30))),
        ("Let it bake for 2 hours", Bake(duration=timedelta(hours=2))),
        ("Ensure that somebody can be there for 2 hours", Approve()),
        ("Wait for the review", AskPerson()),
        ("**Verify** that it works", Approve()),
        ("Ensure that breaking changes are announced", Approve()),
        ("Paint the wall", AskPerson()),
        ("Close the [feature issue](https://e.org/1) for this milestone",
         Close(target=CloseTarget.FEATURE_ISSUE)),
        ("Close this issue.", Close(target=CloseTarget.ROLLOUT_ISSUE)),
        ("Set the `default_enabled: true` in an MR", AskPerson()),
        ("Announce it in `#one` and #two, see #123",
         Announce(channels=("#one", "#two"),
         text="The rollout of `quick_search` in production is about to begin.")),
        ("Announce it", AskPerson()),
        ("`/chatops run feature get quick_search`", Approve()),
        ("`/chatops run feature set quick_search true --user=7 --staging`",
         SetGate(environments=("staging",), change=Actors(ids=("User:7",), value=True))),
        ("`/chatops run release check !5`", CheckReleased(request="!5")),
    ],
)  # fmt: skip
def test_one_item_is_understood_by_its_words(importing, item, action):
    (step,) = importing(f"# [FF] `quick_search`\n\n- [ ] {item}\n").plan.steps
    assert step.action == action
    assert step.line == 3


def test_announcements_use_the_projects_channels(importing, project):
    channels = {"team": "#finders", "production": "#prod", "support": "#help"}
    text = "# [FF] `quick_search`\n\n- [ ] Notify `#support` and your team channel\n"
    imported = importing(text, project=replace(project, channels=channels))
    assert imported.plan.steps[0].action.channels == ("#help", "#finders")
    assert imported.plan.announce_to == ("#prod", "#finders")


def test_done_cleanup_is_looked_for_where_people_made_it(importing):
    text = (
        "# [FF] `quick_search`\n- [x] Create a merge request to remove it. !90061\n"
        "- [ ] `/chatops run release check <merge-request-url> 15.2`\n"
    )
    assert importing(text).plan.steps[-1].action == CheckReleased(request="!90061", version="15.2")
    with pytest.raises(ImportProblems, match="does not say where"):
        importing(text.replace(" !90061", ""))


def test_all_problems_are_reported_at_once_with_line_and_remedy(importing):
    text = (
        "# [Feature flag] Enable `quick_serch`\n\n"
        "- [ ] `/chatops run feature set quick_serch 25%`\n"
        "- [ ] `/chatops run feature set quick_serch 1e3 --random`\n"
        "- [ ] `/chatops run feature set quick_serch 101 --actors`\n"
        "- [ ] `/chatops run feature set quick_serch 25`\n"
        "- [ ] `/chatops run featur set quick_serch true`\n"
        "- [ ] `/chatops run feature set quick_serch true --stagin`\n"
        "- [ ] `/chatops run auto_deploy status <my-commit>`\n"
        "- [ ] `/chatops run feature set other true`\n"
        "- [ ] `/chatops run feature set dark_charts true`\n"
        "- [ ] `/chatops run rollout start 1`\n"
    )
    with pytest.raises(ImportProblems) as caught:
        importing(text, source="issue.md")
    said = [str(problem) for problem in caught.value.problems]
    assert [problem.line for problem in caught.value.problems] == [1, *range(3, 13)]
    expected = [
        ("no flag `quick_serch`", "did you mean `quick_search`?"),
        ("percent sign", "leave it out: 25"),
        ("exponent", "0 to 100"),
        ("above 100", "0 to 100"),
        ("percent of what", "--actors"),
        ("`featur` is no command", "did you mean `feature`?"),
        ("no option `--stagin`", "did you mean `--staging`?"),
        ("`<my-commit>`", "--set my-commit=VALUE"),
        ("no flag `other`", "define it first"),
        ("about `dark_charts`", "issue of its own"),
        ("cannot be a step", "take it out"),
    ]
    for line, (what, remedy) in zip(said, expected, strict=True):
        assert line.startswith("issue.md:")
        assert what in line
        assert remedy in line


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "names no flag"),
        ("- [ ] Paint the wall", "names no flag"),
        ("# [FF] `quick_search`\n\nNothing to do.\n", "there are no steps"),
    ],
)
def test_an_issue_without_flag_or_steps_says_so(importing, text, what):
    with pytest.raises(ImportProblems, match=what):
        importing(text)


def test_the_only_known_flag_may_stand_in_a_heading_of_any_words(importing):
    imported = importing("# Ship `quick_search`\n\n- [ ] Test it\n")
    assert imported.plan.flag == "quick_search"
    with pytest.raises(ImportProblems, match="names no flag"):
        importing("# Ship `quick_search`\n\n## And `dark_charts`\n\n- [ ] Test it\n")


def test_an_environment_that_the_project_lacks_is_a_problem(importing, project):
    text = "# [FF] `quick_search`\n- [ ] `/chatops run feature set quick_search true --pre`\n"
    with pytest.raises(ImportProblems, match="no environment `pre`"):
        importing(text, project=replace(project, environments=("dev", "production")))


def test_a_flag_can_be_named_from_outside(importing):
    text = "- [ ] `/chatops run feature set <feature-flag-name> true`"
    imported = importing(text, resolve={"feature_flag_name": "quick_search"})
    assert imported.plan.title == "Rollout of quick_search"


def test_comments_rollbacks_code_struck_text_and_quick_actions_are_no_steps(importing):
    text = """# [FF] `quick_search`
<!-- - [ ] hidden -->
<!--
- [ ] hidden, too
-->
- [ ] Verify <!-- only this --> it
- [ ] ~~Struck out~~
```
- [ ] /chatops run feature set quick_search false
```
~~~
- [ ] code
```
- [ ] still code
~~~
- [ ] Test `<!--` in code
/label ~x
## Rollback
- [ ] `/chatops run feature set quick_search false`
"""
    assert [step.line for step in importing(text).plan.steps] == [6, 16]


def test_every_kind_of_list_and_box_is_read(importing):
    text = (
        "# [FF] `quick_search`\n* [ ] Test a\n+ [X] Test b\n1. [~] Test c\n2) [n/a] Test d\n"
        "-\t[ ] Test e\n- [ ]\u00a0Test f\n- [link](x)\n- [AS] text\n"
    )
    steps = importing(text).plan.steps
    assert [step.title for step in steps] == [f"Test {name}" for name in "abcdef"]
    assert [step.preset.value for step in steps] == [
        "open",
        "done",
        "skipped",
        "skipped",
        "open",
        "open",
    ]


def test_unboxed_commands_share_the_standing_of_the_box_above_them(importing):
    text = (
        "# [FF] `quick_search`\n- [-] For some\n"
        "  - `/chatops run feature set quick_search true --user=<you>`\n- [ ] Test\n"
    )
    presets = {step.line: step.preset for step in importing(text).plan.steps}
    assert presets == {3: Preset.SKIPPED, 2: Preset.SKIPPED, 4: Preset.OPEN}


def test_the_report_says_line_by_line_what_was_understood(importing, sample):
    report = describe_import(importing(sample(f"{RENAMED}.md"))).splitlines()
    assert "17: check \u2014 Check that abc1234 is deployed in dev, staging" in report
    assert any(line.startswith("36: command \u2014 feature set") and WITHOUT_ACTOR in line
               for line in report)  # fmt: skip
    assert "38: command \u2014 ramp in production: 10 --random, 50.5 --random; 5 min each" in report
