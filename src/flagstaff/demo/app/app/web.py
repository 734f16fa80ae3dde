"""What can be asked for over HTTP?"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import AsyncIterator, Callable

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from app import enqueue, metrics
from app import job_events as job_events  # writes a line for every enqueued job
from app.chat import Chat
from app.settings import settings
from app.traffic import Traffic

jobs = metrics.JobCounts(settings.log_folder)
requests = metrics.RequestCounts()
chat = Chat(settings.log_folder)
traffic = Traffic(settings.port, jobs_per_second=settings.jobs_per_second)


def home(_request: Request) -> Response:
    return RedirectResponse("/metrics", status_code=302)


def health(_request: Request) -> Response:
    return JSONResponse({"status": "ok", "pid": os.getpid()})


def show_metrics(_request: Request) -> Response:
    return PlainTextResponse(metrics.render(jobs, requests))


def execute_integration(request: Request) -> Response:
    return _accepted(enqueue.execute_integration(request.path_params["id"], "push"))


def notify_irker(request: Request) -> Response:
    return _accepted(enqueue.notify_irker(request.path_params["id"], "#commits"))


def activate_integration(request: Request) -> Response:
    return _accepted(enqueue.activate_integration(request.path_params["id"], "prometheus"))


def deactivate_integration(request: Request) -> Response:
    return _accepted(enqueue.deactivate_integration(request.path_params["id"], "prometheus"))


def _accepted(job_id: str) -> Response:
    return JSONResponse({"jid": job_id}, status_code=202)


def read_chat(_request: Request) -> Response:
    return JSONResponse(chat.read())


async def post_chat(request: Request) -> Response:
    key = request.headers.get("Idempotency-Key", "")
    try:
        announcement = await request.json()
        channel, text = announcement["channel"], announcement["text"]
    except (ValueError, KeyError, TypeError):
        key = ""
    if not key:
        problem = "send an Idempotency-Key header and JSON with channel and text"
        return JSONResponse({"error": problem}, status_code=400)
    new = await run_in_threadpool(chat.post, key, channel, text)
    return JSONResponse({"status": "posted" if new else "known"}, status_code=201 if new else 200)


async def set_traffic(request: Request) -> Response:
    try:
        traffic.jobs_per_second = float((await request.json())["jobs_per_second"])
    except (ValueError, KeyError, TypeError):
        return JSONResponse({"error": 'send {"jobs_per_second": a number}'}, status_code=400)
    return JSONResponse({"jobs_per_second": traffic.jobs_per_second})


class CountRequests:
    """Counts answers by status; a handler that raises counts as 500."""

    def __init__(self, app: Callable) -> None:
        self._app = app

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        async def counting_send(message: dict) -> None:
            if message["type"] == "http.response.start":
                requests.add(scope["method"], message["status"])
            await send(message)

        await self._app(scope, receive, counting_send)


@contextlib.asynccontextmanager
async def with_traffic(_app: Starlette) -> AsyncIterator[None]:
    traffic.start()
    yield
    await run_in_threadpool(traffic.stop)


routes = [
    Route("/", home),
    Route("/health", health),
    Route("/metrics", show_metrics),
    Route("/integrations/{id:int}/execute", execute_integration, methods=["POST"]),
    Route("/projects/{id:int}/irker", notify_irker, methods=["POST"]),
    Route("/clusters/{id:int}/integration/activate", activate_integration, methods=["POST"]),
    Route("/clusters/{id:int}/integration/deactivate", deactivate_integration, methods=["POST"]),
    Route("/chat", read_chat),
    Route("/chat", post_chat, methods=["POST"]),
    Route("/traffic", set_traffic, methods=["PUT"]),
]
app = CountRequests(Starlette(routes=routes, lifespan=with_traffic))


def main() -> None:
    """Serve until SIGTERM; a port that is taken is found out before any traffic starts."""
    with socket.create_server(("127.0.0.1", settings.port)) as listener:
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
