"""Does every actor fall into the bucket that Flipper puts it in?"""

from __future__ import annotations

from decimal import Decimal

import pytest

from flagstaff.flags.bucketing import bucket, combined, threshold

# These vectors must never be edited. A failure here means that every running rollout would hand the
# flag to other people than before: change the code back, not the numbers.
FROZEN = [
    ("some_feature", "User:1", 9890),
    ("some_feature", "User:2", 9016),
    ("some_feature", "Project:278964", 12485),
    ("some_feature", "Group:9970", 41691),
    ("new_navigation_bar", "User:1", 22713),
    ("rename_integrations_workers", "User:1", 18073),
    ("feature-set-1", "Project:1", 26789),
    ("feature-set-2", "Project:1", 41222),
    (
        "rename_integrations_workers",
        "FlipperRequest:00000000-0000-4000-8000-000000000000",
        27105,
    ),
]


@pytest.mark.parametrize(("flag", "actor", "expected"), FROZEN)
def test_bucket_is_the_frozen_one(flag, actor, expected):
    assert bucket(flag, actor) == expected


def test_bucket_of_a_name_beyond_ascii_is_that_of_its_utf8_bytes():
    # CRC-32 of the UTF-8 bytes of "größeUser:ü", computed with an independent implementation.
    assert bucket("größe", "User:ü") == _plain_crc32("größeUser:ü".encode()) % 100_000


def test_order_of_several_actors_does_not_matter():
    assert combined(["User:1", "Project:7"]) == combined(["Project:7", "User:1"])
    assert combined(["User:1", "Project:7"]) == "Project:7User:1"


@pytest.mark.parametrize(
    ("percentage", "expected"),
    [("0", 0), ("0.001", 1), ("9.89", 9890), ("9.891", 9891), ("25", 25_000), ("100", 100_000)],
)
def test_threshold_counts_thousandths_of_a_percent(percentage, expected):
    assert threshold(Decimal(percentage)) == expected


def test_a_share_opens_about_that_many_actors():
    opened = sum(bucket("some_feature", f"User:{n}") < 25_000 for n in range(1, 100_001))
    assert opened == 24_933


def _plain_crc32(data: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0xEDB88320 if register & 1 else 0)
    return register ^ 0xFFFFFFFF
