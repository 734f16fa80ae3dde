"""Do the examples in the docstrings still say the truth?"""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import flagstaff.flags
import flagstaff.sdk

MODULES = sorted(
    found.name
    for package in (flagstaff.flags, flagstaff.sdk)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


def test_there_are_examples():
    examples = doctest.DocTestFinder().find(import_module("flagstaff.sdk.client"))
    assert sum(len(found.examples) for found in examples) >= 3


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(import_module(name))
    assert result.failed == 0
