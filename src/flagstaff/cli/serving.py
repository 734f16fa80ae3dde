"""How is the control plane started, and the demo?"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import Conflict, DefinitionError, FlagstaffError

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
USUAL_PORT = 8080
MOST_WARNINGS = 5


@click.command(context_settings=SETTINGS)
@click.option(
    "--project", default=".", show_default=True, type=FOLDER, help="The project's folder."
)
@click.option("--host", help="The address to listen on; 127.0.0.1 when left out.")
@click.option(
    "--public-url", metavar="URL", help="How others reach it, such as https://flags.internal."
)
@click.option("--tls-cert", type=FILE, help="The certificate, in PEM form.")
@click.option("--tls-key", type=FILE, help="Its key.")
@click.option(
    "--trusted-proxies", metavar="ADDRESSES", help="Who may say for whom they forward requests."
)
@click.option("--port", type=click.IntRange(0, 65535), help="8080, or the next free one.")
@click.option(
    "--flagd-port",
    type=click.IntRange(0, 65535),
    help="Also serve flagd's clients, on this port; 0 takes a free one.",
)
@click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME.")
@click.option(
    "--engine",
    type=click.Choice(["built-in", "procrastinate", "none"]),
    help="What makes it look at rollouts; built-in when left out, procrastinate for PostgreSQL.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=1),
    help="How many times as fast as real time; only for a new database.",
)
@click.pass_obj
def server(common: Common, /, *, project: Path, **options: Any) -> None:
    """Run the control plane: engine, API and dashboard in one process."""
    common.no_dry_run("flagstaff server")
    _check_alone(project)
    _check_files(project, as_json=common.json)
    from flagstaff.server.run import serve  # noqa: PLC0415 the terminal must stay quick
    from flagstaff.server.settings import load_settings  # noqa: PLC0415

    settings = load_settings(root=project, **options)

    remarks: list[str] = []
    further: dict[str, str] = {}

    def ready(url: str) -> None:
        if common.json:
            told = {"ok": True, "url": url, "pid": os.getpid(), "remarks": remarks, **further}
            output.say_json(told, line=True)
            return
        if settings.port is None and urlsplit(url).port != USUAL_PORT:
            output.remark(f"port {USUAL_PORT} is taken")
        output.remark(f"Flagstaff is at {url} (Ctrl-C ends it)")
        for protocol, address in further.items():
            output.remark(f"{protocol}'s clients find it at {address}")
        for each in remarks:
            output.remark(each)

    serve(settings, ready=ready, remark=remarks.append, also=further.__setitem__)


def _check_files(project: Path, *, as_json: bool) -> None:
    """Say what is doubtful in the project's files.

    Raises:
        DefinitionError: they are broken; a server that ran without some flags would surprise.
    """
    from flagstaff.definitions import lint_to_serve  # noqa: PLC0415 loads YAML, which help does not

    problems, warnings = lint_to_serve(project)
    if problems:
        raise DefinitionError(problems, hint="mend them; flagstaff lint checks again")
    shown = () if as_json else warnings[:MOST_WARNINGS]
    for each in shown:
        output.remark(f"{output.coloured('warning:', output.YELLOW, stream=sys.stderr)} {each}")
    if shown and len(warnings) > MOST_WARNINGS:
        output.remark(f"{len(warnings)} warnings in all: flagstaff lint shows them")


def _check_alone(project: Path) -> None:
    """Refuse a second server, which would take the first one's place in the project's folder.

    Raises:
        Conflict: one of this project answers already.
    """
    from flagstaff.commands.remote import Server  # noqa: PLC0415 help needs none

    try:
        known = json.loads((project / ".flagstaff" / "server.json").read_text())
        url, process = str(known["url"]), known["pid"]
        Server(url=url, token="").request("/healthz")
    except (OSError, ValueError, KeyError, TypeError, FlagstaffError):
        return
    raise Conflict(
        f"this project is served at {url} already, by process {process}",
        hint=f"use that one, or stop it first: kill {process}",
    )


@click.command(context_settings=SETTINGS)
@click.option(
    "--speed",
    default=1440.0,
    show_default=True,
    type=click.FloatRange(min=1),
    help="How many times as fast as real time; 1440 makes a day of a minute.",
)
@click.option(
    "--once", is_flag=True, help="End when the rollout is over; 0 if it ended as it should."
)
@click.option("--interactive", is_flag=True, help="Leave approvals and merges to you.")
@click.option("--broker", default="", metavar="URL", help="redis://… instead of the embedded one.")
@click.option("break_", "--break", type=click.Choice(["new-workers"]), help="Make something fail.")
@click.option(
    "--issue",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Run this rollout issue instead of the demo's own.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Of the dashboard; 8080, or the next free one."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the demo's repository goes; a temporary folder when left out.",
)
@click.pass_obj
def demo(common: Common, /, *, break_: str | None, **options: Any) -> int:
    """See it all work: an application with workers, and the rollout of its flag."""
    common.no_dry_run("flagstaff demo")
    from flagstaff.demo.run import DemoOptions, run_demo  # noqa: PLC0415 the terminal stays quick

    port = options.pop("port")
    return run_demo(DemoOptions(breaks=break_ or "", port=port or 0, **options), output.say)
