"""A line of words on the page does what it does in chat, and shows a change before making it."""

from __future__ import annotations

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
    assert "on for everyone" in run(client, SET, do="carry out").text
    assert "on for everyone" in state(client)


def test_it_is_made_once_however_often_the_answer_is_loaded_again(client):
    answer = client.post("/command", data={"line": SET, "do": "carry out"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/command")


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("", 400, "there is no command"),
        ("feature sett x", 400, "did you mean <code>set</code>?"),
        ("feature get nowhere", 404, "nowhere"),
        ("rollout approve <number>", 400, "placeholder"),
        ("<script>alert(1)</script>", 400, "&lt;script&gt;"),
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
