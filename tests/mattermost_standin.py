"""A stand-in of Mattermost's API v4 as far as a bot asks it, on the loopback.

It answers in the shapes of the real one: the bot's token is checked, channels exist in one team or
not, posts are edited, forms are opened, and what an integration carries is not shown to anybody.
"""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

BOT = "bot-token"
TEAM = "engineering"
CHANNELS = {"production": "p" * 26, "g_integrations": "g" * 26}


class MattermostStandIn:
    """Remembers posts, oldest first, and the forms that were opened.

    `fail` holds for each call, such as `POST /posts`, what its next answers are: a status, or
    `"lost"` for something that is done and whose answer does not arrive.
    """

    def __init__(self):
        self.posts = []
        self.dialogs = []
        self.fail = {}
        self.changed = threading.Condition()
        standin = self

        class Handler(_Handler):
            mattermost = standin

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, condition, timeout=60):
        """Wait until something is as it should be, and return it."""
        with self.changed:
            assert self.changed.wait_for(condition, timeout), "it never happened"
        return condition()

    def said(self, text):
        return [each for each in self.posts if text in each["message"]]

    def button(self, post, action):
        """Return what the server itself keeps of a button: where it reports to, and with what."""
        actions = [
            each
            for part in post["props"].get("attachments", ())
            for each in part.get("actions", ())
            if each["id"] == action
        ]
        return actions[0]["integration"]

    def answer(self, method, path, query, body, token):
        with self.changed:
            found = self._done(method, path, query, body, token)
            self.changed.notify_all()
        return found

    def _done(self, method, path, query, body, token):
        if token != f"Bearer {BOT}":
            return 401, {"id": "api.context.session_expired.app_error", "status_code": 401}
        parts = path.removeprefix("/api/v4/").split("/")
        match method, parts:
            case "GET", ["teams", "name", team, "channels", "name", name]:
                if team == TEAM and name in CHANNELS:
                    return 200, {"id": CHANNELS[name], "name": name, "display_name": name}
                return 404, {"id": "app.channel.get_by_name.missing.app_error", "status_code": 404}
            case "GET", ["users", "me"]:
                return 200, {"id": "b" * 26, "username": "flagstaff", "is_bot": True}
            case "POST", ["channels", "direct"]:
                return 201, {"id": f"direct-{body[1]}", "type": "D"}
            case "POST", ["posts"]:
                post = {
                    "id": f"post{len(self.posts):022}",
                    "create_at": int(time.time() * 1000),
                    "delete_at": 0,
                    "root_id": "",
                    "props": {},
                    "edits": 0,
                    **body,
                }
                self.posts.append(post)
                return 201, post
            case "GET", ["posts", post]:
                return 200, next(each for each in self.posts if each["id"] == post)
            case "PUT", ["posts", post, "patch"]:
                (found,) = [each for each in self.posts if each["id"] == post]
                found.update(body, edits=found["edits"] + 1)
                return 200, found
            case "GET", ["channels", channel, "posts"]:
                since = int(query["since"][0])
                there = [
                    each
                    for each in self.posts
                    if each["channel_id"] == channel and each["create_at"] >= since
                ]
                return 200, {
                    "order": [each["id"] for each in reversed(there)],
                    "posts": {each["id"]: each for each in there},
                }
            case "POST", ["actions", "dialogs", "open"]:
                self.dialogs.append(body)
                return 200, {"status": "OK"}
        return 404, {"id": "api.context.404.app_error", "status_code": 404}


class _Handler(BaseHTTPRequestHandler):
    mattermost: MattermostStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._do("GET")

    def do_POST(self):
        self._do("POST")

    def do_PUT(self):
        self._do("PUT")

    def _do(self, method):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        call = f"{method} {parts.path.removeprefix('/api/v4')}"
        failing = self.mattermost.fail.get(call) or []
        failure = failing.pop(0) if failing else None
        if isinstance(failure, int):
            status, found = failure, {"id": "failed", "status_code": failure}
        else:
            status, found = self.mattermost.answer(
                method,
                unquote(parts.path),
                parse_qs(parts.query),
                json.loads(body) if body else None,
                self.headers.get("authorization", ""),
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
