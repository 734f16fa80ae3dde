"""Nobody gets in by another protocol without the token, by whatever address, header or method."""

from __future__ import annotations

import pytest

GITLAB = "/api/v4/feature_flags/unleash/42"
ROUTES = [
    ("GET", "/api/v4/features"),
    ("GET", "/api/v4/features/definitions"),
    ("POST", "/api/v4/features/new_navigation?value=true"),
    ("DELETE", "/api/v4/features/new_navigation"),
    ("POST", "/ofrep/v1/evaluate/flags"),
    ("POST", "/ofrep/v1/evaluate/flags/new_navigation"),
    ("GET", "/ofrep/v1/events?environment=production"),
    ("GET", "/api/client/features"),
    ("GET", "/api/client/features/new_navigation"),
    ("POST", "/api/client/register"),
    ("POST", "/api/client/metrics"),
    ("GET", "/api/frontend?userId=1"),
    ("POST", "/api/frontend"),
    ("POST", "/api/frontend/client/metrics"),
    ("GET", GITLAB),
    ("GET", f"{GITLAB}/features"),
    ("GET", f"{GITLAB}/client/features"),
    ("POST", f"{GITLAB}/client/register"),
    ("POST", f"{GITLAB}/client/metrics"),
    ("GET", "/flipper/api/features"),
    ("POST", "/flipper/api/features"),
    ("GET", "/flipper/api/features/new_navigation"),
    ("DELETE", "/flipper/api/features/new_navigation"),
    ("POST", "/flipper/api/features/new_navigation/boolean"),
    ("DELETE", "/flipper/api/features/new_navigation/clear"),
    ("GET", "/flipper/api/actors/User:1"),
    ("POST", "/flipper/api/import"),
]
PREFIXES = ("", "/environments/dev")


def unset(client, token):
    client.headers["authorization"] = f"Bearer {token}"
    flag = client.get("/api/v1/flags/new_navigation").json()
    return all(cell["gates"] is None for cell in flag["environments"])


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer "},
        {"authorization": "Basic Og=="},
        {"authorization": "Bearer wrong", "private-token": "wrong", "x-api-key": "wrong"},
        {"unleash-instanceid": "wrong", "sec-fetch-site": "same-origin"},
        {"x-forwarded-for": "127.0.0.1", "x-original-url": "/", "x-http-method-override": "GET"},
    ],
)
def test_every_route_without_the_token(application, client, prefix, headers):
    client.headers.pop("authorization")
    for method, path in ROUTES:
        answer = client.request(method, prefix + path, headers=headers)
        assert answer.status_code == 401, path
        assert "new_navigation" not in answer.text
        assert application.token not in answer.text
    assert unset(client, application.token)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_rebound_name_gets_nothing_even_with_the_token(client, prefix):
    for method, path in ROUTES:
        answer = client.request(method, prefix + path, headers={"host": "evil.example"})
        assert answer.status_code == 403
        assert "new_navigation" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "//api/v4/features",
        "/api//v4/features",
        "/api/v4/../v4/features",
        "/api/v4/%2e%2e/v1/flags",
        "/api/v4;x=1/features",
        "/API/V4/features",
        "/environments//api/v4/features",
        "/environments/../api/v4/features",
        "/environments/dev/environments/dev/api/v4/features",
        "/environments/%2Fetc/api/v4/features",
        "/ofrep/v1//evaluate/flags",
        "/ofrep/v1/../../api/v4/features",
        "/flipper/api/../../api/v4/features",
        "/flipper//api/features",
        "/api/v4/feature_flags/unleash//client/features",
        "/api/v4/feature_flags/unleash/a/b/client/features",
    ],
)
def test_odd_addresses_open_nothing(application, client, path):
    client.headers.pop("authorization")
    for method in ("GET", "POST", "DELETE", "PUT"):
        answer = client.request(method, path)
        assert answer.status_code in {401, 403, 404, 405}
        assert "new_navigation" not in answer.text
    assert unset(client, application.token)


def test_a_body_that_is_too_long(client):
    for path in (
        "/api/v4/features/new_navigation",
        "/ofrep/v1/evaluate/flags",
        "/flipper/api/import",
    ):
        answer = client.post(path, content=b"x" * 2_000_000)
        assert answer.status_code == 413
