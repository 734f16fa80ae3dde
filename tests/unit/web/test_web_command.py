"""A line of words on the page does what it does in chat, and shows a change before making it."""

from __future__ import annotations

import re

import pytest

SET = "/chatops run feature set new_navigation true --staging"


def run(client, line, **fields):
    return client.post("/command", data={"line": line, **fields})


def state(client):
    return client.get("/flags/new_navigation", params={"part": "state"}).text


def test_what_only_looks_is_answered_at_once(client):
    page = run(client, "feature get new_navigation --staging").text
    assert 'id="answer"' in page
    assert "Carry it out" not in page


def test_a_change_is_shown_before_it_is_made(client):
    before = state(client)
    page = run(client, SET).text
    assert "nothing was changed yet" in page
    assert state(client) == before
    assert "on for everyone" in run(client, SET, do="carry out", rehearsed=SET).text
    assert "on for everyone" in state(client)


def test_a_line_that_was_changed_after_it_was_shown_is_shown_again(client):
    before = state(client)
    page = run(client, SET, do="carry out", rehearsed=SET.replace("staging", "dev")).text
    assert "nothing was changed yet" in page
    assert "nothing was changed yet" in run(client, SET, do="carry out").text
    assert state(client) == before


def test_a_secret_is_said_only_when_it_is_made(client):
    line = "token create ci --role viewer"
    rehearsed = run(client, line).text
    assert "(said when it is made)" in rehearsed
    made = run(client, line, do="carry out", rehearsed=line).text
    assert "(said when it is made)" not in made
    assert re.search(r"fst_[\w-]{9,}", made)
    assert not re.search(r"fst_[\w-]{9,}", rehearsed)


def test_it_is_made_once_however_often_the_answer_is_loaded_again(client):
    sent = {"line": SET, "rehearsed": SET, "do": "carry out"}
    answer = client.post("/command", data=sent, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/command")


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("", 400, "there is no command"),
        ("feature sett x", 400, "did you mean <code>set</code>?"),
        ("feature get nowhere", 404, "nowhere"),
        ("rollout approve <number>", 400, "placeholder"),
        ("<script>alert(1)</script>", 400, "&lt;script&gt;"),
        ("audit list --since 0001-01-01T00:00+23:59", 400, "out of every calendar"),
    ],
)
def test_what_is_wrong_is_said_and_the_line_stays(client, line, status, said):
    answer = run(client, line)
    assert answer.status_code == status
    assert said in answer.text
    assert "<script>alert" not in answer.text


def test_help_is_the_help_of_the_terminal(client):
    assert "Open or close a flag" in run(client, "help feature").text
    assert "--actors" in run(client, "help feature set").text
    answer = run(client, "feature set --help")
    assert (answer.status_code, "--actors" in answer.text) == (200, True)


def test_completions_know_the_flags_and_environments_of_the_project(client, make_rollout):
    number = make_rollout()

    def words(line):
        return [
            each["word"]
            for each in client.get("/command/completions", params={"line": line}).json()
        ]

    assert words("feature get new") == ["new_navigation"]
    assert words("rollout approve ") == [str(number)]
    assert "--production" in words("feature get new_navigation --")
    assert words("no such thing ") == []
