"""Accounts and tokens: who may make them, what they allow, and how they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from flagstaff.commands.access_model import (
    AddPerson,
    CreateToken,
    InvitePerson,
    ListPeople,
    ListTokens,
    RemovePerson,
    RevokeToken,
    SetRoles,
)
from flagstaff.commands.model import DeleteFlag, GetFlag, ListAudit, SetFlag
from flagstaff.commands.roles import Role, parse_roles
from flagstaff.errors import Conflict, NotFound, Refused, UsageError
from flagstaff.flags.change import Boolean
from flagstaff.services import identity, people
from flagstaff.services.person import ENGINE, Person, Source
from flagstaff.services.secret import hashed

ON = Boolean(value=True)


def someone(*roles, name="bob", source=Source.WEB, account=""):
    return Person(name=name, source=source, roles=parse_roles(roles), account=account)


def set_in(*environments, **more):
    return SetFlag(flag="new_navigation", environments=environments, change=ON, **more)


@pytest.fixture
def admin(services, ada):
    services.execute(AddPerson(name="ada", roles=("admin",)), ada)
    return replace(ada, account="ada")


@pytest.fixture
def make_token(services, admin):
    def make(*roles, **more):
        command = CreateToken(label="ci", roles=roles, **{"machine": True, **more})
        return services.execute(command, admin).data

    return make


def link_of(outcome):
    return outcome.data["link"].rpartition("/")[2]


def sign_up(services, secret):
    with services.unit(ENGINE, write=True) as unit:
        name = identity.set_password(unit, secret, "argon2 hash")
        return identity.start_session(unit, name, how="a link")


def test_whoever_has_no_role_gets_nothing(services):
    nobody = someone()
    for command in (set_in("dev"), GetFlag(flag="new_navigation", environments=("dev",))):
        with pytest.raises(Refused, match="needs the role"):
            services.execute(command, nobody)
    with pytest.raises(Refused):
        services.ask(lambda unit: unit.now, nobody)


def test_a_program_is_not_told_to_change_the_roles_of_a_person(services):
    ci = Person(name="ci", source=Source.API)
    with pytest.raises(Refused) as caught:
        services.execute(set_in("dev"), ci)
    assert "ci has no role" in caught.value.hint
    assert "flagstaff token create ci --machine --role operator" in caught.value.hint
    assert "person roles" not in caught.value.hint
    with pytest.raises(Refused) as caught:
        services.execute(set_in("dev"), replace(ci, name="eve", account="eve"))
    assert "flagstaff person roles" in caught.value.hint


def test_a_role_counts_where_it_was_given(services):
    bob = someone("viewer", "operator@staging")
    assert services.execute(set_in("staging"), bob).ok
    with pytest.raises(Refused, match="operator in production") as caught:
        services.execute(set_in("staging", "production"), bob)
    assert "bob has viewer, operator@staging" in caught.value.hint
    with pytest.raises(Refused):
        services.execute(DeleteFlag(flag="new_navigation", environments=("dev",)), bob)
    assert services.execute(GetFlag(flag="new_navigation", environments=("production",)), bob).ok


def test_all_environments_are_those_that_somebody_may_see(services):
    bob = someone("viewer@staging")
    everywhere = GetFlag(flag="new_navigation", environments=())
    assert list(services.execute(everywhere, bob).data) == ["staging"]
    with pytest.raises(Refused):
        services.execute(everywhere, someone())


def test_to_overrule_needs_more_than_to_change(services):
    overruled = set_in("dev", overrides=("change-lock",), reason="because")
    with pytest.raises(Refused, match="maintainer in dev"):
        services.execute(overruled, someone("operator"))
    assert services.execute(overruled, someone("maintainer")).ok


def test_only_an_admin_changes_accounts(services, admin):
    for command in (
        AddPerson(name="eve", roles=("admin",)),
        SetRoles(name="ada", roles=("viewer",)),
        InvitePerson(name="ada"),
        RemovePerson(name="ada"),
        CreateToken(label="x", roles=("viewer",), machine=True),
    ):
        with pytest.raises(Refused, match="admin everywhere"):
            services.execute(command, someone("maintainer"))
    assert [each["name"] for each in services.execute(ListPeople(), admin).data["people"]] == [
        "ada"
    ]


def test_accounts_are_not_changed_from_chat(services, admin):
    for command in (
        AddPerson(name="eve", roles=("viewer",)),
        CreateToken(label="x", roles=("viewer",), machine=True),
    ):
        with pytest.raises(Refused, match="from chat"):
            services.execute(command, replace(admin, source=Source.CHAT))


def test_the_first_account_is_an_admins(services, ada):
    with pytest.raises(Conflict, match="has to be an admin's"):
        services.execute(AddPerson(name="bob", roles=("viewer",)), ada)


def test_there_is_always_an_admin(services, admin):
    for command in (SetRoles(name="ada", roles=("viewer",)), RemovePerson(name="ada")):
        services.execute(AddPerson(name="bob", roles=("viewer",)), admin)
        with pytest.raises(Conflict, match="the only admin"):
            services.execute(command, admin)
        services.execute(RemovePerson(name="bob"), admin)
    services.execute(AddPerson(name="eve", roles=("admin",)), admin)
    assert services.execute(SetRoles(name="ada", roles=("viewer",)), admin).ok


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (AddPerson(name="token:x", roles=("viewer",)), "no name of a person"),
        (AddPerson(name="", roles=("viewer",)), "no name of a person"),
        (AddPerson(name="eve", roles=()), "no role is given"),
        (AddPerson(name="eve", roles=("operator@moon",)), "no environment moon"),
        (AddPerson(name="eve", roles=("admin@staging",)), "cannot be"),
        (AddPerson(name="eve", roles=("viewer",), email="eve"), "no e-mail address"),
        (CreateToken(label="a/b", roles=("viewer",)), "no name of a token"),
        (CreateToken(label="x", roles=("viewer",), person="a", machine=True), "not both"),
        (CreateToken(label="x", roles=("viewer",), machine=True, expires="soon"), "length"),
    ],
)
def test_what_cannot_be_is_said(services, admin, command, words):
    with pytest.raises(UsageError, match=words):
        services.execute(command, admin)


def test_a_link_works_once(services, admin):
    secret = link_of(services.execute(AddPerson(name="bob", roles=("viewer",)), admin))
    assert services.ask(lambda unit: identity.invited(unit, secret), ENGINE) == "bob"
    session = sign_up(services, secret)
    assert identity.session_owner(services, session).name == "bob"
    with pytest.raises(NotFound, match="no longer good"):
        sign_up(services, secret)


def test_a_link_ends_with_the_next_one_and_with_time(services, admin, clock):
    first = link_of(services.execute(AddPerson(name="bob", roles=("viewer",)), admin))
    second = link_of(services.execute(InvitePerson(name="bob"), admin))
    with pytest.raises(NotFound):
        sign_up(services, first)
    clock.advance(days=2)
    with pytest.raises(NotFound):
        sign_up(services, second)


def test_an_owner_is_an_admin_who_can_sign_in(services, admin):
    assert not services.ask(people.has_owner, ENGINE)
    sign_up(services, link_of(services.execute(InvitePerson(name="ada"), admin)))
    assert services.ask(people.has_owner, ENGINE)


def test_a_session_ends_with_time_a_new_password_and_the_account(services, admin, clock):
    secret = link_of(services.execute(AddPerson(name="bob", roles=("viewer",)), admin))
    session = sign_up(services, secret)
    again = link_of(services.execute(InvitePerson(name="bob"), admin))
    other = sign_up(services, again)
    assert identity.session_owner(services, session) is None
    assert identity.session_owner(services, other).roles == {"*": Role.VIEWER}
    clock.advance(seconds=identity.SESSION_LASTS.total_seconds())
    assert identity.session_owner(services, other) is None


def test_a_removed_person_is_out_at_once(services, admin):
    secret = link_of(services.execute(AddPerson(name="bob", roles=("operator",)), admin))
    session = sign_up(services, secret)
    bob = identity.session_owner(services, session).person(Source.WEB)
    token = services.execute(CreateToken(label="laptop", roles=("viewer",)), bob).data["token"]
    assert identity.token_owner(services, token).name == "bob"
    services.execute(RemovePerson(name="bob", reason="left"), admin)
    assert identity.token_owner(services, token) is None
    assert identity.session_owner(services, session) is None


def test_a_token_speaks_for_itself_with_its_roles(services, make_token, clock):
    made = make_token("operator@staging", expires="90d")
    found = identity.token_owner(services, made["token"])
    assert (found.name, found.account) == ("token:ci", "")
    by = found.person(Source.WEB)
    assert services.execute(set_in("staging"), by).ok
    with pytest.raises(Refused):
        services.execute(set_in("dev"), by)
    clock.advance(days=90)
    assert identity.token_owner(services, made["token"]) is None


def test_a_token_never_may_more_than_its_owner(services, admin):
    services.execute(AddPerson(name="bob", roles=("viewer", "operator@staging")), admin)
    bob = someone("viewer", "operator@staging", account="bob")
    for roles in (("operator",), ("operator@production",), ("admin",)):
        with pytest.raises(Refused, match="more than bob may"):
            services.execute(CreateToken(label="x", roles=roles), bob)
    made = services.execute(CreateToken(label="x", roles=("operator@staging",)), bob).data
    assert identity.token_owner(services, made["token"]).roles["staging"] is Role.OPERATOR
    services.execute(SetRoles(name="bob", roles=("viewer",)), admin)
    assert identity.token_owner(services, made["token"]).roles["staging"] is Role.VIEWER


def test_people_revoke_their_own_tokens_and_admins_all(services, admin, make_token):
    services.execute(AddPerson(name="bob", roles=("viewer",)), admin)
    bob = someone("viewer", account="bob")
    own = services.execute(CreateToken(label="mine", roles=("viewer",)), bob).data
    other = make_token("viewer")
    assert [each["label"] for each in services.execute(ListTokens(), bob).data["tokens"]] == [
        "mine"
    ]
    assert len(services.execute(ListTokens(), admin).data["tokens"]) == 2
    with pytest.raises(Refused):
        services.execute(RevokeToken(token=other["number"]), bob)
    services.execute(RevokeToken(token=own["number"]), bob)
    services.execute(RevokeToken(token=other["number"]), admin)
    for each in (own, other):
        assert identity.token_owner(services, each["token"]) is None


@pytest.mark.parametrize("number", ["", "%", "zzzzzz", "000000000000"])
def test_a_token_that_is_none_is_said(services, admin, make_token, number):
    make_token("viewer")
    with pytest.raises(NotFound, match="no one token"):
        services.execute(RevokeToken(token=number), admin)


def test_the_use_of_a_token_is_noted_now_and_then(services, admin, make_token, clock):
    made = make_token("viewer")

    def used():
        (token,) = services.execute(ListTokens(), admin).data["tokens"]
        return token["used_at"]

    assert used() is None
    identity.token_owner(services, made["token"])
    first = used()
    clock.advance(minutes=5)
    identity.token_owner(services, made["token"])
    assert used() == first
    clock.advance(seconds=(identity.USE_IS_NEWS - timedelta(minutes=4)).total_seconds())
    identity.token_owner(services, made["token"])
    assert used() > first


def test_the_log_knows_who_did_it_and_no_secret(services, admin, make_token):
    made = make_token("viewer")
    outcome = services.execute(AddPerson(name="bob", roles=("viewer",)), admin)
    session = sign_up(services, link_of(outcome))
    told = str(services.execute(ListAudit(limit=100), admin))
    assert "token.create" in told
    assert "person.sign_in" in told
    secrets = (made["token"], link_of(outcome), session)
    for secret in secrets:
        assert secret not in told
        assert hashed(secret) not in told
