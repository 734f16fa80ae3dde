"""Chat is connected by files with secrets, and what is missing is named."""

from __future__ import annotations

import sys

import pytest

from flagstaff.errors import MissingExtra, UsageError
from flagstaff.server.app import build
from flagstaff.server.settings import Settings


def test_without_settings_no_chat_is_connected(root):
    application = build(Settings(root=root, engine=False))
    assert application.chat.routes == []
    assert application.chat.announce is None
    application.close()


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"slack_signing_secret_file": "signing"}, "SLACK_BOT_TOKEN_FILE"),
        ({"slack_bot_token_file": "nowhere"}, "nowhere cannot be read"),
        ({"slack_bot_token_file": "empty"}, "empty is empty"),
        ({"slack_bot_token_file": "binary"}, "binary cannot be read"),
    ],
)
def test_what_is_missing_is_named(root, more, what):
    (root / "empty").write_text("\n")
    (root / "binary").write_bytes(b"\xff\xfe")
    files = {name: root / file for name, file in more.items()}
    with pytest.raises(UsageError) as wrong:
        build(Settings(root=root, engine=False, **files))
    assert what in str(wrong.value)


def test_without_the_package_the_extra_is_named(root, monkeypatch):
    for name in [each for each in sys.modules if each.endswith(".slack.app")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("slack_sdk", "slack_sdk.webhook"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra) as missing:
        build(Settings(root=root, engine=False, slack_bot_token_file=root / "bot"))
    assert "flagstaff[slack]" in str(missing.value)
