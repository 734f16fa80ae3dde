from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from flagstaff.definitions import JobGuard, JobRename, Project, RampSettings, load_project
from flagstaff.errors import DefinitionError
from flagstaff.rollouts.evidence.standing import Response
from flagstaff.rollouts.plan import Statistics

FULL = """\
flags: flags
environments: [dev, staging, production]
main_branch: trunk
ramp:
  percentages: [0.5, 5, 50]
  dwell: 1h30m
  hold_back: 5
verification_term: 2d
placeholders:
  milestone: 15.10
  answer: no
channels:
  production: "#production"
  team: "#g_ecosystem_integrations"
notify:
  webhook: http://127.0.0.1:9000/chat
renames:
  - flag: rename_integrations_workers
    old: project_service
    new: integrations.execute
    old_queue: project_service
    new_queue: integrations_execute
guards:
  - name: renamed workers
    flag: rename_integrations_workers
    jobs: [log/jobs-*.jsonl, log/old-jobs.jsonl]
    harm_ratio: 1.5
    safe_below: 0.02
    harm_above: 0.25
    against_baseline: true
    min_bad: 8
    min_excess: 0.01
    weight: 4
    required: false
    dry_run: true
    on_harm: notify
    max_time: 6h
    on_inconclusive: advance
changelog: changes
deployment_environments:
  canary: production
"""


@pytest.fixture
def settings(tmp_path):
    def write(text: str) -> Path:
        (tmp_path / "flagstaff.yml").write_text(text)
        return tmp_path

    return write


def problems_of(root: Path) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        load_project(root)
    place = f"{root / 'flagstaff.yml'}"
    return [str(problem).removeprefix(place) for problem in caught.value.problems]


def test_without_a_file_the_defaults_hold(tmp_path):
    project = load_project(tmp_path)
    assert project == Project()
    assert project.environments == (
        "dev",
        "staging",
        "staging-ref",
        "ops",
        "pre",
        "production",
    )
    assert project.ramp.percentages == (1, 10, 25, 50, 75)
    assert project.ramp.dwell == timedelta(minutes=15)
    assert project.stages == {"staging-canary": "staging", "canary": "production"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "ramp:\nguards:\n", "{}"])
def test_an_empty_file_holds_the_defaults(settings, text):
    assert load_project(settings(text)) == Project()


def test_every_setting_is_read(settings):
    assert load_project(settings(FULL)) == Project(
        flags="flags",
        environments=("dev", "staging", "production"),
        main_branch="trunk",
        ramp=RampSettings(
            percentages=(Decimal("0.5"), Decimal(5), Decimal(50)),
            dwell=timedelta(hours=1, minutes=30),
            hold_back=Decimal(5),
            term=timedelta(days=2),
        ),
        verification_term=timedelta(days=2),
        placeholders={"milestone": "15.10", "answer": "no"},
        channels={"production": "#production", "team": "#g_ecosystem_integrations"},
        webhook="http://127.0.0.1:9000/chat",
        renames=(
            JobRename(
                flag="rename_integrations_workers",
                old="project_service",
                new="integrations.execute",
                old_queue="project_service",
                new_queue="integrations_execute",
            ),
        ),
        guards=(
            JobGuard(
                name="renamed workers",
                flag="rename_integrations_workers",
                jobs=("log/jobs-*.jsonl", "log/old-jobs.jsonl"),
                harm_ratio=1.5,
                safe_below=0.02,
                harm_above=0.25,
                against_baseline=True,
                min_bad=8,
                min_excess=0.01,
                weight=4.0,
                required=False,
                dry_run=True,
                on_harm=Response.NOTIFY,
                max_time=timedelta(hours=6),
                on_inconclusive=Response.ADVANCE,
            ),
        ),
        changelog="changes",
        stages={"canary": "production"},
    )


def test_a_guard_has_defaults_and_may_name_one_pattern(settings):
    project = load_project(
        settings(
            "renames: [{flag: f, old: a, new: b}]\nguards: [{name: g, flag: f, jobs: log/*}]\n"
        )
    )
    assert project.guards == (JobGuard(name="g", flag="f", jobs=("log/*",)),)
    assert (project.guards[0].harm_ratio, project.guards[0].safe_below) == (1.1, 0.01)
    assert project.guards[0].on_harm is Response.ROLLBACK
    assert project.renames == (JobRename(flag="f", old="a", new="b"),)


