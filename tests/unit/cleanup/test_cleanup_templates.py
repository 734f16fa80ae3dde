"""How templates of Django and Jinja follow, byte by byte."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.template_conditions import Asking
from flagstaff.cleanup.templates import Unpaired, clean_template
from flagstaff.cleanup.tree import MemoryTree

CASES = {
    "a comment right above, with nothing else below it": (
        'a\n<!-- Banner -->\n{% flag "new" %}\n  b\n{% endflag %}\n<!-- Mails -->\nc\n',
        "a\n<!-- Banner -->\nb\n<!-- Mails -->\nc\n",
        "a\n<!-- Mails -->\nc\n",
    ),
    "a comment right above, of what is below as well": (
        'a\n{# Menu #}\n{% flag "new" %}\n  b\n{% endflag %}\n<i>c</i>\n',
        "a\n{# Menu #}\nb\n<i>c</i>\n",
        "a\n{# Menu #}\n<i>c</i>\n",
    ),
    "comments around a block, between blank lines": (
        'a\n\n{# New things - 850816 #}\n{% flag "new" %}\n  b\n{% endflag %}\n{# End new #}\n\nc\n',  # noqa: E501
        "a\n\n{# New things - 850816 #}\nb\n{# End new #}\n\nc\n",
        "a\n\nc\n",
    ),
    "a comment that ends what is above": (
        'a\n<!-- /menu -->\n{% flag "new" %}\n  b\n{% endflag %}\n\nc\n',
        "a\n<!-- /menu -->\nb\n\nc\n",
        "a\n<!-- /menu -->\n\nc\n",
    ),
    "a comment that tells a browser": (
        'a\n<!--[if IE]>\n{% flag "new" %}\n  b\n{% endflag %}\n<![endif]-->\n',
        "a\n<!--[if IE]>\nb\n<![endif]-->\n",
        "a\n<!--[if IE]>\n<![endif]-->\n",
    ),
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
    "a block between blank lines leaves one of them": (
        'a\n\n{% if waffle.flag("new") %}\n  b\n{% endif %}\n\nc\n',
        "a\n\nb\n\nc\n",
        "a\n\nc\n",
    ),
    "a block below another one leaves a blank line": (
        '{% if x %}a{% endif %}\n{% if waffle.flag("new") %}\n  b\n{% endif %}\n\nc\n',
        "{% if x %}a{% endif %}\nb\n\nc\n",
        "{% if x %}a{% endif %}\n\nc\n",
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


LEFT = [
    '{{ ("a" if is_enabled("new") else "b") | upper }}',
    '{{ url_for("x", v=1 if is_enabled("new") else 2) }}',
    '{{ [1 if is_enabled("new") else 2][0] }}',
    '{{ "x" if y else "a" if is_enabled("new") else "b" }}',
    '{{ a, "b" if is_enabled("new") else "c" }}',
    '{{ "it\'s" ~ \'a if is_enabled("new") else b\' }}',
    "{{ a' if is_enabled('new') else 'b }}",
    '{% verbatim %}{{ "a" if is_enabled("new") else "b" }}{% endverbatim %}',
    '{# {{ "a" if is_enabled("new") else "b" }} #}',
    '{% if "x" in settings.new %}a{% endif %}',
    "{% if x == features.new %}a{% endif %}",
    "{% if user.settings.new %}a{% endif %}",
    "{% if features.new == 3 %}a{% endif %}",
    "{% switch new %}{% case 1 %}a{% else %}b{% endswitch %}",
    '{% if is_enabled("new") %}a{% set x %}b{% else %}c{% endif %}{% set y %}{% endset %}',
]


@pytest.mark.parametrize("text", LEFT)
@pytest.mark.parametrize("keep", [True, False])
def test_what_is_not_plain_is_left_and_reported(text, keep):
    tree = MemoryTree({"page.html": text.encode()})
    plan = plan_in(tree, CleanupRequest(flag="new", keep=keep))
    assert not plan.changes
    assert [residue.reference.path for residue in plan.residues] == ["page.html"]


ELSES = [
    '{% ifhasperm "x" %}P{% else %}Q{% endifhasperm %}',
    "{% for a in b %}{% if a %}1{% else %}2{% endif %}{% else %}3{% endfor %}",
    "{% set x = 1 %}{% set y %}z{% endset %}",
    '{% cache 5 "x" %}{% ifchanged a %}1{% else %}2{% endifchanged %}{% endcache %}',
]


@pytest.mark.parametrize("inner", ELSES)
def test_the_else_of_another_block_is_its_own(inner):
    text = f'{{% if has_feature("new") %}}A{inner}{{% else %}}B{{% endif %}}'
    assert clean_template(text, Asking("new"), keep=True) == f"A{inner}"
    assert clean_template(text, Asking("new"), keep=False) == "B"


def test_an_expression_keeps_how_it_trims():
    text = 'a {{- "b" if is_enabled("new") else c -}} d'
    assert clean_template(text, Asking("new"), keep=True) == 'a {{- "b" -}} d'
    assert clean_template(text, Asking("new"), keep=False) == "a {{- c -}} d"


PAGE = (
    "<a>\n\n{# once #}\n{% set on = in_list(a) and waffle.switch('new') %}\n\n<b>\n"
    "{% if on %}\n  c\n{% endif %}{% if d or not on %}e{% endif %}\n"
)
VARIABLES = {
    "a test of its truth": (PAGE, PAGE.replace(" and waffle.switch('new')", ""), "<a>\n\n<b>\ne\n"),
    "an answer alone": (
        "{% set on = waffle.switch('new') %}\n{% if on %}\n  c\n{% else %}\n  d\n{% endif %}\n",
        "c\n",
        "d\n",
    ),
}


@pytest.mark.parametrize("how", VARIABLES)
def test_a_variable_that_holds_the_answer_goes(how):
    before, on, off = VARIABLES[how]
    for keep, expected in ((True, on), (False, off)):
        (change,) = plan_in(
            MemoryTree({"page.html": before.encode()}), CleanupRequest(flag="new", keep=keep)
        ).changes
        assert change.after.decode() == expected


SET = "{% set on = waffle.switch('new') %}"
KEPT = {
    "it is shown": f"{SET}{{% if on %}}a{{% endif %}}{{{{ on }}}}",
    "it is set twice": f"{SET}{{% set on = b %}}{{% if on %}}a{{% endif %}}",
    "it is set in a branch": f"{{% if b %}}{SET}{{% endif %}}{{% if on %}}a{{% endif %}}",
    "it is asked for before": f"{{% if on %}}a{{% endif %}}{SET}",
    "another template reads it": f"{SET}{{% include 'other.html' %}}",
}


@pytest.mark.parametrize("how", KEPT)
@pytest.mark.parametrize("keep", [True, False])
def test_a_variable_stays_where(how, keep):
    files = {"page.html": KEPT[how].encode(), "other.html": b""}
    if how == "another template reads it":
        files["other.html"] = b"{% if on %}a{% endif %}"
    assert not plan_in(MemoryTree(files), CleanupRequest(flag="new", keep=keep)).changes
