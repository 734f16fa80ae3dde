"""Which flags should go, and what goes with them?"""

from __future__ import annotations

import re
import threading

import pytest

from flagstaff.cleanup.plan import plan_cleanup
from flagstaff.web import patches
from flagstaff.web.pages import clean_up
from git_sandbox import SURROUNDINGS, GitSandbox

CODE = """\
def navigation(flags):
    if flags.is_enabled("new_navigation"):
        return "<new>"
    return "<old>"
"""


@pytest.fixture
def committed(root, monkeypatch):
    for name, value in SURROUNDINGS.items():
        monkeypatch.setenv(name, value)
    (root / "shop.py").write_text(CODE)
    git = GitSandbox(root)
    git.git("add", "config", "shop.py")
    git.git("commit", "-qm", "Navigation")
    return git


@pytest.mark.usefixtures("committed")
def test_the_patch_is_shown_for_the_answer_that_stays(client):
    page = client.get("/clean-up/new_navigation").text
    assert "+    return &#34;&lt;new&gt;&#34;" in page
    assert "2 files changed, 0 lines left" in page
    assert "<old>" not in page
    page = client.get("/clean-up/new_navigation?keep=off").text
    assert "-    if flags.is_enabled" in page
    assert "+    return &#34;&lt;new&gt;&#34;" not in page


def test_the_patch_that_is_saved_applies(client, committed):
    answer = client.get("/clean-up/new_navigation/patch")
    assert 'filename="cleanup-new_navigation.patch"' in answer.headers["content-disposition"]
    (committed.root / "saved.patch").write_text(answer.text)
    committed.git("apply", "saved.patch")
    assert "is_enabled" not in (committed.root / "shop.py").read_text()
    assert not list(committed.root.glob("config/**/new_navigation.yml"))


@pytest.mark.usefixtures("committed")
def test_a_flag_shows_where_it_is_in_the_code(client):
    assert "/clean-up/new_navigation?part=references" in client.get("/flags/new_navigation").text
    part = client.get("/clean-up/new_navigation?part=references").text
    assert "shop.py:2" in part
    assert "<html" not in part


def test_only_what_is_committed_is_read(client, committed):
    (committed.root / "later.py").write_text(CODE)
    assert "later.py" not in client.get("/clean-up/new_navigation").text


def test_what_is_no_repository_says_so(client):
    answer = client.get("/clean-up/new_navigation")
    assert answer.status_code == 200
    assert "repository" in answer.text
    assert client.get("/clean-up/new_navigation/patch").status_code == 404


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/clean-up/nobody_knows", 404),
        ("/clean-up/def", 404),
        ("/clean-up/new_navigation?keep=perhaps", 400),
        ("/clean-up/new_navigation/patch?keep=<b>", 400),
    ],
)
def test_what_is_asked_wrongly_is_refused(client, path, status):
    assert client.get(path).status_code == status


def test_stale_flags_are_listed_with_their_reasons(client, set_by_hand):
    set_by_hand("old_<one>")
    page = client.get("/clean-up").text
    assert "set in staging, and defined nowhere" in page
    assert "old_&lt;one&gt;" in page


def test_many_stale_flags_come_in_pages(client, set_by_hand, monkeypatch):
    monkeypatch.setattr(clean_up, "ON_A_PAGE", 2)
    set_by_hand("one", "three", "two")
    every = set()
    path = "/clean-up"
    while path:
        page = client.get(path).text
        every |= set(re.findall(r'href="/clean-up/(\w+)"', page))
        older = re.search(r'href="(/clean-up\?after=\w+)"', page)
        path = older[1] if older else ""
    assert {"one", "three", "two"} <= every


@pytest.mark.usefixtures("committed")
def test_a_patch_is_worked_out_once_for_a_commit(client, committed, monkeypatch):
    planned = []

    def plan(*words, **settings):
        planned.append(settings["keep"])
        return plan_cleanup(*words, **settings)

    monkeypatch.setattr("flagstaff.cleanup.plan.plan_cleanup", plan)
    for path in ("", "/patch", "?keep=off", ""):
        client.get(f"/clean-up/new_navigation{path}")
    assert planned == [True, False]
    (committed.root / "shop.py").write_text(CODE.replace("<old>", "<older>"))
    committed.git("commit", "-qam", "Older")
    assert "&lt;older&gt;" in client.get("/clean-up/new_navigation").text
    assert planned == [True, False, True]


@pytest.mark.usefixtures("committed")
def test_who_has_to_wait_too_long_for_other_patches_is_told(client, monkeypatch):
    started, go = threading.Event(), threading.Event()

    def slow(*words, **settings):
        started.set()
        go.wait(60)
        return plan_cleanup(*words, **settings)

    monkeypatch.setattr("flagstaff.cleanup.plan.plan_cleanup", slow)
    monkeypatch.setattr(patches, "PATIENCE", 0.0)
    first = threading.Thread(target=client.get, args=("/clean-up/new_navigation",))
    first.start()
    try:
        assert started.wait(60)
        page = client.get("/clean-up/new_navigation").text
    finally:
        go.set()
        first.join(60)
    assert "other patches are being worked out" in page
