"""Is "opens wider" never said of what only closes, and always of a larger share?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rollout_strategies import changes

from fakes import START
from flagstaff.flags.gates import Gates, State
from flagstaff.services.person import ADMIN_EVERYWHERE, Person, Source
from flagstaff.services.policies.change import Change

ADA = Person(name="ada", source=Source.TERMINAL, roles=ADMIN_EVERYWHERE)


def built(many):
    result = Gates()
    for each in many:
        result = each.apply(result)
    return result


states = st.none() | st.lists(changes, max_size=4).map(built)


@given(before=states, after=states, default=st.booleans())
def test_opening_wider(before, after, default):
    def asked(old, new):
        return Change(
            flag="x",
            environment="production",
            before=old,
            after=new,
            default=default,
            now=START,
            by=ADA,
        )

    assert not asked(before, Gates()).widens
    assert not asked(before, before).widens
    there, back = asked(before, after), asked(after, before)
    assert there.step == -back.step
    if there.step > 0:
        assert there.widens
    if there.widens and after is not None:
        assert after.state is not State.OFF
