"""Does the repository answer as git's own history has it, whatever it is asked?"""

from __future__ import annotations

import shutil
from datetime import datetime

import pytest

from flagstaff.errors import Unavailable
from flagstaff.integrations.forge.git import GitRepository
from git_sandbox import GitSandbox

NOBODY = "0123456789abcdef0123456789abcdef01234567"
HOSTILE = [
    "",
    " ",
    "--help",
    "-h",
    "--output=/tmp/x",
    "$(touch x)",
    "`touch x`",
    "; touch x",
    "main; touch x",
    "main\ntouch x",
    "main\0",
    "HEAD^{/Add}",
    "HEAD@{1}",
    "main..side",
    "^main",
    ":/Add",
    ":file",
    "../../etc/passwd",
    "a" * 5000,
    "größe",
    "*",
]


@pytest.fixture
def repository(git_sandbox):
    return GitRepository(git_sandbox.root)


@pytest.fixture
def side(git_sandbox):
    """Return the last commit of a branch `side` of two commits that left main after its first."""
    git_sandbox.commit("Begin")
    git_sandbox.branch("side")
    git_sandbox.commit("Add a", a="a")
    last = git_sandbox.commit("Add b", b="b")
    git_sandbox.switch("main")
    git_sandbox.commit("Go on", c="c")
    return last


class TestFinding:
    def test_a_commit_by_hash_branch_and_tag(self, git_sandbox, repository):
        sha = git_sandbox.commit("Add the navigation")
        git_sandbox.tag("v1.0")
        for name in (sha, sha[:7], sha[:4], "main", "v1.0", "HEAD", "refs/heads/main"):
            found = repository.find(name)
            assert (found.sha, found.title, found.short) == (
                sha,
                "Add the navigation",
                sha[:12],
            )

    def test_a_branch_that_only_the_remote_has(self, git_sandbox, repository):
        sha = git_sandbox.commit("Add the navigation")
        git_sandbox.git("update-ref", "refs/remotes/origin/feature", sha)
        assert repository.find("feature").sha == sha

    def test_an_annotated_tag_is_its_commit(self, git_sandbox, repository):
        sha = git_sandbox.commit("Add the navigation")
        git_sandbox.git("tag", "-a", "-m", "The release", "v1.0")
        assert repository.find("v1.0").sha == sha

    @pytest.mark.parametrize("name", [NOBODY, NOBODY[:8], "abc", "no-such-branch", *HOSTILE])
    def test_what_nobody_knows_is_nothing(self, git_sandbox, repository, name):
        git_sandbox.commit("Add the navigation", file="x")
        assert repository.find(name) is None
        assert not (git_sandbox.root / "x").exists()

    def test_a_tree_or_a_file_is_no_commit(self, git_sandbox, repository):
        git_sandbox.commit("Add the navigation", file="x")
        assert repository.find(git_sandbox.head("HEAD^{tree}")) is None
        assert repository.find(git_sandbox.head("HEAD:file")) is None

    def test_a_title_may_be_anything(self, git_sandbox, repository):
        git_sandbox.commit("“Größe” 🚩 %s %x00 $(x)")
        assert repository.find("HEAD").title == "“Größe” 🚩 %s %x00 $(x)"

    def test_a_broken_title_is_shown_as_far_as_it_goes(self, git_sandbox, repository):
        git_sandbox.commit("x")
        message = git_sandbox.root / "message"
        message.write_bytes(b"caf\xe9 at night\n")
        git_sandbox.git("commit", "-q", "--allow-empty", "-F", "message")
        assert repository.find("HEAD").title.endswith(" at night")


