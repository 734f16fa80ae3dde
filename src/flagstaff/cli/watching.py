"""How does a person follow a rollout from a terminal?"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Protocol

import click

from flagstaff.cli import output, progress
from flagstaff.cli.following import follow
from flagstaff.cli.options import Common
from flagstaff.commands.rollout_words import which
from flagstaff.commands.tree import SETTINGS

WAITING = 4
ALWAYS_NEW: Final = frozenset({"now", "plan", "seconds_left"})

Json = Mapping[str, Any]


class View(Protocol):
    """What shows a rollout."""

    def show(self, rollout: Json) -> None:
        """Show the rollout as it stands."""

    def tell(self, note: str) -> None:
        """Say something about the watching itself; an empty text: it is all right again."""


@click.command(context_settings=SETTINGS)
@which
@click.option("--exit-when-waiting", is_flag=True, help="End with code 4 when a person is needed.")
@click.pass_obj
def watch(common: Common, *, rollout_id: int, exit_when_waiting: bool) -> int:
    """Follow the rollout ID until it is over.

    On a terminal the picture is redrawn in place, elsewhere each change is a line. Ends with 0 when
    it completed and 1 when it was rolled back. When the server goes away, it is waited for.
    """
    from flagstaff.commands.remote import Server  # noqa: PLC0415 help needs none

    def look() -> Json:
        # Looked for anew each time: a server that comes back may be at another port.
        found: Json = Server.find(common.server).request(f"/api/v1/rollouts/{rollout_id}")
        return found

    with _view(as_json=common.json) as view:
        for rollout in follow(look, tell=view.tell):
            view.show(rollout)
            if rollout["phase"] in progress.FINISHED:
                break
            if exit_when_waiting and progress.needs_person(rollout):
                break
    if rollout["phase"] not in progress.FINISHED:
        return WAITING
    return 0 if rollout["phase"] == "completed" else 1


@contextmanager
def _view(*, as_json: bool) -> Iterator[View]:
    if as_json:
        yield JsonLines()
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from flagstaff.cli.live import Picture  # noqa: PLC0415 draws, and takes long to load

        with Picture() as view:
            yield view
    else:
        yield Lines()


class Lines:
    """A line for each change, with the time of day."""

    def __init__(self) -> None:
        self._before: Json | None = None

    def show(self, rollout: Json) -> None:
        """Write what is not as before."""
        found = list(progress.changes(self._before, rollout))
        for line in found:
            output.say(f"{datetime.now().astimezone():%H:%M:%S} {output.marked(line)}")
        if found:
            command = progress.suggestion(rollout)
            if command != (progress.suggestion(self._before) if self._before else ""):
                output.suggest(command)
            self._before = rollout

    def tell(self, note: str) -> None:
        """Write it beside the data."""
        output.remark(note or "the server answers again")


class JsonLines:
    """The whole rollout on a line of JSON, whenever something about it has changed."""

    def __init__(self) -> None:
        self._before: Any = None

    def show(self, rollout: Json) -> None:
        """Write it if it is not as before."""
        now = _lasting(rollout)
        if now != self._before:
            output.say_json(now, line=True)
            self._before = now

    def tell(self, note: str) -> None:
        """Write it beside the data."""
        output.remark(note or "the server answers again")


def _lasting(value: Any) -> Any:
    """Return the value without what is new at each look, and without the plan."""
    if isinstance(value, dict):
        return {key: _lasting(each) for key, each in value.items() if key not in ALWAYS_NEW}
    return [_lasting(each) for each in value] if isinstance(value, list) else value
