"""One flag, one background job with two names, and a whole repository cleaned up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flagstaff.cleanup.branch import write_branch
from flagstaff.cleanup.changes import OldJob, diff_text
from flagstaff.cleanup.patterns import DEFAULT
from flagstaff.cleanup.plan import plan_cleanup
from flagstaff.cleanup.references import find_references, references_in
from flagstaff.cleanup.tree import MemoryTree
from flagstaff.errors import Conflict, NotFound, UsageError

FLAG = "rename_integrations_workers"
JOB = OldJob(
    old="app.tasks.project_service",
    new="app.tasks.execute",
    old_queue="project_services",
    new_queue="integrations",
)

TASKS = '''"""Background jobs."""

from celery import shared_task

from app.legacy import payload_v1
from app.send import deliver


@shared_task(name="app.tasks.execute")
def execute(integration_id, data):
    """Deliver one event."""
    deliver(integration_id, data)


# Renamed; goes with the flag.
@shared_task(name="app.tasks.project_service")
def project_service(integration_id, data):
    """Deliver one event, under the old name."""
    deliver(integration_id, payload_v1(data))
'''

SERVICE = '''"""Integrations."""

from app.flags import flags
from app.tasks import (
    execute,
    project_service,
)


def async_execute(integration, data):
    """Deliver in the background."""
    if not integration.supports(data):
        return

    # rename_integrations_workers: both names work meanwhile.
    if flags.is_enabled("rename_integrations_workers", integration.project):
        # The id is enough.
        execute.delay(integration.id, data)
    else:
        project_service.delay(integration.id, data)
'''

CONFIG = '''"""Celery."""

from kombu import Queue

task_queues = (
    Queue("default"),
    # the old name of the queue
    Queue("project_services"),
    Queue("integrations"),  # the new one
)
task_routes = {
    "app.tasks.project_service": {"queue": "project_services"},
    "app.tasks.execute": {"queue": "integrations"},
}
beat_schedule = {
    "nightly": {"task": "app.tasks.project_service", "schedule": 60},
}
'''

TESTS = """from app.service import async_execute
from flagstaff.testing import override_flag


def test_new_name(worker):
    with override_flag("rename_integrations_workers", True):
        async_execute(worker.integration, {})

    assert worker.ran == ["execute"]


@override_flag("rename_integrations_workers", False)
def test_old_name(worker):
    async_execute(worker.integration, {})
    assert worker.ran == ["project_service"]