class TestRequests:
    GITLAB = "Merge branch 'side' into 'main'\n\nAdd it\n\nSee merge request group/app!12"
    GITHUB = "Merge pull request #12 from ada/side\n\nAdd it"

    @pytest.mark.parametrize(
        "name",
        [
            "https://gitlab.com/group/app/-/merge_requests/12",
            "https://gitlab.com/group/app/-/merge_requests/12/diffs?tab=x#note_1",
            "https://github.com/ada/app/pull/12",
            "https://github.com/ada/app/pull/12/",
            "!12",
            "#12",
        ],
    )
    @pytest.mark.parametrize("message", [GITLAB, GITHUB])
    def test_are_found_by_what_their_merge_says(self, git_sandbox, repository, side, name, message):
        del side
        merge = git_sandbox.merge("side", message)
        git_sandbox.commit("Mention !12 and #12 in passing")
        assert repository.find(name).sha == merge

    def test_a_squash_on_github_ends_its_title_with_the_number(self, git_sandbox, repository):
        sha = git_sandbox.commit("Add it (#12)")
        git_sandbox.commit("Add more (#123)")
        assert repository.find("https://github.com/ada/app/pull/12").sha == sha

    def test_a_revert_is_not_taken_for_what_it_reverts(self, git_sandbox, repository, side):
        del side
        merge = git_sandbox.merge("side", self.GITLAB)
        git_sandbox.commit("Revert \"Merge branch 'side'\"\n\nThis reverts merge request !12")
        assert repository.find("!12").sha == merge
        squash = git_sandbox.commit("Add it (#13)")
        git_sandbox.commit('Revert "Add it (#13)" (#14)')
        assert repository.find("#13").sha == squash

    def test_of_several_the_first_counts(self, git_sandbox, repository, side):
        """A backport repeats the message of the merge it was picked from."""
        del side
        merge = git_sandbox.merge("side", self.GITLAB)
        git_sandbox.branch("15-2-stable", at="HEAD~1")
        git_sandbox.commit(self.GITLAB)
        assert repository.find("!12").sha == merge

    @pytest.mark.parametrize(
        "name",
        [
            "https://gitlab.com/group/app/-/merge_requests/99",
            "https://gitlab.com/group/app/-/merge_requests/",
            "https://gitlab.com/group/app/-/issues/12",
            "https://gitlab.com/group/app/-/merge_requests/12x",
            "!",
            "!12.*",
            "#١٢",
        ],
    )
    def test_others_are_nothing(self, git_sandbox, repository, name):
        git_sandbox.commit(self.GITLAB)
        assert repository.find(name) is None


class TestContaining:
    def test_follows_ancestry(self, git_sandbox, repository, side):
        assert repository.contains(side, side)
        assert repository.contains("side", side)
        assert not repository.contains("main", side)
        merge = git_sandbox.merge("side")
        assert repository.contains("main", side)
        assert repository.contains(merge, side)
        assert not repository.contains(side, merge)

    @pytest.mark.parametrize("name", [NOBODY, *HOSTILE])
    def test_of_the_unknown_is_no(self, git_sandbox, repository, name):
        sha = git_sandbox.commit("Begin")
        assert not repository.contains(name, sha)
        assert not repository.contains(sha, name)

    def test_a_commit_that_arrives_later_is_seen(self, git_sandbox, tmp_path):
        """An unknown commit is no "no" that could be remembered."""
        first = git_sandbox.commit("Begin")
        clone = tmp_path / "clone"
        git_sandbox.git("clone", "-q", str(git_sandbox.root), str(clone))
        second = git_sandbox.commit("Go on")
        cloned = GitRepository(clone)
        assert not cloned.contains(second, first)
        git_sandbox.git("-C", str(clone), "fetch", "-q")
        assert cloned.contains(second, first)


