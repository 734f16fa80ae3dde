"""How does a command reach a control plane in another process?"""

from __future__ import annotations

import contextlib
import getpass
import ipaddress
import json
import os
from dataclasses import dataclass, fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from flagstaff.commands.outcome import Outcome
from flagstaff.errors import (
    DefinitionError,
    FlagstaffError,
    ImportProblems,
    Problem,
    Refused,
    Unavailable,
    UsageError,
)

if TYPE_CHECKING:
    from http.client import HTTPConnection

    from flagstaff.commands.model import Command

CONNECT_TIMEOUT = 5.0
TIMEOUT = 60.0
STATE_FOLDER = ".flagstaff"
WRITE_ADDRESS = "write http://HOST:PORT"
START = "start it with: flagstaff server"


class Answer(NamedTuple):
    """What a server answered, before it is read."""

    status: int
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A control plane and the token for it."""

    url: str
    token: str
    person: str = ""

    @classmethod
    def find(cls, url: str = "") -> Server:
        """Return the server that is meant: the one named, in the environment, or of this project.

        The token of the project goes to this machine only; elsewhere `FLAGSTAFF_TOKEN_FILE` counts.

        Raises:
            Unavailable: no server was ever started here.
            UsageError: what names the server or its token is wrong.
            Refused: the project's token may not be read.
        """
        folder = _state_folder(Path.cwd())
        named = url or os.environ.get("FLAGSTAFF_URL", "") or _announced(folder)
        if not named:
            raise Unavailable(
                "no Flagstaff server is known for this folder",
                hint="start one with: flagstaff server, or name one with --server or FLAGSTAFF_URL",
            )
        named = named.rstrip("/")
        return cls(url=named, token=_token(folder, _address(named)))

    def execute(self, command: Command, *, dry_run: bool = False) -> Outcome:
        """Send a command and return its outcome.

        Raises:
            FlagstaffError: what the server says is wrong, or that it does not answer.
        """
        path = "/api/v1/commands" + ("?dry_run=true" if dry_run else "")
        answer = self.request(path, encoded(command))
        try:
            return Outcome(
                ok=answer["ok"], text=answer["text"], next=answer["next"], data=answer["data"]
            )
        except (KeyError, TypeError) as exc:
            raise self._stranger("its answer is of another kind") from exc

    def request(self, path: str, body: object = None, *, timeout: float = TIMEOUT) -> Any:
        """Return the JSON answer to a GET, or to a POST when there is a body.

        It is waited for `timeout` seconds.

        Raises:
            FlagstaffError: what the server says is wrong, or that it does not answer.
        """
        answer = self._exchange(path, body, timeout)
        try:
            read = json.loads(answer.body)
            if answer.status < 300:  # noqa: PLR2004
                return read
            problem = _error(answer.status, read)
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise self._stranger(f"{answer.status} {answer.reason}") from exc
        raise problem

    def silent(self, why: object, *, hint: str = START) -> Unavailable:
        """Return the error for a server that does not answer."""
        reason = getattr(why, "strerror", None) or str(why) or type(why).__name__
        return Unavailable(
            f"the Flagstaff server at {self.url} does not answer: {reason.lower()}", hint=hint
        )

    def _stranger(self, why: str) -> Unavailable:
        return Unavailable(
            f"what answers at {self.url} is no Flagstaff server ({why})",
            hint="check the address in --server or FLAGSTAFF_URL, or run: flagstaff server",
        )

    def _exchange(self, path: str, body: object, timeout: float) -> Answer:
        from http.client import HTTPException  # noqa: PLC0415 loads slowly, and help needs no HTTP

        address = _address(self.url)
        text = None if body is None else json.dumps(body)
        with contextlib.closing(_connection(address)) as connection:
            try:
                connection.connect()
            except OSError as exc:
                raise self.silent(exc) from exc
            connection.sock.settimeout(timeout)
            try:
                method = "GET" if body is None else "POST"
                connection.request(method, address.path + path, text, self._headers())
                answer = connection.getresponse()
                return Answer(answer.status, answer.reason, answer.read())
            except (OSError, HTTPException) as exc:
                hint = START if body is None else f"{START}, and look before you ask again"
                raise self.silent(exc, hint=hint) from exc

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "X-Flagstaff-Person": quote(self.person or _myself(), safe=" @"),
            "X-Flagstaff-Source": "terminal",
        }


def encoded(value: Any) -> Any:
    """Return a command as the JSON-ready data that the codec reads.

    The codec itself also checks what it reads, and takes longer to load than a server to answer.
    """
    if is_dataclass(value):
        members = {each.name: encoded(getattr(value, each.name)) for each in fields(value)}
        return {"kind": type(value).__name__, **members}
    if isinstance(value, tuple):
        return [encoded(each) for each in value]
    return str(value) if isinstance(value, Decimal) else value


def _connection(address: SplitResult) -> HTTPConnection:
    """Return a connection that is not open yet; no proxy and no redirect ever sees the token."""
    from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415 as above

    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    return kind(address.hostname or "", address.port, timeout=CONNECT_TIMEOUT)


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as exc:
        raise UsageError(f"{url!r} is no address of a server: {exc}", hint=WRITE_ADDRESS) from exc
    whole = address.scheme in {"http", "https"} and address.hostname and port != 0
    if not whole or address.query or address.fragment or not url.isprintable() or " " in url:
        raise UsageError(f"{url!r} is no address of a server", hint=WRITE_ADDRESS)
    return address


def _announced(folder: Path | None) -> str:
    """Return where the server of this project says it is, an empty text when it says nothing."""
    if folder is None:
        return ""
    try:
        return str(json.loads((folder / "server.json").read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _token(folder: Path | None, address: SplitResult) -> str:
    named = os.environ.get("FLAGSTAFF_TOKEN_FILE", "")
    if named:
        try:
            return _clean(Path(named))
        except (OSError, ValueError) as exc:
            raise UsageError(
                f"the token file {named} cannot be read: {_why(exc)}",
                hint="FLAGSTAFF_TOKEN_FILE names it",
            ) from exc
    if folder is None or not _is_this_machine(address.hostname or ""):
        return ""
    try:
        return _clean(folder / "token")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as exc:
        raise Refused(
            f"the server's token {folder / 'token'} cannot be read: {_why(exc)}",
            hint="ask as who started the server, or name your own with FLAGSTAFF_TOKEN_FILE",
        ) from exc


def _clean(path: Path) -> str:
    token = path.read_text().strip()
    if not token.isascii() or not token.isprintable():
        raise ValueError("it holds no token")
    return token


def _why(exc: Exception) -> str:
    return (getattr(exc, "strerror", None) or "it holds no token").lower()


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _myself() -> str:
    if named := os.environ.get("FLAGSTAFF_PERSON"):
        return named
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return f"user {os.getuid()}"


def _state_folder(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if (folder / STATE_FOLDER).is_dir():
            return folder / STATE_FOLDER
    return None


def _error(status: int, body: Any) -> FlagstaffError:
    """Return the server's problem document as the error it was there."""
    code, detail, hint = body["code"], body["detail"], body.get("hint", "")
    if code == "unauthorized":
        return Refused(
            f"the server does not let us in: {detail}",
            hint="go to the project's folder, or name the server's token in FLAGSTAFF_TOKEN_FILE",
        )
    fallback = UsageError if status < 500 else FlagstaffError  # noqa: PLR2004
    kind = {each.code: each for each in _kinds(FlagstaffError)}.get(code, fallback)
    if body.get("problems") and issubclass(kind, ImportProblems | DefinitionError):
        return kind(tuple(Problem(**each) for each in body["problems"]), hint=hint)
    error = kind.__new__(kind)
    FlagstaffError.__init__(error, detail, hint=hint)
    return error


def _kinds(kind: type[FlagstaffError]) -> list[type[FlagstaffError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in _kinds(sub))]
