"""Where do tests find a real Prometheus, and something for it to scrape?"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ports import free_port

PATIENCE = 120.0
CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: shop
    static_configs: [{targets: [%s]}]
"""

needed = pytest.mark.skipif(
    shutil.which("prometheus") is None,
    reason="Prometheus is not installed: scripts/install-servers",
)


EDGES = (0.25, 1.0, float("inf"))


class Target:
    """One instance of an application that counts requests by variant and code, and their durations.

    It can be stopped, and start again on the same port with nothing counted.
    """

    def __init__(self):
        self.port = free_port()
        self.counts = {}
        self.buckets = {}
        self.lock = threading.Lock()
        self.server = None

    def count(self, variant, code, by=1):
        with self.lock:
            self.counts[variant, code] = self.counts.get((variant, code), 0) + by

    def took(self, variant, seconds, by=1):
        with self.lock:
            for edge in EDGES:
                key = variant, "+Inf" if edge == float("inf") else str(edge)
                self.buckets[key] = self.buckets.get(key, 0) + by * (seconds <= edge)

    def text(self):
        with self.lock:
            lines = [
                f'shop_requests_total{{variant="{variant}",code="{code}"}} {value}\n'
                for (variant, code), value in self.counts.items()
            ]
            buckets = [
                f'shop_seconds_bucket{{variant="{variant}",le="{edge}"}} {value}\n'
                for (variant, edge), value in self.buckets.items()
            ]
        head = "# TYPE shop_requests_total counter\n" + "".join(lines)
        return head + ("# TYPE shop_seconds histogram\n" if buckets else "") + "".join(buckets)

    def start(self):
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = target.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def stop(self):
        if self.server is not None:
            self.server.shutdown()
            self.thread.join()
            self.server.server_close()
            self.server = None

    def restart(self):
        """End, forget everything, and begin again."""
        self.stop()
        self.counts = {}
        self.buckets = {}
        self.start()


class PrometheusServer:
    """A Prometheus of our own that scrapes targets once a second."""

    def __init__(self, folder, targets):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "prometheus.yml"
        config.write_text(CONFIG % ", ".join(f"'127.0.0.1:{each.port}'" for each in targets))
        self.command = [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=error",
        ]

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.until(lambda: self.get("/-/ready") is not None)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def get(self, path):
        try:
            # our own server, on this machine
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:  # noqa: S310
                return answer.read()
        except (urllib.error.URLError, OSError):
            return None

    def moment(self):
        """Return the time now, once what is counted from here on cannot be in an earlier sample.

        A sample has the time at which its scrape began.
        """
        now = datetime.now(UTC)
        self.until(lambda: self.value(f"min(timestamp(up)) > bool {now.timestamp():.3f}") == 1)
        return now

    def value(self, query):
        """Return the sum of what a query finds now, 0 for nothing."""
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": query})
        answer = self.until(lambda: self.get(path))
        found = json.loads(answer)["data"]["result"]
        return sum(float(each["value"][1]) for each in found)

    def until(self, holds):
        end = time.monotonic() + PATIENCE
        while not (found := holds()):
            assert time.monotonic() < end, "it did not come about"
            assert self.process.poll() is None, "Prometheus ended"
            time.sleep(0.1)
        return found