class TestMerging:
    def test_a_merge_commit_brings_its_branch(self, git_sandbox, repository, side):
        assert repository.merge_of(side, "main") == ""
        merge = git_sandbox.merge("side")
        git_sandbox.commit("Go on further")
        assert repository.merge_of(side, "main") == merge
        assert repository.merge_of(f"{side}", "main") == repository.merge_of(side[:10], "main")

    def test_a_branch_of_a_branch_is_brought_by_the_outer_merge(
        self, git_sandbox, repository, side
    ):
        git_sandbox.branch("outer", at="main")
        git_sandbox.commit("Outer", o="o")
        git_sandbox.merge("side")
        git_sandbox.switch("main")
        merge = git_sandbox.merge("outer")
        assert repository.merge_of(side, "main") == merge

    def test_a_fast_forward_is_the_commit_itself(self, git_sandbox, repository):
        git_sandbox.commit("Begin")
        sha = git_sandbox.commit("Go on")
        git_sandbox.commit("Go on further")
        assert repository.merge_of(sha, "main") == sha

    def test_a_rebased_branch_is_its_last_commit_copied(self, git_sandbox, repository, side):
        git_sandbox.git("cherry-pick", "main..side")
        picked = git_sandbox.head()
        git_sandbox.commit("Go on further")
        assert repository.merge_of(side, "main") == picked

    def test_a_squash_of_one_commit_is_found(self, git_sandbox, repository):
        git_sandbox.commit("Begin")
        git_sandbox.branch("side")
        sha = git_sandbox.commit("Add a", a="a")
        git_sandbox.switch("main")
        git_sandbox.commit("Go on", c="c")
        git_sandbox.git("merge", "-q", "--squash", "side")
        git_sandbox.git("commit", "-q", "-m", "Add a (#12)")
        assert repository.merge_of(sha, "main") == git_sandbox.head()

    def test_a_squash_of_several_commits_is_not_found(self, git_sandbox, repository, side):
        """Then the step is skipped by a person, with that reason."""
        git_sandbox.git("merge", "-q", "--squash", "side")
        git_sandbox.git("commit", "-q", "-m", "Add a and b (#12)")
        assert repository.merge_of(side, "main") == ""

    def test_the_same_title_is_not_the_same_change(self, git_sandbox, repository, side):
        git_sandbox.commit("Add b", b="something else")
        assert repository.merge_of(side, "main") == ""

    def test_what_was_only_fetched_counts(self, git_sandbox, repository, side):
        git_sandbox.branch("elsewhere", at="main")
        merge = git_sandbox.merge("side")
        git_sandbox.git("update-ref", "refs/remotes/origin/main", merge)
        git_sandbox.switch("main")
        assert repository.merge_of(side, "main") == merge

    @pytest.mark.parametrize("name", [NOBODY, *HOSTILE])
    def test_of_the_unknown_is_nothing(self, git_sandbox, repository, name):
        sha = git_sandbox.commit("Begin")
        assert repository.merge_of(name, "main") == ""
        assert repository.merge_of(sha, name) == ""


class TestReleases:
    def test_the_lowest_version_counts_not_the_first_letter(self, git_sandbox, repository):
        sha = git_sandbox.commit("Add the navigation")
        for name in ("v10.0.0", "v9.10.0", "v9.9.1", "nightly", "v9.9.0-rc1", "vendor-1"):
            git_sandbox.tag(name)
        assert repository.first_release(sha) == "v9.9.1"
        later = git_sandbox.commit("Go on")
        assert repository.first_release(later) == ""
        git_sandbox.tag("v10.1.0-ee")
        assert repository.first_release(later) == "v10.1.0-ee"

    def test_stable_branches_local_and_remote(self, git_sandbox, repository):
        sha = git_sandbox.commit("Begin")
        assert repository.stable_branch("15.2") == ""
        git_sandbox.git("update-ref", "refs/remotes/origin/15-2-stable-ee", sha)
        assert repository.stable_branch("15.2") == "origin/15-2-stable-ee"
        git_sandbox.git("branch", "15-2-stable")
        assert repository.stable_branch("15.2") == "15-2-stable"
        assert repository.contains("15-2-stable", sha)
        assert repository.stable_branch("15.20") == ""

    @pytest.mark.parametrize("name", HOSTILE)
    def test_of_the_unknown_are_none(self, git_sandbox, repository, name):
        git_sandbox.commit("Begin")
        git_sandbox.tag("v1.0.0")
        assert repository.first_release(name) == ""
        assert repository.stable_branch(name) == ""


