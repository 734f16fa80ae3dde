from datetime import date
from pathlib import Path

import pytest

from flagstaff.definitions import FLAG_TYPES, Definition, parse_definition
from flagstaff.definitions.flag import check_definition
from flagstaff.definitions.problems import Problems
from flagstaff.errors import DefinitionError

GITLAB_STYLE = """\
---
name: rename_integrations_workers
introduced_by_url: https://gitlab.example/group/project/-/merge_requests/88558
rollout_issue_url: https://gitlab.example/group/project/-/issues/364112
milestone: '15.1'
type: development
group: group::integrations
default_enabled: false
"""


def parse(text: str, place: str = "development/x.yml", *, folder: str = ".") -> Definition:
    return parse_definition(text.encode(), path=Path(place), folder=Path(folder))


def problems_of(text: str, place: str = "development/x.yml") -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        parse(text, place)
    return [str(problem) for problem in caught.value.problems]


def warnings_of(text: str, place: str = "development/x.yml") -> list[str]:
    problems = Problems(place)
    check_definition(text.encode(), path=Path(place), folder=None, problems=problems)
    return [str(problem) for problem in problems.warnings]


def test_a_gitlab_definition_is_read_unchanged():
    path = Path("development/rename_integrations_workers.yml")
    assert parse(GITLAB_STYLE, str(path)) == Definition(
        name="rename_integrations_workers",
        type="development",
        default_enabled=False,
        group="group::integrations",
        milestone="15.1",
        introduced_by_url="https://gitlab.example/group/project/-/merge_requests/88558",
        rollout_issue_url="https://gitlab.example/group/project/-/issues/364112",
        path=path,
    )
    assert warnings_of(GITLAB_STYLE, str(path)) == []


def test_values_mean_what_was_typed():
    definition = parse(
        "name: on\ntype: ops\ngroup: no\ndefault_enabled: yes\nlog_state_changes: on\n"
        "intended_to_rollout_by: 2026-03-31\n",
        "ops/on.yml",
    )
    assert definition.name == "on"
    assert definition.group == "no"
    assert definition.default_enabled is True
    assert definition.log_state_changes is True
    assert definition.intended_to_rollout_by == date(2026, 3, 31)


def test_a_key_without_a_value_is_absent():
    definition = parse("name: x\ntype: ops\ndefault_enabled: false\ngroup:\n", "ops/x.yml")
    assert definition.group is None


def test_all_problems_are_reported_at_once_with_line_value_and_remedy():
    found = problems_of(
        "name: Bad Name\ntype: develpment\nmilestone: 15.1\n"
        'default_enabled: "true"\ngroup: [a]\nname: x\n'
    )
    assert found == [
        (
            "development/x.yml:1: the name 'Bad Name' is not snake_case; "
            "write small letters and digits, with single underscores between"
        ),
        (
            "development/x.yml:2: `type` is 'develpment', which is unknown; "
            "did you mean `development`?"
        ),
        (
            "development/x.yml:3: `milestone` is not a text but the bare '15.1'; "
            "write `milestone: '15.1'`, since 15.10 is not 15.1"
        ),
        "development/x.yml:4: `default_enabled` is the text 'true'; write true without quotes",
        "development/x.yml:5: `group` holds a list; write a single value",
        "development/x.yml:6: has the key 'name' twice, first in line 1; keep one of the two",
    ]


def test_everything_missing_is_named_with_what_to_add():
    assert problems_of("group: g\n", "beta/my_flag.yml") == [
        "beta/my_flag.yml:1: has no `type`; add `type: beta`",
        "beta/my_flag.yml:1: has no `name`; add `name: my_flag`",
        "beta/my_flag.yml:1: has no `default_enabled`; add `default_enabled: false`",
    ]


def test_a_type_missing_in_a_folder_of_another_name_lists_the_types():
    (problem,) = problems_of("name: x\ndefault_enabled: false\n", "odd/x.yml")
    assert problem.endswith("add `type:` with one of " + ", ".join(FLAG_TYPES))


@pytest.mark.parametrize("name", ["a-b", "A", "_a", "a_", "a__b", "a::b", "é", "a b"])
def test_a_name_is_snake_case(name):
    found = problems_of(f"name: '{name}'\ntype: ops\ndefault_enabled: false\n", f"ops/{name}.yml")
    assert len(found) == 1
    assert "is not snake_case" in found[0]


def test_a_worker_flag_may_carry_the_name_of_a_class():
    name = "run_sidekiq_jobs_Integrations::IrkerWorker"
    text = f"name: {name}\ntype: worker\ndefault_enabled: false\n"
    assert parse(text, f"worker/{name}.yml").name == name


def test_the_file_is_named_after_the_flag():
    assert problems_of("name: y\ntype: ops\ndefault_enabled: false\n", "ops/x.yml") == [
        (
            "ops/x.yml:1: the name 'y' is not that of the file, 'x.yml'; "
            "rename the file to 'y.yml', or mend the name"
        )
    ]


def test_the_folder_is_named_after_the_type():
    assert problems_of("name: x\ntype: ops\ndefault_enabled: false\n", "beta/x.yml") == [
        (
            "beta/x.yml:2: the type 'ops' is not that of the folder, 'beta'; "
            "move the file to a folder 'ops', or write `type: beta`"
        )
    ]


