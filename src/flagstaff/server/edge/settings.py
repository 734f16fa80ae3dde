"""What can be set about an edge?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from flagstaff.definitions.duration import format_duration
from flagstaff.definitions.web_address import is_web_address
from flagstaff.errors import Refused, UsageError
from flagstaff.sdk.transport import Address
from flagstaff.server.settings import ClientLimits, check_files, is_loopback_host

USUAL = "production"
LEAST_STALE = timedelta(seconds=30)
"""Less would call an edge stale that merely waits for the next sign of life, due every 15 s."""


class EdgeSettings(ClientLimits):
    """Each comes from an argument, else from `FLAGSTAFF_EDGE_…`, else it is the default.

    Attributes:
        upstream: the address of the control plane, or of another edge.
        token_file: a file with a token that may read the environments; read again at each request.
        environments: which are served, with commas between.
        folder: where the last good snapshots are kept; one for each control plane.
        host: the address to listen on; beyond this machine only with `public_url`.
        port: 0 takes any free one; `None` takes 8080 or the next free one.
        public_url: where applications reach the edge, such as `https://flags-eu.internal`.
        tls_cert: a file with the certificate chain; without it a proxy has to bring https.
        tls_key: a file with its key.
        trusted_proxies: addresses that may say for whom they forward, with commas between.
        ca_file: certificates by which the control plane is known, instead of the system's.
        max_stale: how old flags may be for the edge to call itself ready; None is any age.
        public: whether the frontend API answers without a token, for a CDN to keep.
    """

    model_config = SettingsConfigDict(env_prefix="FLAGSTAFF_EDGE_", frozen=True)

    upstream: str
    token_file: Path
    environments: str = USUAL
    folder: Path = Path(".flagstaff/edge")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] | None = None
    public_url: str = ""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: str = "127.0.0.1,::1"
    ca_file: Path | None = None
    max_stale: timedelta | None = None
    public: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the environments, each once."""
        return tuple(dict.fromkeys(each.strip() for each in self.environments.split(",") if each))

    @property
    def public_host(self) -> str:
        """Return the host and port of `public_url`, in small letters."""
        return urlsplit(self.public_url).netloc.lower()

    @property
    def local(self) -> bool:
        """Return whether only this machine's own programs can reach the edge."""
        return not self.public_url and is_loopback_host(self.host)

    @property
    def secure(self) -> bool:
        """Return whether applications come by https."""
        return self.tls_cert is not None or self.public_url.startswith("https://")

    def address(self, environment: str) -> Address:
        """Return where an environment is followed.

        Raises:
            UsageError: `upstream` is no address.
        """
        return Address(
            url=self.upstream,
            environment=environment,
            token_file=self.token_file,
            ca_file=self.ca_file,
        )


def check_edge(settings: EdgeSettings) -> str:
    """Return the token of the edge, if all settings go together.

    Raises:
        UsageError: they do not.
        Refused: others could reach the edge under any name.
    """
    if not settings.names or not all(settings.names):
        raise UsageError(
            "no environment is named", hint="write for example --environments production,staging"
        )
    settings.address(settings.names[0])
    check_files(settings.tls_cert, settings.tls_key)
    if settings.public_url and not is_web_address(settings.public_url):
        raise UsageError(
            f"--public-url {settings.public_url[:100]!r} is no web address",
            hint="write one such as https://flags-eu.internal",
        )
    if not settings.public_url and not is_loopback_host(settings.host):
        raise Refused(
            f"the edge is not opened to others on {settings.host} without --public-url",
            hint="say how it is reached, such as --public-url https://flags-eu.internal; requests "
            "for other hosts are refused",
        )
    if settings.max_stale is not None and settings.max_stale < LEAST_STALE:
        raise UsageError(
            f"--max-stale {format_duration(settings.max_stale)} is too short",
            hint=f"the control plane is heard every 15 s; write {format_duration(LEAST_STALE)} or "
            "more",
        )
    if settings.public and len(settings.names) > 1:
        raise UsageError(
            f"a public edge serves one environment, not {len(settings.names)}",
            hint="run one edge for each: what it answers is open to everyone",
        )
    try:
        token = settings.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"the token file {settings.token_file} cannot be read: {exc}",
            hint="`flagstaff token create` on the control plane makes a token; write it there",
        ) from exc
    if not token:
        raise UsageError(
            f"the token file {settings.token_file} is empty",
            hint="`flagstaff token create` on the control plane makes a token; write it there",
        )
    return token
