"""Which words lock an environment, and open an incident?"""

from __future__ import annotations

import click

from flagstaff.commands.lock_model import (
    CloseIncident,
    ListLocks,
    LockEnvironment,
    OpenIncident,
    UnlockEnvironment,
)
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.definitions.duration import parse_duration
from flagstaff.errors import UsageError

_REASON = click.option("--reason", default="", metavar="TEXT", help="Why; others will read it.")
_ENVIRONMENT = click.option(
    "--environment", default="production", metavar="NAME", help="Where; production if not named."
)


@click.command(
    "lock",
    context_settings=SETTINGS,
    short_help="Let nothing open wider for now.",
    epilog='\b\nExamples:\n  lock production --reason "database upgrade" --for 2h\n  lock\n',
)
@click.argument("environment", metavar="[ENVIRONMENT]", default="")
@_REASON
@click.option(
    "--for", "lasts", default="", metavar="TIME", help="How long, such as 2h; else until unlocked."
)
def lock(*, environment: str, reason: str, lasts: str) -> LockEnvironment | ListLocks:
    """Let no flag open wider in ENVIRONMENT; without one, list what is locked."""
    if not environment:
        if reason or lasts:
            raise UsageError("`lock`: ENVIRONMENT is missing", hint="such as: lock production")
        return ListLocks()
    if lasts:
        parse_duration(lasts)
    return LockEnvironment(environment=environment, reason=reason.strip(), lasts=lasts)


@click.command("unlock", context_settings=SETTINGS, short_help="Let flags open again.")
@click.argument("environment", metavar="ENVIRONMENT")
@_REASON
def unlock(*, environment: str, reason: str) -> UnlockEnvironment:
    """Let flags open again in ENVIRONMENT."""
    return UnlockEnvironment(environment=environment, reason=reason.strip())


@click.group(
    "incident",
    cls=Tree,
    context_settings=SETTINGS,
    short_help="Say that there is an incident.",
    epilog='\b\nExamples:\n  incident open "checkout is down"\n  incident close\n',
)
def incident() -> None:
    """Say that there is an incident, and when it is over; `lock` lists them."""


@incident.command("open", context_settings=SETTINGS)
@click.argument("title", metavar="TITLE")
@_ENVIRONMENT
def open_incident(*, title: str, environment: str) -> OpenIncident:
    """Say that there is an incident: nothing opens wider until it is closed."""
    return OpenIncident(title=title.strip(), environment=environment)


@incident.command("close", context_settings=SETTINGS)
@_ENVIRONMENT
@_REASON
def close_incident(*, environment: str, reason: str) -> CloseIncident:
    """Say that the incident is over."""
    return CloseIncident(environment=environment, reason=reason.strip())
