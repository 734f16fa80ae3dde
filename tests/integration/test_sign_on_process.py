"""A real server and a real issuer: a browser goes from one to the other and back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import httpx2
import pytest

from issuer import CLIENT, SECRET, StandInIssuer, new_key

pytestmark = [pytest.mark.enable_socket, pytest.mark.network]

PATIENCE = 60.0

SCRIPT = """
import sys
from flagstaff.server.run import serve
from flagstaff.server.settings import load_settings
def ready(url):
    print(url, flush=True)
serve(load_settings(root=sys.argv[1], port=0, engine=False), ready=ready)
"""


@pytest.fixture
def issuer():
    with StandInIssuer("", new_key()) as server:
        yield server


@pytest.fixture
def start(tmp_path, issuer):
    """Start servers on one database, as replicas are, though one after the other."""
    begun = []

    def starting(**settings):
        secret = tmp_path / "secret"
        secret.write_text(SECRET)
        given = {
            "ISSUER": issuer.url,
            "CLIENT_ID": CLIENT,
            "CLIENT_SECRET_FILE": str(secret),
            "ROLES": json.dumps({"platform": ["admin"]}),
            **settings,
        }
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path)],
            env={**os.environ, **{f"FLAGSTAFF_OIDC_{key}": text for key, text in given.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), process.stderr.read()
        return process, url

    yield starting
    for process in begun:
        process.kill()
        process.communicate()


def stop(process):
    process.send_signal(signal.SIGTERM)
    return "".join(process.communicate())


def test_a_browser_signs_in_and_out(start, issuer):
    process, url = start()
    issuer.redirect_uri = f"{url}/sign-in/back"
    issuer.person["groups"] = ["platform"]
    with httpx2.Client(base_url=url, follow_redirects=True, timeout=PATIENCE) as browser:
        page = browser.get("/sign-in/with", params={"then": "/settings"})
        assert (page.status_code, page.url.path) == (200, "/settings")
        assert "ada@example.com" in page.text
        session = browser.cookies["flagstaff_session"]
        browser.post("/sign-out", headers={"origin": url})
        assert browser.get("/settings").url.path == "/sign-in"
    issuer.secret = "changed there"
    with httpx2.Client(base_url=url, follow_redirects=True, timeout=PATIENCE) as browser:
        refused = browser.get("/sign-in/with")
        assert refused.status_code == 403
        assert "FLAGSTAFF_OIDC_CLIENT_SECRET_FILE" in refused.text
    said = stop(process)
    for secret in (SECRET, session, *issuer.given):
        assert secret not in said


def test_another_server_ends_what_one_began(start, issuer):
    process, url = start()
    issuer.redirect_uri = f"{url}/sign-in/back"
    issuer.person["groups"] = ["platform"]
    with httpx2.Client(follow_redirects=False, timeout=PATIENCE) as browser:
        away = browser.get(f"{url}/sign-in/with").headers["location"]
        back = browser.get(away).headers["location"]
        stop(process)
        _, other = start()
        # A browser keeps cookies by host, not by port: to it both are one server.
        answer = browser.get(back.replace(url, other))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert browser.get(f"{other}/settings").status_code == 200
