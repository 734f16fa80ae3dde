"""Does the first message of a thread read well for every rollout, in each chat program?"""

from types import SimpleNamespace

import pytest

from flagstaff.chatops.headline import facts, headline
from flagstaff.chatops.mattermost.room import MARKUP as MATTERMOST
from flagstaff.chatops.slack.blocks import MARKUP as SLACK
from flagstaff.rollouts.rollout import Phase


def view(phase=Phase.RUNNING, *, step=None, reason="", guards=()):
    summary = SimpleNamespace(
        id=7, flag="shop", phase=phase, done=2, total=9, step=step, reason=reason
    )
    return SimpleNamespace(summary=summary, guards=guards)


@pytest.mark.parametrize("markup", [SLACK, MATTERMOST])
@pytest.mark.parametrize("phase", Phase)
def test_every_phase_can_be_shown(phase, markup):
    line = headline(view(phase), markup)
    assert phase.replace("_", " ") in line
    assert line.startswith(":")
    assert line.endswith("2/9 steps")


def test_each_program_gets_its_own_markup():
    step = SimpleNamespace(stage="Ramp", title="Set <50 %>", note="", until=None)
    guard = SimpleNamespace(name="5xx", verdict="", evidence="")
    shown = view(step=step, reason="because", guards=(guard,))
    assert facts(shown, SLACK, "https://here").splitlines() == [
        "*Now:* Ramp · Set &lt;50 %&gt;",
        "*Why:* because",
        "*5xx:* no reading yet ",
        "<https://here/rollouts/7|Open the rollout>",
    ]
    assert facts(shown, MATTERMOST, "https://here").splitlines()[-1] == (
        "[Open the rollout](https://here/rollouts/7)"
    )
    assert "**Why:** because" in facts(shown, MATTERMOST, "")


@pytest.mark.parametrize("phase", [each for each in Phase if each.finished])
def test_a_finished_rollout_has_no_present_step(phase):
    step = SimpleNamespace(stage="Ramp", title="Set", note="", until=None)
    assert facts(view(phase, step=step), SLACK, "") == "—"