"""

FILES = {
    "app/__init__.py": "",
    "app/flags.py": "import flagstaff\n\nflags = flagstaff.Client.from_files('config')\n",
    "app/tasks.py": TASKS,
    "app/service.py": SERVICE,
    "app/celeryconfig.py": CONFIG,
    "tests/test_service.py": TESTS,
    "config/feature_flags/ops/rename_integrations_workers.yml": f"name: {FLAG}\n",
    "config/feature_flags/ops/other.yml": "name: other\n",
    "flagstaff.yml": (
        "# Flagstaff\nrenames:\n  # integrations\n"
        f"  - flag: {FLAG}\n    old: app.tasks.project_service\n\nguards:\n"
        f"  - flag: other\n    metric: errors\n  - flag: {FLAG}\n    metric: jobs   # lost\n"
    ),
    "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n",
    "docs/jobs.md": f"Ask for `{FLAG}`.\n",
    "logo.bin": f"\0{FLAG}",
}


def git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ("git", *identity, *words), cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "app/service.py").chmod(0o755)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "start")
    return tmp_path


def planned(root, **more):
    return plan_cleanup(
        root, FLAG, keep=True, renames=(JOB,), changelog=Path("CHANGELOG.md"), **more
    )


def after(plan, path):
    (content,) = [change.after for change in plan.changes if change.path == path]
    return None if content is None else content.decode()


def test_references_are_found_in_every_kind_of_text_file(repository):
    found = {(r.path, r.line, r.kind.value) for r in find_references(repository, FLAG)}
    assert found == {
        ("app/service.py", 15, "comment"),
        ("app/service.py", 16, "call"),
        ("config/feature_flags/ops/rename_integrations_workers.yml", 1, "definition"),
        ("docs/jobs.md", 1, "text"),
        ("flagstaff.yml", 4, "text"),
        ("flagstaff.yml", 10, "text"),
        ("tests/test_service.py", 6, "override"),
        ("tests/test_service.py", 12, "override"),
    }


@pytest.mark.parametrize(
    ("text", "line"), [("---\ntype: ops\nname: a\n", 3), ("# a\ntype: ops\n", 1)]
)
def test_a_definition_is_the_line_of_its_name(text, line):
    tree = MemoryTree({"config/feature_flags/ops/a.yml": text.encode()})
    [found] = references_in(tree, "a", DEFAULT)
    assert (found.line, found.text) == (line, text.splitlines()[line - 1])


def test_files_git_does_not_track_are_not_looked_at(repository):
    (repository / "notes.md").write_text(FLAG)
    assert all(r.path != "notes.md" for r in find_references(repository, FLAG))


def test_the_branch_keeps_the_new_job_alone(repository):
    plan = planned(repository)
    assert after(plan, "app/service.py") == (
        '''"""Integrations."""

from app.tasks import (
    execute,
)


def async_execute(integration, data):
    """Deliver in the background."""
    if not integration.supports(data):
        return

    # The id is enough.
    execute.delay(integration.id, data)
'''
    )
    assert after(plan, "app/tasks.py") == (
        '''"""Background jobs."""

from celery import shared_task

from app.send import deliver


@shared_task(name="app.tasks.execute")
def execute(integration_id, data):
    """Deliver one event."""
    deliver(integration_id, data)
'''
    )
    assert after(plan, "app/celeryconfig.py") == (
        '''"""Celery."""

from kombu import Queue

task_queues = (
    Queue("default"),
    Queue("integrations"),  # the new one
)
task_routes = {
    "app.tasks.execute": {"queue": "integrations"},
}
beat_schedule = {
    "nightly": {"task": "app.tasks.execute", "schedule": 60},
}
'''
    )


def test_the_tests_of_the_losing_side_go(repository):
    assert after(planned(repository), "tests/test_service.py") == (
        """from app.service import async_execute


def test_new_name(worker):
    async_execute(worker.integration, {})

    assert worker.ran == ["execute"]
