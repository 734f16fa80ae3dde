"""How does the demo run git without anybody's configuration?"""

from __future__ import annotations

import os
import subprocess
from datetime import datetime
from pathlib import Path

from flagstaff.errors import NotFound, Unavailable

_IDENTITY = ("-c", "user.name=Integrations", "-c", "user.email=integrations@example.com")
_PLAIN = ("-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", "-c", "core.autocrlf=false")


def git(root: Path, *arguments: str, at: datetime | None = None) -> str:
    """Run git in `root` and return its output without the last newline.

    Args:
        root: the folder of the repository.
        arguments: what follows `git`.
        at: author and committer date of what is created; the present when left out.

    Raises:
        Unavailable: git is not installed.
        NotFound: git refused; the message is git's own.
    """
    command = ["git", *_IDENTITY, *_PLAIN, "-C", str(root), *arguments]
    try:
        done = subprocess.run(
            command, env=_environment(at), capture_output=True, text=True, check=True
        )
    except FileNotFoundError as error:
        raise Unavailable("git is not installed", hint="install git and try again") from error
    except subprocess.CalledProcessError as error:
        complaint = error.stderr.strip() or error.stdout.strip()
        raise NotFound(f"git {' '.join(arguments)} in {root}: {complaint}") from error
    return done.stdout.rstrip("\n")


def _environment(at: datetime | None) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    dates = {} if at is None else {"GIT_AUTHOR_DATE": _date(at), "GIT_COMMITTER_DATE": _date(at)}
    return inherited | dates | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


def _date(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
