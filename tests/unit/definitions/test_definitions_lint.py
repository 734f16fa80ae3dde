import pytest

from flagstaff.definitions import lint, lint_to_serve

DEFINITION = """\
name: {name}
introduced_by_url: https://gitlab.example/a/b/-/merge_requests/1
milestone: '1.0'
group: group::a
type: ops
default_enabled: false
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "config/feature_flags/ops"
    folder.mkdir(parents=True)
    (folder / "rename_jobs.yml").write_text(DEFINITION.format(name="rename_jobs"))
    (tmp_path / "flagstaff.yml").write_text("renames: [{flag: rename_jobs, old: a, new: b}]\n")
    return tmp_path


def test_a_project_in_order_has_nothing_to_report(project):
    assert lint(project) == ((), ())


def test_settings_and_definitions_are_reported_together_as_seen_from_the_root(project):
    (project / "flagstaff.yml").write_text("main_branch: []\n")
    (project / "config/feature_flags/ops/other.yml").write_text("[]\n")
    errors, warnings = lint(project)
    assert [problem.file for problem in errors] == [
        "flagstaff.yml",
        "config/feature_flags/ops/other.yml",
    ]
    assert warnings == ()


def test_another_folder_of_definitions_is_followed(project):
    (project / "flagstaff.yml").write_text("flags: flags\n")
    errors, warnings = lint(project)
    assert errors == ()
    assert [str(warning) for warning in warnings] == [
        "flags: is not there, so no flag is defined; is this the right folder?"
    ]


@pytest.mark.parametrize(
    ("flag", "remedy"),
    [
        ("rename_job", "did you mean `rename_jobs`?"),
        ("colours", "define it, or drop the renames"),
    ],
)
def test_renames_by_an_undefined_flag_give_a_warning(project, flag, remedy):
    (project / "flagstaff.yml").write_text(f"renames: [{{flag: {flag}, old: a, new: b}}]\n")
    errors, (warning,) = lint(project)
    assert errors == ()
    assert str(warning) == (
        f"flagstaff.yml: jobs are renamed by the flag '{flag}', which is not defined; {remedy}"
    )


def test_a_root_that_is_no_folder_is_an_error(tmp_path):
    errors, _ = lint(tmp_path / "absent")
    assert errors[0].what == "is not a folder"


PLAN = """\
flag: {flag}
steps:
  - set: {{environments: [production], {gate}}}
"""


@pytest.fixture
def plans(project):
    folder = project / "plans"
    folder.mkdir()
    return folder


def test_plans_are_checked_as_well(project, plans):
    (plans / "good.yml").write_text(PLAN.format(flag="rename_jobs", gate="boolean: true"))
    (plans / "bad.yml").write_text(PLAN.format(flag="rename_job", gate="percentage_of_actors: 120"))
    (plans / "notes.md").write_text("no plan")
    errors, warnings = lint(project)
    assert [each.file for each in errors] == ["plans/bad.yml"]
    assert "120" in errors[0].what
    assert str(warnings[0]).startswith("plans/bad.yml:1: there is no flag 'rename_job'")
    assert warnings[0].remedy.endswith("or delete the plan, if the flag is cleaned up")


def test_a_wrong_plan_is_no_reason_not_to_serve(project, plans):
    (plans / "bad.yml").write_text(
        PLAN.format(flag="rename_jobs", gate="percentage_of_actors: 120")
    )
    errors, warnings = lint_to_serve(project)
    assert errors == ()
    assert [each.file for each in warnings] == ["plans/bad.yml"]
    (project / "flagstaff.yml").write_text("ramp: 1\n")
    assert lint_to_serve(project)[0]


def test_what_a_person_gives_later_may_be_missing(project, plans):
    text = PLAN.format(flag="rename_jobs", gate="percentage_of_actors: <share>")
    (plans / "open.yml").write_text(f"parameters: {{share: }}\n{text}")
    assert lint(project) == ((), ())


def test_a_template_that_does_not_exist_is_an_error(project):
    with (project / "flagstaff.yml").open("a") as file:
        file.write("plans: {by_type: {ops: quik}}\n")
    [error] = lint(project)[0]
    assert "quik" in error.what
    assert "quick" in error.remedy
