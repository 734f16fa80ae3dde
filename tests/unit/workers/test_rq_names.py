"""Is the name of a job of RQ replaced, and nothing else, without bringing anything to life?"""

from __future__ import annotations

import json
import pickle
import zlib
from collections import Counter, deque
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagstaff.workers.adapters.rq_names import name_in, renamed

OLD, NEW = "shop.jobs.notify", "integrations.jobs.notify"
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.just("integer"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NAMES = st.sampled_from([NEW, "a.b", "ö.ä", "x" * 300 + ".y"])


def loaded(data):
    return pickle.loads(data)  # noqa: S301 - made here


@given(args=PLAIN, kwargs=PLAIN, new=NAMES, protocol=st.integers(1, pickle.HIGHEST_PROTOCOL))
def test_nothing_but_the_name_is_another(args, kwargs, new, protocol):
    data = pickle.dumps((OLD, None, args, kwargs), protocol=protocol)
    assert loaded(renamed(data, new)) == (new, None, args, kwargs)


def test_packed_data_stays_packed_and_large_and_json_data_are_renamed():
    job = (OLD, None, ("x" * 200_000, b"y" * 100_000), {})
    packed = zlib.compress(pickle.dumps(job))
    assert loaded(zlib.decompress(renamed(packed, NEW))) == (NEW, *job[1:])
    told = renamed(json.dumps([OLD, None, [1, "ä"], {"a": None}]).encode(), NEW)
    assert json.loads(told) == [NEW, None, [1, "ä"], {"a": None}]


def test_arguments_are_not_brought_to_life():
    class Trap:
        def __reduce__(self):
            return pytest.fail, ("it was brought to life",)

    args = (Trap(), datetime.now(UTC), {Trap()}, Counter("a"), deque([Trap()]))
    made = renamed(pickle.dumps((OLD, None, args, {})), NEW)
    assert name_in(made) == NEW


def test_an_argument_that_is_the_very_name_is_not_changed_with_it():
    data = pickle.dumps((OLD, None, (OLD,), {}))
    assert renamed(data, NEW) is None
    apart = pickle.dumps((OLD, None, ("".join(OLD),), {}))
    assert loaded(renamed(apart, NEW)) == (NEW, None, (OLD,), {})


@pytest.mark.parametrize("data", [b"", b"\x00", b"[]", b"nonsense", pickle.dumps(1)])
def test_what_cannot_be_read_is_left(data):
    assert renamed(data, NEW) is None
