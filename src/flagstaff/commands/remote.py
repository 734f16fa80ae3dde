"""How does a command reach a control plane in another process?"""

from __future__ import annotations

import getpass
import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstaff import errors
from flagstaff.commands.model import Command
from flagstaff.commands.outcome import Outcome
from flagstaff.errors import FlagstaffError, ImportProblems, Problem, Unavailable

TIMEOUT = 60.0
STATE_FOLDER = ".flagstaff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A control plane and the token for it."""

    url: str
    token: str
    person: str = ""

    @classmethod
    def find(cls, url: str = "") -> Server:
        """Return the server that is meant: the one named, in the environment, or of this project.

        Raises:
            Unavailable: no server was ever started here.
        """
        named = url or os.environ.get("FLAGSTAFF_URL", "")
        token_file = os.environ.get("FLAGSTAFF_TOKEN_FILE", "")
        folder = _state_folder(Path.cwd())
        if not named and folder is not None and (folder / "server.json").exists():
            named = json.loads((folder / "server.json").read_text())["url"]
        if not named:
            raise Unavailable(
                "no Flagstaff server is known for this folder",
                hint="start one with: flagstaff server, or name one with --server or FLAGSTAFF_URL",
            )
        path = Path(token_file) if token_file else folder / "token" if folder else None
        token = path.read_text().strip() if path is not None and path.exists() else ""
        return cls(url=named.rstrip("/"), token=token)

    def execute(self, command: Command, *, dry_run: bool = False) -> Outcome:
        """Send a command and return its outcome.

        Raises:
            FlagstaffError: what the server says is wrong, or that it does not answer.
        """
        from flagstaff.commands.codec import encode_command  # noqa: PLC0415 takes a while to load

        path = "/api/v1/commands" + ("?dry_run=true" if dry_run else "")
        answer = self.request(path, encode_command(command))
        return Outcome(
            ok=answer["ok"], text=answer["text"], next=answer["next"], data=answer["data"]
        )

    def request(self, path: str, body: object = None) -> Any:
        """Return the JSON answer to a GET, or to a POST when there is a body."""
        request = self._prepared(path, body)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as exc:
            raise _error(exc) from exc
        except (OSError, ValueError) as exc:
            raise self.silent(exc) from exc

    def _prepared(self, path: str, body: object = None) -> urllib.request.Request:
        if not self.url.startswith(("http://", "https://")):
            raise errors.UsageError(
                f"{self.url!r} is no address of a server", hint="write http://HOST:PORT"
            )
        return urllib.request.Request(  # noqa: S310 the scheme was looked at just above
            self.url + path,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "X-Flagstaff-Person": self.person or _myself(),
                "X-Flagstaff-Source": "terminal",
            },
        )

    def silent(self, why: object) -> Unavailable:
        """Return the error for a server that does not answer."""
        return Unavailable(
            f"the Flagstaff server at {self.url} does not answer: {why}",
            hint="start it with: flagstaff server",
        )


def _myself() -> str:
    return os.environ.get("FLAGSTAFF_PERSON") or getpass.getuser()


def _state_folder(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if (folder / STATE_FOLDER).is_dir():
            return folder / STATE_FOLDER
    return None


def _error(exc: urllib.error.HTTPError) -> FlagstaffError:
    """Return the server's problem document as the error it was there."""
    try:
        body = json.load(exc)
        kinds = {kind.code: kind for kind in _kinds(FlagstaffError)}
        kind = kinds.get(body.get("code"), FlagstaffError)
        if body.get("problems") and kind.__mro__.count(ImportProblems):
            problems = tuple(Problem(**each) for each in body["problems"])
            return ImportProblems(problems, hint=body.get("hint", ""))
        return _plain(kind, body["detail"], body.get("hint", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return FlagstaffError(f"the server answered {exc.code} {exc.reason}")


def _plain(kind: type[FlagstaffError], message: str, hint: str) -> FlagstaffError:
    error = kind.__new__(kind)
    FlagstaffError.__init__(error, message, hint=hint)
    return error


def _kinds(kind: type[FlagstaffError]) -> list[type[FlagstaffError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in _kinds(sub))]