def test_directly_in_the_root_folder_any_type_may_lie():
    text = "name: x\ntype: ops\ndefault_enabled: false\n"
    assert parse(text, "flags/x.yml", folder="flags").type == "ops"


@pytest.mark.parametrize("kind", FLAG_TYPES.values(), ids=str)
def test_some_types_may_not_be_on_by_default(kind):
    text = f"name: x\ntype: {kind.name}\ndefault_enabled: true\n"
    if kind.may_default_on:
        assert parse(text, f"{kind.name}/x.yml").default_enabled
    else:
        (problem,) = problems_of(text, f"{kind.name}/x.yml")
        assert f"`default_enabled` is true, which the type '{kind.name}' does not" in problem


def test_types_follow_gitlabs_table():
    def named(attribute):
        return {name for name, kind in FLAG_TYPES.items() if getattr(kind, attribute)}

    assert named("optional") == {"experiment", "worker", "undefined", "licensed"}
    assert named("may_default_on") == {"development", "beta", "ops", "licensed"}
    assert named("rollout_issue") == {"development", "gitlab_com_derisk", "beta", "experiment"}
    assert FLAG_TYPES["gitlab_com_derisk"].lifespan_months == 2
    assert FLAG_TYPES["ops"].lifespan_months is None


def test_unknown_keys_are_tolerated_with_a_warning_that_knows_the_spelling():
    found = warnings_of(
        GITLAB_STYLE + "intended_to_rollout_by_date: 2026-01-01\ntyp: x\ncolour: red\n"
    )
    assert found[0].endswith(
        "has the unknown key 'intended_to_rollout_by_date'; did you mean `intended_to_rollout_by`?"
    )
    assert found[1].endswith("has the unknown key 'typ'; delete it, as `type` is there too")
    assert "has the unknown key 'colour'; known are name," in found[2]


def test_an_empty_key_is_no_spelling_of_another():
    found = warnings_of(GITLAB_STYLE + "'': 1\n")
    assert "has the unknown key ''; known are name," in found[0]


def test_a_type_like_no_other_lists_the_types():
    (problem,) = problems_of("name: x\ntype: zzz\ndefault_enabled: false\n")
    assert problem.endswith("'zzz', which is unknown; write one of " + ", ".join(FLAG_TYPES))


def test_a_crowd_of_unknown_keys_is_summed_up():
    found = warnings_of(GITLAB_STYLE + "".join(f"key{n}: 1\n" for n in range(500)))
    assert len(found) == 21
    assert "has 480 more unknown keys" in found[-1]


def test_what_is_recommended_but_absent_gives_one_warning():
    assert warnings_of("name: x\ntype: beta\ndefault_enabled: false\n", "beta/x.yml") == [
        (
            "beta/x.yml: says nothing about `introduced_by_url`, `milestone`, `group`, "
            "`rollout_issue_url`; "
            "add it, so that others know where the flag comes from and whose it is"
        )
    ]


@pytest.mark.parametrize("kind", ["undefined", "licensed"])
def test_a_type_out_of_use_gives_a_warning(kind):
    found = warnings_of(f"name: x\ntype: {kind}\ndefault_enabled: false\n", f"{kind}/x.yml")
    assert any(f"the type '{kind}' is out of use; " in warning for warning in found)


def test_an_address_that_is_none_is_left_out_with_a_warning():
    text = GITLAB_STYLE + "feature_issue_url: javascript:alert(1)\n"
    place = "development/rename_integrations_workers.yml"
    assert parse(text, place).feature_issue_url is None
    assert "'javascript:alert(1)', no web address" in warnings_of(text, place)[0]


@pytest.mark.parametrize("day", ["2026-13-01", "20260331", "soon", "2026-W13-1"])
def test_a_day_that_is_none_is_left_out_with_a_warning(day):
    text = GITLAB_STYLE + f"intended_to_rollout_by: {day}\n"
    place = "development/rename_integrations_workers.yml"
    assert parse(text, place).intended_to_rollout_by is None
    assert f"{day!r}, no date" in warnings_of(text, place)[0]


@pytest.mark.parametrize(
    ("milestone", "shown"), [("15.1", "15.1"), ("16", "16"), ("2026-01-01", "2026-01-01")]
)
def test_a_bare_number_is_no_milestone(milestone, shown):
    (problem,) = problems_of(
        f"name: x\ntype: ops\ndefault_enabled: false\nmilestone: {milestone}\n", "ops/x.yml"
    )
    assert f"write `milestone: '{shown}'`" in problem


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('"a\\nb"', "holds a line break or an invisible character: 'a\\nb'"),
        ('"\\e[31m"', "holds a line break or an invisible character: '\\x1b[31m'"),
        ("' a'", "has blanks around 'a'"),
        ("''", "is empty"),
    ],
)
def test_a_text_is_one_visible_line(text, what):
    (problem,) = problems_of(
        f"name: x\ntype: ops\ndefault_enabled: false\ngroup: {text}\n", "ops/x.yml"
    )
    assert problem == f"ops/x.yml:4: `group` {what}; write one line of plain text"


@pytest.mark.parametrize("value", ["maybe", "1", "'false'"])
def test_a_truth_value_is_written_as_one(value):
    (problem,) = problems_of(f"name: x\ntype: ops\ndefault_enabled: {value}\n", "ops/x.yml")
    assert "`default_enabled` is " in problem
    assert "; write " in problem
