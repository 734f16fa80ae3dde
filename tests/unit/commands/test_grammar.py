"""Which words become which command, and what do wrong words teach?"""

from __future__ import annotations

from decimal import Decimal

import pytest
from click.testing import CliRunner

from flagstaff.commands import grammar
from flagstaff.commands.grammar import help_text, parse, parse_line
from flagstaff.commands.life_model import DeleteUndefined
from flagstaff.commands.model import (
    AbortRollout,
    ApproveStep,
    AutoDeployStatus,
    DeleteFlag,
    ExportAudit,
    GetFlag,
    ListAudit,
    ListFlags,
    PauseRollout,
    PromoteRollout,
    RecordDeployment,
    RejectStep,
    ReleaseCheck,
    ResumeRollout,
    RetryRollout,
    SetFlag,
    SkipStep,
    StartRollout,
    UndoEntry,
    VerifyAudit,
)
from flagstaff.errors import UsageError
from flagstaff.flags.change import (
    Actors,
    Boolean,
    Groups,
    PercentageOfActors,
    PercentageOfTime,
)

PRODUCTION = ("production",)


def change_of(line: str):
    command = parse_line(f"feature set x {line}")
    assert isinstance(command, SetFlag)
    return command.change


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("true", Boolean(value=True)),
        ("false", Boolean(value=False)),
        ("True", Boolean(value=True)),
        ("100", Boolean(value=True)),
        ("0", Boolean(value=False)),
        ("25 --actors", PercentageOfActors(value=Decimal(25))),
        ("--random 0.5", PercentageOfTime(value=Decimal("0.5"))),
        ("100 --actors", PercentageOfActors(value=Decimal(100))),
        ("true --project=7", Actors(ids=("Project:7",), value=True)),
        ("0 --user=@anna", Actors(ids=("User:anna",), value=False)),
        (
            "true --project=gitlab-org/gitlab,7 --group 9 --namespace=n --repository=r",
            Actors(
                ids=(
                    "Project:gitlab-org/gitlab",
                    "Project:7",
                    "Group:9",
                    "Namespace:n",
                    "Repository:r",
                ),
                value=True,
            ),
        ),
        ("true --feature-group=team_members", Groups(names=("team_members",), value=True)),
    ],
)
def test_value_modifier_and_scope_make_the_change(words, change):
    assert change_of(words) == change


def test_environments_come_in_gitlabs_order_whatever_the_order_of_the_words():
    command = parse_line(
        "feature set x true --production --pre --ops --staging-ref --staging --dev"
    )
    assert command == SetFlag(
        flag="x",
        environments=("dev", "staging", "staging-ref", "ops", "pre", "production"),
        change=Boolean(value=True),
    )


def test_the_ignore_options_are_overrides():
    command = parse_line(
        "feature set x 5 --random --ignore-production-check --ignore-random-deprecation-check"
        " --ignore-feature-flag-consistency-check"
    )
    assert isinstance(command, SetFlag)
    assert command.overrides == (
        "ignore-random-deprecation-check",
        "ignore-production-check",
        "ignore-feature-flag-consistency-check",
    )


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("feature get x --dev", GetFlag(flag="x", environments=("dev",))),
        ("flag get x", GetFlag(flag="x", environments=PRODUCTION)),
        ("feature list --match=new", ListFlags(environments=PRODUCTION, match="new")),
        ("feature delete x --ops", DeleteFlag(flag="x", environments=("ops",))),
        ("auto_deploy status", AutoDeployStatus()),
        ("auto_deploy status 4F2D9C1", AutoDeployStatus(sha="4f2d9c1")),
        ("release check !90061", ReleaseCheck(request="!90061")),
        ("release check branch %15.2", ReleaseCheck(request="branch", version="15.2")),
        ("deployment record dev abcd", RecordDeployment(environment="dev", sha="abcd")),
        ("rollout start 12", StartRollout(rollout=12)),
        ("rollout approve #12", ApproveStep(rollout=12)),
        (
            "rollout approve 12 --step verify --reason 'all green'",
            ApproveStep(rollout=12, step="verify", reason="all green"),
        ),
        ("rollout reject 1 --reason no", RejectStep(rollout=1, reason="no")),
        ("rollout skip 1 --step a --reason no", SkipStep(rollout=1, step="a", reason="no")),
        ("rollout promote 1 --reason=quiet", PromoteRollout(rollout=1, reason="quiet")),
        ("rollout pause 1", PauseRollout(rollout=1)),
        ("rollout resume 1 --reason go", ResumeRollout(rollout=1, reason="go")),
        ("rollout retry 1", RetryRollout(rollout=1)),
        ("rollout abort 1 --reason bad", AbortRollout(rollout=1, reason="bad")),
        (
            "rollout approve 1 --override four-eyes --reason alone",
            ApproveStep(rollout=1, overrides=("four-eyes",), reason="alone"),
        ),
        (
            "feature delete x --ops --override change-lock --override max-step --reason y",
            DeleteFlag(
                flag="x", environments=("ops",), overrides=("change-lock", "max-step"), reason="y"
            ),
        ),
        ("audit list", ListAudit()),
        (
            (
                "audit list --flag x --person a --environment dev --action flag --rollout 3"
                " --since 2d --until 2026-01-02 --before 9 --limit 5"
            ),
            ListAudit(
                flag="x",
                person="a",
                environment="dev",
                action="flag",
                rollout=3,
                since="2d",
                until="2026-01-02",
                before=9,
                limit=5,
            ),
        ),
        ("audit export --format csv --person a", ExportAudit(form="csv", person="a")),
        ("audit verify", VerifyAudit()),
        (
            "audit undo 7 --ignore-production-check --reason no",
            UndoEntry(entry=7, overrides=("ignore-production-check",), reason="no"),
        ),
    ],
)
def test_every_command_has_its_words(line, command):
    assert parse_line(line) == command


