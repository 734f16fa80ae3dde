"""Is every answer of `release check` given, with a real repository and a forge that is asked?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from flagstaff.commands.grammar import parse_line
from flagstaff.commands.model import RecordDeployment
from flagstaff.definitions.forges import Forge, ForgeKind
from flagstaff.errors import NotFound, Refused, Unavailable, UsageError
from flagstaff.integrations.forge.git import GitRepository
from flagstaff.integrations.forge.gitlab_requests import GitLabRequests
from flagstaff.services.services import Services
from merge_request_standin import PROJECT, TOKEN, GitLabStandIn

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.network,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


@pytest.fixture
def gitlab():
    standin = GitLabStandIn()
    yield standin
    standin.close()


@pytest.fixture
def forge(gitlab):
    return Forge(
        name="gitlab", kind=ForgeKind.GITLAB, url=gitlab.url, project=PROJECT, token_env="THE_TOKEN"
    )


@pytest.fixture
def merge(git_sandbox, gitlab):
    """Merge request 12 with a title that says nothing, so that only the forge knows the commit."""
    git_sandbox.commit("Begin")
    git_sandbox.branch("side")
    git_sandbox.commit("Add it", a="a")
    git_sandbox.switch("main")
    merge = git_sandbox.merge("side", "Merge it")
    gitlab.request(12, state="merged", merge_commit_sha=merge)
    return merge


@pytest.fixture
def check(services, context, git_sandbox, forge, gitlab, ada):
    repository = GitRepository(git_sandbox.root)
    requests = GitLabRequests(forge, TOKEN)
    real = replace(context, repository=repository, requests=requests)
    asked = Services(services.database, real, services.clock)

    def check(words=""):
        request, _, version = words.partition(" ")
        if not request.startswith(("http", "!")):
            request, version = f"{gitlab.url}/{PROJECT}/-/merge_requests/12", words
        line = f"/chatops gitlab run release check {request} {version}"
        return asked.execute(parse_line(line), ada)

    check.run = lambda command: asked.execute(command, ada)
    return check


def test_the_version_is_no_monthly_release(check, merge):
    del merge
    with pytest.raises(UsageError, match="no monthly release") as caught:
        check("15.2.1")
    assert "15.2" in caught.value.hint


@pytest.mark.parametrize("path", ["", "/-/issues/7", "/-/merge_requests", "/-/merge_requests/x"])
def test_the_address_is_none_of_a_merge_request(check, gitlab, merge, path):
    del merge
    with pytest.raises(UsageError, match="is not the address of a merge request") as caught:
        check(f"{gitlab.url}/{PROJECT}{path}")
    assert "/-/merge_requests/7" in caught.value.hint


def test_another_project_or_forge(check, gitlab, merge):
    del merge
    for address in (
        f"{gitlab.url}/group/other/-/merge_requests/12",
        f"https://gitlab.example.com/{PROJECT}/-/merge_requests/12",
        f"{gitlab.url}0/{PROJECT}/-/merge_requests/12",
        f"https://github.com/{PROJECT}/pull/12",
    ):
        with pytest.raises(UsageError, match="is of another project") as caught:
            check(address)
        assert caught.value.hint == "only merge requests of group/app are known"
    assert gitlab.asked == []


def test_it_does_not_exist(check, gitlab, merge):
    del merge
    with pytest.raises(NotFound, match="group/app!13 does not exist"):
        check(f"{gitlab.url}/{PROJECT}/-/merge_requests/13")


@pytest.mark.parametrize(
    ("state", "words"),
    [("opened", "is not merged yet"), ("closed", "was closed without being merged")],
)
def test_it_is_not_merged(check, gitlab, merge, state, words):
    del merge
    gitlab.request(14, state=state, title="Another one")
    outcome = check("!14")
    assert (outcome.ok, outcome.text) == (False, f"group/app!14 {words}: Another one")


def test_it_is_merged_and_not_yet_fetched(check, gitlab, merge):
    del merge
    gitlab.request(15, state="merged", merge_commit_sha="7" * 40)
    with pytest.raises(NotFound, match="merged as 777777777777, which the repository") as caught:
        check("!15")
    assert "git fetch" in caught.value.hint


def test_it_is_released(check, git_sandbox, merge):
    for tag in ("v15.10.0-ee", "v15.2.0-ee", "v15.2.1-ee"):
        git_sandbox.tag(tag)
    for version in ("", "15.2"):
        outcome = check(version)
        assert outcome.ok
        assert outcome.text == f"`{merge[:12]}` was first released in v15.2.0-ee"


def test_it_is_in_no_release_and_no_version_is_named(check, merge):
    outcome = check()
    assert not outcome.ok
    assert outcome.text.startswith(f"`{merge[:12]}` is in no release yet; name the coming version")


def test_the_stable_branch_has_it_or_has_it_not(check, git_sandbox, merge):
    del merge
    git_sandbox.git("branch", "15-2-stable-ee")
    git_sandbox.git("branch", "15-1-stable-ee", "HEAD~1")
    assert check("15.2").text.endswith("is in 15-2-stable-ee and will be released in 15.2")
    outcome = check("15.1")
    assert not outcome.ok
    assert outcome.text.endswith("is not in 15-1-stable-ee and will not be released in 15.1")


def test_nothing_is_cut_and_it_runs_in_production_or_not(check, merge):
    assert "is not yet in production, so it cannot be in 15.2" in check("15.2").text
    check.run(RecordDeployment(environment="production", sha=merge))
    assert "runs in production and will most likely be in 15.2" in check("15.2").text


def test_a_squashed_one_is_found_by_its_commit(check, gitlab, git_sandbox, merge):
    del merge
    sha = git_sandbox.commit("Squashed", s="s")
    gitlab.request(16, state="merged", squash_commit_sha=sha)
    git_sandbox.tag("v15.3.0")
    assert check("!16").text == f"`{sha[:12]}` was first released in v15.3.0"


def test_a_silent_forge_leaves_it_to_git_and_says_so(check, gitlab, git_sandbox, merge):
    del merge
    git_sandbox.branch("two")
    git_sandbox.commit("Two", t="t")
    git_sandbox.switch("main")
    merge = git_sandbox.merge("two", "Merge two\n\nSee merge request group/app!17")
    for failure in (503, 429, "lost"):
        gitlab.fail = [failure]
        outcome = check(f"{gitlab.url}/{PROJECT}/-/merge_requests/17")
        first, note = outcome.text.splitlines()
        assert first.startswith(f"`{merge[:12]}` is in no release yet")
        assert "this is what git alone says" in note


def test_a_token_that_may_not_is_said(forge, gitlab, check, merge):
    del check, merge
    with pytest.raises(Refused, match="refuses it with 401") as caught:
        GitLabRequests(forge, "wrong").find("!12")
    assert "THE_TOKEN" in caught.value.hint
    assert len(gitlab.asked) == 1


def test_a_comment_is_written_once_even_if_the_answer_is_lost(forge, gitlab, services):
    del services
    requests = GitLabRequests(forge, TOKEN)
    address = f"{gitlab.url}/{PROJECT}/-/issues/1"
    assert requests.knows(address)
    assert not requests.knows("https://elsewhere.internal/a/b/-/issues/1")
    gitlab.fail = [None, "lost"]
    with pytest.raises(Unavailable):
        requests.comment(address, "said <!-- 1 -->", mark="<!-- 1 -->")
    requests.comment(address, "said <!-- 1 -->", mark="<!-- 1 -->")
    requests.comment(address, "more <!-- 2 -->", mark="<!-- 2 -->")
    assert [note["body"] for note in gitlab.notes] == ["said <!-- 1 -->", "more <!-- 2 -->"]
    with pytest.raises(NotFound):
        requests.comment(address.removesuffix("1") + "2", "x", mark="x")
