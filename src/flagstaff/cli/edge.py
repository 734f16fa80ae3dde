"""How is a read-only edge started?"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from flagstaff.cli import output
from flagstaff.cli.options import Common
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import UsageError

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(context_settings=SETTINGS)
@click.option("--upstream", metavar="URL", help="The control plane, or another edge.")
@click.option("--token-file", type=FILE, help="A file with a token that may read there.")
@click.option(
    "--environments", metavar="NAMES", help="With commas between; production when left out."
)
@click.option("--folder", type=FOLDER, help="Keeps the last good flags; .flagstaff/edge.")
@click.option("--host", help="The address to listen on; 127.0.0.1 when left out.")
@click.option("--port", type=click.IntRange(0, 65535), help="8080, or the next free one.")
@click.option(
    "--public-url", metavar="URL", help="How others reach it, such as https://flags-eu.internal."
)
@click.option("--tls-cert", type=FILE, help="The certificate, in PEM form.")
@click.option("--tls-key", type=FILE, help="Its key.")
@click.option(
    "--trusted-proxies", metavar="ADDRESSES", help="Who may say for whom they forward requests."
)
@click.option("--ca-file", type=FILE, help="Certificates by which the control plane is known.")
@click.option(
    "--max-stale", metavar="DURATION", help="From which age on it is not ready, such as 10m."
)
@click.option(
    "--public/--no-public",
    default=None,
    help="Let everyone ask the frontend API of the one environment, and a CDN keep its answers.",
)
@click.pass_obj
def edge(common: Common, /, *, max_stale: str | None, **options: Any) -> None:
    """Serve the flags of a control plane near applications, also while it is away.

    Each option can also be given as FLAGSTAFF_EDGE_… in the environment.
    """
    common.no_dry_run("flagstaff edge")
    from flagstaff.definitions.duration import parse_duration  # noqa: PLC0415 help must stay quick
    from flagstaff.server.edge.run import serve_edge  # noqa: PLC0415
    from flagstaff.server.edge.settings import EdgeSettings  # noqa: PLC0415
    from flagstaff.server.settings import loaded  # noqa: PLC0415

    max_stale = max_stale or os.environ.get("FLAGSTAFF_EDGE_MAX_STALE")
    options["max_stale"] = parse_duration(max_stale) if max_stale else None
    for name in ("upstream", "token_file"):
        variable = f"FLAGSTAFF_EDGE_{name.upper()}"
        if options[name] is None and not os.environ.get(variable):
            raise UsageError(
                f"--{name.replace('_', '-')} is missing", hint=f"give it, or set {variable}"
            )
    logging.getLogger("flagstaff").setLevel(logging.INFO)
    logging.getLogger("flagstaff.requests").setLevel(logging.WARNING)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    settings = loaded(EdgeSettings, options)

    def ready(url: str, remarks: Sequence[str]) -> None:
        if common.json:
            told = {"ok": True, "url": url, "pid": os.getpid(), "remarks": list(remarks)}
            output.say_json(told, line=True)
            return
        names = ", ".join(settings.names)
        output.remark(f"The edge of {settings.upstream} is at {url}, with {names} (Ctrl-C ends it)")
        for each in remarks:
            output.remark(each)

    serve_edge(settings, ready=ready)
