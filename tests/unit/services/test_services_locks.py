"""People can lock an environment and open an incident, and then nothing opens wider there."""

from __future__ import annotations

import pytest

from flagstaff.commands.grammar import parse_line
from flagstaff.errors import Conflict, Refused, UsageError
from flagstaff.services.views import audit

ON = "feature set new_navigation true --dev"


def run(services, by, line):
    return services.execute(parse_line(line), by)


def test_a_lock_refuses_what_opens_says_why_and_can_be_overruled_with_a_reason(services, ada):
    said = run(services, ada, "lock dev --reason 'database upgrade' --for 2h")
    assert said.text == "dev is locked until 2026-03-02 11:00 UTC: nothing opens wider there"
    with pytest.raises(Refused) as refused:
        run(services, ada, ON)
    assert "dev is locked: database upgrade (ada, 2026-03-02 09:00 UTC)" in refused.value.message
    assert "wait until 2026-03-02 11:00 UTC, or unlock it: flagstaff unlock dev" in (
        refused.value.hint
    )
    assert "--override change-lock" in refused.value.hint
    run(services, ada, "feature set new_navigation true --staging")
    run(services, ada, "feature set new_navigation false --dev")
    run(services, ada, f"{ON} --override change-lock --reason hotfix")
    entry = services.ask(audit, ada)[0]
    assert (entry.override, entry.reason) == ("change-lock", "hotfix")


def test_a_lock_ends_by_itself_or_by_hand(services, ada, clock):
    run(services, ada, "lock dev --reason upgrade --for 2h")
    assert "dev: lock until 2026-03-02 11:00 UTC: upgrade" in run(services, ada, "lock").text
    clock.advance(hours=2)
    assert run(services, ada, "lock").text == "nothing is locked"
    assert run(services, ada, ON).ok
    run(services, ada, "lock dev --reason again")
    replaced = run(services, ada, "lock dev --reason 'and again'")
    assert "takes the place of: dev: lock: again" in replaced.text
    assert "it was: dev: lock: and again" in run(services, ada, "unlock dev").text
    with pytest.raises(Conflict):
        run(services, ada, "unlock dev")
    actions = [each.action for each in services.ask(audit, ada)]
    assert actions[:3] == ["lock.lift", "lock.set", "lock.set"]


def test_an_open_incident_blocks_production_until_it_is_closed(services, ada):
    run(services, ada, "feature set new_navigation true --staging")
    run(services, ada, "incident open 'checkout is down'")
    with pytest.raises(Refused) as refused:
        run(services, ada, "feature set new_navigation true")
    assert "an incident is open in production: checkout is down (ada," in refused.value.message
    assert "--ignore-production-check" in refused.value.hint
    with pytest.raises(Conflict, match="there is an incident already"):
        run(services, ada, "incident open another")
    run(services, ada, "incident close")
    assert run(services, ada, "feature set new_navigation true").ok


def test_a_lock_needs_a_reason_a_place_and_an_end_in_sight(services, ada):
    for line in (
        "lock dev",
        "lock moon --reason x",
        "lock dev --reason x --for 5000d",
        "lock --for 2h",
    ):
        with pytest.raises(UsageError):
            run(services, ada, line)
    with pytest.raises(UsageError):
        run(services, ada, "incident open ''")