def test_a_dwell_of_nothing_is_not_the_default(settings):
    project = load_project(settings("ramp: {dwell: 0s}\nverification_term: 0s\n"))
    assert project.ramp.dwell == timedelta(0)
    assert project.verification_term == timedelta(0)


def test_default_stages_follow_the_environments(settings):
    project = load_project(settings("environments: [production]\n"))
    assert project.stages == {"canary": "production"}


def test_all_problems_are_reported_at_once(settings):
    root = settings(
        "enviroments: [dev]\n"
        "ramp:\n  percentages:\n  - 25%\n  - 101\n  dwell: 15\n"
        "channels:\n  team: #team\n"
        "notify: {webhook: secret-host/path}\n"
        "flags: [a]\n"
    )
    assert problems_of(root) == [
        ":1: has the unknown key 'enviroments'; did you mean `environments`?",
        (
            ":4: `ramp.percentages`: '25%' has a percent sign; "
            "write a number above 0 and below 100, such as 25 or 0.5"
        ),
        (
            ":5: `ramp.percentages`: 101 is above 100; "
            "write a number above 0 and below 100, such as 25 or 0.5"
        ),
        ":6: `ramp.dwell`: '15' has no unit; write s, m, h, d or w after it",
        ":8: `channels.team` is empty; write a value; a value that starts with `#` needs quotes",
        (
            ":9: `notify.webhook`: this is no web address; "
            "write one that starts with http:// or https://"
        ),
        ":10: `flags` holds a list; write a single value",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("- a\n", ":1: is a list, not a mapping"),
        (
            "ramp: {hold_back: 60}\n",
            ":1: `ramp.hold_back`: 60 is more than half; write for how few the flag stays off",
        ),
        ("ramp: 5\n", ":1: `ramp` is a single value, not a mapping"),
        ("ramp: {percentages: []}\n", ":1: `ramp.percentages` is an empty list"),
        ("ramp: {percentages: [5, 5]}\n", "`ramp.percentages` does not rise from 5 to 5"),
        ("ramp: {percentages: [50, 5]}\n", "`ramp.percentages` does not rise from 50 to 5"),
        ("ramp: {percentage: [5]}\n", "unknown key 'percentage' in `ramp`; did you mean"),
        ("environments: [production, dev, dev]\n", "`environments` has twice: dev"),
        ("environments: ['a b']\n", "'a b' is no name of an environment"),
        ("environments: [[a]]\n", "`environments` holds a list"),
        ("environments: [dev, '']\n", "`environments` is empty"),
        ("environments: []\n", "`environments` is an empty list"),
        (
            "environments: [dev, prod]\n",
            (
                ":1: `environments` lacks production, which guards and policies look for by this "
                "name; call the environment of your users production"
            ),
        ),
        (
            "deployment_environments: {canary: prodution}\n",
            (
                "`deployment_environments.canary` is 'prodution', which is no environment; "
                "did you mean `production`?"
            ),
        ),
        ("deployment_environments: {dev: production}\n", "is an environment of its own"),
        ("renames: {flag: a}\n", "`renames` is a mapping, not a list; start every entry"),
        ("renames: [a]\n", "`renames` is a single value, not a mapping"),
        ("renames: [{old: a, new: b}]\n", "has no `renames.flag`"),
        ("renames: [{flag: 'a b', old: a, new: b}]\n", "'a b', which is no name of a flag"),
        ("renames: [{flag: f, old: a, new: a}]\n", "the same name before and after"),
        ("renames: [{flag: f, old: a, new: b, old_queue: q}]\n", "but not `new_queue`"),
        ("renames: [{flag: f, old: a, new: b, new_queue: q}]\n", "but not `old_queue`"),
        (
            "renames: [{flag: f, old: a, new: b}, {flag: f, old: a, new: c}]\n",
            "the job 'a' is renamed twice",
        ),
        ("guards: [{name: g, flag: f, jobs: a}]\n", "add the job's names under `renames`"),
        (
            (
                "renames: [{flag: flag_a, old: a, new: b}]\n"
                "guards: [{name: g, flag: flag_b, jobs: a}]\n"
            ),
            "'flag_b', which renames no job; did you mean `flag_a`?",
        ),
    ],
)
def test_each_mistake_is_told(settings, text, what):
    (problem,) = problems_of(settings(text))
    assert what in problem


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("harm_ratio: 0.9", "'0.9' is no number from 1 to 100"),
        ("harm_ratio: 1e2", "'1e2' is no number"),
        ("harm_ratio: " + "9" * 400, "is no number"),
        ("safe_below: 1", "'1' is no rate from 0 to below 1"),
        ("harm_above: 0", "'0' is no number above 0 and below 1"),
        ("min_bad: 1.5", "'1.5' is no whole number of failures"),
        ("min_bad: " + "9" * 5000, "is no whole number of failures"),
        ("weight: 0", "'0' is no number from 0.001 to 1000"),
        ("required: perhaps", "write true or false"),
        ("on_harm: advance", "which is unknown"),
        ("on_inconclusive: rollback", "which is unknown"),
        ("max_time: 20", "has no unit"),
        ("max_ratio: 2.0", "write `harm_ratio`"),
        ("min_jobs: 50", "write `safe_below`"),
        ("jobs: []", "`guards.jobs` is an empty list"),
        ("jobs:", "has no `guards.jobs`"),
        ("safebelow: 1", "unknown key 'safebelow' in `guards`; did you mean `safe_below`?"),
    ],
)
def test_limits_of_a_guard_are_checked(settings, line, what):
    jobs = "" if line.startswith("jobs") else "    jobs: log/*\n"
    root = settings(
        "renames:\n  - {flag: f, old: a, new: b}\n"
        f"guards:\n  - name: g\n    flag: f\n{jobs}    {line}\n"
    )
    (problem,) = problems_of(root)
    assert what in problem


