"""How templates of Django and Jinja follow, byte by byte."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.template_conditions import Asking
from flagstaff.cleanup.templates import Unpaired, clean_template
from flagstaff.cleanup.tree import MemoryTree

CASES = {
    "a block on lines of its own moves to the left": (
        'a\n{% if x %}\n  {% if waffle.flag("new") %}\n    b\n  {% else %}\n    c\n  {% endif %}\n{% endif %}\n',  # noqa: E501
        "a\n{% if x %}\n  b\n{% endif %}\n",
        "a\n{% if x %}\n  c\n{% endif %}\n",
    ),
    "a block within a line": (
        '<p {% flag "new" %}x{% else %}y{% endflag %}>',
        "<p x>",
        "<p y>",
    ),
    "a block without another side": (
        '<p>\n{% switch "new" %}\n<b>\n{% endswitch %}\n</p>\n',
        "<p>\n<b>\n</p>\n",
        "<p>\n</p>\n",
    ),
    "the first of several conditions": (
        '{% if not waffle.flag("new") and y %}b{% elif z %}c{% else %}d{% endif %}',
        "{% if z %}c{% else %}d{% endif %}",
        "{% if y %}b{% elif z %}c{% else %}d{% endif %}",
    ),
    "a condition in the middle": (
        "{% if a %}1{% elif features.new %}b{% else %}d{% endif %}",
        "{% if a %}1{% else %}b{% endif %}",
        "{% if a %}1{% else %}d{% endif %}",
    ),
    "parentheses": (
        '{% if y and (waffle.flag("new") or z) %}b{% endif %}',
        "{% if y %}b{% endif %}",
        "{% if y and (z) %}b{% endif %}",
    ),
    "an expression": ('{{ "q" if request.feature("new") else foo }}', "q", "{{ foo }}"),
    "the else of a loop": (
        '{% if waffle.flag("new") %}{% for a in b %}s{% else %}e{% endfor %}{% endif %}',
        "{% for a in b %}s{% else %}e{% endfor %}",
        "",
    ),
    "whitespace control": (
        '{%- if waffle.flag("new") and a -%} b {%- endif -%}',
        "{%- if a -%} b {%- endif -%}",
        "",
    ),
    "other flags, and text": (
        '{% flag "newer" %}new{% endflag %}{# {% flag "new" %} #}',
        '{% flag "newer" %}new{% endflag %}{# {% flag "new" %} #}',
        '{% flag "newer" %}new{% endflag %}{# {% flag "new" %} #}',
    ),
    "what is shown as it stands": (
        '{% verbatim %}{% flag "new" %}{% endverbatim %}',
        '{% verbatim %}{% flag "new" %}{% endverbatim %}',
        '{% verbatim %}{% flag "new" %}{% endverbatim %}',
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_template_keeps_one_side(name):
    before, on, off = CASES[name]
    for keep, expected in ((True, on), (False, off)):
        after = clean_template(before, Asking("new"), keep=keep)
        assert after == expected
        assert clean_template(after, Asking("new"), keep=keep) == after


@pytest.mark.parametrize("text", ['{% flag "new" %}', "{% if x %}{% endflag %}", "{% endif %}"])
def test_what_does_not_pair_up_is_left_and_reported(text):
    with pytest.raises(Unpaired):
        clean_template(text, Asking("new"), keep=True)
    tree = MemoryTree({"page.html": f'{text}{{{{ flags.is_enabled("new") }}}}'.encode()})
    plan = plan_in(tree, CleanupRequest(flag="new", keep=True))
    assert not plan.changes
    assert [residue.reference.path for residue in plan.residues] == ["page.html"]


def test_a_question_that_cannot_be_read_is_left_and_reported():
    tree = MemoryTree({"page.html": b'{% if waffle.flag("new"|lower) %}a{% endif %}\n'})
    plan = plan_in(tree, CleanupRequest(flag="new", keep=True))
    assert not plan.changes
    assert plan.residues
