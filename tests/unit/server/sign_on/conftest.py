from __future__ import annotations

import pytest

from flagstaff.server.app import build
from flagstaff.server.settings import Settings
from issuer import CLIENT, SECRET, StandInIssuer, new_key
from sign_on_browser import BASE, new_browser

ROLES = {"platform": ("admin",), "everyone": ("viewer", "operator@dev")}


@pytest.fixture(scope="module")
def key():
    return new_key()


@pytest.fixture
def issuer(key):
    with StandInIssuer(f"{BASE}/sign-in/back", key) as server:
        yield server


@pytest.fixture
def settings(root, tmp_path, issuer):
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return Settings(
        root=root,
        engine=False,
        public_url=BASE,
        oidc_issuer=issuer.url,
        oidc_client_id=CLIENT,
        oidc_client_secret_file=file,
        oidc_name="Our GitLab",
        oidc_roles=ROLES,
    )


@pytest.fixture
def application(settings, put_tables):
    put_tables(settings.root)
    built = build(settings)
    yield built
    built.close()


@pytest.fixture
def browser(application):
    return new_browser(application)
