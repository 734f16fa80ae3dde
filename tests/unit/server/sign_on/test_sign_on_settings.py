"""What is wrong with the settings of a single sign-on is said at the start, with the remedy."""

from __future__ import annotations

import pytest

from flagstaff.commands.access_model import AddPerson
from flagstaff.errors import Refused, UsageError
from flagstaff.server.app import build
from flagstaff.server.auth.sign_on_settings import SignOnSettings, sign_on_settings
from flagstaff.server.settings import Settings, load_settings
from flagstaff.services import people
from flagstaff.services.person import ENGINE
from flagstaff.store import people as store

GOOD = {"oidc_issuer": "https://gitlab.example", "oidc_client_id": "flags"}


@pytest.fixture
def read(services, tmp_path):
    def reading(**given) -> SignOnSettings | None:
        settings = Settings(root=tmp_path, **given)
        return services.ask(lambda unit: sign_on_settings(settings, unit), ENGINE)

    return reading


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"oidc_issuer": "gitlab.example"}, "ISSUER: 'gitlab.example' is no address"),
        ({"oidc_issuer": "http://gitlab.example"}, "is not https"),
        ({"oidc_issuer": "https://gitlab.example?x=1"}, "is no address"),
        ({"oidc_issuer": "https://me:secret@gitlab.example"}, "is no address"),
        ({"oidc_issuer": "https://gitlab.example/" + "x" * 255}, "is no address"),
        ({"oidc_issuer": ""}, "CLIENT_ID is set, and FLAGSTAFF_OIDC_ISSUER is not"),
        ({"oidc_client_id": ""}, "ISSUER is set, and FLAGSTAFF_OIDC_CLIENT_ID is not"),
        ({"oidc_client_secret_file": "nowhere"}, "SECRET_FILE: nowhere cannot be read: No such"),
        ({"oidc_roles": {"a": ("boss",)}}, "ROLES: group 'a': 'boss' is no role"),
        ({"oidc_roles": {"a": ()}}, "ROLES: group 'a': no role is given"),
        ({"oidc_roles": {"a": ("viewer@moon",)}}, "ROLES: group 'a': there is no environment"),
    ],
)
def test_wrong_ones_are_named(read, wrong, words):
    with pytest.raises(UsageError) as caught:
        read(**{**GOOD, **wrong})
    assert words in caught.value.message
    assert caught.value.message.startswith("FLAGSTAFF_OIDC_")
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff\xfe"])
def test_a_secret_file_without_a_secret_is_named(read, tmp_path, content):
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="SECRET_FILE") as caught:
        read(**GOOD, oidc_client_secret_file=file)
    assert "two" not in caught.value.message


def test_what_was_left_out_is_the_usual(read, tmp_path):
    assert read() is None
    file = tmp_path / "secret"
    file.write_text("hush\n")
    found = read(**GOOD, oidc_client_secret_file=file, oidc_scopes="email")
    assert (found.name, found.secret, found.scopes) == ("gitlab.example", "hush", "openid email")
    assert "hush" not in repr(found)
    assert read(**{**GOOD, "oidc_issuer": "http://127.0.0.1:9"}).issuer == "http://127.0.0.1:9"


def test_roles_come_from_the_environment_as_json(monkeypatch, tmp_path):
    monkeypatch.setenv("FLAGSTAFF_OIDC_ROLES", '{"platform": ["admin"]}')
    assert load_settings(root=tmp_path).oidc_roles == {"platform": ("admin",)}
    monkeypatch.setenv("FLAGSTAFF_OIDC_ROLES", "{platform: admin}")
    with pytest.raises(UsageError, match="FLAGSTAFF_OIDC_ROLES is no JSON"):
        load_settings(root=tmp_path)
    monkeypatch.setenv("FLAGSTAFF_OIDC_ROLES", '{"platform": "admin"}')
    with pytest.raises(UsageError, match="FLAGSTAFF_OIDC_ROLES"):
        load_settings(root=tmp_path)


def test_a_group_of_admins_opens_a_new_server(root):
    outside = {"root": root, "engine": False, "public_url": "https://flags.internal", **GOOD}
    with pytest.raises(Refused, match="before an admin can sign in"):
        build(Settings(**outside, oidc_roles={"platform": ("maintainer",)}))
    build(Settings(**outside, oidc_roles={"platform": ("admin",)})).close()


def test_who_counts_as_able_to_sign_in(services):
    def able(issuer=""):
        return services.ask(lambda unit: people.has_owner(unit, issuer=issuer), ENGINE)

    services.execute(AddPerson(name="ada", roles=("admin",)), ENGINE)
    assert not able("https://a.example")
    services.execute(AddPerson(name="bob", roles=("admin",), email="bob@example.com"), ENGINE)
    assert not able()
    assert able("https://a.example")
    with services.unit(ENGINE, write=True) as unit:
        store.remove(unit.connection, "bob")
        store.set_subject(unit.connection, "ada", "https://a.example|1")
    assert able("https://a.example")
    assert not able("https://b.example")
    assert not able("https://a.examp")
    with services.unit(ENGINE, write=True) as unit:
        store.set_password(unit.connection, "ada", "argon2 hash")
    assert able()
