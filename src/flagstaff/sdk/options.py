"""What may be chosen when a client connects, and what does the environment say otherwise?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict

from flagstaff.errors import UsageError
from flagstaff.sdk.disk import Disk, default_path
from flagstaff.sdk.telemetry import Identity, guessed_kind
from flagstaff.sdk.transport import Address


class Options(TypedDict, total=False):
    """The rarer choices of `Client.connect`.

    Attributes:
        token: the token itself; `token_file` is safer.
        token_file: a file with the token, read again for every request.
        kind: `web`, `worker` or another word for what this process does; guessed otherwise.
        version: of the program, or its commit.
        cache: the file that keeps the last good snapshot; None: none is kept.
        wait: seconds to wait for the first answer, 0 to not wait; 5 otherwise. With a snapshot on
            disk at most 1.
        poll_interval: seconds between polls while the stream is broken; 5 otherwise.
        flush_interval: seconds between reports; 5 otherwise.
        ca_file: certificates to trust instead of the system's.
        strict: "raise" to raise `UnknownFlag`, for tests.
    """

    token: str | None
    token_file: str | os.PathLike[str] | None
    kind: str | None
    version: str | None
    cache: str | os.PathLike[str] | None
    wait: float
    poll_interval: float
    flush_interval: float
    ca_file: str | os.PathLike[str] | None
    strict: str


def address(url: str | None, environment: str | None, options: Options) -> Address:
    """Return where the server is; the environment's variables fill what was not said.

    Raises:
        UsageError: nobody said where the server is or which environment is asked.
    """
    url = url or os.environ.get("FLAGSTAFF_URL")
    environment = environment or os.environ.get("FLAGSTAFF_ENVIRONMENT")
    if not url:
        raise UsageError("there is no server to connect to", hint="give url, or set FLAGSTAFF_URL")
    if not environment:
        raise UsageError(
            "there is no environment to ask", hint="give environment, or set FLAGSTAFF_ENVIRONMENT"
        )
    file = options.get("token_file") or os.environ.get("FLAGSTAFF_TOKEN_FILE")
    token = options.get("token") or ("" if file else os.environ.get("FLAGSTAFF_TOKEN", ""))
    ca_file = options.get("ca_file")
    return Address(
        url=url,
        environment=environment,
        token=token,
        token_file=None if token or not file else Path(file),
        ca_file=None if ca_file is None else Path(ca_file),
    )


def disk(where: Address, options: Options) -> Disk | None:
    """Return the file that keeps the last good snapshot, or None."""
    if "cache" not in options:
        path = default_path(where.url, where.environment)
        return None if path is None else Disk(path)
    cache = options["cache"]
    return None if cache is None else Disk(Path(cache))


def identity(application: str | None, options: Options) -> Identity:
    """Return which program this process runs."""
    env = os.environ.get
    return Identity(
        application=application or env("FLAGSTAFF_APPLICATION") or "application",
        kind=options.get("kind") or env("FLAGSTAFF_KIND") or guessed_kind(),
        version=options.get("version") or env("FLAGSTAFF_VERSION") or "",
    )