@pytest.mark.parametrize(
    ("line", "what", "hint"),
    [
        ("feature set x 25% --actors", "percent sign", "leave it out: 25"),
        ("feature set x 25%", "percent sign", "leave it out: 25"),
        ("feature set x 1e3 --random", "exponent", "0 to 100"),
        ("feature set x 101", "above 100", "0 to 100"),
        ("feature set x -5 --actors", "'-5' is negative", "0 to 100"),
        ("feature set x 25", "25 percent of what", "25 --actors"),
        ("feature set x 25 --actors --user=a", "scope", "leave out"),
        ("feature set x 25 --user=a", "on or off", "true or false"),
        ("feature set x 25 --actors --random", "contradict", "choose one"),
        ("feature set x true --actors", "needs a percentage", "`true` alone"),
        ("feature set x true --user=a --feature-group=b", "not both", "one command"),
        ("feature set x on", "'on' is unknown", "`true`"),
        ("feature set x maybe", "'maybe' is unknown", "true, false"),
        ("feature set x true --user=a,,b", "empty name", "one,two"),
        ("feature set x", "`feature set`: VALUE is missing", "feature set [OPTIONS] NAME VALUE"),
        ("feature set", "NAME is missing", "feature set"),
        ("feature set no-flag! true", "no name of a flag", "underscores"),
        ("feature set <feature-flag-name> true", "placeholder", "in its place"),
        ("feature set x true --stagin", "no option `--stagin`", "did you mean `--staging`?"),
        ("feature set x true --prod", "no option `--prod`", "did you mean `--production`?"),
        ("feature set x true --dev=1", "--dev", "`--dev` alone"),
        ("feature set x true y", "extra argument", "in quotes"),
        ("feature sett x true", "`feature sett` is no command", "did you mean `set`?"),
        ("feautre set x true", "`feautre` is no command", "did you mean `feature`?"),
        ("shipit now", "`shipit` is no command", "auto_deploy"),
        ("feature", "`feature` needs a subcommand", "delete, due, get, list, set, stale"),
        ("auto_deploy status master", "no commit", "hexadecimal"),
        ("deployment record dev HEAD", "'HEAD' is no commit", "`git rev-parse HEAD` says"),
        ("deployment record dev '; x'", "no commit", "`git rev-parse HEAD` says"),
        ("release check x 15", "no monthly release", "15.2"),
        ("release check x 15.2.1", "no monthly release", "15.2"),
        ("deployment record /// abcd", "no name of an environment", "staging"),
        ("rollout start all", "'all' is no number", "rollout list"),
        ("rollout abort 1", "--reason is missing", "rollout abort"),
        ("rollout abort 1 --reason ' '", "reason is empty", "later"),
        ("rollout approve 1 --step", "--step", "with its value"),
        ("feature set x true --override max-stepp", "no override 'max-stepp'", "`max-step`"),
        ("audit list --since yesterday", "'yesterday' is no time", "2d"),
        ("audit undo x", "'x' is not a valid integer", "audit undo"),
    ],
)
def test_a_mistake_names_the_place_and_the_remedy(line, what, hint):
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    assert what in caught.value.message
    assert hint in caught.value.hint


def test_asking_for_help_answers_with_the_help():
    with pytest.raises(UsageError, match=r"Usage: feature set"):
        parse(["feature", "set", "--help"])


def test_help_shows_usage_options_and_examples():
    text = help_text(["feature"])
    assert "Usage: feature" in text
    assert "feature set new_navigation 25 --actors" in text
    assert "--staging-ref" in help_text(["feature", "set", "x"])
    assert "auto_deploy" in help_text([])
    assert "flag set new_navigation" in help_text(["flag"])


def test_the_terminal_gets_the_command_from_the_same_groups():
    answer = CliRunner().invoke(
        grammar.feature, ["set", "x", "true", "--dev"], standalone_mode=False
    )
    assert answer.return_value == SetFlag(
        flag="x", environments=("dev",), change=Boolean(value=True)
    )


@pytest.mark.parametrize(
    ("line", "environments"),
    [
        ("feature delete --undefined", ("production",)),
        ("feature delete --undefined --dev --staging", ("dev", "staging")),
        ("feature delete --undefined --environment qa", ("qa",)),
        ("flag delete --undefined --dev --environment qa --environment dev", ("dev", "qa")),
        ("feature delete --undefined --production --environment qa", ("production", "qa")),
    ],
)
def test_what_nobody_defines_is_deleted_where_it_is_said(line, environments):
    assert parse_line(line) == DeleteUndefined(environments=environments)


def test_a_flag_is_deleted_in_an_environment_of_any_name():
    found = parse_line("feature delete x --environment qa")
    assert found == DeleteFlag(flag="x", environments=("qa",))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("feature delete", "NAME is missing"),
        ("feature delete x --undefined", "do not go together"),
        ("feature delete x --confirm 1-ab", "--undefined alone"),
        ("feature due x 2026-04-01", "--reason is missing"),
        ("feature due x 2026-04-01 --reason ' '", "reason is empty"),
        ("feature stale --reason old", "--reason"),
    ],
)
def test_words_about_flags_that_should_go_teach(line, what):
    with pytest.raises(UsageError) as caught:
        parse_line(line)
    assert what in caught.value.message
