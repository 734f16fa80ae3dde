"""What can be set about a server?"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import Refused, UsageError

T = TypeVar("T", bound=BaseSettings)

FOLDER = ".flagstaff"
DEFAULT_PORT = 8080


class ClientLimits(BaseSettings):
    """How much clients may ask; 0 is any number.

    Attributes:
        request_rate: requests a second for each token.
        address_rate: requests a second for each address of those who show no good token; this
            machine's own are not counted.
        most_streams: streams open at a time.
        most_streams_by_client: of these, by one token, or by one address without a token.
    """

    request_rate: Annotated[float, Field(ge=0)] = 2_000
    address_rate: Annotated[float, Field(ge=0)] = 100
    most_streams: Annotated[int, Field(ge=0)] = 20_000
    most_streams_by_client: Annotated[int, Field(ge=0)] = 12_000


class EngineKind(StrEnum):
    """What makes this process look at rollouts: its own loop, Procrastinate too, or nothing."""

    BUILT_IN = "built-in"
    PROCRASTINATE = "procrastinate"
    NONE = "none"


def _engine_kind(value: object) -> object:
    """Return the kind for yes and no, too."""
    match str(value).lower():
        case "true" | "1" | "yes" | "on":
            return EngineKind.BUILT_IN
        case "false" | "0" | "no" | "off":
            return EngineKind.NONE
        case _:
            return value


class Settings(ClientLimits):
    """Each comes from an argument, else from `FLAGSTAFF_…` in the environment, else the default.

    Attributes:
        root: the project's folder.
        database: `sqlite:///FILE` or `postgresql://…`; empty is a file in `.flagstaff`.
        host: the address to listen on; beyond this machine only when an admin can sign in.
        public_url: where people and programs reach the server, such as `https://flags.internal`;
            needed beyond this machine, or behind a proxy.
        tls_cert: a file with the certificate chain; without it a proxy has to bring https.
        tls_key: a file with its key.
        trusted_proxies: addresses that may say for whom they forward, with commas between.
        port: 0 takes any free one; `None` takes 8080 or the next free one.
        flagd_port: for flagd's clients; 0 takes any free one, `None` serves none.
        speed: how much faster than real time, at least 1; `None` is as before, at first 1.
        engine: what makes this process run the rollouts: `built-in`, or on PostgreSQL
            `procrastinate`; with `none`, or `false`, others do.
        oidc_issuer: the OpenID Connect issuer, such as `https://gitlab.com`; empty is no single
            sign-on.
        oidc_client_id: what the issuer calls this server.
        oidc_client_secret_file: a file with the secret that the issuer gave for it.
        oidc_name: what people call the issuer; empty is its host.
        oidc_scopes: what the issuer is asked for, with spaces between.
        oidc_groups_claim: where the issuer says in which groups somebody is.
        oidc_roles: the roles of groups, such as `{"platform": ["admin"]}`.
        slack_bot_token_file: a file with the token `xoxb-…`; connects Slack.
        slack_signing_secret_file: a file with what Slack signs its requests with.
        slack_app_token_file: a file with the token `xapp-…`; connects by a socket instead.
        slack_api_url: where Slack's API is; another one for its own clouds.
        mattermost_url: where Mattermost is, such as `https://chat.internal`.
        mattermost_token_file: a file with the tokens of its slash commands, one a line.
        mattermost_bot_token_file: a file with the token of the bot that posts there.
        mattermost_team: the team whose channels `channels:` names, as in its addresses.
        grafana_token_file: a file with the token of a service account that may write annotations.
        event_secret_file: a file with what events for webhooks are signed with.
        on_call_token_file: a file with the key for PagerDuty's or Opsgenie's API.
    """

    model_config = SettingsConfigDict(env_prefix="FLAGSTAFF_", frozen=True)

    root: Path = Field(default_factory=Path.cwd)
    database: str = ""
    host: str = "127.0.0.1"
    public_url: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: str = "127.0.0.1,::1"
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    flagd_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    speed: Annotated[float, Field(ge=1)] | None = None
    engine: Annotated[EngineKind, BeforeValidator(_engine_kind)] = EngineKind.BUILT_IN
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret_file: Path | None = None
    oidc_name: Annotated[str, Field(max_length=60)] = ""
    oidc_scopes: str = "openid email profile"
    oidc_groups_claim: str = "groups"
    oidc_roles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    slack_bot_token_file: Path | None = None
    slack_signing_secret_file: Path | None = None
    slack_app_token_file: Path | None = None
    slack_api_url: str = "https://slack.com/api/"
    mattermost_url: str = ""
    mattermost_token_file: Path | None = None
    mattermost_bot_token_file: Path | None = None
    mattermost_team: str = ""
    grafana_token_file: Path | None = None
    event_secret_file: Path | None = None
    on_call_token_file: Path | None = None

    @property
    def folder(self) -> Path:
        """Return where the server keeps what is its own."""
        return self.root / FOLDER

    @property
    def local(self) -> bool:
        """Return whether only this machine's own users can reach the server."""
        return not self.public_url and is_loopback_host(self.host)

    @property
    def secure(self) -> bool:
        """Return whether browsers come by https."""
        return self.tls_cert is not None or self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """Return the host and port of `public_url`, in small letters."""
        return urlsplit(self.public_url).netloc.lower()

    @property
    def database_url(self) -> str:
        """Return the address of the database."""
        return self.database or f"sqlite:///{self.folder / 'state.db'}"


