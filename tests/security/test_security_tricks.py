"""No header, address or body makes a token do more than it may."""

from __future__ import annotations

import pytest

GITLAB = "/api/v4/feature_flags/unleash/42"
FLAG = "new_navigation"


@pytest.mark.parametrize("path", ["/features", "/client/features"])
@pytest.mark.parametrize("name", ["production", "canary"])
def test_the_name_of_an_application_opens_no_other_environment(wire, world, path, name):
    headers = {"unleash-instanceid": world.token("application@staging"), "unleash-appname": name}
    answer = wire.ask("GET", GITLAB + path, headers)
    assert answer.status == 403
    assert FLAG not in answer.text
    named = wire.ask("GET", f"{GITLAB}{path}?app_name={name}", {**headers, "unleash-appname": ""})
    assert FLAG not in named.text
    assert wire.ask("GET", GITLAB + path, {**headers, "unleash-appname": "staging"}).status == 200


def test_an_application_of_staging_reports_nothing_about_production(wire, world, application):
    headers = {
        "unleash-instanceid": world.token("application@staging"),
        "unleash-appname": "production",
    }
    body = b'{"appName": "production", "instanceId": "liar"}'
    for path in ("/client/register", "/client/metrics"):
        assert wire.ask("POST", GITLAB + path, headers, body).status == 403
    assert application.services.context.telemetry.heartbeats() == []
