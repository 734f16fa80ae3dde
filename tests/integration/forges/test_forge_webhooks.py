"""Is a webhook taken only from the forge itself, once, and of now?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from flagstaff.definitions.forges import Forge, ForgeKind
from flagstaff.errors import Refused
from flagstaff.integrations.forge.hooks import Hooks
from flagstaff.server.forges import ForgeDesk, forge_routes

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]
PROJECT = "acme/shop"
SECRET = "s3cret"
KEY = "whsec_" + base64.b64encode(b"k" * 32).decode()


def plain(body, event):
    if event == "issues":
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return {"x-github-event": event, "x-hub-signature-256": f"sha256={signature}"}
    return {"x-gitlab-event": event, "x-gitlab-token": SECRET}


def signed(body, stamp=None, key=b"k" * 32, name="msg-1"):
    stamp = str(int(time.time()) if stamp is None else stamp)
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


class Sent:
    """What the stand-in would send for an edit."""

    def __init__(self, lab):
        self.lab = lab
        lab.forge.hook = ("http://127.0.0.1:9/", plain)

    def of(self, edit):
        edit()
        headers, body = self.lab.forge.hooked[-1]
        return {name.lower(): value for name, value in headers.items()}, body


@pytest.fixture
def hooks(lab):
    seen = set()

    def first_seen(request):
        return request not in seen and not seen.add(request)

    return Hooks(lab.settings, SECRET, first_seen)


def test_a_tick_is_taken_from_a_webhook_at_once(lab, begun, hooks):
    lab.link("dana")
    headers, body = Sent(lab).of(lambda: lab.forge.tick(PROJECT, 1, "Verify that", by="dana"))
    heard = hooks.hear(headers, body)
    assert (heard.user, heard.address.number) == ("dana", 1)
    lab.follower.hear(heard)
    lab.tick(1)
    assert lab.rollout(begun).state("verify-menu-opens").approved_by == "dana"


def test_a_tick_counts_even_where_our_own_write_has_wiped_it_out(lab, begun, hooks):
    lab.link("dana")
    before = lab.text()
    headers, body = Sent(lab).of(lambda: lab.forge.tick(PROJECT, 1, "Verify that", by="dana"))
    with lab.client() as client:
        client.write_text(PROJECT, 1, before)
    lab.follower.hear(hooks.hear(headers, body))
    lab.tick(3)
    assert "approved by dana" in lab.text()
    assert "- [x] Verify that the menu opens." in lab.text()
    assert begun


@pytest.mark.usefixtures("begun")
def test_a_forged_a_changed_and_a_repeated_one_are_refused(lab, hooks):
    headers, body = Sent(lab).of(lambda: lab.forge.tick(PROJECT, 1, "Verify that", by="mallory"))
    secrets = {"x-gitlab-token", "x-hub-signature-256"}
    for wrong in ("", "wrong", "sha256=" + "0" * 64, "é"):
        forged = {name: wrong if name in secrets else value for name, value in headers.items()}
        with pytest.raises(Refused, match="not"):
            hooks.hear(forged, body)
    if lab.settings.kind is ForgeKind.GITHUB:
        with pytest.raises(Refused, match="signature"):
            hooks.hear(headers, body.replace(b"mallory", b"dana"))
    assert hooks.hear(headers, body) is not None
    with pytest.raises(Refused, match="here before"):
        hooks.hear(headers, body)


@pytest.mark.usefixtures("begun")
def test_what_happened_long_ago_is_refused(lab):
    headers, body = Sent(lab).of(lambda: lab.forge.tick(PROJECT, 1, "Verify that", by="dana"))
    late = Hooks(
        lab.settings, SECRET, lambda _: True, now=lambda: datetime.now(UTC) + timedelta(hours=2)
    )
    with pytest.raises(Refused, match="too old"):
        late.hear(headers, body)


FORGE = Forge(name="gitlab", kind=ForgeKind.GITLAB, url="https://gitlab.example.com")
BODY = json.dumps(
    {
        "object_kind": "issue",
        "user": {"username": "dana"},
        "object_attributes": {"url": f"https://gitlab.example.com/{PROJECT}/-/work_items/3"},
        "changes": {"description": {"previous": "- [ ] a", "current": "- [x] a"}},
    }
).encode()


def test_gitlabs_signature_is_checked():
    hooks = Hooks(FORGE, KEY, lambda _: True)
    heard = hooks.hear(signed(BODY), BODY)
    assert heard.address.url == f"https://gitlab.example.com/{PROJECT}/-/issues/3"
    assert (heard.user, heard.before, heard.after) == ("dana", "- [ ] a", "- [x] a")
    now = int(time.time())
    for wrong in (
        signed(BODY, key=b"x" * 32),
        signed(BODY + b" "),
        signed(BODY, stamp=now - 400),
        signed(BODY, stamp=now + 400),
        {**signed(BODY), "webhook-id": "msg-2"},
        {**signed(BODY), "webhook-timestamp": "soon"},
        {"x-gitlab-token": KEY},
        {},
    ):
        with pytest.raises(Refused):
            hooks.hear(wrong, BODY)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"\xff", b"nul", b"[" * 100_000, b'"x"', b"1" * 5000],
)
def test_what_is_no_webhook_is_said_to_be_none(tmp_path, body, monkeypatch, services):
    monkeypatch.setenv("SECRET", SECRET)
    forge = Forge(
        name="gitlab", kind=ForgeKind.GITLAB, url="https://g", webhook_secret_env="SECRET"
    )
    app = Starlette(routes=forge_routes(ForgeDesk(tmp_path, (forge,)), services))
    with TestClient(app) as client:
        answer = client.post("/forges/gitlab", content=body, headers={"x-gitlab-token": SECRET})
        assert answer.status_code == 400
        assert client.post("/forges/gitlab", content=BODY).status_code == 401
        assert client.post("/forges/github", content=BODY).status_code == 404


@pytest.mark.parametrize(
    "told",
    [
        {"object_kind": "push"},
        {"object_kind": "issue"},
        {"object_kind": "issue", "object_attributes": 3, "user": [], "changes": "x"},
        {"object_kind": "issue", "object_attributes": {"url": "https://elsewhere/a/b/-/issues/1"}},
    ],
)
def test_what_is_about_something_else_is_let_be(told):
    hooks = Hooks(FORGE, SECRET, lambda _: True)
    assert hooks.hear({"x-gitlab-token": SECRET}, json.dumps(told).encode()) is None
