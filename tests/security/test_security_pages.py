"""No other page in somebody's browser changes anything in their name, or is fooled by ours."""

from __future__ import annotations

import pytest
from asking import wired
from expected import ROUTES
from worlds import ROOT

from flagstaff.commands.access_model import AddPerson
from flagstaff.server.app import build
from flagstaff.server.settings import Settings
from flagstaff.services import identity
from flagstaff.services.person import ENGINE

POSTS = sorted(path for method, path in ROUTES if method == "POST" and "/api" not in path)
PAGES = [each for each in POSTS if not each.startswith(("/ofrep", "/flipper", "/forges"))]
FOREIGN = [
    {},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://localhost"},
    {"sec-fetch-site": ""},
    {"sec-fetch-site": "SAME-ORIGIN, cross-site"},
    {"origin": "null"},
    {"origin": "http://localhost:81"},
    {"origin": "http://localhost.evil.example"},
    {"origin": "http://evil.example@localhost"},
    {"origin": "localhost"},
    {"origin": "http://127.0.0.1"},
    {"origin": ""},
    {"referer": "http://localhost/flags"},
]


@pytest.fixture
def admin(world):
    world.person("ada", "admin")
    return world.session("ada")


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
def test_a_foreign_page_posts_nothing(wire, admin, foreign):
    for path in PAGES:
        address = path.replace("{number:int}", "1").replace("{verb}", "invite")
        form = {"content-type": "application/x-www-form-urlencoded", **admin, **foreign}
        for method in ("POST", "PUT", "DELETE", "PATCH", "post", "BREW"):
            answer = wire.ask(method, address, form, b"name=ada&reason=x")
            assert answer.status == 403, (method, address)
            assert "own pages" in answer.text


@pytest.mark.parametrize(
    "host",
    [
        [("host", "evil.example")],
        [("host", "localhost.evil.example")],
        [("host", "evil.example"), ("host", "localhost")],
        [("host", "localhost"), ("host", "evil.example")],
        [("host", "")],
        [("host", "localhost@evil.example")],
        [("host", "evil.example#localhost")],
        [("host", "evil.example"), ("x-forwarded-host", "localhost")],
    ],
    ids=str,
)
def test_a_rebound_name_gets_nothing(wire, admin, host):
    for target in ("/", "/api/v1/flags", "/sign-in", "/healthz"):
        answer = wire.ask("GET", target, [*host, *admin.items()])
        assert answer.status == 403
        assert "new_navigation" not in answer.text


def test_a_forwarded_host_is_not_believed(wire, admin):
    answer = wire.ask("GET", "/settings/", {**admin, "x-forwarded-host": "evil.example"})
    assert "evil" not in str(answer.headers) + answer.text


OUTSIDE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "https://evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/x\r\nset-cookie: a=b",
    "/x\u2028y",
    "",
]


@pytest.mark.parametrize("then", OUTSIDE)
def test_nobody_is_sent_elsewhere_after_signing_in(wire, world, then, monkeypatch):
    world.person("ada", "viewer")
    way = "flagstaff.server.auth.signing_in.is_password"
    monkeypatch.setattr(way, lambda *_: True)
    answer = wire.post("/sign-in", {"name": "ada", "password": "x", "then": then}, {})
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert "a=b" not in str(answer.headers.getlist("set-cookie"))


@pytest.mark.parametrize("then", ["/%2f%2fevil.example", "/x?y=//evil", "/ü"])
def test_a_page_of_ours_stays_ours(wire, world, then, monkeypatch):
    world.person("ada", "viewer")
    monkeypatch.setattr("flagstaff.server.auth.signing_in.is_password", lambda *_: True)
    answer = wire.post("/sign-in", {"name": "ada", "password": "x", "then": then}, {})
    assert answer.headers["location"].startswith("/")
    assert not answer.headers["location"].startswith("//")


@pytest.fixture
def public(root):
    first = build(Settings(root=root, engine=False))
    first.services.execute(AddPerson(name="ada", roles=("admin",)), ROOT)
    with first.services.unit(ENGINE, write=True) as unit:
        identity.people.set_password(unit.connection, "ada", "kept")
    first.close()
    address = "https://flags.example"
    built = build(Settings(root=root, engine=False, host="0.0.0.0", public_url=address))  # noqa: S104
    yield built
    built.close()


def test_by_https_cookies_are_for_https_and_nobody_is_a_visitor(public):
    with public.services.unit(ENGINE, write=True) as unit:
        secret = identity.start_session(unit, "ada", how="a test")
    session = {"host": "flags.example", "cookie": f"__Host-flagstaff={secret}"}
    with wired(public.asgi) as wire:
        page = wire.ask("GET", "/", session)
        assert page.status == 200
        assert page.headers["strict-transport-security"]
        (known,) = page.headers.getlist("set-cookie")
        assert known.startswith("__Host-flagstaff-known=")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {*known.split("; ")}
        weak = {"host": "flags.example", "cookie": f"flagstaff_session={secret}"}
        assert wire.ask("GET", "/", weak).status == 303
        plain = {**session, "origin": "http://flags.example"}
        assert wire.ask("POST", "/sign-out", plain).status == 403
        own = {**session, "origin": "https://flags.example"}
        out = wire.ask("POST", "/sign-out", own)
        assert out.status == 303
        assert "Secure" in out.headers["set-cookie"]
        assert wire.ask("GET", "/", {"host": "localhost"}).status == 303
        with public.services.unit(ENGINE, write=True) as unit:
            identity.people.remove(unit.connection, "ada")
        assert wire.ask("GET", "/", {"host": "flags.example"}).status == 303


def test_every_answer_says_that_no_other_page_may_frame_or_sniff_it(wire, admin, world):
    link = f"/setup/{world.person('bob', 'viewer')}"
    for target in ("/", "/sign-in", "/nowhere", "/api/v1/flags", "/flipper/api/features", link):
        headers = wire.ask("GET", target, admin).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert wire.ask("GET", link).headers["cache-control"] == "no-store"


def test_whoever_has_not_signed_in_learns_nothing_about_the_project(wire, admin, root):
    del admin
    path = root / "config/feature_flags/development/broken_secret_flag.yml"
    path.write_text("name: [")
    for target in ("/sign-in", "/environments/nowhere", "/setup/x", "/nowhere"):
        text = wire.ask("GET", target).text
        assert "broken_secret_flag" not in text
        assert root.name not in text
