"""How is the control plane started, and the demo?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from flagstaff.cli import output
from flagstaff.commands.tree import SETTINGS

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(context_settings=SETTINGS)
@click.option(
    "--project", default=".", show_default=True, type=FOLDER, help="The project's folder."
)
@click.option("--host", help="Only loopback, for now.")
@click.option("--port", type=click.IntRange(0, 65535), help="8080, or the next free one.")
@click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://USER@HOST/NAME.")
@click.option(
    "--speed",
    type=click.FloatRange(min=1),
    help="How many times as fast as real time; only for a new database.",
)
def server(
    *, project: Path, host: str | None, port: int | None, database: str | None, speed: float | None
) -> None:
    """Run the control plane: engine, API and dashboard in one process."""
    from flagstaff.server.run import serve  # noqa: PLC0415 the terminal must stay quick
    from flagstaff.server.settings import load_settings  # noqa: PLC0415

    settings = load_settings(root=project, host=host, port=port, database=database, speed=speed)
    serve(settings, ready=lambda url: output.remark(f"Flagstaff is at {url} (Ctrl-C ends it)"))


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
def demo(*, break_: str | None, **options: Any) -> int:
    """See it all work: an application with workers, and the rollout of its flag."""
    from flagstaff.demo.run import DemoOptions, run_demo  # noqa: PLC0415

    port = options.pop("port")
    return run_demo(DemoOptions(breaks=break_ or "", port=port or 0, **options), output.say)