def load_settings(**given: Any) -> Settings:
    """Return the settings; arguments that are `None` are as if they were not given.

    Raises:
        UsageError: one of them is wrong; every wrong one is named, with where it comes from.
    """
    settings = loaded(Settings, given)
    return settings.model_copy(update={"root": settings.root.resolve()})


def loaded(kind: type[T], given: Mapping[str, Any]) -> T:
    """Return settings of a kind; arguments that are `None` are as if they were not given.

    Raises:
        UsageError: one of them is wrong; every wrong one is named, with where it comes from.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    prefix = kind.model_config.get("env_prefix", "")
    try:
        return kind(**chosen)
    except ValidationError as exc:
        wrong = []
        for each in exc.errors():
            name = str(each["loc"][0])
            place = name if name in chosen else f"{prefix}{name.upper()}"
            wrong.append(f"{place}: {each['input']!r}: {each['msg'].lower()}")
        raise UsageError("\n".join(wrong), hint="mend it, or leave it out") from exc
    except SettingsError as exc:  # those that are no plain text
        raise UsageError(
            f"{prefix}OIDC_ROLES is no JSON",
            hint="""write such as {"platform": ["admin"], "everyone": ["viewer"]}""",
        ) from exc


def check_reach(settings: Settings, *, owner: bool) -> None:
    """Refuse to be reached by others when nobody could be told apart.

    Args:
        settings: which address, and how it is reached.
        owner: whether an admin can sign in.

    Raises:
        Refused: others could reach it, and there is no owner.
        UsageError: the settings do not go together.
    """
    _check_address(settings)
    if settings.local:
        return
    if not owner:
        raise Refused(
            f"the server is not opened to others ({settings.public_url or settings.host}) before "
            "an admin can sign in: whoever reached it could change every flag",
            hint="start it without --host and --public-url, run `flagstaff person add NAME --role "
            "admin`, set the password by the link, then start it like this again; with a single "
            "sign-on, FLAGSTAFF_OIDC_ROLES can make a group admins instead",
        )
    if not settings.public_url:
        raise UsageError(
            f"--host {settings.host} needs --public-url",
            hint="say how it is reached, such as --public-url https://flags.internal; requests "
            "for other hosts are refused",
        )


def _check_address(settings: Settings) -> None:
    if settings.public_url and not is_web_address(settings.public_url):
        raise UsageError(
            f"--public-url {settings.public_url[:100]!r} is no web address",
            hint="write one such as https://flags.internal",
        )
    if urlsplit(settings.public_url).path not in {"", "/"}:
        raise UsageError(
            f"--public-url {settings.public_url[:100]!r} has a path",
            hint="Flagstaff needs a host of its own: leave out what stands behind the host",
        )
    check_files(settings.tls_cert, settings.tls_key)


def check_files(tls_cert: Path | None, tls_key: Path | None) -> None:
    """Refuse a certificate without its key.

    Raises:
        UsageError: one is missing.
    """
    if (tls_cert is None) != (tls_key is None):
        raise UsageError(
            "--tls-cert and --tls-key belong together", hint="name both files, or neither"
        )
    for file in (tls_cert, tls_key):
        if file is not None and not file.is_file():
            raise UsageError(f"there is no file {file}", hint="name a file in PEM form")


def is_loopback_host(host: str) -> bool:
    """Return whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
