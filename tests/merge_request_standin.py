"""A stand-in of GitLab's REST API for merge requests and the notes of issues, on the loopback."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "glpat-test"
PROJECT = "group/app"


class GitLabStandIn:
    """`requests` are attributes by number; `notes` are what was said on issue 1, oldest first.

    `fail` holds what the next answers are: a status, or `"lost"` for something that is done and
    whose answer does not arrive.
    """

    def __init__(self):
        self.requests = {}
        self.notes = []
        self.fail = []
        self.asked = []
        standin = self

        class Handler(_Handler):
            gitlab = standin

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def request(self, number, **more):
        """Add an open merge request, in the shape of GitLab's reference."""
        self.requests[number] = {
            "id": 1000 + number,
            "iid": number,
            "project_id": 3,
            "title": "Add it",
            "state": "opened",
            "target_branch": "main",
            "source_branch": "side",
            "sha": "8888888888888888888888888888888888888888",
            "merge_commit_sha": None,
            "squash_commit_sha": None,
            "web_url": f"{self.url}/{PROJECT}/-/merge_requests/{number}",
            **more,
        }

    def answer(self, method, path, query, body, token):
        self.asked.append((method, path))
        if token != TOKEN:
            return 401, {"message": "401 Unauthorized"}
        base = f"/api/v4/projects/{PROJECT}"
        if method == "GET" and path.startswith(f"{base}/merge_requests/"):
            found = self.requests.get(int(path.rpartition("/")[2]))
            return (200, found) if found else (404, {"message": "404 Not found"})
        if path == f"{base}/issues/1/notes" and method == "GET":
            assert query["sort"] == ["desc"]
            return 200, self.notes[::-1][: int(query["per_page"][0])]
        if path == f"{base}/issues/1/notes" and method == "POST":
            self.notes.append({"id": len(self.notes) + 1, "body": body["body"], "system": False})
            return 201, self.notes[-1]
        return 404, {"message": "404 Project Not Found"}


class _Handler(BaseHTTPRequestHandler):
    gitlab: GitLabStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._do("GET")

    def do_POST(self):
        self._do("POST")

    def _do(self, method):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        failure = self.gitlab.fail.pop(0) if self.gitlab.fail else None
        if isinstance(failure, int):
            status, found = failure, {"message": "failed"}
        else:
            status, found = self.gitlab.answer(
                method,
                unquote(parts.path),
                parse_qs(parts.query),
                json.loads(body or "{}"),
                self.headers.get("private-token", ""),
            )
        if failure == "lost":
            self.close_connection = True
            return
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
