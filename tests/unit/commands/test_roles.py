"""Roles are written in one way, and a token never may more than its owner."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagstaff.commands.roles import (
    EVERYWHERE,
    Role,
    lesser,
    parse_roles,
    role_at,
    role_texts,
)
from flagstaff.errors import UsageError

PLACES = ("dev", "staging", "production", EVERYWHERE)
rights = st.dictionaries(st.sampled_from(PLACES), st.sampled_from(list(Role)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("boss", "no role"),
        ("operator@", "no role"),
        ("@staging", "no role"),
        ("Operator", "no role"),
        ("operator@a b", "no role"),
    ],
)
def test_what_is_no_role_is_said(text, words):
    with pytest.raises(UsageError, match=words) as caught:
        parse_roles([text])
    assert "operator@staging" in caught.value.hint


def test_two_roles_in_one_place_are_refused():
    with pytest.raises(UsageError, match="two roles in staging: viewer and operator"):
        parse_roles(["viewer@staging", "operator@staging"])


@given(rights)
def test_roles_are_read_as_they_are_written(roles):
    assert parse_roles(role_texts(roles)) == roles


@given(rights, rights, st.sampled_from((*PLACES, "pre")))
def test_what_both_allow_is_what_each_allows(one, other, place):
    mine, theirs, both = (role_at(roles, place) for roles in (one, other, lesser(one, other)))
    if mine is None or theirs is None:
        assert both is None
    else:
        assert both == min(mine, theirs, key=lambda role: role.rank)


@given(rights, st.sampled_from(PLACES))
def test_a_role_everywhere_counts_in_each_place(roles, place):
    found = role_at(roles, place)
    if (general := roles.get(EVERYWHERE)) is not None:
        assert found is not None
        assert found.covers(general)
