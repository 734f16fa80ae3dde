"""How do we ask an OpenID Connect issuer who somebody is? By a code, with PKCE."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from flagstaff.commands.roles import larger
from flagstaff.errors import Refused, Unavailable
from flagstaff.server.auth.discovery import Discovery
from flagstaff.server.auth.fetching import HINT, fetch
from flagstaff.server.auth.id_token import UnknownKey, claims_of
from flagstaff.server.auth.sign_on_settings import SignOnSettings
from flagstaff.services.sign_on import HalfDone, SignedOn

LONGEST_ADDRESS = 255
_CODE_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,60}")


class Issuer:
    """The issuer of the settings; safe from any thread."""

    def __init__(self, settings: SignOnSettings, discovery: Discovery | None = None) -> None:
        self._settings = settings
        self._discovery = discovery or Discovery(settings.issuer, settings.name)

    def check(self) -> None:
        """Find out where the issuer is to be asked.

        Raises:
            Unavailable: it does not answer.
        """
        self._discovery.doors()

    def address(self, half_done: HalfDone, state: str) -> str:
        """Return where to send the browser."""
        return str(
            prepare_grant_uri(
                self._discovery.doors().authorization,
                client_id=self._settings.client_id,
                response_type="code",
                redirect_uri=half_done.redirect_uri,
                scope=self._settings.scopes,
                state=state,
                nonce=half_done.nonce,
                code_challenge=create_s256_code_challenge(half_done.verifier),
                code_challenge_method="S256",
            )
        )

    def check_sender(self, named: str) -> None:
        """Refuse an answer that another issuer has sent (RFC 9207).

        Raises:
            Refused: it has, or does not say where it comes from and should.
        """
        if named != self._settings.issuer and (named or self._discovery.doors().names_itself):
            raise Refused(
                f"this answer is not from {self._settings.name}",
                hint="sign in again, and only there",
            )

    def identify(self, half_done: HalfDone, code: str) -> SignedOn:
        """Return whom a code stands for.

        Raises:
            Refused: the issuer does not take the code, or its token is not good.
            Unavailable: it does not answer.
        """
        since = self._discovery.now()
        answer = self._exchanged(half_done, code)
        access_token = str(answer.get("access_token") or "")
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise Refused(
                f"{self._settings.name} sends no ID token",
                hint="is the scope `openid` allowed for this client there?",
            )
        try:
            claims = self._claims(half_done, id_token, access_token)
        except UnknownKey:
            # Only the issuer itself gets here, so nobody else can make us ask again and again.
            claims = self._claims(half_done, id_token, access_token, keys_since=since)
        return self._signed_on(claims, access_token)

    def _claims(
        self, half_done: HalfDone, token: str, access_token: str, keys_since: float | None = None
    ) -> Mapping[str, Any]:
        try:
            return claims_of(
                token,
                self._discovery.keys(older_than=keys_since),
                issuer=self._settings.issuer,
                client_id=self._settings.client_id,
                nonce=half_done.nonce,
                access_token=access_token,
            )
        except UnknownKey as exc:
            if keys_since is None:
                raise
            raise Refused(
                "the issuer's ID token is not signed with one of its keys",
                hint="sign in again; if it stays so, ask whoever runs the issuer",
            ) from exc

    def _exchanged(self, half_done: HalfDone, code: str) -> Mapping[str, Any]:
        settings, doors = self._settings, self._discovery.doors()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": half_done.redirect_uri,
            "code_verifier": half_done.verifier,
        }
        headers = {}
        if settings.secret and "client_secret_basic" in doors.methods:
            # RFC 6749 wants both encoded as in a form before they are joined.
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.secret)}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = settings.client_id
            if settings.secret:
                form["client_secret"] = settings.secret
        status, answer = fetch(settings.name, "POST", doors.token, form=form, headers=headers)
        if status == 200:  # noqa: PLR2004
            return answer
        error = code_word(answer.get("error"))
        if error in {"invalid_client", "unauthorized_client"}:
            raise Refused(
                f"{settings.name} does not know this server: {error}",
                hint="an admin looks at FLAGSTAFF_OIDC_CLIENT_ID and "
                "FLAGSTAFF_OIDC_CLIENT_SECRET_FILE",
            )
        if status >= 500:  # noqa: PLR2004
            raise Unavailable(f"{settings.name} answers {status}", hint=HINT)
        raise Refused(f"{settings.name} refuses: {error or status}", hint="sign in again")

    def _signed_on(self, claims: Mapping[str, Any], access_token: str) -> SignedOn:
        settings = self._settings
        more = self._more(claims, access_token)
        # An address and whether it is verified belong together, so both are of one document.
        said = claims if {"email", "email_verified"} <= claims.keys() else more
        groups = claims.get(settings.groups_claim, more.get(settings.groups_claim))
        named = [groups] if isinstance(groups, str) else groups
        roles = [
            settings.roles[each]
            for each in (named if isinstance(named, list) else [])
            if isinstance(each, str) and each in settings.roles
        ]
        user_name = claims.get("preferred_username") or more.get("preferred_username")
        return SignedOn(
            issuer=settings.issuer,
            subject=claims["sub"],
            email=_verified_email(said),
            user_name=user_name if isinstance(user_name, str) else "",
            roles=larger(roles),
        )

    def _more(self, claims: Mapping[str, Any], access_token: str) -> Mapping[str, Any]:
        """Return what the issuer says elsewhere, if its token does not say all."""
        wanted = {"email", "email_verified"}
        if self._settings.roles:
            wanted.add(self._settings.groups_claim)
        url = self._discovery.doors().userinfo
        if wanted <= claims.keys() or not url or not access_token:
            return {}
        bearer = {"authorization": f"Bearer {access_token}"}
        status, more = fetch(self._settings.name, "GET", url, headers=bearer)
        if status != 200:  # noqa: PLR2004
            raise Unavailable(
                f"{self._settings.name} does not say more of you: {status}", hint=HINT
            )
        if more.get("sub") != claims["sub"]:
            raise Refused(
                f"{self._settings.name} speaks of two people at once", hint="sign in again"
            )
        return more


def code_word(text: object) -> str:
    """Return an error's code if it is one, so that nobody gets other words onto our pages."""
    return text if isinstance(text, str) and _CODE_WORD.fullmatch(text) else ""


def _verified_email(said: Mapping[str, Any]) -> str:
    """Return an address in small letters; only ASCII, where no two letters become one."""
    email = said.get("email")
    if said.get("email_verified") is not True or not isinstance(email, str):
        return ""
    usable = email.isascii() and email.isprintable() and len(email) <= LONGEST_ADDRESS
    return email.lower() if usable else ""
