"""Is the issue's file changed in one step, and never against what somebody else saved?"""

from __future__ import annotations

import os
import stat

import pytest

from flagstaff.errors import Unavailable
from flagstaff.integrations.forge.issue_file import TRIES, rewrite


@pytest.fixture
def issue(tmp_path):
    path = tmp_path / "issue.md"
    path.write_bytes("- [ ] “say”\r\n- [ ] go\n".encode())
    return path


def tick(text):
    return text.replace("[ ]", "[x]", 1)


def test_the_file_becomes_what_follow_makes_of_it(issue):
    assert rewrite(issue, tick) == "- [x] “say”\r\n- [ ] go\n"
    assert issue.read_bytes() == "- [x] “say”\r\n- [ ] go\n".encode()
    assert [path.name for path in issue.parent.iterdir()] == ["issue.md"]


def test_without_a_change_nothing_is_written(issue):
    before = issue.stat()
    assert rewrite(issue, lambda text: text) == issue.read_bytes().decode()
    after = issue.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_its_mode_stays(issue, mode):
    issue.chmod(mode)
    rewrite(issue, tick)
    assert stat.S_IMODE(issue.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_its_owner_stays(issue):
    os.chown(issue, 1234, 2345)
    rewrite(issue, tick)
    assert (issue.stat().st_uid, issue.stat().st_gid) == (1234, 2345)


def test_a_link_stays_a_link(issue, tmp_path):
    link = tmp_path / "link.md"
    link.symlink_to(issue)
    rewrite(link, tick)
    assert link.is_symlink()
    assert issue.read_text().startswith("- [x]")


def test_who_reads_meanwhile_sees_the_old_or_the_new_text(issue):
    with issue.open("rb") as reading:
        rewrite(issue, tick)
        assert reading.read().startswith(b"- [ ]")


def test_an_edit_at_the_same_moment_is_followed_not_overwritten(issue):
    calls = []

    def follow(text):
        calls.append(text)
        if len(calls) == 1:
            issue.write_text(text + "- [ ] added by a person\n")
        return tick(text)

    text = rewrite(issue, follow)
    assert len(calls) == 2
    assert text.endswith("- [ ] added by a person\n")
    assert issue.read_text().replace("\n", "") == text.replace("\r", "").replace("\n", "")


def test_edits_without_end_are_given_up_and_kept(issue):
    calls = []

    def follow(text):
        calls.append(text)
        issue.write_text(f"edit {len(calls)}")
        return tick(text) + "more"

    with pytest.raises(Unavailable, match="all the time"):
        rewrite(issue, follow)
    assert issue.read_text() == f"edit {TRIES}"
    assert len(list(issue.parent.iterdir())) == 1


def test_a_file_that_is_gone_or_no_text_is_said(issue, tmp_path):
    with pytest.raises(Unavailable, match="cannot be kept up to date"):
        rewrite(tmp_path / "missing.md", tick)
    with pytest.raises(Unavailable, match="cannot be kept up to date"):
        rewrite(tmp_path, tick)
    issue.write_bytes(b"caf\xe9 [ ]")
    with pytest.raises(Unavailable, match="cannot be kept up to date"):
        rewrite(issue, tick)
    assert issue.read_bytes() == b"caf\xe9 [ ]"


def test_a_follow_that_fails_changes_nothing(issue):
    before = issue.read_bytes()

    def follow(text):
        raise ValueError(text)

    with pytest.raises(ValueError, match="say"):
        rewrite(issue, follow)
    assert issue.read_bytes() == before
