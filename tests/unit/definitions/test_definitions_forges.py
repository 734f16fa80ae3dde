"""Which forges does a project have, and which issue does a word mean?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from flagstaff.definitions import load_project
from flagstaff.definitions.forges import Forge, ForgeKind, forge_named, issue_at, reads_like_issue
from flagstaff.errors import DefinitionError, UsageError

GITLAB = Forge(
    name="gitlab", kind=ForgeKind.GITLAB, url="https://gitlab.example.com", project="group/project"
)
GITHUB = Forge(name="github", kind=ForgeKind.GITHUB, url="https://github.com")
BOTH = (GITLAB, GITHUB)


def loaded(root, text):
    (root / "flagstaff.yml").write_text(f"forges:\n{text}")
    return load_project(root).forges


def test_a_name_that_is_a_kind_needs_little_more(tmp_path):
    (found,) = loaded(tmp_path, "  github: {project: a/b}\n")
    assert found == Forge(
        name="github",
        kind=ForgeKind.GITHUB,
        url="https://github.com",
        project="a/b",
        token_env="FLAGSTAFF_GITHUB_TOKEN",
        webhook_secret_env="FLAGSTAFF_GITHUB_WEBHOOK_SECRET",
    )


def test_everything_can_be_said(tmp_path):
    (found,) = loaded(
        tmp_path,
        "  work:\n    kind: gitlab\n    url: https://git.example.com/\n    poll: 5s\n"
        "    token_file: var/token\n    webhook_secret_env: HOOK\n",
    )
    assert (found.url, found.poll) == ("https://git.example.com", timedelta(seconds=5))
    assert (str(found.token_file), found.webhook_secret_env) == ("var/token", "HOOK")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("  work: {url: https://x.example.com}\n", "`forges.work.kind` is missing"),
        ("  My Forge: {kind: gitlab}\n", "is no name of a forge"),
        ("  gitlab: {project: group}\n", "'group' is no project"),
        ("  gitlab: {project: ../x}\n", "is no project"),
        ("  gitlab: {url: ftp://x}\n", "is no address of a forge"),
        ("  gitlab: {poll: 0s}\n", "once a second"),
        ("  gitlab: {tokn_env: X}\n", "unknown key"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, what):
    with pytest.raises(DefinitionError, match=what):
        loaded(tmp_path, text)


def test_a_token_that_was_written_into_the_file_is_not_repeated(tmp_path):
    with pytest.raises(DefinitionError, match="no name of an environment variable") as found:
        loaded(tmp_path, "  gitlab: {token_env: glpat-1234}\n")
    assert "glpat" not in str(found.value)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://gitlab.example.com/group/project/-/issues/12", "/group/project/-/issues/12"),
        ("https://gitlab.example.com/a/b/c/-/work_items/7?x=1#note_3", "/a/b/c/-/issues/7"),
        ("https://GitLab.example.com/a/b/issues/7/", "/a/b/-/issues/7"),
        ("a/b#3", "/a/b/-/issues/3"),
        ("#3", "/group/project/-/issues/3"),
    ],
)
def test_an_issue_has_one_address(text, url):
    assert reads_like_issue(text)
    assert issue_at(text, BOTH).url == GITLAB.url + url
    assert issue_at(GITLAB.url + url, BOTH).url == GITLAB.url + url


@pytest.mark.parametrize(
    "text",
    [
        "https://gitlab.example.com.evil.org/a/b/-/issues/1",
        "https://gitlab.example.com@evil.org/a/b/-/issues/1",
        "https://gitlab.example.com/../b/-/issues/1",
        "https://gitlab.example.com/a/%2e%2e/-/issues/1",
        "https://gitlab.example.com/a/b/-/merge_requests/1",
        "https://other.example.com/a/b/-/issues/1",
        "a/../b#1",
        "#",
        "a/b#x",
        "issue.md",
    ],
)
def test_what_is_none_of_ours_is_no_issue(text):
    assert issue_at(text, BOTH) is None


def test_githubs_pages_have_no_dash():
    found = issue_at("https://github.com/o/r/issues/5", BOTH)
    assert (found.forge, str(found)) == (GITHUB, "o/r#5")


def test_a_forge_is_chosen_by_name_or_host():
    assert forge_named("", (GITHUB,)) is GITHUB
    assert forge_named("gitlab.example.com", BOTH) is GITLAB
    for name, forges in (("", BOTH), ("x", BOTH), ("", ())):
        with pytest.raises(UsageError):
            forge_named(name, forges)
