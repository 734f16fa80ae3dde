"""The app that Slack is told about is the one that answers."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from flagstaff.commands.chat_text import words_of

MANIFEST = Path(__file__).parents[3] / "deploy/slack-manifest.yaml"
USED = {
    "commands",
    "chat:write",
    "app_mentions:read",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
}
"""What the methods and events that we use ask for, and nothing more."""


@pytest.fixture(scope="module")
def manifest():
    return yaml.safe_load(MANIFEST.read_text())


@pytest.mark.network
@pytest.mark.enable_socket
def test_every_address_in_it_is_answered(manifest, application):
    settings = manifest["settings"]
    addresses = {
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        *(each["url"] for each in manifest["features"]["slash_commands"]),
    }
    ours = {route.path for route in application.chat.routes}
    assert {urlsplit(each).path for each in addresses} == ours


def test_it_asks_for_nothing_more_than_is_used(manifest):
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == USED
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == ["app_mention"]


def test_every_command_in_it_is_understood(manifest):
    for each in manifest["features"]["slash_commands"]:
        assert words_of(f"{each['command']} feature list")[0] == "feature"
