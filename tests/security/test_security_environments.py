"""Whoever may look into one environment sees nothing of the others, in any way."""

from __future__ import annotations

import json

import pytest
from expected import COMMAND
from worlds import ROOT

from flagstaff.commands.codec import decode_command
from flagstaff.commands.model import ListAudit
from flagstaff.services.telemetry import Answered, Heartbeat, Unknown


@pytest.fixture
def busy(application):
    """Let things happen in staging and in production."""
    services = application.services
    telemetry = services.context.telemetry
    for place in ("staging", "production"):
        text = json.dumps(COMMAND).replace("{environment}", place)
        services.execute(decode_command(json.loads(text)), ROOT)
        actors = {"kind": "Actors", "ids": [f"User:in-{place}"], "value": True}
        command = {**json.loads(text), "change": actors}
        services.execute(decode_command(command), ROOT)
        beat = Heartbeat(
            instance=f"1-{place}",
            environment=place,
            sdk="",
            application=f"shop-{place}",
            at=services.clock.now(),
        )
        said = {"environment": place, "count": 3}
        answered = Answered(flag="new_navigation", value=True, gate=f"gate-{place}", **said)
        unknown = Unknown(flag=f"unknown_{place}", application=f"shop-{place}", **said)
        telemetry.report(beat, [answered], [unknown])
    return services


PAGES = ("/", "/flags", "/flags/new_navigation")
ADDRESSES = ("/api/v1/flags", "/api/v1/flags/new_navigation", "/api/v1/audit")


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("role", "sees"),
    [("viewer@staging", ("staging",)), ("viewer", ("staging", "production")), ("viewer@dev", ())],
)
def test_pages_and_answers(wire, world, bearing, role, sees):
    world.person("ada", role)
    cookie, token = world.session("ada"), bearing(world.token(role))
    read = [wire.ask("GET", each, cookie) for each in PAGES]
    read += [wire.ask("GET", each, token) for each in ADDRESSES]
    assert {each.status for each in read} == {200}
    text = "".join(each.text for each in read)
    for place in ("staging", "production"):
        for trace in ("User:in-{}", "shop-{}", "gate-{}", "unknown_{}"):
            assert (trace.format(place) in text) is (place in sees), (trace, place)


@pytest.mark.usefixtures("busy")
def test_the_audit_log_by_command(wire, world, bearing):
    token = {**bearing(world.token("viewer@staging")), "content-type": "application/json"}
    for kind in ("ListAudit", "ExportAudit"):
        body = json.dumps({"kind": kind}).encode()
        answer = wire.ask("POST", "/api/v1/commands", token, body)
        assert answer.status == 200
        assert "User:in-staging" in answer.text
        assert "User:in-production" not in answer.text


def test_what_was_done_in_a_deploy_stage_is_seen_with_its_environment(services_of):
    services, ada = services_of("viewer@production")
    _, bob = services_of("viewer@staging")
    with services.unit(ROOT, write=True) as unit:
        unit.record("deployment.record", environment="canary", text="canary runs it")
    assert "canary runs it" in services.execute(ListAudit(), ada).text
    assert "canary runs it" not in services.execute(ListAudit(), bob).text


@pytest.mark.parametrize("name", ["production", "dev"])
def test_gitlabs_api_neither_lists_nor_changes(busy, wire, world, name):
    del busy
    token = {"private-token": world.token("viewer@staging", f"application@{name}")}
    prefix = f"/environments/{name}/api/v4/features"
    assert wire.ask("GET", prefix, token).status == 403
    answer = wire.ask("POST", f"{prefix}/new_navigation?value=true", token)
    assert answer.status == 403
    assert "needs the role" in answer.json()["message"]
