"""What does the OpenAPI document say that the routes cannot say themselves?"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from flagstaff.server.api.command_schemas import COMMAND, MARK, Schema, command_schemas
from flagstaff.server.bodies import ProblemBody
from flagstaff.server.failures import TITLES

PROBLEM = "application/problem+json"
ALWAYS = (400, 401, 403, 404, 406, 413, 500, 503)
WRITES = (409, 412, 415, 422, 501)
"""What can go wrong with a change, beside what can go wrong always."""

METHODS = {"get", "post", "put", "delete"}
STREAMS = {
    "/events": (
        "What changes, as server-sent events",
        "Each event names one thing, such as `flags:production` or `rollout:42`; ask for it again.",
    ),
    "/environments/{environment}/stream": (
        "All flags of an environment at every change, as server-sent events",
        "Each event `snapshot` holds what `GET …/snapshot` answers at that moment.",
    ),
}


def describe(api: FastAPI) -> None:
    """Complete the document of the application, once it is asked for."""
    plain = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            _complete(plain())
        return plain()

    api.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    document["servers"] = [{"url": "/api/v1"}]
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(command_schemas())
    schemas["Problem"] = ProblemBody.model_json_schema()
    parts["responses"] = {_name(status): _problem(status) for status in sorted((*ALWAYS, *WRITES))}
    for method, operation in _operations(document):
        _complete_operation(method, operation)
    for path, (summary, words) in STREAMS.items():
        document["paths"][path] = {"get": _stream(path, summary, words)}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Schema]]:
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in METHODS:
                yield method, operation


def _complete_operation(method: str, operation: Schema) -> None:
    schema = operation.pop(MARK, None)
    if schema is not None:
        operation["requestBody"] = {
            "content": {"application/json": {"schema": schema}},
            "required": "required" in schema or "$ref" in schema,
        }
    responses = operation["responses"]
    responses.pop("422", None)
    if method == "get" and _takes(operation, "if-none-match"):
        responses["304"] = {"description": "It is as the caller has it."}
    for status in (*ALWAYS, *(WRITES if method != "get" else ())):
        responses[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}


def _takes(operation: Schema, header: str) -> bool:
    return any(each["name"] == header for each in operation.get("parameters", ()))


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "").replace("-", "")


def _problem(status: int) -> Schema:
    return {
        "description": TITLES[status],
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _stream(path: str, summary: str, words: str) -> Schema:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("environment",)
        if f"{{{name}}}" in path
    ]
    answer = {"description": summary, "content": {"text/event-stream": {}}}
    failures = {
        str(status): {"$ref": f"#/components/responses/{_name(status)}"}
        for status in (400, 401, 503)
    }
    return {
        "summary": summary,
        "description": words,
        "parameters": parameters,
        "responses": {"200": answer, **failures},
    }


def command_body() -> Schema:
    """Return what describes a body that is any command."""
    return {MARK: {"$ref": f"#/components/schemas/{COMMAND}"}}
