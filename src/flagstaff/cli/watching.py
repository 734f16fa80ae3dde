"""How does a person follow a rollout from a terminal?"""

from __future__ import annotations

import sys
import time

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.commands.model import ShowRollout
from flagstaff.commands.outcome import Outcome
from flagstaff.commands.remote import Server
from flagstaff.commands.tree import SETTINGS

WAITING = 4
INTERVAL = 0.5


@click.command(context_settings=SETTINGS)
@click.argument("rollout_id", metavar="ID", type=int)
@click.option("--exit-when-waiting", is_flag=True, help="End with code 4 when a person is needed.")
@click.pass_obj
def watch(common: Common, *, rollout_id: int, exit_when_waiting: bool) -> int:
    """Follow the rollout ID until it is over.

    On a terminal the picture is redrawn in place, elsewhere each change is a line. Ends with 0 when
    it completed and 1 when it was rolled back.
    """
    server = Server.find(common.server)
    shown = ""
    while True:
        result = server.execute(ShowRollout(rollout=rollout_id))
        phase = result.data["phase"]
        if result.text != shown:
            _show(result, shown, as_json=common.json)
            shown = result.text
        if phase in {"completed", "rolled_back"}:
            return 0 if phase == "completed" else 1
        if phase == "waiting" and exit_when_waiting:
            output.remark(result.next)
            return WAITING
        time.sleep(INTERVAL)


def _show(result: Outcome, before: str, *, as_json: bool) -> None:
    if as_json:
        output.say_json(dict(result.data))
    elif sys.stdout.isatty():
        output.say(f"\x1b[H\x1b[2J{result.text}")
    else:
        known = set(before.splitlines())
        for line in result.text.splitlines():
            if line and line not in known:
                output.say(line)
