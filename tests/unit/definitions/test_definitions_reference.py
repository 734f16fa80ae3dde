"""Does the reference page say everything that is read, and is its example right?"""

from __future__ import annotations

import re
from pathlib import Path

from flagstaff.definitions import FLAG_TYPES, parse_definition
from flagstaff.definitions.flag import KEYS, check_definition
from flagstaff.definitions.prerequisites import PREREQUISITE_KEYS
from flagstaff.definitions.problems import Problems
from flagstaff.definitions.variants import MOST_WEIGHT, VARIANT_KEYS
from flagstaff.flags.bucketing import Bucketing

PAGE = (Path(__file__).parents[3] / "docs/reference/definitions.md").read_text()
FLAG, VARIANTS, PREREQUISITES = re.split(r"(?m)^## (?:Variants|Prerequisites)$", PAGE)


def keys(part: str) -> list[str]:
    return re.findall(r"(?m)^\| `(\w+)` \|", part)


def test_every_key_has_its_row_and_no_row_is_left_over():
    assert sorted(keys(FLAG)) == sorted(KEYS)
    assert keys(VARIANTS) == list(VARIANT_KEYS)
    assert keys(PREREQUISITES) == list(PREREQUISITE_KEYS)


def test_every_word_that_may_be_written_is_there():
    for word in (*FLAG_TYPES, *Bucketing, str(MOST_WEIGHT)):
        assert word in PAGE


def test_the_example_has_every_kind_of_key_and_no_problem():
    (example,) = re.findall(r"(?s)```yaml\n(.*?)```", PAGE)
    path = Path("experiment/checkout_button.yml")
    problems = Problems(str(path))
    check_definition(example.encode(), path=path, folder=None, problems=problems)
    assert (problems.errors, problems.warnings) == ((), ())
    found = parse_definition(example.encode(), path=path)
    assert [each.name for each in found.variants] == ["blue", "red"]
    assert [each.value for each in found.prerequisites] == [True, False]
