"""Does JSON become a command, plan or rollout only when every value is of its own kind?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollout_strategies import plans

from flagstaff.commands.codec import decode, decode_command, encode, encode_command
from flagstaff.commands.model import ImportRollout, ListAudit, ListFlags, RejectStep, SetFlag
from flagstaff.errors import UsageError
from flagstaff.flags.change import Boolean
from flagstaff.rollouts.guard import Guard, Verdict
from flagstaff.rollouts.plan import Action, Bake, Close, CloseTarget, Plan

COMMANDS = (
    SetFlag(flag="x", environments=("dev",), change=Boolean(value=True), reason="why"),
    ListFlags(environments=("dev", "staging"), match="x"),
    ImportRollout(text="## Steps", placeholders={"you": "ada"}, start=True),
    RejectStep(rollout=3, reason="no", step="s1"),
    ListAudit(rollout=2, limit=7),
)
GUARD = Guard(name="jobs", logs=("log/*",), control=("a",), treatment=("b",))

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(max_size=3)
)
WRONG = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(), SCALARS, max_size=2)


def places(data, path=()):
    """Yield the way to every primitive in `data`."""
    members = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in members:
        if isinstance(value, dict | list | tuple):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


def put(data, path, value):
    first, *rest = path
    made = dict(data) if isinstance(data, dict) else list(data)
    made[first] = put(data[first], rest, value) if rest else value
    return made


def at(data, path):
    for key in path:
        data = data[key]
    return data


@given(st.sampled_from(COMMANDS), st.data(), WRONG)
def test_a_primitive_of_another_type_is_never_converted(command, draw, wrong):
    data = encode_command(command)
    path = draw.draw(st.sampled_from(list(places(data))))
    if type(wrong) is type(at(data, path)):
        return
    with pytest.raises(UsageError, match="this is no command"):
        decode_command(put(data, path, wrong))


@given(st.sampled_from(COMMANDS[:2]), WRONG)
def test_a_text_is_no_list_of_its_letters(command, wrong):
    if isinstance(wrong, list) and all(isinstance(each, str) for each in wrong):
        return
    with pytest.raises(UsageError):
        decode_command({**encode_command(command), "environments": wrong})


@given(WRONG)
def test_a_length_of_time_is_a_number(wrong):
    if type(wrong) in {int, float} and abs(wrong) < timedelta.max.total_seconds():
        return
    with pytest.raises(UsageError):
        decode({"kind": "Bake", "duration": wrong}, Action)


@given(WRONG)
def test_a_share_is_a_number_and_may_be_whole(wrong):
    data = {**encode(GUARD), "harm_ratio": wrong}
    if type(wrong) is int and 1 < wrong < 1e300:
        assert decode(data, Guard).harm_ratio == float(wrong)
    elif type(wrong) not in {int, float}:
        with pytest.raises(UsageError):
            decode(data, Guard)


@given(plans())
def test_what_was_written_comes_back(plan):
    assert decode(encode(plan), Plan) == plan


def test_every_command_comes_back():
    for command in COMMANDS:
        assert decode_command(encode_command(command)) == command


def test_words_of_a_list_are_read_as_such():
    for target in CloseTarget:
        found = decode({"kind": "Close", "target": target.value}, Action)
        assert found == Close(target=target)
        assert isinstance(found.target, CloseTarget)
    assert decode("pass", Verdict) is Verdict.PASS
    assert decode({"kind": "Bake", "duration": 60}, Action) == Bake(duration=timedelta(minutes=1))
    for wrong in ("passed", "", 1, None):
        with pytest.raises(UsageError):
            decode(wrong, Verdict)
