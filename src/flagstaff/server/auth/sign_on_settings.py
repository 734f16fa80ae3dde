"""Which single sign-on is there, and what do its groups allow?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from flagstaff.commands.roles import EVERYWHERE, Role, Roles
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import FlagstaffError, UsageError
from flagstaff.server.settings import Settings, is_loopback_host
from flagstaff.services.people import checked_roles
from flagstaff.services.unit import Unit

LONGEST_ISSUER = 255
PREFIX = "FLAGSTAFF_OIDC_"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnSettings:
    """One OpenID Connect issuer, and what this server is to it.

    Attributes:
        secret: empty for a client without one, which PKCE alone protects.
        roles: by group.
        public_url: where the issuer sends people back to; empty is where they came from, which is
            this machine.
    """

    issuer: str
    client_id: str
    secret: str = field(repr=False, default="")
    name: str
    scopes: str
    groups_claim: str
    roles: Mapping[str, Roles]
    public_url: str
    secure: bool

    @property
    def has_admins(self) -> bool:
        """Return whether a group's people may do everything."""
        return any(each.get(EVERYWHERE) is Role.ADMIN for each in self.roles.values())


def sign_on_settings(settings: Settings, unit: Unit) -> SignOnSettings | None:
    """Return the single sign-on, `None` where there is none.

    Raises:
        UsageError: a setting is missing or wrong.
    """
    if not settings.oidc_issuer:
        given = [
            name for name in ("client_id", "client_secret_file", "roles") if _is_set(settings, name)
        ]
        if given:
            raise UsageError(
                f"{PREFIX}{given[0].upper()} is set, and {PREFIX}ISSUER is not",
                hint=f"set {PREFIX}ISSUER, such as https://gitlab.com, or leave out the other",
            )
        return None
    _check_issuer(settings.oidc_issuer)
    if not settings.oidc_client_id:
        raise UsageError(
            f"{PREFIX}ISSUER is set, and {PREFIX}CLIENT_ID is not",
            hint="register Flagstaff at the issuer as a web application; it gives the client id",
        )
    scopes = settings.oidc_scopes.split()
    return SignOnSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=_secret(settings.oidc_client_secret_file),
        name=settings.oidc_name or urlsplit(settings.oidc_issuer).netloc,
        scopes=" ".join(scopes if "openid" in scopes else ["openid", *scopes]),
        groups_claim=settings.oidc_groups_claim,
        roles={group: _roles(unit, group, texts) for group, texts in settings.oidc_roles.items()},
        public_url=settings.public_url.rstrip("/"),
        secure=settings.secure,
    )


def _is_set(settings: Settings, name: str) -> bool:
    return bool(getattr(settings, f"oidc_{name}"))


def _check_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    plain = is_web_address(issuer) and len(issuer) <= LONGEST_ISSUER
    if not plain or parts.query or parts.fragment or "@" in parts.netloc or "|" in issuer:
        raise UsageError(
            f"{PREFIX}ISSUER: {issuer[:100]!r} is no address of an issuer",
            hint="write it as its discovery document does, such as https://gitlab.com",
        )
    if parts.scheme != "https" and not is_loopback_host(parts.hostname or ""):
        raise UsageError(
            f"{PREFIX}ISSUER: {issuer[:100]!r} is not https",
            hint="whoever stands between could sign in as anybody; only on this machine it may be "
            "http",
        )


def _secret(file: Path | None) -> str:
    if file is None:
        return ""
    place = f"{PREFIX}CLIENT_SECRET_FILE: {file}"
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise UsageError(
            f"{place} cannot be read: {why}",
            hint="write the secret that the issuer gave into it, and let the server read it",
        ) from exc
    if not text or not text.isprintable():
        raise UsageError(f"{place} has no secret on one line", hint="write it there, and no more")
    return text


def _roles(unit: Unit, group: str, texts: tuple[str, ...]) -> Roles:
    try:
        return checked_roles(unit, texts)
    except FlagstaffError as exc:
        raise UsageError(
            f"{PREFIX}ROLES: group {group[:60]!r}: {exc.message}", hint=exc.hint
        ) from exc
