"""How does the client speak to the server?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from flagstaff.errors import NotTaken, TokenRefused, Unavailable, UsageError
from flagstaff.sdk.refusals import server_words, token_words

if TYPE_CHECKING:
    import urllib3

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 10.0
IDLE_TIMEOUT = 40.0
"""Seconds of silence after which a stream is dead; the server speaks every 15."""

OK, NOT_MODIFIED = 200, 304
UNKNOWN = 401
_REFUSED = {UNKNOWN, 403}
_LATER = {408, 425, 429}
"""Refusals that say nothing about the same request at another time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server is, whose flags are asked and who asks.

    Attributes:
        url: of the server, without `/api`.
        environment: its name.
        token: the token itself, or empty.
        token_file: read again for every request, so that a token can be replaced while running.
        ca_file: certificates to trust instead of the system's.
    """

    url: str
    environment: str
    token: str = ""
    token_file: Path | None = None
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise UsageError(
                f"{self.url!r} is not the address of a server",
                hint="write for example https://flags.example.com",
            )

    def __repr__(self) -> str:
        return f"Address({self.url}, {self.environment})"


class Stream:
    """The bytes of one open stream, and two ways to end it from outside."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        """Yield bytes as they arrive."""
        while piece := self._response.read1(65536):
            yield piece

    def end(self) -> None:
        """End it from another thread."""
        # Older releases of urllib3 cannot do this: their stream ends when it is silent for 40 s.
        with suppress(AttributeError, ValueError, RuntimeError, OSError):
            self._response.shutdown()

    def abandon(self) -> None:
        """Let go of a socket that the parent of this process goes on reading from.

        Whoever reads it here gets an error; neither the parent nor the server notices.
        """
        with suppress(ValueError, OSError), Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), self._response.fileno())


class Transport:
    """The requests of one process; made anew after a fork, because sockets cannot be shared."""

    def __init__(self, address: Address, *, connections: int = 3) -> None:
        self._address, self._connections = address, connections
        self._base = f"{address.url.rstrip('/')}/api/v1"
        self._environment = quote(address.environment, safe="")
        self._opened: urllib3.PoolManager | None = None

    def snapshot(self, etag: str) -> tuple[bytes | None, str]:
        """Return the snapshot and its ETag; None for one that did not change since `etag`.

        Raises:
            Unavailable: the server does not answer, or refuses.
        """
        headers = {"Accept-Encoding": "gzip", **({"If-None-Match": etag} if etag else {})}
        path = f"/environments/{self._environment}/snapshot"
        with self._request("GET", path, headers=headers) as response:
            if response.status == NOT_MODIFIED:
                return None, etag
            return response.read(), response.headers.get("ETag", "")

    @contextmanager
    def stream(self) -> Iterator[Stream]:
        """Yield the stream, open until the block ends.

        Raises:
            Unavailable: the server does not answer, refuses, or was silent for 40 s.
        """
        path = f"/environments/{self._environment}/stream"
        headers = {
            "Accept": "text/event-stream",
            "Cache-Control": "no-store",
            # Servers that know nothing of it send whole snapshots, as they do to older clients.
            "X-Flagstaff-Changes": "1",
        }
        with self._request("GET", path, headers=headers, timeout=IDLE_TIMEOUT) as response:
            kind = response.headers.get("Content-Type", "")
            if not kind.startswith("text/event-stream"):
                raise Unavailable(f"{self._base}{path} answered {kind or 'without a type'}")
            yield Stream(response)

    def accepts(self, token: str, etag: str) -> bool:
        """Return whether the server lets somebody else's token read this environment.

        Args:
            token: the other's, which is shown instead of our own.
            etag: of the snapshot that is here already, so that none need be sent.

        Raises:
            Unavailable: the server does not answer, or not to this question.
        """
        headers = {"Authorization": f"Bearer {token}", **({"If-None-Match": etag} if etag else {})}
        path = f"/environments/{self._environment}/snapshot"
        try:
            with self._request("GET", path, headers=headers):
                return True
        except TokenRefused:
            return False

    def telemetry(self, body: Mapping[str, object]) -> None:
        """Send one report.

        Raises:
            Unavailable: the server does not answer, or refuses.
        """
        self._post("/telemetry", json.dumps(body, ensure_ascii=False).encode())

    def reports(self, bodies: Sequence[bytes]) -> None:
        """Send the reports of several processes, each encoded already.

        Raises:
            NotTaken: the server answers, and does not take them.
            Unavailable: the server does not answer, or refuses the token.
        """
        self._post("/telemetry/batch", b'{"reports":[%s]}' % b",".join(bodies))

    def _post(self, path: str, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        with self._request("POST", path, headers=headers, body=body) as response:
            response.read()

    @contextmanager
    def _request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: float = READ_TIMEOUT,
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        import urllib3  # noqa: PLC0415 - `import flagstaff` loads no third-party module

        place = f"{self._base}{path}"
        try:
            response = self._pool().request(
                method,
                place,
                body=body,
                headers={**self._headers(), **headers},
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=timeout),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                self._check(response, place)
                yield response
            finally:
                response.close()
        except (urllib3.exceptions.HTTPError, OSError) as exc:
            raise Unavailable(
                f"{self._base} does not answer: {exc}", hint="the last good snapshot stays in force"
            ) from exc

    def _check(self, response: urllib3.BaseHTTPResponse, place: str) -> None:
        status = response.status
        if status in _REFUSED:
            words = (
                token_words(place, self._token(), self._address.token_file)
                if status == UNKNOWN
                else f"{place} refuses the token ({status}){server_words(response)}"
            )
            raise TokenRefused(
                words,
                hint="check the token, and that it may read this environment",
            )
        if status not in {OK, NOT_MODIFIED} and not 200 <= status < 300:  # noqa: PLR2004 - HTTP
            forever = 400 <= status < 500 and status not in _LATER  # noqa: PLR2004 - HTTP
            words = f"{place} answered {status}{server_words(response)}"
            raise (NotTaken if forever else Unavailable)(words)

    def _token(self) -> str:
        file = self._address.token_file
        if file is None:
            return self._address.token
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise Unavailable(f"the token file {file} cannot be read: {exc}") from exc

    def _headers(self) -> dict[str, str]:
        token = self._token()
        if not token.isascii() or not token.isprintable():
            raise Unavailable(
                "the token has characters that no token has",
                hint="write the token alone into the file, on one line",
            )
        headers = {"User-Agent": "flagstaff-python"}
        return {**headers, "Authorization": f"Bearer {token}"} if token else headers

    def _pool(self) -> urllib3.PoolManager:
        if self._opened is None:
            import urllib3  # noqa: PLC0415 - as above

            ca = self._address.ca_file
            self._opened = urllib3.PoolManager(
                maxsize=self._connections,
                ca_certs=None if ca is None else str(ca),
            )
        return self._opened
