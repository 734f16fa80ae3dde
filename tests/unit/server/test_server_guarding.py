"""A foreign page in the user's own browser can neither read nor change anything."""

from __future__ import annotations

import asyncio

import pytest

from flagstaff.server.front.guarding import MAX_BODY, is_loopback

FORM = {"environment": "dev", "value": "true", "how": "everyone", "reason": "", "flag": ""}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1"])
def test_our_own_names_are_answered(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "["],
)
def test_other_names_are_not(host):
    assert not is_loopback(host)


def test_a_rebound_name_gets_nothing(client):
    for path in ("/", "/api/v1/flags", "/events"):
        answer = client.get(path, headers={"host": "evil.example"})
        assert answer.status_code == 403
        assert "new_navigation" not in answer.text


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": "http://localhost"}, True),
        ({"origin": "http://localhost:9"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_our_own_pages_change_things(client, headers, allowed):
    form = {**FORM, "flag": "new_navigation"}
    answer = client.post("/flags", data=form, headers=headers, follow_redirects=False)
    assert answer.status_code == (303 if allowed else 403)
    cell = client.get("/api/v1/flags/new_navigation").json()["environments"][0]
    assert (cell["gates"] is not None) is allowed


def test_every_answer_carries_the_strict_headers(client):
    for path in ("/", "/nowhere", "/static/flagstaff.css", "/api/v1/flags", "/api/v1/rollouts/9"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_a_body_that_is_too_long_is_refused_however_it_comes(client):
    declared = client.post("/api/v1/commands", content=b" " * (MAX_BODY + 1))
    assert declared.status_code == 413
    assert declared.json()["code"] == "too_large"

    def pieces():
        for _ in range(MAX_BODY // 1024 + 1):
            yield b" " * 1024

    own = {"sec-fetch-site": "same-origin"}
    assert client.post("/rollouts/new", content=pieces(), headers=own).status_code == 413
    for path in ("/api/v1/commands", "/ofrep/v1/evaluate/flags", "/flipper/api/features"):
        headers = {"content-type": "application/json"}
        in_pieces = client.post(path, content=pieces(), headers=headers)
        assert in_pieces.status_code == 413, path
        assert "longer than" in in_pieces.text
        assert in_pieces.headers["x-content-type-options"] == "nosniff"


def test_a_length_that_is_no_number_is_refused(client):
    assert client.get("/", headers={"content-length": "-5"}).status_code == 413


def test_a_client_that_leaves_while_its_body_is_read_is_no_fault(application):
    async def receive():
        return {"type": "http.disconnect"}

    async def send(_message):
        """Nobody hears it."""

    for path in ("/api/v1/commands", "/ofrep/v1/evaluate/flags/new_navigation"):
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "scheme": "http",
            "http_version": "1.1",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
            "headers": [
                (b"host", b"127.0.0.1:8080"),
                (b"authorization", f"Bearer {application.token}".encode()),
                (b"content-type", b"application/json"),
                (b"content-length", b"10"),
            ],
        }
        asyncio.run(application.asgi(scope, receive, send))
