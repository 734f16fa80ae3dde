"""What can stand where the shell is asked to complete a flag, a rollout or a step?

The shell waits for it at each press of a key, so definitions are files by name, unread, and a
server that does not answer at once is not waited for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
from click.shell_completion import CompletionItem

from flagstaff.errors import FlagstaffError

PATIENCE = 1.0
"""Seconds, at most, for an answer of the server."""

MOST = 200
_OVER = {"list", "show", "evidence"}
_SUFFIXES = {".yml", ".yaml"}


def flags(context: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the flags that are defined here; elsewhere those that the server knows."""
    del context, param
    names = _defined(Path.cwd())
    if names is None:
        found = _asked("/api/v1/flags", limit=MOST, match=begun)
        names = [each["name"] for each in found]
    return [CompletionItem(name) for name in sorted(names) if name.startswith(begun)]


def rollouts(context: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the numbers of the rollouts that the command can be about, newest first."""
    del param
    active = {} if context.info_name in _OVER else {"active": "true"}
    return [
        CompletionItem(str(each["id"]), help=f"{each['flag']}, {each['phase']}")
        for each in _asked("/api/v1/rollouts", limit=MOST, **active)
        if str(each["id"]).startswith(begun.removeprefix("#"))
    ]


def steps(context: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the steps, of the rollout that stands on the line, that are not over."""
    del param
    # With an option still open, Click leaves what it has not given a name yet among the rest.
    known = context.params.get("rollout_id") or next(iter(context.args), "")
    number = str(known).removeprefix("#")
    if not number.isdigit():
        return []
    found = _asked(f"/api/v1/rollouts/{number}")
    listed = found.get("steps", ()) if isinstance(found, dict) else ()
    return [
        CompletionItem(each["id"], help=each["title"])
        for each in listed
        if each["id"].startswith(begun) and each["status"] not in {"done", "skipped"}
    ]


def _defined(folder: Path) -> Iterable[str] | None:
    """Return the names of the flags by their files, `None` away from any project."""
    from flagstaff.definitions import load_project  # noqa: PLC0415 not for every command

    for root in (folder, *folder.parents):
        try:
            project = load_project(root)
        except FlagstaffError:
            return ()
        place = root / project.flags
        if place.is_dir():
            files = (Path(name) for _, _, names in os.walk(place) for name in names)
            return {each.stem for each in files if each.suffix in _SUFFIXES}
    return None


def _asked(path: str, **query: Any) -> Any:
    from flagstaff.commands.remote import Server  # noqa: PLC0415 not for every command

    try:
        server = Server.find()
        return server.request(f"{path}?{urlencode(query)}" if query else path, timeout=PATIENCE)
    except FlagstaffError:
        return []
