"""Jobs are put off, dropped and let run again, and a switch that is forgotten is told of."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from flagstaff.commands.grammar import parse_line
from flagstaff.commands.job_model import SwitchJobs
from flagstaff.definitions.project_policies import Policies
from flagstaff.errors import UsageError
from flagstaff.services.lives.stale import stale_flags
from flagstaff.services.snapshots import snapshot
from flagstaff.services.views import audit

JOB = "shop.notify"


def run(services, by, line):
    return services.execute(parse_line(line), by)


def gates(services, by, environment="production"):
    """Return the gates of the flags that are set, by name."""
    found = services.ask(lambda unit: snapshot(unit, environment), by).flags
    return {
        name: (flag.gates.boolean, int(flag.gates.percentage_of_actors))
        for name, flag in found.items()
        if flag.gates is not None
    }


def test_each_word_says_all_that_is_to_hold(services, ada):
    run_flag, drop_flag = f"run_jobs_{JOB}", f"drop_jobs_{JOB}"
    steps = {
        "defer": ({run_flag: (False, 0)}, "0 % run, 100 % put off"),
        "run --percentage 10": ({run_flag: (False, 10)}, "10 % run, 90 % put off"),
        "drop": ({drop_flag: (True, 0)}, "100 % dropped"),
        "defer --percentage 30": ({run_flag: (False, 70)}, "70 % run, 30 % put off"),
        "drop --percentage 5": ({drop_flag: (False, 5)}, "5 % dropped"),
        "run": ({}, "all run"),
    }
    for words, (wanted, told) in steps.items():
        word, _, rest = words.partition(" ")
        said = run(services, ada, f"workers {word} {JOB} {rest} --reason incident")
        assert said.text == f"production: jobs of {JOB}: {told}"
        assert gates(services, ada) == wanted
    assert services.ask(audit, ada)[0].reason == "incident"
    assert gates(services, ada, "staging") == {}


def test_what_stands_is_listed_with_who_and_since_when(services, ada, clock):
    assert run(services, ada, "workers list").text == "all jobs run"
    run(services, ada, f"workers defer {JOB}")
    clock.advance(hours=20)
    bob = replace(ada, name="bob")
    run(services, bob, "workers drop Chat::Worker --production --staging")
    assert run(services, ada, "workers list").text.splitlines() == [
        "production: jobs of Chat::Worker: 100 % dropped (since 2026-03-03 05:00 UTC, bob)",
        f"production: jobs of {JOB}: 0 % run, 100 % put off (since 2026-03-02 09:00 UTC, ada)",
    ]
    clock.advance(hours=5)
    listed = run(services, ada, "workers list --production --staging")
    assert [line.endswith("forgotten?") for line in listed.text.splitlines()] == [
        False,
        True,
        False,
    ]
    assert [(each["task"], each["forgotten"]) for each in listed.data["switches"]] == [
        ("Chat::Worker", False),
        (JOB, True),
        ("Chat::Worker", False),
    ]


def test_names_as_in_gitlab_are_the_same_switches(services, ada):
    run(services, ada, "feature set run_sidekiq_jobs_Chat::Worker false")
    run(services, ada, "feature set run_jobs_Chat::Worker 50 --actors")
    (found,) = run(services, ada, "workers list").data["switches"]
    assert (found["task"], found["run"]) == ("Chat::Worker", 0)
    run(services, ada, "workers run Chat::Worker")
    assert gates(services, ada) == {}


def test_a_switch_that_stands_for_a_day_is_told_like_a_stale_flag(services, ada, clock):
    run(services, ada, f"workers defer {JOB}")
    assert services.ask(lambda unit: stale_flags(unit, reason="no_definition"), ada) == []
    clock.advance(hours=23)
    assert services.ask(lambda unit: stale_flags(unit, reason="forgotten_switch"), ada) == []
    clock.advance(hours=1)
    (found,) = services.ask(lambda unit: stale_flags(unit, reason="forgotten_switch"), ada)
    assert found.name == f"run_jobs_{JOB}"
    assert found.findings[0].text == (
        "a switch of background jobs that stands in production since 2026-03-02 09:00 UTC"
    )


class TestWithPolicies:
    @pytest.fixture
    def policies(self):
        return Policies()

    def test_a_switch_is_about_one_environment(self, services, ada):
        for line in (f"drop {JOB}", f"run {JOB} --percentage 10", f"run {JOB}"):
            assert run(services, ada, f"workers {line}").ok


@pytest.mark.parametrize(
    "line",
    [
        "workers defer 'shop notify'",
        "workers defer ''",
        f"workers run {JOB} --percentage 101",
        f"workers run {JOB} --percentage x",
        "workers defer",
    ],
)
def test_what_is_no_switch_is_refused(line):
    with pytest.raises(UsageError):
        parse_line(line)


def test_what_programs_ask_for_is_checked_too(services, ada):
    for broken in (
        {"task": "a b", "action": "run"},
        {"task": JOB, "action": "stop"},
        {"task": JOB, "action": "run", "percentage": 101},
        {"task": JOB, "action": "run", "percentage": Decimal("NaN")},
    ):
        with pytest.raises(UsageError):
            services.execute(SwitchJobs(environments=("production",), **broken), ada)
