"""Which words ask and record what runs where, and what is in which release?"""

from __future__ import annotations

import re

import click

from flagstaff.commands.environments import ENVIRONMENTS
from flagstaff.commands.model import AutoDeployStatus, RecordDeployment, ReleaseCheck
from flagstaff.commands.tree import SETTINGS, Tree
from flagstaff.errors import UsageError

_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]{0,69}")
_SHA = re.compile(r"[0-9a-fA-F]{4,64}")
_VERSION = re.compile(r"%?(v?)([0-9]+\.[0-9]+)")
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9_-]*", re.IGNORECASE)


@click.group("auto_deploy", cls=Tree, context_settings=SETTINGS, short_help="What runs where?")
def auto_deploy() -> None:
    """Ask what runs where."""


@auto_deploy.command(
    "status", context_settings=SETTINGS, epilog="\b\nExample:\n  auto_deploy status 4f2d9c1\n"
)
@click.argument("sha", metavar="[SHA]", required=False, default="")
def auto_deploy_status(*, sha: str) -> AutoDeployStatus:
    """Say what runs where, or in which environments the commit SHA has arrived."""
    return AutoDeployStatus(sha=_sha(sha, "auto_deploy status") if sha else "")


@click.group("release", cls=Tree, context_settings=SETTINGS, short_help="What is released?")
def release() -> None:
    """Ask what is in which release."""


@release.command(
    "check",
    context_settings=SETTINGS,
    epilog="\b\nExample:\n  release check https://gitlab.com/acme/shop/-/merge_requests/7 15.2\n",
)
@click.argument("request", metavar="REQUEST")
@click.argument("version", metavar="[X.Y]", required=False, default="")
def release_check(*, request: str, version: str) -> ReleaseCheck:
    """Say in which release REQUEST is: a merge request, a branch or a commit."""
    if not request.strip():
        raise UsageError(
            "`release check`: REQUEST is empty", hint="name a merge request, a branch or a commit"
        )
    if version and not (found := _VERSION.fullmatch(version)):
        raise UsageError(
            f"`release check`: {version[:60]!r} is no monthly release",
            hint="write two numbers, such as 15.2",
        )
    return ReleaseCheck(request=request, version=found[2] if version and found else "")


@click.group(
    "deployment", cls=Tree, context_settings=SETTINGS, short_help="Record what runs where."
)
def deployment() -> None:
    """Record what runs where."""


@deployment.command(
    "record",
    context_settings=SETTINGS,
    epilog="\b\nExample:\n  deployment record production 4f2d9c1\n",
)
@click.argument("environment", metavar="ENVIRONMENT")
@click.argument("sha", metavar="SHA")
def record_deployment(*, environment: str, sha: str) -> RecordDeployment:
    """Note that the commit SHA now runs in ENVIRONMENT, or in one of its deploy stages."""
    if not _ENVIRONMENT.fullmatch(environment):
        raise UsageError(
            f"`deployment record`: {environment[:60]!r} is no name of an environment",
            hint=f"such as {', '.join(ENVIRONMENTS)}",
        )
    return RecordDeployment(environment=environment, sha=_sha(sha, "deployment record"))


def is_sha(text: str) -> bool:
    """Tell whether a text could be the SHA of a commit, or its first digits."""
    return _SHA.fullmatch(text) is not None


def _sha(text: str, place: str) -> str:
    if not is_sha(text):
        raise UsageError(
            f"`{place}`: {text[:70]!r} is no commit",
            hint="write at least 4 hexadecimal digits of its SHA, such as 4f2d9c1, which "
            f"`git rev-parse {text if _REFERENCE.fullmatch(text) else 'HEAD'}` says",
        )
    return text.lower()
