import io
import json

import pytest
from rich.console import Console

from flagstaff.cli.following import PATIENCE, follow
from flagstaff.cli.live import picture
from flagstaff.cli.progress import changes, details, duration, needs_person, suggestion
from flagstaff.cli.watching import JsonLines, Lines
from flagstaff.errors import NotFound, Unavailable


def step(name, status="pending", **more):
    whole = {"id": name, "title": name.title(), "stage": "Production", "status": status}
    return {**whole, "note": "", "seconds_left": None, "approved_by": "", **more}


def rollout(*steps, phase="running", guards=(), reason=""):
    current = next((each for each in steps if each["status"] not in {"done", "skipped"}), None)
    done = sum(each["status"] in {"done", "skipped"} for each in steps)
    whole = {"id": 7, "flag": "x", "title": "Roll out x", "phase": phase, "reason": reason}
    counts = {"done": done, "total": len(steps), "now": object(), "plan": {}}
    return {**whole, **counts, "step": current, "steps": list(steps), "guards": list(guards)}


def guard(verdict, evidence="0 of 10 failed"):
    return {"name": "jobs", "verdict": verdict, "evidence": evidence}


class Outside:
    """Answers one thing after another, and makes no one wait."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.told = []
        self.now = 0.0

    def look(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds):
        self.now += seconds

    def follow(self):
        return follow(self.look, tell=self.told.append, sleep=self.sleep, clock=lambda: self.now)


def test_a_server_that_comes_back_is_waited_for_with_a_word():
    outside = Outside({"a": 1}, Unavailable("gone"), Unavailable("gone"), {"a": 2})
    found = outside.follow()
    assert [next(found), next(found)] == [{"a": 1}, {"a": 2}]
    assert outside.told == ["gone; waiting until it is back", ""]


def test_a_server_that_never_answered_is_not_waited_for():
    with pytest.raises(Unavailable):
        next(Outside(Unavailable("gone")).follow())


def test_patience_has_an_end():
    outside = Outside({}, Unavailable("gone"))
    found = outside.follow()
    next(found)
    with pytest.raises(Unavailable):
        next(found)
    assert PATIENCE <= outside.now <= PATIENCE + 5


def test_other_errors_end_the_watching():
    found = Outside({}, NotFound("no rollout 7")).follow()
    next(found)
    with pytest.raises(NotFound):
        next(found)


def test_only_what_changed_is_told():
    before = rollout(step("one", "active"), step("two"))
    now = rollout(step("one", "done", note="well"), step("two", "active"))
    assert list(changes(before, now)) == ["✓ One: well", "▸ Two"]
    assert list(changes(now, now)) == []


def test_at_first_all_that_has_happened_is_told():
    now = rollout(step("one", "done"), step("two", "failed", note="why"), step("three"))
    assert list(changes(None, now)) == ["✓ One", "✗ Two: why", "rollout 7 of x is running"]


def test_counting_is_no_change_but_a_new_verdict_is():
    before = rollout(step("one", "active", note="4 of 50 jobs"), guards=[guard("inconclusive")])
    more = rollout(step("one", "active", note="15 of 50 jobs"), guards=[guard("inconclusive", "1")])
    held = rollout(step("one", "active", note="15 of 50 jobs"), guards=[guard("pass")])
    assert list(changes(before, more)) == []
    assert list(changes(more, held)) == ["guard jobs: pass, 0 of 10 failed"]


def test_the_end_is_told_with_its_reason():
    before = rollout(step("one", "active"))
    now = rollout(step("one", "active"), phase="rolled_back", reason="too many errors")
    assert list(changes(before, now)) == ["rollout 7 of x is rolled back: too many errors"]


@pytest.mark.parametrize(
    ("phase", "status", "approved_by", "command"),
    [
        ("pending", "pending", "", "flagstaff rollout start 7"),
        ("waiting", "waiting", "", "flagstaff rollout approve 7"),
        ("waiting", "waiting", "ada", ""),
        ("paused", "active", "", "flagstaff rollout resume 7"),
        ("paused", "failed", "", "flagstaff rollout retry 7"),
        ("running", "active", "", ""),
        ("completed", "done", "", ""),
    ],
)
def test_a_person_is_told_what_to_say_and_only_when_it_helps(phase, status, approved_by, command):
    now = rollout(step("one", status, approved_by=approved_by), phase=phase)
    assert suggestion(now) == command
    assert needs_person(now) is bool(command)


def test_details_say_who_and_how_long():
    assert details(step("a", "waiting")) == "waits for a person"
    assert details(step("a", "waiting", approved_by="ada")) == "approved by ada"
    assert details(step("a", "active", seconds_left=90.0, note="n")) == "1 min 30 s left; n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min"),
        (3_600, "1 h"),
        (3_659, "1 h"),
        (90_000, "1 d 1 h"),
        (86_460, "1 d"),
    ],
)
def test_lengths_of_time_have_their_two_largest_units(seconds, words):
    assert duration(seconds) == words


def test_lines_have_the_time_and_the_next_command_once(capsys):
    view = Lines()
    waiting = rollout(step("one", "waiting"), phase="waiting")
    view.show(waiting)
    view.show(waiting)
    view.tell("gone")
    view.tell("")
    told = capsys.readouterr()
    first, second = told.out.splitlines()
    assert first[8:] == " ? One: waits for a person"
    assert second[8:] == " rollout 7 of x is waiting"
    assert told.err == "next: flagstaff rollout approve 7\ngone\nthe server answers again\n"


def test_json_lines_are_written_when_something_lasting_changes(capsys):
    view = JsonLines()
    view.show(rollout(step("one", "active", seconds_left=5.0)))
    view.show(rollout(step("one", "active", seconds_left=4.0)))
    view.show(rollout(step("one", "done")))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["steps"][0]["status"] for line in lines] == ["active", "done"]
    assert all("plan" not in line and "now" not in line for line in lines)


def drawn(now, *, width=60, height=16, note=""):
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(picture(now, width=width, height=height, note=note))
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("present", [0, 1, 20, 38, 39])
def test_the_picture_fits_and_keeps_the_present_step_in_sight(present):
    steps = [step(f"s{n}", "done" if n < present else "pending") for n in range(40)]
    steps[present] = step(f"s{present}", "active", note="a long word " * 8)
    lines = drawn(rollout(*steps, guards=[guard("pass")]))
    assert len(lines) <= 16
    assert f"  ▸ S{present}" in lines
    assert f"{present} of 40 steps" in lines[2]
    assert any("a long word" in line for line in lines)


def test_all_steps_are_drawn_where_there_is_room():
    lines = drawn(rollout(step("one", "done"), step("two", "waiting"), phase="waiting"), height=40)
    assert "  ✓ One" in lines
    assert "  ? Two" in lines
    assert not any("more lines" in line for line in lines)
    assert lines[-1] == "next: flagstaff rollout approve 7"


def test_a_note_about_the_server_is_the_last_line():
    assert drawn(rollout(step("one", "active")), note="gone")[-1] == "gone"
