"""Whom does a single sign-on let in, and as whom?

First whoever has come by it before, then whoever has an account with the same verified address, and
last whoever is in a group that has roles: they get an account, whose roles follow their groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final

from flagstaff.commands.roles import Roles, role_texts
from flagstaff.services.people import NAME, PEOPLE
from flagstaff.services.person import ENGINE
from flagstaff.services.secret import hashed, new_secret
from flagstaff.services.unit import Unit
from flagstaff.store import credentials, people
from flagstaff.store.credentials import Credential, Kind
from flagstaff.store.people import Account

SIGN_ON_LASTS: Final = timedelta(minutes=10)
"""How long somebody may take between leaving for the issuer and coming back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfDone:
    """A sign-on whose person is still at the issuer; in the database, so any replica can end it.

    Attributes:
        issuer: where they were sent.
        nonce: what the issuer's token has to repeat.
        verifier: what alone can turn the issuer's code into a token (PKCE).
        redirect_uri: where the issuer was told to send them back.
        browser: the hash of the secret in the cookie of the browser that began.
        then: the page they wanted.
    """

    issuer: str
    nonce: str
    verifier: str
    redirect_uri: str
    browser: str
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOn:
    """Who somebody is at the issuer.

    Attributes:
        subject: the issuer's own name for them, which nobody else ever gets.
        email: their address if the issuer has verified it, else empty.
        user_name: what they call themselves; proves nothing.
        roles: what their groups allow.
    """

    issuer: str
    subject: str
    email: str
    user_name: str
    roles: Roles

    @property
    def known_as(self) -> str:
        """Return what an account remembers of them."""
        return f"{self.issuer}|{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Which account somebody comes in with; or, with a `refusal`, why with none."""

    name: str = ""
    refusal: str = ""
    hint: str = ""


def begin(unit: Unit, half_done: HalfDone) -> str:
    """Remember a sign-on that has begun; return its state, the secret that comes back with them."""
    credentials.remove_expired(unit.connection, unit.wall)
    state = new_secret()
    credentials.add(
        unit.connection,
        Credential(
            hash=hashed(state),
            kind=Kind.SIGN_ON,
            details=asdict(half_done),
            created_at=unit.wall,
            created_by=unit.by.name,
            expires_at=unit.wall + SIGN_ON_LASTS,
        ),
    )
    return state


def is_half_done(unit: Unit, state: str) -> bool:
    """Return whether a sign-on with this state waits for its end."""
    found = credentials.get(unit.connection, hashed(state), Kind.SIGN_ON)
    return found is not None and not found.over(unit.wall)


def take(unit: Unit, state: str) -> HalfDone | None:
    """Return the sign-on with this state, and forget it: it works once."""
    found = credentials.get(unit.connection, hashed(state), Kind.SIGN_ON, lock=True)
    if found is None or not credentials.remove(unit.connection, found.hash):
        return None
    return None if found.over(unit.wall) else HalfDone(**found.details or {})


def admit(unit: Unit, who: SignedOn) -> Admitted:
    """Find or make the account of somebody whom the issuer has vouched for.

    A refusal is returned, not raised: that somebody has lost their roles has to be kept.
    """
    known = people.find(unit.connection, subject=who.known_as)
    if known:
        return _followed(unit, known[0], who)
    if who.email and (same := people.find(unit.connection, email=who.email)):
        return _by_email(unit, same, who)
    return _created(unit, who)


def _by_email(unit: Unit, same: list[Account], who: SignedOn) -> Admitted:
    account = same[0]
    if len(same) > 1:
        return Admitted(
            refusal=f"{who.email} is the address of {len(same)} accounts",
            hint="an admin can remove all but one of them under Settings",
        )
    if account.subject == who.known_as:  # they have signed in twice at once
        return _followed(unit, account, who)
    # Addresses are given to new people when somebody leaves; what the last one had stays theirs.
    if account.subject.startswith(f"{who.issuer}|"):
        return Admitted(
            refusal=f"{who.email} was somebody else's address when {account.name} first signed in",
            hint=f"if {account.name} is gone, an admin removes that account under Settings and "
            "adds a new one",
        )
    people.set_subject(unit.connection, account.name, who.known_as)
    _note(unit, "person.sign_on", f"{account.name} is known by single sign-on as {who.known_as}")
    return _followed(unit, account, who)


def _followed(unit: Unit, account: Account, who: SignedOn) -> Admitted:
    """Give an account the roles of its groups, if that is where its roles come from."""
    if not account.follows_groups:
        return Admitted(name=account.name)
    if account.roles != who.roles:
        people.set_roles(unit.connection, account.name, who.roles)
        was, now = _words(account.roles), _words(who.roles)
        _note(unit, "person.roles", f"{account.name} is {now} by their groups, was {was}")
    if who.roles:
        return Admitted(name=account.name)
    credentials.remove_of(unit.connection, account.name, Kind.SESSION)
    return Admitted(
        refusal=f"{account.name} is in no group any more that may do anything here",
        hint="ask for a group that has roles here, or an admin for roles of your own",
    )


def _created(unit: Unit, who: SignedOn) -> Admitted:
    if not who.roles:
        known = who.email or "somebody without a verified address"
        return Admitted(
            refusal=f"nobody here has an account that belongs to {known}, and none of your groups "
            "has a role here",
            hint="an admin can add you: flagstaff person add NAME --role viewer "
            f"--email {who.email or 'ADDRESS'}",
        )
    for name in _names(who):
        account = Account(
            name=name,
            email=who.email,
            roles=who.roles,
            subject=who.known_as,
            follows_groups=True,
            created_at=unit.now,
            created_by=unit.by.name,
        )
        if people.add_new(unit.connection, account):
            text = f"{name} added by their groups as {_words(who.roles)}; known by single sign-on"
            _note(unit, "person.add", f"{text} as {who.known_as}")
            return Admitted(name=name)
        if added := people.find(unit.connection, subject=who.known_as):  # twice at once
            return Admitted(name=added[0].name)
    return Admitted(
        refusal=f"there are other accounts called {' and '.join(_names(who))}",
        hint="an admin can remove them, or add you under another name with your address",
    )


def _names(who: SignedOn) -> Iterator[str]:
    """Give names for a new account, the best first: a verified address is nobody else's."""
    number = hashed(who.known_as)[:8]
    for each in (who.email, who.user_name):
        if NAME.fullmatch(each) and each.lower() != ENGINE.name:
            yield each
            if len(each) <= 90:  # noqa: PLR2004 leaves room for the number
                yield f"{each}-{number}"
    yield f"person-{number}"


def _note(unit: Unit, action: str, text: str) -> None:
    unit.changed.add(PEOPLE)
    unit.record(action, text=text)


def _words(roles: Roles) -> str:
    return ", ".join(role_texts(roles)) or "nothing"