def test_durations_of_job_logs_are_compared_in_pairs_too(settings):
    """Pairs have half of the weight, and neither a wait nor missing data depends on them."""
    project = load_project(
        settings(
            "renames: [{flag: f, old: a, new: b}]\nguards:\n"
            "  - {name: slow, flag: f, jobs: log/*, slower_than: [1s, 5s], weight: 2, "
            "on_no_data: rollback, split: true, on_harm: hold}\n"
        )
    )
    quick, late, pairs = project.guards
    assert [each.name for each in project.guards] == [
        "slow over 1 s",
        "slow over 5 s",
        "slow in pairs",
    ]
    assert [each.weight for each in project.guards] == [0.5, 0.5, 1.0]
    assert (quick.slower_than, late.slower_than, pairs.slower_than) == (1.0, 5.0, 0.0)
    assert (quick.ranked, late.ranked, pairs.ranked) == (False, False, True)
    assert (quick.required, pairs.required, pairs.split) == (True, False, False)
    assert (quick.on_no_data, pairs.on_no_data) == (Response.ROLLBACK, Response.HOLD)
    assert quick.on_harm is pairs.on_harm is Response.HOLD


def test_two_guards_need_two_names(settings):
    guard = "{name: g, flag: f, jobs: a}"
    root = settings(f"renames: [{{flag: f, old: a, new: b}}]\nguards: [{guard}, {guard}]\n")
    (problem,) = problems_of(root)
    assert "has two guards named 'g'" in problem


def test_a_webhook_that_is_wrong_is_not_shown(settings):
    (problem,) = problems_of(settings("notify: {webhook: 'hooks.example/T0KEN'}\n"))
    assert "T0KEN" not in problem


def test_a_file_with_the_other_ending_is_not_overlooked(tmp_path):
    (tmp_path / "flagstaff.yaml").write_text(FULL)
    assert problems_of(tmp_path) == [
        ": is not there, but flagstaff.yaml is; rename it to flagstaff.yml"
    ]


def test_settings_cannot_be_changed():
    with pytest.raises(TypeError):
        Project().stages["a"] = "b"  # type: ignore[index]


def test_how_sure_guards_must_be_is_a_setting(settings):
    assert load_project(settings("main_branch: trunk")).statistics == Statistics()
    text = "statistics: {false_rollback: 0.01, false_safe: 0.05, poll: 30s}"
    assert load_project(settings(text)).statistics == Statistics(
        false_rollback=0.01, false_safe=0.05, poll=timedelta(seconds=30)
    )
