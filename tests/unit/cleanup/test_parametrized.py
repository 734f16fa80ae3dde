"""What is left of tests that are run for both answers of the flag."""

from __future__ import annotations

import pytest

from flagstaff.cleanup.plan import CleanupRequest, plan_in
from flagstaff.cleanup.tree import MemoryTree

ONE = """import pytest


@pytest.mark.db
@pytest.mark.parametrize("on", [True, False])
def test_a(db, on):
    FlagFactory(code="new_menu", is_active=on)
    assert f() == (1 if on else 2)
"""
MORE = """@pytest.mark.parametrize("config,on,x", [
    (1, True, 3),
    (1, False, 4),
    (2, True, 5),
])
def test_b(on, x, config):
    with override_flag("new_menu", active=on):
        assert f(x, config)
"""
TWO = """@parametrize("config, on", ((1, 1), (2, 0)))
def test_c(config, on):
    set_flag("new_menu", on)
    assert f(config)
"""
FIXTURE = """import pytest


@pytest.fixture(params=[0, 1])
def both(request):
    state.set_config("new_menu", request.param)


def test_a(both):
    assert f()
"""
CASES = {
    ONE: (
        "import pytest\n\n\n@pytest.mark.db\ndef test_a(db):\n    assert f() == ({})\n",
        ("1", "2"),
    ),
    MORE: (
        (
            '@pytest.mark.parametrize("config,x", [\n{}])\ndef test_b(x, config):\n'
            "    assert f(x, config)\n"
        ),
        ("    (1, 3),\n    (2, 5),\n", "    (1, 4),\n"),
    ),
    TWO: (
        '@parametrize("config", {})\ndef test_c(config):\n    assert f(config)\n',
        ("(1,)", "(2,)"),
    ),
    FIXTURE: ("def test_a():\n    assert f(){}\n", ("", "")),
}


def plan(source, *, keep=True):
    tree = MemoryTree({"tests/test_a.py": source.encode()})
    return plan_in(tree, CleanupRequest(flag="new_menu", keep=keep))


def clean(source, *, keep=True):
    return next(((c.after or b"").decode() for c in plan(source, keep=keep).changes), source)


@pytest.mark.parametrize("source", CASES)
def test_one_answer_stays(source):
    form, (on, off) = CASES[source]
    assert clean(source).lstrip() == form.format(on)
    assert clean(source, keep=False).lstrip() == form.format(off)


KEPT = {
    "one value is none of the two": ONE.replace("False]", "x]"),
    "a row is not plain": MORE.replace("(1, False, 4)", "pytest.param(1, False, 4)"),
    "the answer is turned round": ONE.replace("is_active=on", "is_active=not on"),
    "it is another thing's state": ONE.replace("FlagFactory", "MenuFactory"),
    "it is another flag's state": ONE.replace("new_menu", "other").replace("f()", '"new_menu"'),
    "it is set again": ONE.replace("    assert", "    on = g()\n    assert"),
    "it is no test": ONE.replace("def test_a", "def check"),
    "its rows have names": ONE.replace("False]", 'False], ids=["a", "b"]'),
    "the answer that stays is not tried": ONE.replace("[True, False]", "[False]"),
}


@pytest.mark.parametrize("why", KEPT)
def test_both_stay_where(why):
    assert clean(KEPT[why]) == KEPT[why]
    assert plan(KEPT[why]).residues


def test_what_else_was_done_with_the_answer_is_reported():
    source = ONE.replace("(1 if on else 2)", "g(on, on=on)")
    assert "assert f() == g(True, on=True)" in clean(source)
    assert [each.reference.kind for each in plan(source).residues] == ["value"]
