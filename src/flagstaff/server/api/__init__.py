"""What can programs ask for? `/api/v1`, with types and an OpenAPI description."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from flagstaff.server.api import (
    audit,
    commands,
    deployments,
    environments,
    flags,
    plans,
    rollouts,
    stale,
    telemetry,
    workers,
)
from flagstaff.server.api.asking import LastGood, Reading
from flagstaff.server.api.describing import describe
from flagstaff.server.api.known import no_unknown_parameter
from flagstaff.server.api.manners import Manners
from flagstaff.server.api.problems import explain_errors
from flagstaff.services.services import Services
from flagstaff.services.telemetry import Telemetry

DESCRIPTION = """\
Feature-flag rollouts that run themselves.

Every change is a command: `POST /commands` takes any of them, the other routes build the same ones.
All of them obey the same policies and leave the same audit entries as the terminal and the pages.
"""

__all__ = ["build_api", "described_api"]


def described_api(services: Services, telemetry_: Telemetry, last_good: LastGood) -> FastAPI:
    """Return the application for `/api/v1` with its description."""
    api = FastAPI(
        title="Flagstaff",
        version=version("flagstaff"),
        description=DESCRIPTION,
        # The usual pages for reading the description load scripts from foreign hosts.
        docs_url=None,
        redoc_url=None,
        # A second address for each thing would only be a redirect to the first.
        redirect_slashes=False,
        dependencies=[Depends(no_unknown_parameter)],
    )
    explain_errors(api)
    reading = Reading(services=services, telemetry=telemetry_, last_good=last_good)
    parts = (
        commands,
        flags,
        stale,
        rollouts,
        plans,
        deployments,
        audit,
        environments,
        telemetry,
        workers,
    )
    for part in parts:
        api.include_router(part.routes(reading))
    describe(api)
    return api


def build_api(services: Services, telemetry_: Telemetry, last_good: LastGood) -> ASGIApp:
    """Return what answers at `/api/v1`."""
    return Manners(described_api(services, telemetry_, last_good))