class TestIntroduction:
    PATTERN = "config/feature_flags/**/new_navigation.y*ml"

    def test_is_the_merge_that_brought_the_first_file(self, git_sandbox, repository):
        git_sandbox.commit("Begin")
        git_sandbox.branch("side")
        git_sandbox.commit("Add it", config__feature_flags__ops__new_navigation_yml="x")
        path = "config/feature_flags/ops/new_navigation.yml"
        git_sandbox.git("mv", path.replace(".yml", "_yml"), path)
        git_sandbox.git("commit", "-q", "--amend", "--no-edit")
        git_sandbox.switch("main")
        merge = git_sandbox.merge("side")
        git_sandbox.git("rm", "-q", path)
        git_sandbox.git("commit", "-q", "-m", "Remove it")
        assert repository.introduction(self.PATTERN).sha == merge

    def test_of_what_never_was_is_none(self, git_sandbox, repository):
        git_sandbox.commit("Begin")
        assert repository.introduction(self.PATTERN) is None

    def test_of_all_is_when_the_first_file_of_each_name_came(self, git_sandbox, repository):
        first = "config/feature_flags/wip/a_flag.yml"
        git_sandbox.commit("Add one", **{first: "name: a_flag\n", "elsewhere/x.yml": "x\n"})
        begun = datetime.fromisoformat(git_sandbox.git("log", "-1", "--format=%cI"))
        git_sandbox.commit("Add another", **{"shop/config/feature_flags/größe x.yaml": "b\n"})
        git_sandbox.git("rm", "-q", first)
        git_sandbox.commit("Move it", **{first.replace("wip", "beta"): "name: a_flag\nx: 1\n"})
        found = repository.introductions("config/feature_flags")
        assert set(found) == {"a_flag", "größe x"}
        assert found["a_flag"] == begun
        assert found["größe x"] > begun
        assert repository.introductions("no/such") == {}

    def test_a_flag_that_replaces_another_is_no_rename_of_it(self, git_sandbox, repository):
        place, text = (
            "config/feature_flags/wip/{}.yml",
            "type: wip\nowner: Ada of navigation\ngroup: group::a\nname: {}\n",
        )
        old, new = "old_navigation", "new_navigation"
        git_sandbox.commit("Begin", **{place.format(old): text.format(old)})
        git_sandbox.git("rm", "-q", place.format(old))
        sha = git_sandbox.commit("Replace it", **{place.format(new): text.format(new)})
        assert repository.introduction("config/**/*_navigation.y*ml").sha != sha
        assert repository.introduction(self.PATTERN).sha == sha
        assert set(repository.introductions("config/feature_flags")) == {old, new}


class TestSurroundings:
    def test_the_repository_around_a_folder_is_found(self, git_sandbox):
        (git_sandbox.root / "deep/er").mkdir(parents=True)
        assert GitRepository.around(git_sandbox.root / "deep/er").root == git_sandbox.root

    def test_no_repository_is_none(self, tmp_path):
        assert GitRepository.around(tmp_path) is None
        assert GitRepository.around(tmp_path / "missing") is None

    def test_a_repository_without_a_commit_knows_none(self, repository):
        assert repository.find("HEAD") is None
        assert repository.merge_of("HEAD", "main") == ""
        assert repository.introduction("*") is None
        assert repository.introductions("config") == {}

    def test_the_variables_of_a_hook_lead_nowhere_else(
        self, git_sandbox, repository, tmp_path, monkeypatch
    ):
        sha = git_sandbox.commit("Ours")
        other = GitSandbox(tmp_path / "other")
        other.commit("Theirs")
        monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
        assert repository.find("main").sha == sha

    def test_settings_of_the_user_do_not_spoil_answers(
        self, git_sandbox, repository, tmp_path, monkeypatch
    ):
        sha = git_sandbox.commit("Ours")
        settings = tmp_path / "gitconfig"
        settings.write_text(
            "[log]\n\tshowSignature = true\n\tdecorate = full\n[color]\n\tui = always\n"
        )
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        assert (repository.find("main").sha, repository.find("main").title) == (sha, "Ours")

    @pytest.mark.parametrize("gone", [".", ".git"])
    def test_one_that_is_gone_is_unavailable(self, git_sandbox, repository, gone):
        sha = git_sandbox.commit("Ours")
        shutil.rmtree(git_sandbox.root / gone)
        for question in (
            lambda: repository.find("main"),
            lambda: repository.contains("main", sha),
            lambda: repository.merge_of(sha, "main"),
            lambda: repository.first_release(sha),
            lambda: repository.stable_branch("15.2"),
        ):
            with pytest.raises(Unavailable, match="repository"):
                question()

    def test_without_git_it_is_unavailable(self, git_sandbox, repository, monkeypatch):
        git_sandbox.commit("Ours")
        monkeypatch.setenv("PATH", "")
        with pytest.raises(Unavailable, match="git is not installed"):
            repository.find("main")
