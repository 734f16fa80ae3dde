"""How does a program ask for any command there is?"""

from __future__ import annotations

from fastapi import APIRouter

from flagstaff.commands.codec import decode_command
from flagstaff.server import bodies
from flagstaff.server.api.asking import Ask, Reading, body_of
from flagstaff.server.api.describing import command_body
from flagstaff.server.api.problems import JSON_ROUTES
from flagstaff.server.api.requests import JsonBody


def routes(reading: Reading) -> APIRouter:
    """Return the route for commands."""
    api = APIRouter(tags=["commands"], dependencies=JSON_ROUTES)

    @api.post("/commands", summary="Carry out a command", openapi_extra=command_body())
    def carry_out(ask: Ask, command: JsonBody) -> bodies.OutcomeBody:
        """Carry out one command, given as JSON with its `kind`; `ok` is false for a plain no."""
        return body_of(ask.carry_out(reading.services, decode_command(command)))

    return api
