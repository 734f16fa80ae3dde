"""Does an actor fall where clients of flagd put it?"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import cbor2
import mmh3
import pytest

from flagstaff import Client
from flagstaff.flags.bucketing import BUCKETS, Bucketing
from flagstaff.flags.flag import Flag
from flagstaff.flags.fractional import flagd_bucket, text_hash
from flagstaff.flags.gates import Gates
from flagstaff.flags.variant import Variant

# They must never be edited: see the test of the usual bucketing.
FROZEN = [
    ("some_feature", "User:1", 96858),
    ("new_navigation", "User:1", 22183),
    ("new_navigation", "Project:278964", 38495),
]
ACTORS = [f"User:{number}" for number in range(5_000)]


@pytest.mark.parametrize(("flag", "actor", "expected"), FROZEN)
def test_bucket_is_the_frozen_one(flag, actor, expected):
    assert flagd_bucket(flag, actor) == expected


@pytest.mark.parametrize("length", [0, 1, 23, 24, 255, 256, 65_535, 65_536])
@pytest.mark.parametrize("sign", ["a", "ü"])
def test_the_hash_is_that_of_what_other_implementations_write(length, sign):
    text = sign * length
    assert text_hash(text) == mmh3.hash(cbor2.dumps(text, canonical=True), signed=False)
    hashed = mmh3.hash(cbor2.dumps(["flag", text], canonical=True), signed=False)
    assert flagd_bucket("flag", text) == hashed * BUCKETS >> 32


def share(percent):
    gates = Gates(percentage_of_actors=Decimal(percent))
    flag = Flag(name="new_navigation", bucketing=Bucketing.FLAGD, gates=gates)
    return Client.memory({"new_navigation": flag})


def test_a_share_is_as_large_as_it_says_and_grows_by_adding():
    before: set[str] = set()
    for percent in ("0.1", "1", "25", "50.5", "99.9", "100"):
        flags = share(percent)
        having = {each for each in ACTORS if flags.is_enabled("new_navigation", each)}
        assert before <= having
        assert abs(len(having) / len(ACTORS) - float(percent) / 100) < 0.02
        assert flags.is_disabled("new_navigation")
        before = having
    assert len(before) == len(ACTORS)


def test_the_words_name_the_share_from_which_on_an_actor_has_it():
    assert "22.184 %" in share("5").explain("new_navigation", "User:1").words
    assert share("22.183").is_disabled("new_navigation", "User:1")
    assert share("22.184").is_enabled("new_navigation", "User:1")


def test_variants_have_buckets_of_their_own():
    variants = (Variant(name="blue", weight=3), Variant(name="red"))
    gates = Gates(percentage_of_actors=Decimal(10))
    flag = Flag(name="button", bucketing=Bucketing.FLAGD, gates=gates, variants=variants)
    flags = Client.memory({"button": flag})
    answers = [flags.evaluate("button", each) for each in ACTORS]
    counted = Counter(answer.variant for answer in answers if answer.value)
    assert 0.68 < counted["blue"] / counted.total() < 0.82
