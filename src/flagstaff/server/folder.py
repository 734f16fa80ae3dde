"""What does a server keep beside its database, for programs on the same machine?"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from pathlib import Path

TOKEN = "token"  # noqa: S105 a file's name
SERVER = "server.json"
TOKEN_BYTES = 32


def prepare(folder: Path) -> str:
    """Make the folder, keep it out of version control, and return the token, made once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    token = folder / TOKEN
    if token.exists() and (kept := token.read_text().strip()):
        token.chmod(0o600)
        return kept
    made = secrets.token_urlsafe(TOKEN_BYTES)
    _write(token, made + "\n")
    return made


def announce(folder: Path, url: str, **further: str) -> None:
    """Note where the server answers, and where for further protocols."""
    note = {"url": url, "pid": os.getpid(), **further}
    _write(folder / SERVER, json.dumps(note) + "\n")


def withdraw(folder: Path) -> None:
    """Take the note away again, unless it is another server's."""
    note = folder / SERVER
    try:
        ours = json.loads(note.read_text())["pid"] == os.getpid()
    except (OSError, ValueError, KeyError, TypeError):
        return
    if ours:
        note.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    """Replace the file in one step; a temporary file is readable by its owner alone."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(name).replace(path)
