"""Is an expression set, described, replaced, taken away and tried out like any other gate?"""

from __future__ import annotations

import pytest

from flagstaff.commands.grammar import parse
from flagstaff.commands.model import SetFlag
from flagstaff.errors import UsageError
from flagstaff.flags.change import Boolean, Expression
from flagstaff.store import audit

GOLD = {"Equal": [{"Property": ["plan"]}, "gold"]}
FREE = {"Equal": [{"Property": ["plan"]}, "free"]}


def set_to(change):
    return SetFlag(flag="new_navigation", environments=("dev",), change=change)


@pytest.fixture
def run(services, ada):
    return lambda command, **how: services.execute(command, ada, **how)


def test_it_is_set_and_the_other_gates_stay(run):
    run(parse(["feature", "set", "new_navigation", "true", "--user=1", "--dev"]))
    outcome = run(set_to(Expression(value=GOLD)))
    assert outcome.text == "dev: on for actors that match the expression and User:1"
    assert outcome.data["dev"]["gates"]["expression"] == GOLD
    assert outcome.data["dev"]["state"] == "conditional"


def test_what_it_closes_is_said(run):
    run(set_to(Expression(value=GOLD)))
    assert "this closed the expression before" in run(set_to(Expression(value=FREE))).text
    assert "this closed the expression" in run(set_to(Boolean(value=True))).text
    run(set_to(Expression(value=FREE)))
    outcome = run(set_to(Expression(value=None)))
    assert outcome.data["dev"]["gates"]["expression"] is None


def test_a_dry_run_changes_nothing(run):
    outcome = run(set_to(Expression(value=GOLD)), dry_run=True)
    assert "match the expression" in outcome.text
    assert run(parse(["feature", "get", "new_navigation", "--dev"])).data["dev"]["set"] is False


def test_one_that_is_wrong_is_refused_before_anything_is_written(run):
    for wrong in ({"Alll": []}, {"All": []}, {"All": [float("nan")]}, {"All": ["\ud800"]}):
        with pytest.raises(UsageError, match="expression"):
            run(set_to(Expression(value=wrong)))
    assert run(parse(["feature", "get", "new_navigation", "--dev"])).data["dev"]["set"] is False


def test_the_audit_log_says_it(run, services):
    run(set_to(Expression(value=GOLD)))
    with services.database.read() as connection:
        (entry,) = audit.find(connection)
    assert entry.text == (
        'new_navigation set to --expression \'{"Equal": [{"Property": ["plan"]}, "gold"]}\' in dev'
    )
    assert entry.after["expression"] == GOLD
