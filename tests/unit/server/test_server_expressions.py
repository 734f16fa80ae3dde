"""Do an expression set here and one read by GitLab's clients agree?"""

from __future__ import annotations

from flagstaff.commands.codec import encode_command
from flagstaff.commands.model import SetFlag
from flagstaff.flags.change import Expression

GOLD = {"Equal": [{"Property": ["plan"]}, "gold"]}
FEATURE = "/api/v4/features/new_navigation"


def set_to(client, value):
    command = SetFlag(flag="new_navigation", environments=("dev",), change=Expression(value=value))
    return client.post("/api/v1/commands", json=encode_command(command))


def test_gitlabs_clients_see_it_and_change_the_rest(client):
    headers = {"x-flagstaff-environment": "dev"}
    assert set_to(client, GOLD).status_code == 200
    listed = client.get("/api/v4/features", headers=headers).json()
    (feature,) = [each for each in listed if each["name"] == "new_navigation"]
    assert {"key": "expression", "value": GOLD} in feature["gates"]
    assert feature["state"] == "conditional"
    values = {"value": "25", "key": "percentage_of_actors"}
    changed = client.post(FEATURE, data=values, headers=headers).json()
    assert changed["gates"] == [
        {"key": "boolean", "value": False},
        {"key": "expression", "value": GOLD},
        {"key": "percentage_of_actors", "value": 25},
    ]


def test_one_that_is_malformed_is_refused_with_the_remedy(client):
    answer = set_to(client, {"Alll": []})
    assert answer.status_code == 400
    assert "operators are" in answer.json()["hint"]
    body = {"kind": "SetFlag", "flag": "new_navigation", "environments": ["dev"]}
    answer = client.post(
        "/api/v1/commands", json={**body, "change": {"kind": "Expression", "value": [1]}}
    )
    assert answer.status_code == 400


def test_the_page_shows_it(client):
    set_to(client, GOLD)
    assert "match the expression" in client.get("/flags/new_navigation").text
