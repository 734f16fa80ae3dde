"""Is the demo's repository the same everywhere, and is a deployment apart from it?"""

from __future__ import annotations

import pytest
import yaml

from flagstaff.demo.git import git
from flagstaff.demo.repository import create_repository, deploy, head, merge_branch, tag
from flagstaff.errors import Conflict, NotFound

FLAG = "config/feature_flags/development/rename_integrations_workers.yml"
WEBHOOK = "http://127.0.0.1:8123/chat"


@pytest.fixture
def repository(tmp_path):
    return create_repository(tmp_path / "repository", webhook=WEBHOOK)


def test_two_repositories_have_the_same_commits_but_for_the_webhook(tmp_path):
    one = create_repository(tmp_path / "one", webhook="http://127.0.0.1:1/chat")
    other = create_repository(tmp_path / "other", webhook="http://127.0.0.1:2/chat")
    assert one.commits[:-1] == other.commits[:-1]
    assert one.commits[-1] != other.commits[-1]


def test_nothing_of_the_users_git_configuration_is_used(tmp_path, monkeypatch):
    configuration = tmp_path / "gitconfig"
    configuration.write_text("[user]\n\tname = Somebody\n[init]\n\tdefaultBranch = trunk\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody else")
    repository = create_repository(tmp_path / "repository", webhook=None)
    authors = git(repository.root, "log", "--format=%an %cn").splitlines()
    assert set(authors) == {"Integrations Integrations"}
    assert git(repository.root, "branch", "--show-current") == "main"


def test_the_feature_commit_is_the_merge_that_brings_flag_and_names(repository):
    root, feature = repository.root, repository.feature_commit
    assert len(git(root, "show", "--no-patch", "--format=%P", feature).split()) == 2
    assert FLAG in git(root, "ls-tree", "-r", "--name-only", feature).splitlines()
    assert FLAG not in git(root, "ls-tree", "-r", "--name-only", "v15.0").splitlines()
    assert "flags" not in git(root, "show", "v15.0:app/enqueue.py")


def test_the_history_is_linear_on_main_and_the_work_tree_is_clean(repository):
    on_main = git(repository.root, "log", "--first-parent", "--reverse", "--format=%H")
    assert tuple(on_main.splitlines()) == repository.commits
    assert git(repository.root, "status", "--porcelain") == ""
    assert repository.rollout_issue.exists()


def test_the_configuration_names_webhook_renames_and_guard(repository):
    configuration = yaml.safe_load((repository.root / "flagstaff.yml").read_text())
    assert configuration["notify"]["webhook"] == WEBHOOK
    assert [rename["old_queue"] for rename in configuration["renames"]] == [
        "project_service",
        "irker",
        "activate_service",
        "deactivate_service",
    ]
    assert configuration["guards"][0]["safe_below"] == 0.15


def test_without_a_webhook_none_is_configured(tmp_path):
    repository = create_repository(tmp_path / "repository", webhook=None)
    assert "webhook" not in yaml.safe_load((repository.root / "flagstaff.yml").read_text())
    assert len(repository.commits) == 3


def test_a_merge_does_not_change_what_is_deployed(repository, tmp_path):
    before = head(repository.root)
    target = deploy(repository.root, before, tmp_path / "release")
    git(repository.root, "checkout", "--quiet", "-b", "clean-up")
    git(repository.root, "rm", "--quiet", FLAG)
    git(repository.root, "commit", "--quiet", "-m", "Remove the flag")
    merged = merge_branch(repository.root, "clean-up")
    tag(repository.root, "v15.1")
    assert (target / FLAG).exists()
    assert head(target) == before
    assert not (deploy(repository.root, merged, tmp_path / "next") / FLAG).exists()
    assert git(repository.root, "rev-list", "-n", "1", "v15.1") == merged


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "precious").touch()
    with pytest.raises(Conflict, match="not empty"):
        create_repository(tmp_path, webhook=None)


def test_an_unknown_commit_cannot_be_deployed(repository, tmp_path):
    with pytest.raises(NotFound, match="deadbeef"):
        deploy(repository.root, "deadbeef", tmp_path / "release")
