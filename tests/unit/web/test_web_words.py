"""States have words, lengths are short, and an issue is rendered without letting markup through."""

from __future__ import annotations

import pytest

from flagstaff.flags.gates import Gates
from flagstaff.rollouts.guard import Verdict
from flagstaff.rollouts.rollout import Phase, StepStatus
from flagstaff.services.views import FlagCell
from flagstaff.web import words
from flagstaff.web.issue_text import render_issue
from flagstaff.web.templating import STATIC, code, templates


def test_every_state_has_a_colour_a_sign_and_a_word():
    looks = [
        *map(words.phase_look, Phase),
        *map(words.step_look, StepStatus),
        *map(words.verdict_look, [*Verdict, None]),
    ]
    styles = (STATIC / "flagstaff.css").read_text()
    signs = templates().get_template("ui.html").module.icon
    for look in looks:
        assert look.word
        assert f".tone-{look.tone} " in styles
        assert "path" in signs(look.sign) or "circle" in signs(look.sign)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (7_500, "2 h 5 min"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
    ],
)
def test_lengths(seconds, said):
    assert words.length(seconds) == said


def test_opt_outs_alone_are_said_to_be_off():
    gates = Gates().opt_out("User:1")
    cell = FlagCell(
        environment="dev",
        tag="",
        state=gates.state,
        words="",
        gates=gates,
        updated_at=None,
        updated_by="",
    )
    assert words.cell_look(cell).word == "off, with opt-outs"


def test_boxes_become_signs_with_names():
    page = render_issue("- [ ] open\n- [x] done\n- [~] skipped\n  - [X] inner\n- plain\n")
    assert page.count('aria-label="done"') == 2
    assert page.count('aria-label="to do"') == 1
    assert page.count('aria-label="skipped"') == 1
    assert '<li class="task task-done">' in page
    assert "<li>plain" in page


def test_markup_scripts_and_odd_links_do_not_get_through():
    page = render_issue(
        "<script>alert(1)</script>\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    )
    assert "<script" not in page
    assert "<img" not in page
    assert "href=" not in page


def test_comments_are_hidden_but_not_in_code():
    page = render_issue(
        "- [ ] step <!-- flagstaff:1 `x` -->\n\n`<!-- shown -->`\n\n```\n<!-- shown too -->\n```\n"
    )
    assert "flagstaff:1" not in page
    assert page.count("&lt;!-- shown") == 2


def test_line_ends_count_only_where_there_is_no_markdown():
    assert "<br" in render_issue("one\ntwo\n")
    assert "<br" not in render_issue("one\ntwo\n\n- [ ] box\n")


def test_backticks_become_code_and_nothing_else():
    assert code("set `a<b` now") == "set <code>a&lt;b</code> now"
    assert code("odd ` tick") == "odd ` tick"