"""
    )


def test_yaml_and_changelog_follow(repository):
    plan = planned(repository)
    assert after(plan, "config/feature_flags/ops/rename_integrations_workers.yml") is None
    assert after(plan, "flagstaff.yml") == (
        "# Flagstaff\n\nguards:\n  - flag: other\n    metric: errors\n"
    )
    assert after(plan, "CHANGELOG.md") == (
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n### Removed\n\n"
        f"- The feature flag `{FLAG}`: it is now always on.\n"
    )


def test_what_is_left_is_reported_with_its_reason(repository):
    residue, dropped = planned(repository).residues
    assert str(residue) == f"docs/jobs.md:1: Ask for `{FLAG}`. (is text that speaks of the flag)"
    assert str(dropped.reference) == "tests/test_service.py:13: def test_old_name(worker):"
    assert dropped.reason.startswith("was a test of the other answer")


def test_keeping_the_old_side_drops_the_new_name(repository):
    plan = plan_cleanup(repository, FLAG, keep=False, renames=(JOB,))
    tasks = after(plan, "app/tasks.py")
    assert "def project_service" in tasks
    assert "def execute" not in tasks
    assert "payload_v1" in tasks
    assert "    project_service.delay" in after(plan, "app/service.py")
    assert 'Queue("integrations")' not in after(plan, "app/celeryconfig.py")


def test_a_branch_is_written_and_nothing_else_moves(repository):
    (repository / "app/service.py").write_text("dirty = 1\n")
    (repository / "docs/jobs.md").write_text("staged\n")
    git(repository, "add", "docs/jobs.md")
    before = git(repository, "status", "--porcelain=v2", "--branch")
    plan = planned(repository)
    result = write_branch(repository, plan, branch="cleanup/x", message="Drop it", base="main")
    assert git(repository, "status", "--porcelain=v2", "--branch") == before
    assert (repository / "app/service.py").read_text() == "dirty = 1\n"
    assert git(repository, "rev-parse", "cleanup/x") == result.commit
    assert git(repository, "rev-parse", "cleanup/x^") == git(repository, "rev-parse", "main")
    assert git(repository, "log", "-1", "--format=%B", "cleanup/x").strip() == "Drop it"
    changed = git(repository, "diff", "--name-only", "main", "cleanup/x").splitlines()
    assert tuple(changed) == result.files == tuple(change.path for change in plan.changes)
    assert git(repository, "ls-tree", "cleanup/x", "app/service.py").startswith("100755")


def test_the_same_branch_twice_is_one_commit(repository):
    plan = planned(repository)
    first = write_branch(repository, plan, branch="cleanup/x", message="Drop it", base="main")
    count = git(repository, "rev-list", "--all", "--count")
    again = write_branch(repository, plan, branch="cleanup/x", message="Other words", base="main")
    assert again == first
    assert git(repository, "rev-list", "--all", "--count") == count


def test_the_branch_still_counts_after_the_base_moved_on(repository):
    first = write_branch(
        repository, planned(repository), branch="cleanup/x", message="Drop", base="main"
    )
    git(repository, "checkout", "-q", "main")
    (repository / "new.txt").write_text("later\n")
    git(repository, "add", "new.txt")
    git(repository, "commit", "-q", "-m", "later")
    again = write_branch(
        repository, planned(repository), branch="cleanup/x", message="Drop", base="main"
    )
    assert again == first


def test_a_branch_with_something_else_is_a_conflict(repository):
    git(repository, "branch", "cleanup/x", "main")
    with pytest.raises(Conflict, match="holds something else") as caught:
        write_branch(
            repository, planned(repository), branch="cleanup/x", message="Drop", base="main"
        )
    assert "another branch name" in caught.value.hint


def test_a_branch_in_the_way_of_the_name_is_a_conflict(repository):
    git(repository, "branch", "cleanup/x/y", "main")
    with pytest.raises(Conflict, match="cannot be made"):
        write_branch(
            repository, planned(repository), branch="cleanup/x", message="Drop", base="main"
        )


def test_a_base_that_changed_since_the_plan_is_a_conflict(repository):
    plan = planned(repository)
    (repository / "app/service.py").write_text("other = 1\n")
    git(repository, "commit", "-q", "-am", "other")
    with pytest.raises(Conflict, match=r"app/service\.py differs"):
        write_branch(repository, plan, branch="cleanup/x", message="Drop", base="main")


def test_nothing_to_change_is_a_conflict_with_a_remedy(repository):
    plan = plan_cleanup(repository, "no_such_flag", keep=True, changelog=Path("CHANGELOG.md"))
    assert plan.changes == ()
    with pytest.raises(Conflict, match="nothing to change"):
        write_branch(repository, plan, branch="cleanup/x", message="Drop", base="main")


def test_the_same_plan_makes_the_same_commit(repository):
    plan = planned(repository)
    one = write_branch(repository, plan, branch="one", message="Drop it", base="main")
    two = write_branch(repository, plan, branch="two", message="Drop it", base="main")
    assert one.commit == two.commit


def test_cleaning_the_branch_changes_nothing_more(repository):
    write_branch(repository, planned(repository), branch="one", message="Drop it", base="main")
    assert planned(repository, base="one").changes == ()


def test_the_diff_applies(repository):
    plan = planned(repository)
    (repository / "change.diff").write_text(diff_text(plan))
    git(repository, "apply", "change.diff")
    assert (repository / "app/service.py").read_text() == after(plan, "app/service.py")
    assert not (repository / "config/feature_flags/ops" / f"{FLAG}.yml").exists()


@pytest.mark.parametrize("name", ["", "a..b", "-x", "a b"])
def test_a_bad_branch_name_is_a_usage_error(repository, name):
    with pytest.raises(UsageError):
        write_branch(repository, planned(repository), branch=name, message="m", base="main")


def test_a_folder_without_a_repository_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="no git repository"):
        plan_cleanup(tmp_path, FLAG, keep=True)


def test_an_unknown_base_is_not_found(repository):
    with pytest.raises(NotFound, match="no commit 'nowhere'"):
        plan_cleanup(repository, FLAG, keep=True, base="nowhere")


def test_a_changelog_outside_of_the_repository_is_a_usage_error(repository):
    with pytest.raises(UsageError, match="not inside"):
        plan_cleanup(repository, FLAG, keep=True, changelog=Path("../CHANGELOG.md"))
