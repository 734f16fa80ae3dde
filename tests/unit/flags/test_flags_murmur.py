"""Does a flag that came from Unleash stay with the people who had it?"""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from flagstaff import Client
from flagstaff.flags.bucketing import Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.gates import Gates
from flagstaff.flags.murmur import murmur3, normalized
from flagstaff.sdk.murmur import quickest_murmur3

# Published vectors of the hash and of Unleash's clients. They must never be edited: see the test
# of the usual bucketing.
HASHES = [
    (b"", 0),
    (b"a", 0x3C2569B2),
    (b"hello", 613153351),
    (b"hello, world", 0x149BBB7F),
    (b"The quick brown fox jumps over the lazy dog", 0x2E4FF723),
]
HUNDREDTHS = [("gr1", "123", 73), ("groupX", "999", 25)]


@pytest.mark.parametrize(("data", "expected"), HASHES)
def test_the_hash_is_the_published_one(data, expected):
    assert murmur3(data) == expected


@pytest.mark.parametrize(("group", "identity", "expected"), HUNDREDTHS)
def test_the_hundredth_is_the_one_of_unleash(group, identity, expected):
    assert normalized(group, identity) == expected


def test_the_extra_answers_the_same():
    pytest.importorskip("mmh3")
    quick, generator = quickest_murmur3(), random.Random(7)
    for length in range(64):
        data = generator.randbytes(length)
        assert quick(data) == murmur3(data)


@pytest.mark.parametrize(("share", "opened"), [("72", False), ("73", True), ("72.999", False)])
def test_a_share_is_open_up_to_its_hundredth(share, opened):
    gates = Gates(percentage_of_actors=Decimal(share))
    flags = Client.memory({"gr1": Flag(name="gr1", bucketing=Bucketing.MURMUR3, gates=gates)})
    assert flags.is_enabled("gr1", "123") is opened
    assert flags.is_disabled("gr1")
    assert "73 %" in flags.explain("gr1", "123").words


def test_bucketing_travels_and_the_usual_one_is_left_out():
    flag = Flag(name="x", bucketing=Bucketing.MURMUR3)
    assert flag.to_json()["bucketing"] == "murmur3"
    assert Flag.from_json("x", flag.to_json()) == flag
    assert "bucketing" not in Flag(name="x").to_json()
