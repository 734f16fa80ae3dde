"""Which words ask who is on call?"""

from __future__ import annotations

import click

from flagstaff.commands.model import ShowOnCall
from flagstaff.commands.tree import SETTINGS
from flagstaff.errors import UsageError


@click.command(
    "oncall",
    context_settings=SETTINGS,
    short_help="Who is on call?",
    epilog="\b\nExamples:\n  oncall\n  oncall support\n",
)
@click.argument("service", metavar="[SERVICE]", required=False, default="")
def oncall(*, service: str) -> ShowOnCall:
    """Say who is on call for SERVICE; without one, for the usual one of the project."""
    if service.startswith("@"):
        raise UsageError(
            f"`oncall`: {service[:60]!r} is a person", hint="name a service, such as production"
        )
    return ShowOnCall(service=service.strip())
