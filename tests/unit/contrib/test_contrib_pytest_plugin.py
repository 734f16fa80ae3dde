"""Do a project's own tests see flags as they are marked, and are typing mistakes found?"""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import flagstaff, pytest
pytest_plugins = ["flagstaff.contrib.pytest_plugin"]
flags = flagstaff.Client.memory({"a": False, "b": False})

@pytest.fixture(name="flags")
def _flags():
    return flags
"""

TESTS = """
import pytest

@pytest.mark.flag("a")
def test_on(flags):
    assert flags.is_enabled("a")

@pytest.mark.flag("a", False)
@pytest.mark.flag("b", on=True)
def test_two(flags):
    assert (flags.is_enabled("a"), flags.is_enabled("b")) == (False, True)

def test_fixture(flags, override_flag):
    override_flag("a")
    assert flags.is_enabled("a")

def test_plain(flags):
    assert not flags.is_enabled("a")
"""


@pytest.fixture
def run(pytester):
    pytester.makeconftest(CONFTEST)

    def running(tests, *options):
        pytester.makepyfile(tests)
        return pytester.runpytest_subprocess("-p", "no:randomly", *options)

    return running


def test_marked_tests_run_as_marked(run):
    run(TESTS).assert_outcomes(passed=4)


def test_both_runs_each_marked_test_on_and_off(run):
    result = run(TESTS, "--flagstaff-both", "-v")
    result.stdout.fnmatch_lines(
        ["*test_on[[]a=on[]] PASSED*", "*test_on[[]a=off[]] FAILED*", "*b=on,a=off[]] PASSED*"]
    )
    result.assert_outcomes(passed=4, failed=4)


def test_an_undefined_flag_fails_the_test(run):
    tests = """
import pytest

def test_asks(flags):
    flags.is_enabled("typo")

@pytest.mark.undefined_flags
def test_may(flags):
    flags.is_enabled("typo")

@pytest.mark.flag("typo")
def test_marked():
    pass
"""
    result = run(tests)
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["*nobody has defined the flags this test asked for: typo*"])
